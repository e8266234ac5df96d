"""timm's `config.json` as it is found on the Hub, read as timm 1.0 reads it (its `models/_hub.py`, `data/config.py`).

Four layouts are in use: all on one level, with `labels`; `pretrained_cfg` inside; the same with `model_args`; and what
transformers writes around a timm model (`model_type: timm_wrapper`).
"""

import re
import reprlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from zoo.catalogue.bounds import MOST_CHANNELS, Classes, Crop, Deviation, Line, Mean, Side, Word
from zoo.catalogue.entry import Base, Entry
from zoo.catalogue.registry import registry
from zoo.catalogue.task_names import PROBLEM_TYPES, ProblemType
from zoo.errors import RegistryError, UnknownModelError

# Lists in zoo/labels/ by their number of classes.
IMAGENET = {1000: "imagenet-1k", 11_821: "imagenet-12k", 21_841: "imagenet-22k", 21_843: "imagenet-21k-goog"}
# Of `model_args`: what changes no output, and the values that leave the network as it is.
_OF_TRAINING = {"drop_rate", "drop_path_rate", "drop_block_rate", "zero_init_last", "bn_momentum", "pretrained"}
_AS_IT_IS = {"global_pool": "avg", "output_stride": 32, "features_only": False}
# Beside `pretrained_cfg`; the rest of what stands there says nothing about the network.
_OUTER = (
    *("architecture", "num_classes", "label_names", "id2label", "num_labels", "model_type", "class_name"),
    "problem_type",
)


def names_of(names: Any) -> Any:
    """A list of names, or a mapping from number to name, with gaps. timm's names may be numbers, such as digits."""
    if isinstance(names, dict):
        if not all(key.isascii() and key.isdecimal() and len(key) < 7 for key in names):
            raise PydanticCustomError(
                "description", "Input should be a list of names, or a mapping from number to name"
            )
        places = {int(key): name for key, name in names.items()}
        names = [places.get(place, str(place)) for place in range(max(places, default=-1) + 1)]
    if not isinstance(names, list):
        return names
    return [str(name) if type(name) is int else name for name in names]


def _several(values: Any) -> Any:
    return tuple(values) if isinstance(values, list) else (values,) if isinstance(values, int | float) else values


_Channels = Annotated[int, Field(gt=0, le=MOST_CHANNELS)]


class _Config(BaseModel):
    """What is read. A key that is missing or null has timm's own default."""

    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)

    architecture: Line
    tag: Word | None = None
    input_size: Annotated[tuple[_Channels, Side, Side], BeforeValidator(_several)] = (3, 224, 224)
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    crop_pct: Crop = 0.875
    crop_mode: Literal["center", "squash", "border"] = "center"
    mean: Annotated[tuple[Mean, ...], BeforeValidator(_several)] = (0.485, 0.456, 0.406)
    std: Annotated[tuple[Deviation, ...], BeforeValidator(_several)] = (0.229, 0.224, 0.225)
    num_classes: Classes = 1000
    in_chans: _Channels | None = None
    label_names: Annotated[list[str], BeforeValidator(names_of)] | None = None
    license: Line = "other"
    problem_type: ProblemType | None = None  # which transformers writes


def timm_entry(content: dict[str, Any], what: str) -> Entry:
    """The entry that `config.json` describes; messages name it as `what`.

    Raises:
        UnknownModelError: The architecture is not one of ours.
        RegistryError: It changes the architecture, or does not fit itself.
        pydantic.ValidationError: A value is not what it should be.
    """
    flat, arguments = _flat(content, what)
    if not flat.get("architecture"):
        kind = flat.get("model_type") or flat.get("class_name")
        raise UnknownModelError(
            f"{what} names no architecture{f', but {kind!r}' if isinstance(kind, str) else ''}, so it is not timm's. "
            "Expected the description of a convolutional network of timm; other libraries' models cannot be built here."
        )
    config = _Config.model_validate(flat)
    base = _base(config, what)
    _check_arguments(arguments, config, what)
    channels, height, width = config.input_size
    if height != width:
        raise RegistryError(f"{what}: input_size: {height} x {width} pixels. Expected as many rows as columns.")
    channels = config.in_chans or channels
    is_headless = config.num_classes == 0 or (base.task == "image-features" and config.num_classes == base.num_classes)
    facts = {
        "name": f"{base.architecture}.{config.tag}" if config.tag else base.architecture,
        "tag": config.tag,
        "source": None,
        "revision": None,
        "sha256": None,
        "filename": "model.safetensors",
        "format": "timm",
        "task": "image-features"
        if is_headless
        else PROBLEM_TYPES[config.problem_type or "single_label_classification"],
        "license": config.license,
        "input": {
            "size": height,
            "interpolation": config.interpolation,
            "crop": config.crop_pct,
            "crop_mode": config.crop_mode,
            "mean": _for_channels(config.mean, channels),
            "std": _for_channels(config.std, channels),
        },
        "labels": None if is_headless else _labels(config, what),
        "num_classes": config.num_classes,
        "parameters_millions": base.parameters_millions if config.num_classes == base.num_classes else None,
        "metrics": {},
        "measured": None,
        "base": _origin(base, config),
    }
    return Entry.model_validate(base.model_dump() | facts)


