"""Wrote the folders beside this file, with the code of commit ab5732d: `python tests/golden/ab5732d/write.py FOLDER`.

The formats of that day stay readable: `tests/test_earlier_formats.py`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
from PIL import Image

import zoo
from zoo import architectures

OPTIONS = {"epochs": 4, "batch_size": 4, "freeze": "none", "learning_rate": 0.01, "seed": 3}
RUN = """
import json, sys
import zoo
zoo.finetune("base", "photographs", output=sys.argv[1], **json.loads(sys.argv[2]))
"""


def photographs(folder: Path) -> None:
    """Two classes of noise around a colour, 8 images of 12 x 12 pixels each."""
    generator = np.random.default_rng(0)
    for name, color in {"blue": (40, 60, 200), "red": (200, 60, 40)}.items():
        (folder / name).mkdir(parents=True)
        for index in range(8):
            pixels = np.clip(np.array(color) + generator.normal(0, 40, (12, 12, 3)), 0, 255)
            Image.fromarray(pixels.astype("uint8")).save(folder / name / f"{index}.png")


def base() -> keras.Model:
    """A small network of three classes, as after training."""
    keras.utils.set_random_seed(0)
    facts = {"config": {"blur": 3, "filters": [4, 8]}, "num_classes": 3, "labels": ("fur", "grass", "sand")}
    model = architectures.build(zoo.info("blurnet-textures").model_copy(update=facts))
    for variable in model.weights:
        variable.assign_add(0.1 * keras.random.uniform(variable.shape))
    return model


def main() -> None:
    os.chdir(sys.argv[1])
    photographs(Path("photographs"))
    zoo.save(base(), "base")
    zoo.save(zoo.load("base", num_classes=2), "head")  # its head has random weights: zoo.json says which
    command = [sys.executable, "-c", RUN]
    subprocess.run([*command, "finished", json.dumps(OPTIONS)], check=True)
    process = subprocess.Popen([*command, "interrupted", json.dumps(OPTIONS)], stderr=subprocess.PIPE, text=True)
    next(line for line in process.stderr if line.startswith("epoch 2/4"))
    process.kill()
    process.wait()
    images = [np.asarray(Image.open(path)) for path in sorted(Path("photographs").rglob("*.png"))]
    outputs = {name: zoo.load(name)(np.stack(images)) for name in ("base", "head", "finished")}
    np.savez("outputs.npz", **{name: np.asarray(array) for name, array in outputs.items()})


if __name__ == "__main__":
    main()
