"""Files in 8 bits beside the model: the same top class on photographs, and images per second beside float32.

    python -m benchmarks.eight_bits runs/mine photos/val phone/mine-litert/1 phone/mine-onnx/1

The files are exports of the model, as `zoo export --int8` writes them; each is timed one image at a time, in turns with
a float32 export in the same format, and the median counts.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import zoo
import zoo.export
from zoo.datasets.folders import image_files_below
from zoo.export.opened import ExportedModel

ROUNDS = 5


def same_class_percent(exported: ExportedModel, images: np.ndarray, classes: np.ndarray) -> float:
    """How often the file's top class is the model's."""
    return 100 * float(np.mean(np.argmax(exported(images), axis=-1) == classes))


def images_per_second(exported: list[ExportedModel], images: np.ndarray) -> list[float]:
    """Of each export, one image at a time, in turns; the median of several rounds."""
    seconds: list[list[float]] = [[] for _ in exported]
    for _ in range(ROUNDS):
        for one, found in zip(exported, seconds, strict=True):
            start = time.perf_counter()
            for image in images:
                one(image[None])
            found.append(time.perf_counter() - start)
    return [len(images) / statistics.median(found) for found in seconds]


def main(handle: str, photographs: str, *folders: str) -> None:
    """Print a line per file."""
    model = zoo.load(handle)
    files, _ = image_files_below(Path(photographs))
    images = np.stack([model.preprocess(file) for file in files]).astype("float32")
    classes = np.argmax(model.predict(images, verbose=0), axis=-1)
    for folder in folders:
        rounded = zoo.export.load(folder)
        with tempfile.TemporaryDirectory() as place:
            exact = zoo.export.load(getattr(zoo.export, rounded.format)(model, place))
            rates = images_per_second([exact, rounded], images[:: -(-len(images) // 16)])
        same = same_class_percent(rounded, images, classes)
        print(
            f"{rounded.format}: the same class on {same:.1f} % of {len(images)} photographs; images per second "
            f"{rates[0]:.1f} in float32, {rates[1]:.1f} in 8 bits"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
