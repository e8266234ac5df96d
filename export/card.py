"""Model cards: what the Hub shows of a model, generated from registry, measurements and `cards.yaml`.

python -m zoo.export.card     writes MODEL_CARDS/ anew, a card for each model that we train and the index, and the list
                              of licences beside the checkpoints
"""

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalogue import resolving
from zoo.catalogue.entry import Entry
from zoo.catalogue.licensing import HUB_LICENSES, is_non_commercial
from zoo.catalogue.registry import registry
from zoo.catalogue.source import Source
from zoo.catalogue.training_record import TrainingRecord, training_record
from zoo.export import card_text
from zoo.export.card_facts import Facts, card_name, facts_of, is_shipped, measurements_of
from zoo.printing import as_text, parameters_text
from zoo.tasks import find_task

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCard

BASELINES = (
    "bicubic_",
    "biharmonic_",
    "diffusion_",
    "telea_",
    "gain_",
    "seasonal_naive_",
    "holt_winters_",
)  # metrics that are not results of the model itself
METRIC_TYPES = {"top1_percent": "accuracy", "top5_percent": "accuracy", "ssim": "ssim", "lowest_iou": "iou"}


def model_card(model: Any) -> "ModelCard":
    """The card of a model, with the Hub's metadata.

    Args:
        model: A name or another handle, an `Entry`, or a model from `zoo.load`. Of a model whose weights were
            changed since, the card names the model it started from, and not that model's metrics.

    Returns:
        A `huggingface_hub.ModelCard`: `str(card)` is the whole file, `card.data` its metadata, `card.text` the rest.

    Raises:
        UnknownModelError: No such model; the message offers the nearest names.
        As `zoo.info`, for a handle on the Hub.

    Example:
        >>> import zoo.export
        >>> zoo.export.model_card("espcn-x2").data.license
        'apache-2.0'
    """
    from zoo.export.published_card import published_card

    entry, training = _described(model)
    if entry.random == "none" and (entry.base or (entry.source is None and entry.sha256)):  # somebody has trained it
        return published_card(entry, training=training)
    return card_of(entry, facts_of(entry), measurements_of(entry))


def card_body(entry: Entry) -> str:
    """The text of a registry's card, without the Hub's metadata: those take longer to write than all the rest."""
    return card_text.body(entry, facts_of(entry), measurements_of(entry))


def card_of(entry: Entry, facts: Facts, measured: dict[str, Any]) -> "ModelCard":
    """The card of an entry, from what is known of it."""
    from huggingface_hub import ModelCard, ModelCardData

    name = card_name(entry)
    results = _eval_results(entry)
    family = [] if ":" in entry.builder else [entry.builder.partition(".")[0]]
    # Any other is `other` there, with its name and where to read it.
    is_listed = entry.license in HUB_LICENSES - {"other"}
    data = ModelCardData(
        license=entry.license if is_listed else "other",
        license_name=None if is_listed else {"other": "see-source"}.get(entry.license, as_text(entry.license)),
        license_link=None if is_listed else _page(entry),
        library_name="layerzoo" if entry.adapter else "keras",  # plain Keras knows no adapters
        pipeline_tag=find_task(entry.task).pipeline_tag,
        tags=["keras", "layerzoo", entry.task, *family],
        datasets=["ILSVRC/imagenet-1k"] if "in1k" in (entry.tag or "") else None,
        base_model=_base_model(entry),
        base_model_relation="adapter" if entry.adapter and _base_model(entry) else None,
        model_name=as_text(name) if results else None,
        eval_results=results or None,
    )
    text = card_text.body(entry, facts, measured)
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}")


def carded_entries() -> list[Entry]:
    """The models that we train: each has its card in `MODEL_CARDS/`."""
    return [entry for entry in registry().entries.values() if is_shipped(entry)]


def card_files() -> dict[str, str]:
    """What `MODEL_CARDS/` contains: text by file name, the index among them."""
    files = {f"{card_name(entry)}.md": f"{model_card(entry)}".rstrip() + "\n" for entry in carded_entries()}
    return {**files, "README.md": _index()}


