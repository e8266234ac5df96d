"""The card of a model that somebody saves or publishes, from its entry and what is known of its training."""

from typing import TYPE_CHECKING

from zoo.catalogue.entry import Entry
from zoo.catalogue.training_record import TrainingRecord
from zoo.export.card import card_of
from zoo.export.card_facts import Facts, facts_of, is_shipped, measurements_of
from zoo.export.card_text import code, fenced, named, prose
from zoo.printing import as_text, parameters_text

if TYPE_CHECKING:
    from huggingface_hub import ModelCard


def published_card(entry: Entry, *, original: Entry | None = None, training: TrainingRecord) -> "ModelCard":
    """The card of a model under the name of its folder or repository.

    Args:
        entry: The model as it is saved or published.
        original: The entry of a model whose weights these still are; what its card states of them is repeated.
        training: The record of the training; empty where nothing is known.
    """
    if original is not None and is_shipped(original):
        return card_of(entry, facts_of(original), measurements_of(original))
    return card_of(entry, _facts(entry, training), {})


def _facts(entry: Entry, training: TrainingRecord) -> Facts:
    kind = entry.task.replace("-", " ")
    size = f", {parameters_text(entry.parameters_millions)} parameters" if entry.parameters_millions else ""
    summary = f"{kind.capitalize()} for Keras 3: {code(entry.architecture)}{size}."
    return Facts(summary=summary, training="\n\n".join(_training(entry, training)))


def _training(entry: Entry, training: TrainingRecord) -> list[str]:
    base, told = entry.base, []
    if base is None:
        told.append("The training began with random weights, or with a file of the publisher's own.")
    else:
        at = f" at {code(base.revision)}" if base.revision else ""
        told.append(f"Its weights began as those of {named(base)}{at}, licence {prose(base.license)}.")
    if adapter := entry.adapter:
        told.append(
            f"The file has an adapter of rank {adapter.rank} over {prose(adapter.base)} alone (LoRA, "
            "https://arxiv.org/abs/2106.09685); `zoo.load` brings the weights of that, and compares their hash."
        )
    epochs = f"{training.epochs} epoch{'s' if training.epochs > 1 else ''}" if training.epochs else ""
    if training.data or epochs:
        data = prose(training.data) or "data of the publisher"
        told.append(f"Trained on {data}{', ' if epochs else ''}{epochs}.")
    if training.command:
        told.append(fenced(as_text(training.command)))
    return told
