"""The body of a model card, section by section, as Markdown.

Names, labels, licences and metrics may be a stranger's: `prose` and `code` show them as text.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from zoo.catalogue.entry import Base, Entry
from zoo.catalogue.licensing import UNKNOWN
from zoo.catalogue.registries import package_of_builder, place_of
from zoo.catalogue.source import Source
from zoo.export.card_facts import Facts, Table, Work, card_name, is_of_the_registry
from zoo.printing import as_markdown, as_text, parameters_text
from zoo.tasks import find_task

_WORDS = {
    "iou": "IoU",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "mae": "MAE",
    "rmse": "RMSE",
    "map": "mAP",
    "f1": "F1",
    "r2": "R²",
}
_UNITS = {"percent": "%", "db": "dB", "ppm": "ppm", "metres": "m", "pixels": "pixels"}
_PLAIN = re.compile(r"[A-Za-z0-9]+(?:(?:[./_-]|[:,;] | )[A-Za-z0-9]+)*")
_PAGE = re.compile(r"https?://[A-Za-z0-9.-]+(/[A-Za-z0-9./_~%?=&;,+-]*)?")

MISUSES = "Decisions about people, and anything where a mistake harms someone and nobody looks again."


def body(entry: Entry, facts: Facts, measured: dict[str, Any]) -> str:
    """The whole card below its metadata."""
    sections = {
        "What it is for": _bullets(facts.uses) or _purpose(entry),
        "What it is not for": _bullets((*facts.misuses, MISUSES)),
        "Input and output": _interface(entry),
        "Use": usage(entry),
        "How it was trained": _training(entry, facts, measured),
        "Results": _results(entry, facts, measured),
        "Image": _image(facts),
        "Limits and biases": _bullets(facts.limits) or _inherited_limits(entry),
        "Licence": _licence(entry, facts),
        "Source": _source(entry),
        "Citation": f"```bibtex\n{facts.citation}\n```" if facts.citation else f"The paper: {_page(entry.paper)}",
    }
    text = "\n\n".join(f"## {title}\n\n{section}" for title, section in sections.items() if section)
    return f"# {prose(card_name(entry))}\n\n{summary(entry, facts)}\n\n{text}\n"


def summary(entry: Entry, facts: Facts) -> str:
    """One paragraph: what it is."""
    size = f", {parameters_text(entry.parameters_millions)} parameters" if entry.parameters_millions else ""
    return facts.summary or f"{code(entry.name)}: {entry.task.replace('-', ' ')} for Keras 3{size}."


def usage(entry: Entry) -> str:
    """The snippet to copy: it runs as it stands beside a file of the name that it reads. Empty for a model that is in
    no file yet, which no handle means."""
    if entry.source is None and not entry.sha256 and not is_of_the_registry(entry):
        return ""
    name, task = json.dumps(as_text(_handle(entry)), ensure_ascii=False), find_task(entry.task)
    snippet = f'import zoo\n\nrecord = zoo.predict({name}, "{task.example}")[0]\n{task.show}'
    load = code(f"zoo.load({name})")
    needed = f"{fenced(snippet, 'python')}\n\n`pip install layerzoo`. {load} gives the `keras.Model`."
    if package := package_of_builder(entry.builder):
        needed += (
            f"\n\nThe network is code of the Python package {code(package)}, as {code(entry.builder)}, and not of "
            "layerzoo: that package has to be installed too, and it registers itself. Exports (SavedModel, ONNX and "
            "the like) need neither."
        )
    return needed


def _handle(entry: Entry) -> str:
    """What `zoo.load` takes for it; a folder is named from beside it."""
    if entry.repo_id == entry.name:
        return entry.where
    return f"./{entry.name}" if entry.source is None and entry.sha256 else card_name(entry)


def prose(text: str) -> str:
    """Text as it is where it is plain words, such as `resnet10t.c3_in1k`; else with every mark taken from it."""
    is_plain = _PLAIN.fullmatch(text) and "www." not in text.lower()
    return text if is_plain else as_markdown(text)


def code(text: str) -> str:
    """Text as a span of code, whatever it contains."""
    text = as_text(text)
    longest = max(map(len, re.findall("`+", text)), default=0)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{'`' * (longest + 1)}{space}{text}{space}{'`' * (longest + 1)}"


def fenced(text: str, language: str = "") -> str:
    """Text as a block of code, whatever it contains."""
    marks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{marks}{language}\n{text}\n{marks}"


def spoken(metric: str) -> str:
    """A metric's key as people write it: `psnr_db` is PSNR, dB."""
    *words, last = metric.split("_")
    unit = f", {_UNITS[last]}" if words and last in _UNITS else ""
    words = words if unit else [*words, last]
    return " ".join(_WORDS.get(word) or re.sub(r"^top(\d+)$", r"top-\1", word) for word in words) + unit