def _flat(content: dict[str, Any], what: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """All facts about the weights on one level, and `model_args`. Null states nothing."""
    inner, arguments = content.get("pretrained_cfg") or {}, content.get("model_args") or {}
    for key, value in (("pretrained_cfg", inner), ("model_args", arguments)):
        if not isinstance(value, dict):
            raise RegistryError(f"{what}: {key}: a {type(value).__name__}. Expected a JSON object.")
    arguments = {key: value for key, value in arguments.items() if value is not None}
    outer = content if not inner else {key: content.get(key) for key in _OUTER}
    flat = {**inner, **{key: value for key, value in outer.items() if value is not None}}
    for key, older in (("label_names", "labels"), ("label_names", "id2label"), ("num_classes", "num_labels")):
        if flat.get(key) is None:
            flat[key] = flat.get(older)
    if content.get("architectures") == ["TimmWrapperModel"]:  # transformers' name for one without a head
        flat["num_classes"] = 0
    if flat.get("num_classes") is None:
        flat["num_classes"] = arguments.get("num_classes")
    if flat["num_classes"] is None and isinstance(flat["label_names"], list):
        flat["num_classes"] = len(flat["label_names"]) or None
    flat["in_chans"] = arguments.get("in_chans")
    # timm takes its default where one of these is 0 or empty, too
    return {key: value for key, value in flat.items() if value or (value == 0 and key == "num_classes")}, arguments


def _base(config: _Config, what: str) -> Entry:
    """The registry's entry for the architecture, and for the checkpoint if it is one of the registry's."""
    name, _, tag = config.architecture.partition(".")
    known = registry().default_names
    if name not in known or registry().find(name).format != "timm":
        raise UnknownModelError(
            f"{what} describes the architecture {name!r}. Expected one of timm's that `zoo list` shows; others cannot "
            "be built here."
        )
    return registry().entries.get(f"{name}.{config.tag or tag}") or registry().find(name)


def _check_arguments(arguments: dict[str, Any], config: _Config, what: str) -> None:
    """Refuse `model_args` that make another network than the registry's."""
    wanted = {**_AS_IT_IS, "num_classes": config.num_classes, "in_chans": config.in_chans}
    for key, value in arguments.items():
        if key in _OF_TRAINING or (key in wanted and value == wanted[key]):
            continue
        expected = f"{wanted[key]!r}" if key in wanted else "only num_classes, in_chans and rates of dropout"
        raise RegistryError(
            f"{what}: model_args: {reprlib.repr(key)}: {reprlib.repr(value)} makes another network. Expected "
            f"{expected}; such a variant cannot be built here."
        )


def _for_channels(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """A number per channel. Where there is not one for each, timm takes their mean for all."""
    return values if len(values) == channels else (sum(values) / len(values),) * channels


def _labels(config: _Config, what: str) -> str | tuple[str, ...] | None:
    """The file's own names, or ImageNet's: timm leaves them out, and ends tags in the data set (`..._in12k_384`)."""
    if config.label_names is None:
        is_imagenet = re.search(r"in\d+k(_\d+)?$", config.tag or "in1k")
        return IMAGENET.get(config.num_classes) if is_imagenet else None
    if len(config.label_names) != config.num_classes:
        raise RegistryError(
            f"{what}: label_names: {len(config.label_names)} names for the {config.num_classes} classes of "
            "num_classes. Expected a name per class, in the order of the outputs."
        )
    return tuple(config.label_names)


def _origin(base: Entry, config: _Config) -> dict[str, Any] | None:
    """The checkpoint of the registry with which the weights began, as the tag tells."""
    if base.tag != config.tag or base.source is None:
        return None
    return Base(name=base.name, source=base.source, revision=None, license=base.license).model_dump()
