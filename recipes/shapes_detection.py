"""Train a detector to find circles, squares and triangles in 200 images that are made here.

    python -m recipes.shapes_detection [--decoder fcos] [--epochs 6] [--state runs]

EfficientNet-Lite0, which is embedded, gets a small detector, and `zoo.finetune` trains it: FCOS for 120 steps, which
`docs/guides/detection.md` compares with the others. Nothing is needed but this package with its extra `detection`, and
nothing is shipped.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image, ImageDraw

import zoo

NAMES = ("circle", "square", "triangle")
SIZE = (192, 144)  # width and height of an image in pixels
SIDES = (20, 64)  # of a shape, in pixels
MOST = 4  # shapes of an image
COUNTS = {"train": 160, "val": 40, "test": 100}
DECODER_OPTIONS = {
    "fcos": {"filters": 64, "depth": 2},
    "retinanet": {"filters": 64, "depth": 2},
    "efficientdet": {"filters": 64},
    "yolox": {"filters": 64},
}
OPTIONS: dict[str, Any] = {"image_size": 192, "batch_size": 8}
EPOCHS = 6  # of 20 steps
SEED = 0


def draw(generator: np.random.Generator) -> tuple[Image.Image, list[tuple[int, tuple[int, int, int, int]]]]:
    """An image of shapes that do not touch, on a coarse pattern; the class of each, and x1, y1, x2 and y2 in pixels."""
    pattern = generator.integers(0, 256, (3, 4, 3), "uint8")
    image = Image.fromarray(pattern).resize(SIZE, Image.Resampling.BICUBIC)
    canvas, found = ImageDraw.Draw(image), []
    for _ in range(int(generator.integers(1, MOST + 1))):
        side, label = int(generator.integers(*SIDES)), int(generator.integers(len(NAMES)))
        left, top = (int(generator.integers(length - side)) for length in SIZE)
        box = (left, top, left + side, top + side)
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for _, b in found):
            continue
        color = tuple(generator.integers(0, 256, 3).tolist())
        last = (left, top, left + side - 1, top + side - 1)  # Pillow draws the last pixel too
        if NAMES[label] == "circle":
            canvas.ellipse(last, fill=color)
        elif NAMES[label] == "square":
            canvas.rectangle(last, fill=color)
        else:
            canvas.polygon([(last[0], last[3]), (last[2], last[3]), ((last[0] + last[2]) / 2, top)], fill=color)
        found.append((label, box))
    return image, found


def write(folder: Path, counts: dict[str, int], seed: int = SEED) -> Path:
    """The images of each split with COCO's annotations, `SPLIT/_annotations.coco.json`; the same for the same seed."""
    for split, count in counts.items():
        (folder / split).mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng([seed, sorted(COUNTS).index(split)])
        images, annotations = [], []
        for number in range(count):
            image, found = draw(generator)
            image.save(folder / split / f"{number:03}.png")
            images.append({"id": number, "file_name": f"{number:03}.png", "width": SIZE[0], "height": SIZE[1]})
            annotations += _annotations(number, found)
        categories = [{"id": number, "name": name} for number, name in enumerate(NAMES, start=1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / split / "_annotations.coco.json").write_text(json.dumps(content))
    return folder


def _annotations(image: int, found: list[tuple[int, tuple[int, int, int, int]]]) -> Iterator[dict[str, Any]]:
    for label, (left, top, right, bottom) in found:
        box = [left, top, right - left, bottom - top]
        yield {"image_id": image, "category_id": label + 1, "bbox": box, "iscrowd": 0, "area": box[2] * box[3]}


def untrained(decoder: str) -> Any:
    """The encoder with its pretrained weights, and above it a detector with random ones."""
    keras.utils.set_random_seed(SEED)
    options = {"decoder": decoder, "decoder_options": DECODER_OPTIONS[decoder], "num_classes": len(NAMES)}
    return zoo.load("tf_efficientnet_lite0", **options)


def main() -> None:
    """Draw, train, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decoder", choices=DECODER_OPTIONS, default="fcos", help="kind of detector")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="how often the 160 images are seen")
    parser.add_argument("--state", type=Path, default=Path("runs"), help="folder of the images and of the run")
    arguments = parser.parse_args()
    folder = arguments.state / "shapes"
    data, start = write(folder / "data", COUNTS), time.monotonic()
    model, output = untrained(arguments.decoder), folder / arguments.decoder
    run = zoo.finetune(model, data, output_dir=output, epochs=arguments.epochs, **OPTIONS)
    seconds = time.monotonic() - start
    found = zoo.evaluate(run.model, data, split="test")
    facts = {name: found[name] for name in ("count", "ap_percent", "ap50_percent", "class_ap_percent")}
    print(json.dumps({**facts, "training_seconds": round(seconds)}, indent=2))


if __name__ == "__main__":
    main()
