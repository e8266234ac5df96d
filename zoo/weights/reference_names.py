"""Where libraries of segmentation and detection have the modules of encoders and decoders, called here as in timm, smp.

A function takes our name of a module, `layer1.0.conv1` or `decoder.p5`, and gives the names that a file may have it
under, the likeliest first.
"""

import re

_DECODER = re.compile(r"(decoder|segmentation_head)\.")


def smp(module: str) -> list[str]:
    """segmentation_models_pytorch: decoders as here; encoders below `encoder.`, those of timm below `encoder.model.`.

    Where timm takes a network apart, what stood in a list is called `stages_0` for `stages.0`.
    """
    if _DECODER.match(module):
        return [module]
    paths = [module, module.replace(".", "_", 1)]
    return [f"{prefix}{path}" for path in paths for prefix in ("encoder.", "encoder.model.")]


def torchvision(module: str) -> list[str]:
    """torchvision's DeepLabV3 and FCN: `backbone.` and `classifier.`, a list that counts its layers."""
    if not _DECODER.match(module):
        return [f"backbone.{module}"]
    return [_renamed(module, _TORCHVISION)]


def torchvision_detection(module: str) -> list[str]:
    """torchvision's RetinaNet and FCOS: `backbone.body.` and `backbone.fpn.`; files of before 0.13 count the heads'
    convolutions as a list, and call a pyramid's by one number."""
    if not _DECODER.match(module):
        return [f"backbone.body.{module}"]
    path = module.removeprefix("decoder.")
    if path.startswith("fpn."):
        return [f"backbone.{path}", re.sub(r"(blocks\.\d)\.0$", r"\1", f"backbone.{path}")]
    return [path, re.sub(r"conv\.(\d)\.0$", lambda found: f"conv.{2 * int(found[1])}", path)]


def effdet(module: str) -> list[str]:
    """EfficientDet of rwightman/efficientdet-pytorch: timm's encoder below `backbone.`, the rest as here."""
    return [module.removeprefix("decoder.") if _DECODER.match(module) else f"backbone.{module}"]


def upernet(module: str) -> list[str]:
    """transformers' UperNet on ConvNeXt."""
    return [_renamed(module, _UPERNET)]


def _renamed(module: str, table: dict[str, str]) -> str:
    for pattern, name in table.items():
        if match := re.fullmatch(pattern, module):
            return re.sub(r"<(\d) - (\d)>", lambda found: str(int(found[1]) - int(found[2])), match.expand(name))
    return module


_TORCHVISION = {
    r"decoder\.aspp\.(.+)": r"classifier.0.\1",
    r"decoder\.conv\.(\d)": r"classifier.\1",  # FCN
    r"decoder\.conv": "classifier.1",
    r"decoder\.bn": "classifier.2",
    r"segmentation_head\.0": "classifier.4",
}
_CONV = {"0": "conv", "1": "batch_norm"}
_UPERNET = {
    r"stem\.0": "backbone.embeddings.patch_embeddings",
    r"stem\.1": "backbone.embeddings.layernorm",
    r"stages\.(\d)\.downsample\.(\d)": r"backbone.encoder.stages.\1.downsampling_layer.\2",
    r"stages\.(\d)\.blocks\.(\d+)": r"backbone.encoder.stages.\1.layers.\2",
    r"stages\.(\d)\.blocks\.(\d+)\.conv_dw": r"backbone.encoder.stages.\1.layers.\2.dwconv",
    r"stages\.(\d)\.blocks\.(\d+)\.norm": r"backbone.encoder.stages.\1.layers.\2.layernorm",
    r"stages\.(\d)\.blocks\.(\d+)\.mlp\.fc(\d)": r"backbone.encoder.stages.\1.layers.\2.pwconv\3",
    r"segmentation_head\.0": "decode_head.classifier",
    # Counted from the largest map there, from the deepest here; there are four.
    **{f"decoder.feature_norms.{index}": f"backbone.hidden_states_norms.stage{index + 1}" for index in range(4)},
    **{
        pattern.format(number): f"{name}.{part}"
        for number, part in _CONV.items()
        for pattern, name in {
            r"decoder\.psp\.blocks\.(\d)\.1\.{}": r"decode_head.psp_modules.\1.1",
            r"decoder\.psp\.out_conv\.{}": "decode_head.bottleneck",
            r"decoder\.fpn_lateral_blocks\.(\d)\.conv_norm_relu\.{}": r"decode_head.lateral_convs.<2 - \1>",
            r"decoder\.fpn_conv_blocks\.(\d)\.{}": r"decode_head.fpn_convs.<2 - \1>",
            r"decoder\.fusion_block\.{}": "decode_head.fpn_bottleneck",
        }.items()
    },
}
