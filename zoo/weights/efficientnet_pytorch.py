"""The layout of the library `efficientnet_pytorch` (Melas-Kyriazi), whose blocks are counted through, without stages.

Its tensors are those of timm's networks, in another order of names: `_blocks.3._depthwise_conv.weight` is
`blocks.2.0.conv_dw.weight` where two stages of three blocks come first.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

NAMES = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
SQUEEZE = {"se.conv_reduce": "_se_reduce", "se.conv_expand": "_se_expand"}
# A block that expands, and one that does not: timm's names on the left.
INVERTED = {
    **{"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1"},
    **{"conv_pwl": "_project_conv", "bn3": "_bn2", **SQUEEZE},
}
SEPARABLE = {
    **{"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"},
    **SQUEEZE,
}


def is_layout(names: Collection[str]) -> bool:
    """Whether the tensors of a file are called so."""
    return "_conv_stem.weight" in names


def reader(model: Any, read_timm: Callable) -> Callable:
    """A reader of such a file, from the one of timm's format: it has the numbers of the blocks from the model's layers.

    Args:
        model: The network that is filled; its layers carry timm's names, `blocks-2-0-conv_dw`.
        read_timm: From a layer, one of its variables and the names in a file to a `Slot`.
    """
    modules = {layer.name.replace("-", ".") for layer in model.layers}
    stages = {match[1] for module in modules if (match := re.match(r"blocks\.(\d+\.\d+)\.", module))}
    order = sorted(stages, key=lambda stage: tuple(map(int, stage.split("."))))

    def renamed(module: str) -> str:
        match = re.fullmatch(r"blocks\.(\d+\.\d+)\.(.+)", module)
        if match is None:
            return NAMES.get(module, module)
        names = INVERTED if f"blocks.{match[1]}.conv_pwl" in modules else SEPARABLE
        return f"_blocks.{order.index(match[1])}.{names.get(match[2], match[2])}"

    def read(layer: Any, variable: Any, names: set[str]) -> Any:
        slot = read_timm(layer, variable, set())
        module, _, leaf = slot.tensor.rpartition(".")
        return slot._replace(tensor=f"{renamed(module)}.{leaf}")

    return read
