"""Fine-tuning with few images per class, beside logistic regression on the same features.

    python benchmarks/few_images.py DATA [--network tf_efficientnet_lite0] [--per-class 5 10 20 50] [--seeds 3]
        [--output-dir runs/few_images]

DATA is a folder with the class folders `train/CLASS/NAME.jpg` and `val/CLASS/NAME.jpg`. Each seed draws its images from
`train`; both learn from the same ones and are measured on all of `val`, which neither has seen. scikit-learn's
`LogisticRegression` learns from all of them, on the pooled features of the unchanged network; `zoo.finetune`, with its
defaults, holds out a fifth to choose by. The standard error is that of the difference, over the seeds. The runs stay in
the output folder, and the same command resumes: what is finished there is measured only.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from sklearn.linear_model import LogisticRegression

import zoo
from zoo.datasets.class_folders import find_images
from zoo.model import ZooModel

BATCH = 32


def examples(data: Path, split: str) -> tuple[list[Path], np.ndarray]:
    """Images of a split and the numbers of their classes."""
    _, found = find_images(data, split)
    return [item.image for item in found], np.array([item.label for item in found])


def pooled(network: ZooModel, images: list[Path]) -> np.ndarray:
    """Features of the network without its head, `(images, features)`."""
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    return np.concatenate([network(np.stack([network.preprocess(image) for image in one])) for one in batches])


def percents(model: ZooModel, images: list[Path], labels: np.ndarray) -> float:
    return zoo.evaluate(model, (images, labels))["top1_percent"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--network", default="tf_efficientnet_lite0")
    parser.add_argument("--per-class", type=int, nargs="+", default=[5, 10, 20, 50])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output-dir", type=Path, default=Path("runs/few_images"))
    options = parser.parse_args()
    (images, labels), (held, right) = examples(options.data, "train"), examples(options.data, "val")
    backbone = zoo.load(options.network, num_classes=0)
    features, held_features = pooled(backbone, images), pooled(backbone, held)
    model = zoo.load(options.network)
    print("| images per class | logistic regression, % | fine-tuning, % | difference | its standard error |")
    print("|---|---|---|---|---|")
    for count in options.per_class:
        rows = []
        for seed in range(options.seeds):
            generator = np.random.default_rng(seed)
            drawn = [generator.permutation(np.flatnonzero(labels == one))[:count] for one in np.unique(labels)]
            chosen = np.concatenate(drawn)
            regression = LogisticRegression(max_iter=5000).fit(features[chosen], labels[chosen])
            own = ([images[place] for place in chosen], labels[chosen])
            run = zoo.finetune(model, own, seed=seed, output_dir=options.output_dir / f"{count}-{seed}")
            rows.append((100 * regression.score(held_features, right), percents(run.model, held, right)))
        theirs, ours = np.array(rows).T
        error = (ours - theirs).std(ddof=1) / len(rows) ** 0.5 if len(rows) > 1 else float("nan")
        print(
            f"| {count} | {theirs.mean():.1f} | {ours.mean():.1f} | {(ours - theirs).mean():+.1f} | {error:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
