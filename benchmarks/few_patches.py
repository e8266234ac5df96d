"""Fine-tuning of blurnet-textures on three folders of twenty patches.

    python -m benchmarks.few_patches [--seeds 5] [--output-dir runs/few_patches]

Bricks, grass and gravel from scikit-image, grey, 32 pixels per side: twenty of each from two strips of a photograph, of
which `zoo.finetune`, with its defaults, holds out a fifth; measured on a hundred of each from the two other strips. A
seed draws the patches, and is that of the run. The runs stay in the output folder, and the same command resumes.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image

import zoo
from recipes.textures import LABELS, PATCH, Split, planes

NAMES = ("bricks", "grass", "gravel")
TRAINED, MEASURED = 20, 100


def patches(split: Split, count: int, generator: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Of each texture so many patches, RGB, uint8, `(32, 32, 3)`."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    textures = planes(split)
    for name, places in found.items():
        parts = textures[LABELS.index(name)]
        for _ in range(count):
            part = parts[generator.integers(len(parts))]
            top, left = (generator.integers(side - PATCH + 1) for side in part.shape)
            places.append(np.repeat(part[top : top + PATCH, left : left + PATCH, None], 3, axis=-1))
    return found


def write(folder: Path, found: dict[str, list[np.ndarray]]) -> Path:
    """As class folders."""
    for name, places in found.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, pixels in enumerate(places):
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output-dir", type=Path, default=Path("runs/few_patches"))
    options = parser.parse_args()
    percents = []
    for seed in range(options.seeds):
        generator, folder = np.random.default_rng(seed), options.output_dir / str(seed)
        data = write(folder / "data", patches("train", TRAINED, generator))
        others = write(folder / "others", patches("test", MEASURED, generator))
        run = zoo.finetune("blurnet-textures", data, seed=seed, output_dir=folder / "run")
        percents.append(zoo.evaluate(run.model, others)["top1_percent"])
        probe, own = run.metrics["probe"]["top1_percent"], run.metrics["top1_percent"]
        print(f"seed {seed}: {percents[-1]:.2f} % of the others; held out {own:g} %, at first {probe:g} %", flush=True)
    print(f"mean {np.mean(percents):.2f} %")


if __name__ == "__main__":
    main()
