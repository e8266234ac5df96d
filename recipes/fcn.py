"""Train small FCNs on CamVid, which is in a folder on this machine: 32s, then 16s from it, then 8s from that.

    python recipes/fcn.py DATA [--model fcn32s-small] [--output zoo/checkpoints]

DATA contains `train`, `val` and `test`; `recipes/camvid.py` says how. The run is seeded, and it resumes where it was
stopped.
"""

import functools

from recipes.segmentation_training import Recipe, main
from zoo.architectures.fcn import fcn

# VGG's stages with a thirtieth of its parameters; trained from scratch, so batch normalisation in place of dropout.
ARGUMENTS = {
    "depths": (1, 1, 2, 2, 2),
    "filters": (16, 32, 64, 80, 96),
    "dense_filters": 128,
    "dense_kernel_size": 3,
    "batch_normalization": True,
    "dropout": 0.0,
}
# As the authors did (section 4.3), each network begins where the coarser one ended. They do not balance the classes; in
# 20 epochs without a part of the balance, the first of these found no pole, sign or bicyclist at all.
RECIPES = (
    Recipe("fcn32s-small", functools.partial(fcn, stride=32, **ARGUMENTS), 1, 40, 2e-3, balance=0.3),
    Recipe("fcn16s-small", functools.partial(fcn, stride=16, **ARGUMENTS), 1, 10, 1e-3, 0.3, "fcn32s-small"),
    Recipe("fcn8s-small", functools.partial(fcn, stride=8, **ARGUMENTS), 1, 15, 1e-3, 0.3, "fcn16s-small"),
)

if __name__ == "__main__":
    main(RECIPES, {}, __doc__)