def _purpose(entry: Entry) -> str:
    also = "" if entry.task == "object-detection" else ", and as a start for fine-tuning"
    return f"- {entry.task.replace('-', ' ').capitalize()}{also}."


def _interface(entry: Entry) -> str:
    task = find_task(entry.task)
    return f"- In: {task.takes(entry)}\n- Out: {task.gives(entry)}"


def _training(entry: Entry, facts: Facts, measured: dict[str, Any]) -> str:
    if entry.random == "all":
        return "Not at all: it has random weights."
    if not measured and facts.training:
        return facts.training
    if not measured:
        origin = _link(entry.source) if entry.source else "whoever made its file of weights"
        return f"By {origin}; this library converts the weights when it loads them."
    versions = ", ".join(f"{name} {version}" for name, version in measured.get("versions", {}).items())
    facts_of_the_run = {
        "steps": f"{measured['training_steps']:,}" if "training_steps" in measured else "",
        "seed": str(measured.get("seed", "")),
        "time": _duration(measured["seconds"]) if "seconds" in measured else "",
        "on": prose(measured.get("processor", "")),
        "with": versions,
    }
    run = "; ".join(f"{name}: {value}" for name, value in facts_of_the_run.items() if value)
    works = f"\n\nTrained on:\n\n{_works(facts.trained_on)}" if facts.trained_on else ""
    return f"{facts.training}\n\n```sh\n{measured['command']}\n```\n\n{run}.{works}".strip()


