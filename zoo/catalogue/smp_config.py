"""segmentation_models_pytorch's `config.json` as `save_pretrained` writes it: the arguments of a model and its class.

Four decoders, and DeepLabV3, over encoders that the registry has, under smp's names and, after `tu-`, timm's.
"""

import re
import reprlib
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from zoo.catalogue.bounds import MOST_CHANNELS, Line
from zoo.catalogue.entry import Entry, Input
from zoo.catalogue.licensing import UNKNOWN
from zoo.catalogue.registry import registry
from zoo.errors import RegistryError, UnknownModelError

IMAGENET = Input(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
_HALF = Input(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
# What encoders of smp have beside those of the registry, by builder: the largest, for `descriptions.py`.
VARIANTS = {
    "efficientnet.efficientnet": {"hidden_rows": (0, 5), "stages": [[{"dilation_rate": 4, "padding": "symmetric"}]]}
}
_INTERPOLATIONS = ("nearest", "bilinear")
_Channels = Annotated[int, Field(gt=0, le=MOST_CHANNELS)]
_Width = Annotated[int, Field(gt=0, le=8192)]


class _Config(BaseModel):
    """What all models have. What else a decoder takes is in `Decoder.options`; a key that is null has its default."""

    model_config = ConfigDict(extra="allow", strict=True, defer_build=True)

    encoder_name: Line = "resnet34"
    encoder_depth: Annotated[int, Field(ge=3, le=5)] = 5
    encoder_weights: Line | bool | None = None
    encoder_output_stride: int = 32
    in_channels: _Channels = 3
    classes: _Channels = 1
    upsampling: int | None = None
    decoder_channels: _Width | Annotated[list[_Width], Field(max_length=5)] | None = None


class Decoder(NamedTuple):
    """A class of smp: our decoder, and what of its arguments says what there.

    `options` has, by argument, our option and the values of it that are built here, None for any; `output_stride` is
    smp's default, and `stride` that of the map of logits before it is enlarged.
    """

    name: str
    options: dict[str, tuple[str, dict[Any, Any] | None]]
    output_stride: int = 32
    stride: int = 1


_SAME = {name: name for name in _INTERPOLATIONS}
_ATROUS: dict[str, tuple[str, dict[Any, Any] | None]] = {
    "decoder_channels": ("filters", None),
    "decoder_atrous_rates": ("rates", None),
    "decoder_aspp_separable": ("separable", None),
    "decoder_aspp_dropout": ("dropout", None),
}
DECODERS = {
    "Unet": Decoder(
        "unet",
        {
            "decoder_channels": ("filters", None),
            "decoder_attention_type": ("attention", {"scse": True}),
            "decoder_interpolation": ("upsampling", _SAME),
        },
    ),
    "FPN": Decoder(
        "fpn",
        {
            "decoder_pyramid_channels": ("pyramid_filters", None),
            "decoder_segmentation_channels": ("filters", None),
            "decoder_merge_policy": ("merge", {"add": "add", "cat": "concatenate"}),
            "decoder_dropout": ("dropout", None),
            "decoder_interpolation": ("upsampling", _SAME),
        },
        stride=4,
    ),
    "DeepLabV3": Decoder("deeplabv3", _ATROUS, output_stride=8, stride=8),
    "DeepLabV3Plus": Decoder("deeplabv3plus", _ATROUS, output_stride=16, stride=4),
    "UPerNet": Decoder("upernet", {"decoder_channels": ("filters", None)}, stride=4),
}
# What every model has beside these, and the values that are built here.
_USUAL = {
    "decoder_use_norm": ("batchnorm", True),
    "decoder_use_batchnorm": (True,),
    "activation": ("identity",),
    "aux_params": (),
}


def smp_entry(content: dict[str, Any], what: str) -> Entry:
    """The entry that `config.json` describes; messages name it as `what`.

    Raises:
        UnknownModelError: Its class or its encoder is not one of ours.
        RegistryError: An argument makes a network that cannot be built.
        pydantic.ValidationError: A value is not what it should be.
    """
    kind = content["_model_class"]
    if not isinstance(kind, str) or kind not in DECODERS:
        raise UnknownModelError(
            f"{what} describes a model of the class {reprlib.repr(kind)} of segmentation_models_pytorch. Expected "
            f"{', '.join(DECODERS)}; others cannot be built here."
        )
    decoder = DECODERS[kind]
    stated = {key: value for key, value in content.items() if value is not None and key != "_model_class"}
    stated.setdefault("encoder_output_stride", decoder.output_stride)
    config = _Config.model_validate(stated)
    encoder = _encoder(config, what)
    facts: dict[str, Any] = {
        "name": f"{decoder.name}-{encoder.architecture}",
        "architecture": f"{decoder.name}-{encoder.architecture}",
        "tag": None,
        "source": None,
        "revision": None,
        "sha256": None,
        "filename": "model.safetensors",
        "format": "smp",
        "decoder": decoder.name,
        "decoder_config": _decoder_config(decoder, config, what),
        "task": "semantic-segmentation",
        "license": UNKNOWN,
        "labels": None,
        "num_classes": config.classes,
        "classifier": "segmentation_head-0",
        "head": ("segmentation_head-*",),
        "parameters_millions": None,
        "metrics": {},
        "measured": None,
        "base": None,
    }
    if facts["decoder_config"].get("attention"):  # made, and not used, where there is nothing beside the map
        facts["unused"] = (*encoder.unused, f"decoder.blocks.{config.encoder_depth - 1}.attention1.*")
    return Entry.model_validate(encoder.model_dump() | facts)


def _symmetric(config: dict[str, Any], output_stride: int, size: int) -> dict[str, Any]:
    """EfficientNets of TensorFlow's weights without its padding and epsilon."""
    style = {**config.get("style", {}), "padding": "symmetric", "epsilon": 1e-5}
    return {"style": style, "hidden_rows": [0], "dilate_first": True}


def _efficientnet_pytorch(config: dict[str, Any], output_stride: int, size: int) -> dict[str, Any]:
    """Its maps: the stem's, and of B0 that of stride 16 from the first block of a stage, whose others dilate more.

    It pads for the `size` that a network was trained at: a map of an odd side, halved, gets as much on both sides.
    """
    stages, side = [], (size + 1) // 2  # after the stem
    for (row,) in config["stages"]:
        halved = row.get("strides", 1) == 2
        stages.append([{**row, "padding": "symmetric"} if halved and side % 2 else row])
        side = (side + 1) // 2 if halved else side
    if config.get("depth", 1) != 1:
        return {"stages": stages, "hidden_rows": [0], "dilate_first": True}
    *before, (row,), fifth, sixth = stages
    split = [{**row, "repeats": 1}, {**row, "repeats": row["repeats"] - 1, "dilation_rate": 32 // output_stride}]
    return {"stages": [*before, split, fifth, sixth], "hidden_rows": [0, 5], "dilate_first": True}


def _dilate_first(config: dict[str, Any], output_stride: int, size: int) -> dict[str, Any]:
    return {"dilate_first": True}


def _unchanged(config: dict[str, Any], output_stride: int, size: int) -> dict[str, Any]:
    return {}


class _Layout(NamedTuple):
    """How smp's names of encoders, a pattern, become ours, and what of the network differs."""

    pattern: str
    name: str
    changed: Callable[[dict[str, Any], int, int], dict[str, Any]] = _unchanged
    of_timm: bool = False


_LAYOUTS = (
    _Layout(r"tu-(?P<name>[\w.]+)", r"\g<name>", of_timm=True),
    _Layout(r"timm-(?P<name>(regnet|resnest|gernet)\w+)", r"\g<name>", of_timm=True),
    _Layout(r"timm-(?P<name>mobilenetv3_\w+)", r"tf_\g<name>", of_timm=True),
    _Layout(r"(?P<name>resne(x)?t\d+(_32x\d+d)?)", r"\g<name>", _dilate_first),
    _Layout(r"(?P<name>vgg\d+(_bn)?)", r"\g<name>"),
    _Layout(r"timm-(?P<name>skresnet\d+)", r"\g<name>", lambda config, stride, size: {"divisor": 8}),
    _Layout(r"timm-(?P<name>skresnext\w+)", r"\g<name>"),
    _Layout(r"timm-efficientnet-(?P<name>b\d|l2)", r"tf_efficientnet_\g<name>", _symmetric),
    _Layout(r"timm-(?P<name>tf_efficientnet_lite\d)", r"\g<name>", _symmetric),
    _Layout(r"efficientnet-(?P<name>b\d)", r"tf_efficientnet_\g<name>", _efficientnet_pytorch),
    _Layout(r"mobilenet_v2", "mobilenetv2_100", lambda config, stride, size: {"head_map": True, "dilate_first": True}),
)


def _encoder(config: _Config, what: str) -> Entry:
    """The registry's entry for the encoder, as this model has it."""
    for layout in _LAYOUTS:
        match = re.fullmatch(layout.pattern, config.encoder_name)
        if match is None:
            continue
        name = match.expand(layout.name)
        known = name if name in registry().entries else name.partition(".")[0]
        if known in registry().entries or known in registry().default_names:
            entry = registry().find(known)
            if entry.format == "timm" and registry().has_features(entry.builder):
                return _adapted(entry, layout, config, what)
    raise UnknownModelError(
        f"{what}: encoder_name: {reprlib.repr(config.encoder_name)} is not an encoder that is built here. Expected a "
        "ResNet, VGG, EfficientNet or mobilenet_v2 of segmentation_models_pytorch, or 'tu-' and one of timm's networks "
        "that `zoo list` shows."
    )


def _adapted(entry: Entry, layout: _Layout, config: _Config, what: str) -> Entry:
    stride = config.encoder_output_stride
    changes = layout.changed(entry.config, stride, entry.input.size or 224)
    if stride not in (8, 16, 32):
        raise RegistryError(f"{what}: encoder_output_stride: {stride}. Expected 8, 16 or 32.")
    if stride < 32:
        if not registry().dilates(entry.builder):
            raise RegistryError(
                f"{what}: encoder_output_stride: {stride}, and {config.encoder_name} is not dilated here. Expected 32, "
                "or an encoder such as a ResNet."
            )
        changes = {**changes, "output_stride": stride}
    else:
        changes = {key: value for key, value in changes.items() if key != "dilate_first"}
    normalised = _HALF if config.encoder_weights == "advprop" else IMAGENET
    if layout.of_timm and config.encoder_weights:  # as the encoder was trained; without weights nobody says so
        normalised = entry.input
    means, deviations = (_for_channels(values, config.in_channels) for values in (normalised.mean, normalised.std))
    return entry.model_copy(
        update={
            "config": {**entry.config, **changes},
            "input": Input(mean=means, std=deviations, interpolation=entry.input.interpolation),
        }
    )


def _for_channels(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """A number per channel; smp says nothing of other channels than three: their mean for all."""
    return values if len(values) == channels else (sum(values) / len(values),) * channels


def _decoder_config(decoder: Decoder, config: _Config, what: str) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key, value in (config.model_extra or {}).items():
        if key in decoder.options or value in _USUAL.get(key, ()):
            continue
        expected = " or ".join(map(repr, _USUAL[key])) or "null" if key in _USUAL else "no such argument"
        raise _other(what, key, value, expected)
    for key, (option, values) in decoder.options.items():
        value = getattr(config, key, None)
        if value is None:
            continue
        if values is not None and (not isinstance(value, str) or value not in values):
            raise _other(what, key, value, " or ".join(map(repr, values)))
        built[option] = values[value] if values else value
    if decoder.name == "unet":
        _check_widths(built.get("filters"), config.encoder_depth, what)
        built |= {"center": True} if config.encoder_name.startswith("vgg") else {}
    if config.encoder_depth < 5:
        built["strides"] = [2**level for level in range(1, config.encoder_depth + 1)]
    return built | _logits_stride(decoder, config, what)


def _check_widths(filters: Any, depth: int, what: str) -> None:
    if filters is None and depth != 5:
        filters = (256, 128, 64, 32, 16)
    if filters is not None and (not isinstance(filters, list | tuple) or len(filters) != depth):
        raise RegistryError(f"{what}: decoder_channels: {filters}. Expected {depth} ints, one for each level.")


def _logits_stride(decoder: Decoder, config: _Config, what: str) -> dict[str, Any]:
    """How much smaller than the image the logits are, where they are."""
    stride, deepest = decoder.stride, 2**config.encoder_depth
    if decoder.name == "fpn":
        stride = deepest // 8
        if stride < 2:
            raise _other(what, "encoder_depth", config.encoder_depth, "4 or 5")
    if decoder.name == "deeplabv3":
        stride = min(config.encoder_output_stride, deepest)
    usual = stride if decoder.name == "deeplabv3" else 4
    upsampling = config.upsampling or (1 if decoder.stride == 1 else usual)
    if upsampling > stride or stride % upsampling:
        raise _other(what, "upsampling", upsampling, f"{stride}, for logits as large as the image")
    left = stride // upsampling
    return {} if left == 1 else {"logits_stride": left}


def _other(what: str, key: str, value: Any, expected: str) -> RegistryError:
    return RegistryError(
        f"{what}: {reprlib.repr(key)[1:-1]}: {reprlib.repr(value)} makes another network. Expected {expected}; such a "
        "variant cannot be built here."
    )
