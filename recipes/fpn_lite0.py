"""Fine-tune EfficientNet-Lite0 with a feature pyramid on CamVid, which is in a folder on this machine.

    python -m recipes.fpn_lite0 DATA [--output zoo/checkpoints]

DATA contains `train`, `val` and `test`; `recipes/camvid.py` says how. The encoder begins with the weights of ImageNet
that the library has. Nothing is used but `zoo.load`, `zoo.finetune` and `zoo.evaluate`. The run is seeded, and it
resumes where it was stopped.
"""

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

import zoo
from recipes.camvid import CLASSES
from recipes.segmentation_training import facts_of_runs, write_halves
from recipes.training_run import filled, measuring, parser
from zoo.model import ZooModel

NAME = "fpn-lite0"
ENCODER = "tf_efficientnet_lite0"
DECODER_OPTIONS = {"pyramid_filters": 128, "filters": 64}
SEED = 0
COMMON: dict[str, Any] = {
    "batch_size": 8,
    "image_size": (288, 384),
    "augment": "strong",
    "loss": "cross-entropy+dice",
    "weight_decay": 0.05,
    "freeze": "none",
}
# Each part begins with the weights of the one before, at about half the first rate, its average twice as long. In the
# last one all classes count alike: on the validation frames, fewer pixels are then taken for poles and pedestrians.
PARTS: dict[str, dict[str, Any]] = {
    "first": {**COMMON, "epochs": 24, "learning_rate": 1e-3, "ema": 0.99},
    "second": {**COMMON, "epochs": 16, "learning_rate": 5e-4, "ema": 0.995, "seed": 1},
    "third": {
        **COMMON,
        "epochs": 14,
        "learning_rate": 4e-4,
        "ema": 0.995,
        "seed": 2,
        "mixed_precision": True,
        "class_weight": None,
    },
}
METRICS = ("global_accuracy_percent", "mean_class_accuracy_percent", "mean_iou_percent")
# Jégou et al., 2017, https://arxiv.org/abs/1611.09326, table 3, of the same frames; SegNet-Basic: its own paper.
PAPERS: dict[str, dict[str, float]] = {
    "SegNet (29.5 M)": {"mean_iou_percent": 46.4},
    "SegNet-Basic": {"global_accuracy_percent": 82.7, "mean_class_accuracy_percent": 62.0, "mean_iou_percent": 47.7},
    "FCN-8s (134.5 M)": {"global_accuracy_percent": 88.0, "mean_iou_percent": 57.0},
    "DeepLab-LFOV (37.3 M)": {"mean_iou_percent": 61.6},
    "Dilation8 (140.8 M)": {"mean_iou_percent": 65.3},
    "FC-DenseNet103 (9.4 M)": {"global_accuracy_percent": 91.5, "mean_iou_percent": 66.9},
}


def untrained() -> ZooModel:
    """The encoder, and what stands above it with random weights."""
    keras.utils.set_random_seed(SEED)
    return zoo.load(ENCODER, decoder="fpn", decoder_options=DECODER_OPTIONS, num_classes=len(CLASSES))


def train(data: Path, folder: Path) -> None:
    """Fine-tune part by part, or resume the runs in `folder`."""
    model = untrained()
    for part, recipe in PARTS.items():
        model = zoo.finetune(model, data, output_dir=folder / part, **recipe).model


def facts_of(folder: Path) -> dict[str, Any]:
    """How the runs in `folder` went."""
    return {"parts": PARTS, **facts_of_runs([folder / part for part in PARTS], SEED)}


def measure(weights: Path, data: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the file scores on the test frames, beside the papers' figures, and then the facts."""
    model = filled(untrained(), weights)
    found = zoo.evaluate(model, data)
    classes = found["class_iou_percent"].values()
    measured = {
        "command": f"python -m recipes.fpn_lite0 {data.name}",
        "metric": "global accuracy, mean class accuracy and mean IoU of 11 classes, in %, void pixels not counted",
        "data": "CamVid in SegNet's split: 367 frames to train, 101 to validate, 233 to test, 360 x 480 pixels",
        "classes": {name: {"iou_percent": iou} for name, iou in zip(CLASSES, classes, strict=True)},
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
        "comparison": {
            **PAPERS,
            f"{NAME} ({model.count_params() / 1e6:.1f} M)": {name: found[name] for name in METRICS},
        },
    }
    return measured | {key: fact for key, fact in facts.items() if key not in measured}


def main() -> None:
    """Train, write the weights, load them afresh, measure; with `--measure` only that."""
    options: argparse.ArgumentParser = measuring(parser(__doc__))
    options.add_argument("data", type=Path, help="folder of CamVid, with train, val and test")
    arguments = options.parse_args()
    weights, run = arguments.output / f"{NAME}.safetensors", arguments.state / NAME
    record = weights.with_suffix(".json")
    if arguments.measure:
        facts = json.loads(record.read_text())
    else:
        train(arguments.data, run)
        facts = facts_of(run)
        write_halves(run / list(PARTS)[-1] / "model.safetensors", weights)
    text = json.dumps(measure(weights, arguments.data, facts), indent=2)
    record.write_text(text + "\n")
    print(text)
    if not arguments.measure:
        shutil.rmtree(run)  # the next one starts anew


if __name__ == "__main__":
    main()