def _duration(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _results(entry: Entry, facts: Facts, measured: dict[str, Any]) -> str:
    parts = []
    is_ours = entry.measured is not None and entry.measured.source.startswith("recipes/")
    if entry.metrics and entry.measured and not (facts.results and is_ours):
        rows = [(prose(spoken(name)), f"{value:g}") for name, value in entry.metrics.items()]
        parts.append(_table(("metric", "value"), rows))
        dataset, source = map(prose, (entry.measured.dataset, entry.measured.source))
        parts.append(f"On {dataset}, as reported by {source}; not measured again here.")
    parts += [_measured_table(result, measured) for result in facts.results]
    if facts.results:
        parts.append(f"Measured: {measured['metric']}. The command above prints these numbers.")
    if not parts:
        parts.append("None are known.")
    if facts.measured_on:
        parts.append(f"Measured on:\n\n{_works(facts.measured_on)}")
    if facts.paper:
        table = _table(facts.paper.header, [[str(cell) for cell in row] for row in facts.paper.rows])
        parts.append(f"The paper beside it. {facts.paper.note}\n\n{table}")
    return "\n\n".join(parts)


def _measured_table(table: Table, measured: dict[str, Any]) -> str:
    shown = measured[table.key]
    columns = [_column([row.get(key) for row in shown.values()], mean=table.mean) for key in table.columns]
    names = [*shown, "mean"] if table.mean else [*shown]
    rows = list(zip(names, *columns, strict=True))
    return f"{_table((table.row, *table.columns.values()), rows)}\n\n{table.note}".strip()


def _column(numbers: list[float | None], *, mean: bool) -> list[str]:
    """All numbers of a column, and their mean, with as many decimals as the longest of them; nothing for None."""
    known = [number for number in numbers if number is not None]
    decimals = max((len(f"{number:g}".partition(".")[2]) for number in known), default=0)
    has_exponents = any("e" in f"{number:g}" for number in known)
    wanted = [*numbers, sum(known) / len(known)] if mean else numbers
    return ["" if x is None else f"{x:g}" if has_exponents else f"{x:.{decimals}f}" for x in wanted]


def _image(facts: Facts) -> str:
    if facts.image is None:
        return ""
    image = facts.image
    return f"![{image.caption}]({image.file})\n\n{image.caption} Made by `{image.command}`."


def _inherited_limits(entry: Entry) -> str:
    data = prose(entry.measured.dataset) if entry.measured else "its training data"
    return (
        f"- It knows what its training data showed, and shares its gaps and its biases; the metrics hold for {data}.\n"
        "- Nothing was measured here by skin tone, region or the like."
    )


def _licence(entry: Entry, facts: Facts) -> str:
    works = sorted({work.license for work in (*facts.trained_on, *facts.measured_on)})
    data = f"Training and test data: {'; '.join(works)} (each above)." if works else _foreign_data(entry)
    own = "nobody has stated one" if entry.license == UNKNOWN else prose(entry.license)
    base = entry.base
    began = f"\n- What the training began with, {named(base)}: {prose(base.license)}." if base else ""
    note = f" {facts.license_note}" if facts.license_note else ""
    return f"- Weights: {own}.{note}{began}\n- Data: {data}"


def _foreign_data(entry: Entry) -> str:
    if _is_from_outside(entry):
        return "ask whoever trained it."
    return f"see {_link(entry.source)}." if entry.source else "none."


def _source(entry: Entry) -> str:
    paper, file = f"- Paper: {_page(entry.paper)}", code(entry.filename)
    if entry.is_embedded:
        place = place_of(entry.name)
        folder = f"{place.package.replace('.', '/')}/checkpoints"
        return (
            f"- File: `{folder}/{entry.filename}`, shipped in the package `{place.distribution}`.\n"
            f"- Revision: that of the package.\n- SHA-256: `{entry.sha256}`\n{paper}"
        )
    if entry.source is None and entry.sha256:
        return f"- File: {file}, beside this card.\n- SHA-256: `{entry.sha256}`\n{paper}"
    if entry.source is None and entry.random == "none" and not is_of_the_registry(entry):
        return f"- Weights: as they were when this card was written.\n{paper}"
    if entry.source is None:
        return f"- No pretrained weights.\n{paper}"
    recorded = "recorded by the first download"
    return (
        f"- File: {file} of {_link(entry.source)}\n"
        f"- Revision: {code(entry.revision) if entry.revision else recorded}\n"
        f"- SHA-256: {f'`{entry.sha256}`' if entry.sha256 else recorded}\n{paper}"
    )


def _is_from_outside(entry: Entry) -> bool:
    """Whether somebody saved or published it with this library, so that the registry does not know it."""
    is_published = entry.sha256 is not None and entry.repo_id == entry.name
    return not is_of_the_registry(entry) and entry.random != "all" and (entry.source is None or is_published)


def named(base: Base) -> str:
    """The base as text, with a link where it has a page."""
    if page := Source(base.source).page:
        return f"[{prose(base.name)}]({page})"
    return f"{code(base.name)} of {place_of(base.name).distribution}"


def _link(source: str) -> str:
    name = source if re.fullmatch(r"[A-Za-z0-9:/._-]+", source) else prose(source)
    return f"[{name}]({page})" if (page := Source(source).page) else name


def _page(url: str) -> str:
    """An address as the link that it is; anything else as text."""
    return url if _PAGE.fullmatch(url) else prose(url)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _works(works: Iterable[Work]) -> str:
    rows = ((work.name, work.origin, work.license) for work in works)
    return _table(("data", "from", "licence"), rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
