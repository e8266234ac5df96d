"""Boxes from CamVid's masks, and a small detector that `zoo.finetune` trains on them.

    python -m recipes.camvid_boxes DATA [--output zoo/checkpoints]

DATA contains `train`, `val` and `test`; `recipes/camvid.py` says how. A mask says which pixels are cars, and not where
one ends and the next begins, so an object is here a **connected part**: pixels of one class that touch, also by their
corners. Cars that overlap are one, and what a pole hides in the middle is two. Parts narrower or lower than 8 pixels
are neither object nor background: COCO's `iscrowd`.

EfficientNet-Lite0 up to its map of stride 16, which the library has with ImageNet's weights, stands below a small FCOS.
The baseline is the same network from random weights, trained in the same way. Nothing is used but `zoo.load`,
`zoo.finetune` and `zoo.evaluate`. Runs are seeded, and resume where they were stopped.
"""

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scipy import ndimage

import zoo
from recipes.camvid import CLASSES
from recipes.segmentation_training import facts_of_runs, write_halves
from recipes.training_run import filled, measuring, parser
from zoo.datasets.images_with_masks import find_pairs, read_pair
from zoo.model import ZooModel

NAME = "fcos-lite0"
ENCODER = "tf_efficientnet_lite0"
OBJECTS = ("sign", "car", "pedestrian", "bicyclist")
LEAST_SIDE = 8  # pixels of a part's width and height, from which it is an object: the stride of the largest map
DECODER_OPTIONS = {"strides": (8, 16), "filters": 64, "depth": 2, "score_threshold": 0.05}
SEED = 0
FROZEN = 30  # layers with weights, from the image to the map of stride 8, which keep what they know of ImageNet
OPTIONS: dict[str, Any] = {
    "epochs": 10,
    "batch_size": 8,
    "image_size": 480,
    "learning_rate": 2e-3,
    "weight_decay": 0.05,
    "ema": 0.98,
    "mixed_precision": True,
}
RUNS = ("pretrained", "random")  # the network, and the baseline
METRICS = ("ap_percent", "ap50_percent", "ap75_percent")


def parts(mask: np.ndarray) -> Iterator[tuple[int, tuple[int, int, int, int], int]]:
    """The connected parts of a mask, int `(height, width)`: the number of their class in `OBJECTS`, x, y, width and
    height in pixels, and how many pixels they have."""
    for number, name in enumerate(OBJECTS):
        labelled, _ = ndimage.label(mask == CLASSES.index(name), structure=np.ones((3, 3)))
        for label, (rows, columns) in enumerate(ndimage.find_objects(labelled), start=1):
            area = int((labelled[rows, columns] == label).sum())
            box = (columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
            yield number, box, area


def write(data: Path, folder: Path) -> Path:
    """CamVid with boxes in COCO's layout, its images as links: `SPLIT/_annotations.coco.json`."""
    for split in ("train", "val", "test"):
        (folder / split).mkdir(parents=True, exist_ok=True)
        images, annotations = [], []
        for pair in find_pairs(data, split):
            _, mask = read_pair(pair, len(CLASSES))
            link = folder / split / pair.image.name
            if not link.exists():
                link.symlink_to(pair.image.resolve())
            size = {"width": mask.shape[1], "height": mask.shape[0]}
            images.append({"id": len(images) + 1, "file_name": link.name, **size})
            for number, box, area in parts(mask):
                is_crowd = int(min(box[2:]) < LEAST_SIDE)
                found = {"category_id": number + 1, "bbox": box, "area": area, "iscrowd": is_crowd}
                annotations.append({"id": len(annotations) + 1, "image_id": len(images), **found})
        categories = [{"id": number, "name": name} for number, name in enumerate(OBJECTS, start=1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / split / "_annotations.coco.json").write_text(json.dumps(content))
    return folder


def untrained(*, pretrained: bool = True) -> ZooModel:
    """The network as training begins."""
    keras.utils.set_random_seed(SEED)
    weights = "pretrained" if pretrained else None
    options = {"decoder": "fcos", "decoder_options": DECODER_OPTIONS, "num_classes": len(OBJECTS)}
    return zoo.load(ENCODER, weights=weights, **options)


def train(boxes: Path, folder: Path) -> None:
    """Fine-tune the network and the baseline, or resume their runs in `folder`."""
    for name in RUNS:
        model = untrained(pretrained=name == "pretrained")
        freeze = FROZEN if name == "pretrained" else "none"
        zoo.finetune(model, boxes, output_dir=folder / name, freeze=freeze, **OPTIONS)


def found(model: ZooModel, boxes: Path) -> dict[str, Any]:
    """The average precisions on the test frames."""
    results = zoo.evaluate(model, boxes)
    return {name: results[name] for name in (*METRICS, "class_ap_percent")}


def measure(weights: Path, boxes: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the file reaches on the test frames, beside the baseline, and then the facts."""
    model = untrained()
    seen = model.spec.input.model_copy(update={"size": OPTIONS["image_size"]})
    model.spec = model.spec.model_copy(update={"input": seen, "labels": OBJECTS})
    reached = found(filled(model, weights), boxes)
    measured = {
        "command": "python -m recipes.camvid_boxes camvid",
        "metric": "COCO's average precision (AP), at an overlap of 50 % (AP50) and of 75 % (AP75), of 4 classes, in %",
        "data": "CamVid in SegNet's split: 367 frames to train, 101 to validate, 233 to test, 480 x 360 pixels; boxes "
        "around connected parts of the masks, from 8 pixels per side",
        "classes": {name: {"ap_percent": ap} for name, ap in reached["class_ap_percent"].items()},
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
        "comparison": {
            "the same network from random weights": {name: facts["baseline"][name] for name in METRICS},
            f"{NAME} ({model.count_params() / 1e6:.1f} M)": {name: reached[name] for name in METRICS},
        },
    }
    return measured | {key: fact for key, fact in facts.items() if key not in measured}


def facts_of(folder: Path, boxes: Path) -> dict[str, Any]:
    """How the runs in `folder` went, and what the baseline reaches on the test frames."""
    baseline = found(zoo.load(folder / "random"), boxes)
    return {
        "options": OPTIONS,
        "frozen_layers": FROZEN,
        "baseline": baseline,
        **facts_of_runs([folder / name for name in RUNS], SEED),
    }


def main() -> None:
    """Train, write the weights, load them afresh, measure; with `--measure` only that."""
    options: argparse.ArgumentParser = measuring(parser(__doc__))
    options.add_argument("data", type=Path, help="folder of CamVid, with train, val and test")
    arguments = options.parse_args()
    weights, run = arguments.output / f"{NAME}.safetensors", arguments.state / NAME
    record, boxes = weights.with_suffix(".json"), write(arguments.data, run / "boxes")
    if arguments.measure:
        facts = json.loads(record.read_text())
    else:
        train(boxes, run)
        facts = facts_of(run, boxes)
        write_halves(run / "pretrained" / "model.safetensors", weights)
    text = json.dumps(measure(weights, boxes, facts), indent=2)
    record.write_text(text + "\n")
    print(text)
    shutil.rmtree(run if not arguments.measure else run / "boxes")  # the next one starts anew


if __name__ == "__main__":
    main()
