"""The entry of a model that gets a decoder: a pretrained encoder, and above it what nobody has trained."""

from collections.abc import Mapping
from typing import Any

from zoo.catalogue.builder_defaults import builder_defaults
from zoo.catalogue.decoder_names import OF_ALL
from zoo.catalogue.entry import DECODER_PREFIXES, Base, Entry
from zoo.catalogue.registry import registry
from zoo.errors import InputError

ENCODERS = ("image-classification", "image-features", "semantic-segmentation")  # the tasks whose models become one


def with_decoder(
    entry: Entry, decoder: str, options: Mapping[str, Any] | None, num_classes: int | None
) -> tuple[Entry, tuple[str, ...]]:
    """The entry for a new decoder above the trunk of the entry's model, and the layers that are not to be filled.

    Raises:
        InputError: There is no such decoder or option, the model has no pyramid or this decoder already, or nobody
            says how many classes there are.
    """
    if not num_classes:
        raise InputError(
            f"decoder={decoder!r} with num_classes={num_classes}. Expected how many classes there are, at least 1."
        )
    if entry.task not in ENCODERS or not registry().has_features(entry.builder):
        raise InputError(
            f"decoder={decoder!r} does not fit {entry.name} ({entry.task}): its network has no feature pyramid of an "
            "image. Expected a model with a trunk of several sizes, such as a classifier."
        )
    if entry.decoder == decoder:
        raise InputError(
            f"decoder={decoder!r}, which {entry.name} has already. Expected none, to keep it with its weights; "
            "num_classes= gives it a new head."
        )
    _check_options(decoder, options or {})
    facts: dict[str, Any] = {
        "name": f"{decoder}-{entry.name.rpartition('/')[2]}",
        "architecture": f"{decoder}-{entry.architecture}",
        "tag": None,
        "source": None,
        "revision": None,
        "sha256": None,
        "decoder": decoder,
        "decoder_config": dict(options or {}),
        "task": "semantic-segmentation",
        "classifier": "segmentation_head-0",
        "head": ("segmentation_head-*",),
        "labels": None,
        "num_classes": int(num_classes),
        "parameters_millions": None,
        "metrics": {},
        "measured": None,
        "random": "head",
        "input": entry.input.model_copy(update={"size": None, "crop": 1.0, "crop_mode": "center"}),
        "base": entry.base
        if entry.source is None
        else Base(name=entry.name, source=entry.source, revision=entry.revision, license=entry.license),
    }
    return entry.model_copy(update=facts), tuple(f"{prefix}*" for prefix in DECODER_PREFIXES)


def _check_options(decoder: str, options: Mapping[str, Any]) -> None:
    """Check that a decoder takes these options.

    Raises:
        InputError: It does not; names the nearest.
    """
    known = {**builder_defaults(f"decoders/{decoder}.{decoder}")[-1], "strides": OF_ALL["strides"]}
    for name, value in options.items():
        if name not in known:
            raise InputError(
                f"decoder_options: {name!r} is not an option of the decoder {decoder}. Expected {', '.join(known)}."
            )
        if not isinstance(value, type(known[name])) and not isinstance(known[name], float | tuple):
            raise InputError(f"decoder_options: {name}={value!r}. Expected a value like {known[name]!r}.")
