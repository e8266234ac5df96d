"""Layouts in which the blocks of a network of inverted residuals are counted through, without stages.

`efficientnet_pytorch` (Melas-Kyriazi) and torchvision's MobileNetV2, alone or as an encoder of
segmentation_models_pytorch. Their tensors are those of timm's networks, in another order of names:
`_blocks.3._depthwise_conv.weight` is `blocks.2.0.conv_dw.weight` where two stages of three blocks come first.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, NamedTuple


class Layout(NamedTuple):
    """How tensors are called, beside timm's names on the left: outside of blocks, and in the two kinds of them.

    `block` has the number of the block, counted from `first`; `prefix` comes before all of it.
    """

    stem: str
    block: str
    first: int
    others: dict[str, str]
    inverted: dict[str, str]
    separable: dict[str, str]
    prefix: str = ""


_SQUEEZE = {"se.conv_reduce": "_se_reduce", "se.conv_expand": "_se_expand"}
EFFICIENTNET_PYTORCH = Layout(
    stem="_conv_stem",
    block="_blocks.{}.",
    first=0,
    others={"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"},
    inverted={
        **{"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1"},
        **{"conv_pwl": "_project_conv", "bn3": "_bn2", **_SQUEEZE},
    },
    separable={
        **{"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"},
        **_SQUEEZE,
    },
)
MOBILENET_V2 = Layout(
    stem="features.0.0",
    block="features.{}.conv.",
    first=1,
    others={
        **{"conv_stem": "features.0.0", "bn1": "features.0.1", "conv_head": "features.18.0", "bn2": "features.18.1"},
        "classifier": "classifier.1",
    },
    inverted={"conv_pw": "0.0", "bn1": "0.1", "conv_dw": "1.0", "bn2": "1.1", "conv_pwl": "2", "bn3": "3"},
    separable={"conv_dw": "0.0", "bn1": "0.1", "conv_pw": "1", "bn2": "2"},
)


def counted_layout(names: Collection[str]) -> Layout | None:
    """The layout of a file with tensors of these names; None where it is another one."""
    for layout in (EFFICIENTNET_PYTORCH, MOBILENET_V2):
        for prefix in ("", "encoder."):
            if f"{prefix}{layout.stem}.weight" in names:
                return layout._replace(prefix=prefix)
    return None


def counted_reader(model: Any, read: Callable, layout: Layout) -> Callable:
    """A reader of such a file, from the one of timm's format: it has the numbers of the blocks from the model's layers.

    Args:
        model: The network that is filled; its layers carry timm's names, `blocks-2-0-conv_dw`.
        read: From a layer, one of its variables and the names in a file to a `Slot`; for what is in no block of it,
            such as a decoder.
        layout: The file's.
    """
    modules = {layer.name.replace("-", ".") for layer in model.layers}
    stages = {match[1] for module in modules if (match := re.match(r"blocks\.(\d+\.\d+)\.", module))}
    order = sorted(stages, key=lambda stage: tuple(map(int, stage.split("."))))

    def renamed(module: str) -> str | None:
        match = re.fullmatch(r"blocks\.(\d+\.\d+)\.(.+)", module)
        if match is None:
            return layout.others.get(module)
        names = layout.inverted if f"blocks.{match[1]}.conv_pwl" in modules else layout.separable
        return layout.block.format(order.index(match[1]) + layout.first) + names.get(match[2], match[2])

    def read_counted(layer: Any, variable: Any, names: set[str]) -> Any:
        slot = read(layer, variable, set())
        name = renamed(layer.name.replace("-", "."))
        leaf = slot.tensor.rpartition(".")[2]
        return slot._replace(tensor=f"{layout.prefix}{name}.{leaf}") if name else read(layer, variable, names)

    return read_counted