def checkpoint_list() -> str:
    """`zoo/checkpoints/README.md`: each file, what its licence is and what it was trained on."""
    rows = ["| file | model | licence | trained on |", "| --- | --- | --- | --- |"]
    for entry in carded_entries():
        works = facts_of(entry).trained_on
        data = "; ".join(f"{work.name} ({work.license})" for work in works) or "generated data"
        name = card_name(entry)
        link = f"[{name}](../../MODEL_CARDS/{name}.md)"
        rows.append(f"| {entry.filename} | {link} | {entry.license} | {data} |")
    restricted = sorted({entry.license for entry in carded_entries() if is_non_commercial(entry.license)})
    names = " and ".join(f"`{name}`" for name in restricted)
    remark = f"\nNot for commercial use: those under {names}. `zoo.load` warns of it.\n" if restricted else ""
    return (
        "# Checkpoints\n\nThe weights that are trained here. Beside each lies a `.json`: what was measured, and how.\n"
        "Generated by `python -m zoo.export.card`.\n\n" + "\n".join(rows) + "\n" + remark
    )


def _index() -> str:
    rows = ["| model | task | parameters | measured | licence |", "| --- | --- | --- | --- | --- |"]
    for entry in carded_entries():
        name = card_name(entry)
        measured = ", ".join(f"{card_text.spoken(key)} {value:g}" for key, value in entry.metrics.items())
        size = parameters_text(entry.parameters_millions)
        rows.append(f"| [{name}]({name}.md) | {entry.task} | {size} | {measured} | {entry.license} |")
    return (
        "# Model cards\n\nThe models that are trained here, a card each. Generated by `python -m zoo.export.card`\n"
        "from the registry, the measurements beside the checkpoints and `export/cards.yaml`; `zoo card NAME`\n"
        "prints the card of any other model.\n\n" + "\n".join(rows) + "\n"
    )


def _described(model: Any) -> tuple[Entry, TrainingRecord]:
    """What is known of a model as it is, and of its training."""
    spec = getattr(model, "spec", model)
    if not isinstance(spec, Entry):
        located = resolving.resolve(model)
        folder = located.folder
        entry = located.entry if folder else resolving.info(model)
        return entry, training_record(folder)
    if spec is not model:
        spec = _as_it_is(model)
    # With random weights the metrics of the pretrained ones would be wrong.
    random: dict[str, Any] = {"metrics": {}, "measured": None} if spec.random != "none" else {}
    return spec.model_copy(update=random), TrainingRecord()


def _as_it_is(model: Any) -> Entry:
    """The spec of a model, or, once its weights are others, of one that began with them."""
    from zoo.saving import Snapshot

    snapshot = Snapshot(model)
    if snapshot.is_unchanged or snapshot.spec.random != "none":
        return snapshot.spec
    return snapshot.described(snapshot.spec.name).model_copy(update={"sha256": None})


def _base_model(entry: Entry) -> str | None:
    """The repository on the Hub from which the weights come, or with which their training began."""
    own = "" if entry.name == entry.repo_id else entry.source or ""
    return Source(entry.base.source if entry.base else own).repo_id or None


def _eval_results(entry: Entry) -> list["EvalResult"]:
    from huggingface_hub import EvalResult

    if entry.measured is None:
        return []
    source = None if entry.source is None else as_text(entry.measured.source)  # the Hub takes it with an address only
    return [
        EvalResult(
            task_type=find_task(entry.task).pipeline_tag,
            dataset_type="imagenet-1k" if "ImageNet-1k" in entry.measured.dataset else "other",
            dataset_name=as_text(entry.measured.dataset),
            metric_type=METRIC_TYPES.get(name) or as_text(name.split("_")[-2:][0]),
            metric_name=as_text(card_text.spoken(name)),
            metric_value=value,
            source_name=source,
            source_url=source and _page(entry),
        )
        for name, value in entry.metrics.items()
        if not name.startswith(BASELINES)
    ]


def _page(entry: Entry) -> str:
    """Where it comes from: its repository on the Hub, or the paper of what is trained here."""
    return Source(entry.source or "").page or as_text(entry.paper)


if __name__ == "__main__":
    package = Path(str(resources.files("zoo")))
    for filename, text in card_files().items():
        (package / "model_cards" / filename).write_text(text, encoding="utf-8")
    (package / "checkpoints" / "README.md").write_text(checkpoint_list(), encoding="utf-8")
