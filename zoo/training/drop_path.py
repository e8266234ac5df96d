"""Stochastic depth: in training, whole branches of residual blocks are left out by chance.

Huang et al., 2016, https://arxiv.org/abs/1603.09382, section 3, with the linear rule: from never in the first block to
`drop_path` in the last, as timm has it. A branch that stays counts for more, so that nothing changes in inference.
"""

import re
from typing import Any

import keras

from zoo.errors import InputError
from zoo.model import ZooModel

# Families whose blocks add a branch to their input: how a block is called, and which summand the branch is.
FAMILIES = {
    "convnext": (r"stages-\d+-blocks-\d+", 1),
    "efficientnet": (r"blocks-\d+-\d+", 0),
    "fasternet": (r"stages-\d+-blocks-\d+", 1),
    "focalnet": (r"layers-\d+-blocks-\d+", 1),
    "inception_next": (r"stages-\d+-blocks-\d+", 1),
    "mambaout": (r"stages-\d+-blocks-\d+", 1),
    "metaformer": (r"stages-\d+-blocks-\d+", 1),
    "regnet": (r"s\d+-b\d+", 0),
    "resnet": (r"layer\d+-\d+", 0),
    "resnetv2": (r"stages-\d+-blocks-\d+", 0),
}


@keras.saving.register_keras_serializable(package="zoo")
class StochasticAdd(keras.layers.Layer):
    """Sum of two maps, one of which is left out in training of some examples, and counts for more of the others.

    Args:
        rate: The share of the examples, 0 to below 1.
        branch: Which of the two.
        seed: Of the choice.

    Input shape: two of `(batch, height, width, channels)`. Output shape: the same.
    """

    def __init__(self, rate: float, branch: int, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate, self.branch, self.seed = rate, branch, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        shortcut, branch = inputs[1 - self.branch], inputs[self.branch]
        if not training:
            return shortcut + branch
        shape = (keras.ops.shape(branch)[0], *(1 for _ in branch.shape[1:]))
        stays = keras.random.uniform(shape, seed=self.seed_generator) >= self.rate
        return shortcut + branch * keras.ops.cast(stays, branch.dtype) / (1 - self.rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "branch": self.branch, "seed": self.seed}


def with_drop_path(model: ZooModel, drop_path: float, seed: int) -> ZooModel:
    """The same network with new weights, its blocks left out by chance in training.

    Args:
        model: Any with blocks as those of `FAMILIES`.
        drop_path: The share of the examples for which the last block is left out.
        seed: Of the choice.

    Raises:
        InputError: It has none.
    """
    pattern, branch = FAMILIES.get(model.spec.builder.split(".")[0], (r"(?!)", 0))  # which matches nothing
    blocks = list(dict.fromkeys(found[0] for layer in model.layers if (found := re.match(pattern, layer.name))))
    config, changed = model.get_config(), 0
    for layer in config["layers"]:
        match = re.fullmatch(rf"({pattern})-add\d?", layer["name"])
        if match and layer["class_name"] == "Add" and (place := blocks.index(match[1])):
            changed += 1
            rate = drop_path * (place / (len(blocks) - 1))
            layer["class_name"], layer["registered_name"] = "StochasticAdd", "zoo>StochasticAdd"
            layer["module"] = None
            layer["config"] |= {"rate": rate, "branch": branch, "seed": seed + place}
    if not changed:
        raise InputError(
            f"drop_path={drop_path} does not fit {model.spec.name}, which has no blocks to leave out. Expected 0, or a "
            f"model with residual blocks of {', '.join(FAMILIES)}."
        )
    return ZooModel.from_config(config)
