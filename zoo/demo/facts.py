"""What is shown about a model beside its predictions, in Markdown that loads nothing: what its makers wrote is text."""

from zoo.catalogue.entry import Entry
from zoo.catalogue.licensing import is_non_commercial
from zoo.catalogue.registries import place_of
from zoo.catalogue.source import Source
from zoo.export.card_text import spoken
from zoo.printing import as_link, as_markdown, parameters_text


def facts(entry: Entry) -> str:
    """One line each: task, parameters, licence, source, metrics, paper."""
    lines = {
        "Task": entry.task.replace("-", " "),
        "Parameters": parameters_text(entry.parameters_millions),
        "Licence": _licence(entry),
        "Source": _source(entry),
        "Measured": as_markdown("; ".join(f"{spoken(name)} {value:g}" for name, value in entry.metrics.items())),
        "Measured on": entry.measured and as_markdown(entry.measured.dataset),
        "Paper": entry.paper and as_link(entry.paper, entry.paper),
    }
    title = f"## {as_markdown(entry.name)}"
    return "\n".join([title, *(f"- {name}: {value}" for name, value in lines.items() if value)])


def _licence(entry: Entry) -> str:
    license = as_markdown(entry.license)
    return f"{license}, **for non-commercial use only**" if is_non_commercial(entry.license) else license


def _source(entry: Entry) -> str:
    if entry.source is not None and entry.is_on_hub:
        return as_link(entry.source, Source(entry.source).page)
    return (
        f"in the package {place_of(entry.name).distribution}"
        if entry.is_embedded
        else as_markdown(entry.source or "a folder on this machine")
    )
