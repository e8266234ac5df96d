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
import safetensors.numpy

import zoo
from recipes.camvid import CLASSES
from recipes.training_run import filled, measuring, parser, run_facts
from zoo.model import ZooModel

NAME = "fpn-lite0"
ENCODER = "tf_efficientnet_lite0"
DECODER_OPTIONS = {"pyramid_filters": 128, "filters": 64}
SEED = 0
RECIPE: dict[str, Any] = {
    "epochs": 24,
    "batch_size": 8,
    "image_size": (288, 384),
    "augment": "strong",
    "loss": "cross-entropy+dice",
    "learning_rate": 1e-3,
    "weight_decay": 0.05,
    "ema": 0.99,
    "freeze": "none",
}
# Then from the weights of the first part, at half the rate, its average twice as long.
LONGER: dict[str, Any] = {**RECIPE, "epochs": 16, "learning_rate": 5e-4, "ema": 0.995, "seed": 1}
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
    """Fine-tune twice, or resume the runs in `folder`."""
    first = zoo.finetune(untrained(), data, output_dir=folder / "first", **RECIPE)
    zoo.finetune(first.model, data, output_dir=folder / "longer", **LONGER)


def facts_of(folder: Path) -> dict[str, Any]:
    """How the runs in `folder` went."""
    records = [json.loads((folder / part / "run.json").read_text()) for part in ("first", "longer")]
    epochs = [len(record["history"]["loss"]) for record in records]
    lengths = [record["settings"]["plan"]["steps_per_epoch"] for record in records]
    steps = sum(count * length for count, length in zip(epochs, lengths, strict=True))
    facts = run_facts(steps=steps, seed=SEED, seconds=0, packages=("pillow",))
    del facts["seconds"]  # runs that were resumed do not know
    kept = [record["kept"] for record in records]
    return {"epochs": epochs, "chosen_epochs": kept, "recipe": RECIPE, "longer": LONGER, **facts}


def write_halves(source: Path, target: Path) -> None:
    """Copy a file of weights, its floats in 16 bits."""
    tensors = safetensors.numpy.load_file(source)
    halves = {name: x.astype("float16") if x.dtype == np.float32 else x for name, x in tensors.items()}
    target.write_bytes(safetensors.numpy.save(halves))


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
        write_halves(run / "longer" / "model.safetensors", weights)
    text = json.dumps(measure(weights, arguments.data, facts), indent=2)
    record.write_text(text + "\n")
    print(text)
    if not arguments.measure:
        shutil.rmtree(run)  # the next one starts anew


if __name__ == "__main__":
    main()
