"""Train SegNet-Basic on CamVid, which is in a folder on this machine.

    python recipes/segnet.py DATA [--output zoo/checkpoints]

DATA contains `train`, `val` and `test`; `recipes/camvid.py` says how. The run is seeded, and it resumes where it was
stopped.
"""

import functools

from recipes.segmentation_training import Recipe, main
from zoo.architectures.segnet import segnet_basic

# On two cores the authors' 7x7 kernels and 64 channels at full size would take days. Half the size costs a quarter,
# half the channels where the maps are largest half of that; the small maps can have more for little.
ARGUMENTS = {"filters": (32, 64, 96, 96), "kernel_size": 5, "shrink": 2}
NETWORK = functools.partial(segnet_basic, **ARGUMENTS)
# Balanced as in the paper, a network of this size takes many buildings for poles, signs and pedestrians: on the
# validation frames it does best when most of the balance is taken back. So it continues with the rest of it. What it
# is in the end is what `zoo finetune segnet-basic camvid/ --epochs 6 --batch-size 8 --mixed-precision` made of that.
FINE_TUNING = {"epochs": 6, "batch_size": 8, "mixed_precision": True}
RECIPES = (
    Recipe("segnet-basic-balanced", NETWORK, label_stride=2, epochs=60, learning_rate=2e-3, balance=1.0),
    Recipe("segnet-basic-rebalanced", NETWORK, 2, 20, 1e-3, balance=0.4, begins_with="segnet-basic-balanced"),
    # Rate and balance are the library's own for trained weights.
    Recipe(
        "segnet-basic", NETWORK, 2, 6, 1e-4, balance=0.5, begins_with="segnet-basic-rebalanced", fine_tuning=FINE_TUNING
    ),
)
# Badrinarayanan et al., table 1, with median frequency balancing.
PAPER = {
    "SegNet-Basic in the paper": {
        "global_accuracy_percent": 82.7,
        "mean_class_accuracy_percent": 62.0,
        "mean_iou_percent": 47.7,
    }
}

if __name__ == "__main__":
    main(RECIPES, PAPER, __doc__)
