"""How many multiply-adds each model takes, without building it: `multiply_adds.json`, in millions.

`python -m zoo.architectures.tables` writes it.
"""

import functools
import json
from importlib import resources


@functools.cache
def _table() -> dict[str, float]:
    return json.loads(resources.files("zoo").joinpath("catalogue/multiply_adds.json").read_text())


def multiply_adds_millions(name: str) -> float | None:
    """Millions of multiply-adds of a registry's model, `architecture.tag`, for one input of the size that it was
    evaluated at; None where that is any size, and for a model from elsewhere.

    Counted are convolutions, dense layers and products of matrices, as in the papers.

    Example:
        >>> from zoo.catalogue.multiply_adds import multiply_adds_millions
        >>> multiply_adds_millions("resnet18.tv_in1k")
        1814.0
    """
    return _table().get(name)
