"""The entry of a model that gets a decoder: a pretrained encoder, and above it what nobody has trained."""

from collections.abc import Mapping
from typing import Any

from zoo.catalogue.builder_defaults import builder_defaults
from zoo.catalogue.decoder_names import DETECTORS, EVENLY_HALVED, OF_ALL, task_of
from zoo.catalogue.entry import DECODER_PREFIXES, Base, Entry
from zoo.catalogue.registry import registry
from zoo.catalogue.task_names import ONE_HEAD
from zoo.errors import InputError

ENCODERS = (*ONE_HEAD, "object-detection", "semantic-segmentation")  # the tasks whose models become one

LARGEST_COUNT = 8192  # channels, rates and strides; the widest map has 4,096
# Of options that are texts.
WORDS = {
    "upsampling": ("nearest", "bilinear", "transposed"),
    "merge": ("add", "concatenate"),
    "top": ("p5", "c5"),
}
# What the atrous pyramids of the papers stand on.
USUAL_OUTPUT_STRIDES = {"deeplabv3": 8, "deeplabv3plus": 16}
# The layer of a decoder that gives a score per class, in the names of the reference.
_CLASSIFIERS = {
    "efficientdet": "decoder-class_net-predict-conv_pw",
    "fcos": "decoder-head-classification_head-cls_logits",
    "retinanet": "decoder-head-classification_head-cls_logits",
    "yolox": "decoder-head-cls_preds-0",
}
# Where there are several of these.
_HEADS = {"yolox": ("decoder-head-cls_preds-*",)}
# Where a new decoder's head is, and how images become its input.
_SEGMENTS: dict[str, Any] = {
    "head": ("segmentation_head-*",),
    "input": {"size": None, "crop": 1.0, "crop_mode": "center"},
}
_DETECTS: dict[str, Any] = {
    "head": (),
    "input": {"size": 512, "crop": 1.0, "crop_mode": "letterbox", "interpolation": "bilinear"},
}


def usual_output_stride(entry: Entry, decoder: str) -> int | None:
    """The output stride that a decoder is made for, where the entry's network can be dilated so."""
    blurs = entry.config.get("anti_aliasing") or entry.config.get("style", {}).get("anti_aliasing")
    can = registry().dilates(entry.builder) and "output_stride" not in entry.config and not blurs
    return USUAL_OUTPUT_STRIDES.get(decoder) if can else None


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
    config, kind = dict(options or {}), _DETECTS if decoder in DETECTORS else _SEGMENTS
    if config.get("logits_stride", 1) == 1:
        config.setdefault("pad_to", EVENLY_HALVED)
    facts: dict[str, Any] = {
        "name": f"{decoder}-{entry.name.rpartition('/')[2]}",
        "architecture": f"{decoder}-{entry.architecture}",
        "tag": None,
        "source": None,
        "revision": None,
        "sha256": None,
        "decoder": decoder,
        "decoder_config": config,
        "task": task_of(decoder),
        "classifier": _CLASSIFIERS.get(decoder, "segmentation_head-0"),
        "head": _HEADS.get(decoder, kind["head"]),
        "labels": None,
        "quantities": (),
        "num_classes": int(num_classes),
        "parameters_millions": None,
        "metrics": {},
        "measured": None,
        "random": "head",
        "input": entry.input.model_copy(update=kind["input"]),
        "base": entry.base
        if entry.source is None
        else Base(name=entry.name, source=entry.source, revision=entry.revision, license=entry.license),
    }
    return entry.model_copy(update=facts), tuple(f"{prefix}*" for prefix in DECODER_PREFIXES)


def _check_options(decoder: str, options: Mapping[str, Any]) -> None:
    """Check that a decoder takes these options.

    Raises:
        InputError: It does not; names the option.
    """
    known = {
        **builder_defaults(f"decoders/{decoder}.{decoder}")[-1],
        "strides": OF_ALL["strides"],
        "pad_to": OF_ALL["pad_to"],
    }
    for name, value in options.items():
        if name not in known:
            raise InputError(
                f"decoder_options: {name!r} is not an option of the decoder {decoder}. Expected {', '.join(known)}."
            )
        if not _is_like(value, known[name], WORDS.get(name, ())):
            expected = " or ".join(map(repr, WORDS[name])) if name in WORDS else f"a value like {known[name]!r}"
            raise InputError(f"decoder_options: {name}={value!r:.100}. Expected {expected}.")


def _is_like(value: Any, usual: Any, words: tuple[str, ...]) -> bool:
    """Whether a value may stand in place of the usual one: any count of positive numbers, or one of `words`."""
    if isinstance(usual, tuple):
        return isinstance(value, list | tuple) and all(_is_count(each, 1) for each in value)
    if isinstance(usual, bool):
        return isinstance(value, bool)
    if isinstance(usual, str):
        return isinstance(value, str) and value in words
    if isinstance(usual, float):
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
    return _is_count(value, usual and 1)


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST_COUNT
