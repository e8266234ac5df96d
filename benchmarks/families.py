"""What each of timm's families takes: lines of code, checkpoints, and how far its outputs are from timm's.

    python -m benchmarks.families [FAMILY ...]

A family is a file of `zoo/architectures`. Its lines are those that are not empty. The difference is the largest of
logits, pooled features and the means of the maps over all golden files of the family in `tests/golden`, in standard
deviations of timm's; a dash where another test than `test_timm_families.py` reads its golden files.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from tests.architectures.test_timm_families import built, pooled_features, with_intermediate_outputs
from tests.golden_files import FOLDER, read_golden, write_golden_checkpoint
from zoo import architectures
from zoo.catalogue.entry import Entry
from zoo.catalogue.registry import registry
from zoo.errors import ZooError
from zoo.weights import filling


def checkpoints() -> dict[str, list[Entry]]:
    """Those of timm's by the file that builds them, the largest families first."""
    families: dict[str, list[Entry]] = {}
    for entry in registry().entries.values():
        if entry.format == "timm" and entry.source and entry.task.startswith("image-"):
            families.setdefault(entry.builder.partition(".")[0], []).append(entry)
    return dict(sorted(families.items(), key=lambda item: -len(item[1])))


def lines(family: str) -> int:
    """Those of its file that are not empty."""
    folder = os.path.dirname(architectures.__file__)
    with open(os.path.join(folder, f"{family}.py"), encoding="utf-8") as file:
        return sum(bool(line.strip()) for line in file)


def differences(name: str) -> Iterator[float]:
    """Of each array of a golden file, in standard deviations of the reference."""
    arrays, _ = read_golden(name)
    try:
        pyramid = built(name, features=True)
    except ZooError:  # it has none
        pyramid = None
    model = built(name)
    whole = (
        with_intermediate_outputs(model, pyramid)
        if pyramid
        else keras.Model(model.inputs, [pooled_features(model), model.output])
    )
    with tempfile.TemporaryDirectory() as folder:
        path = write_golden_checkpoint(name, folder)
        filling.fill(model, path, file_format="timm", unused=model.spec.unused)
    pooled, logits, *maps = whole([arrays["images"].astype("float32")])
    found = {"logits": np.asarray(logits)}
    if np.size(pooled[0]) == arrays["pooled"][0].size:
        found["pooled"] = np.asarray(pooled)
    stages = [key for key in sorted(arrays) if key.startswith("stage")]
    found |= {key: np.mean(each, axis=(1, 2)) for key, each in zip(stages, maps, strict=False)}
    for key, values in found.items():
        yield float(np.abs(values.reshape(arrays[key].shape) - arrays[key]).max() / arrays[key].std())


def worst(entries: list[Entry]) -> str:
    """The largest difference of all golden files of these, and the file's name."""
    found = []
    for name in sorted({entry.architecture for entry in entries}):
        if (FOLDER / f"{name}.npz").is_file():
            found.append((max(differences(name)), name))
            keras.utils.clear_session()
    return f"{max(found)[0]:.1e} ({max(found)[1]})" if found else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    families = checkpoints()
    parser.add_argument("families", nargs="*", choices=[*families, []])
    asked = parser.parse_args().families or families
    print("| family | lines of code | checkpoints | worst difference, standard deviations |\n| --- | --- | --- | --- |")
    for family in asked:
        print(f"| {family} | {lines(family)} | {len(families[family])} | {worst(families[family])} |", flush=True)


if __name__ == "__main__":
    main()
