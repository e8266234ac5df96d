"""What a reader of the documentation has at hand: own files, under the names that the pages use, all of them small."""

import csv
import importlib.util
import io
import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from tests.golden_files import golden_state, read_golden
from tests.hub_server.server import HubServer
from tests.training.photographs import write_photographs
from zoo.catalogue.registry import registry

SAMPLES = Path(__file__).parents[2] / "zoo" / "demo" / "samples"
COPIES = {
    "photo.jpg": "cat.jpg",
    "a.jpg": "flower.jpg",
    "b.jpg": "pagoda.jpg",
    "damaged.png": "damaged.png",
    "sparse.png": "depths.png",
    "volume.npy": "phantom.npy",
}
PHOTOGRAPHS = ("cat.jpg", "espresso.jpg", "flower.jpg", "pagoda.jpg")
# Checkpoints that the pages load from the Hub: stand-ins, of the tensors' real names and shapes.
STAND_INS = ("convnext_tiny", "resnet18", "resnet50", "resnetblur50")


SMP = "smp_unet_tu_convnext_atto"


def write_files(folder: Path, text: str) -> None:
    """The files that a text names, into a folder."""
    for name, sample in COPIES.items():
        if name in text:
            shutil.copy(SAMPLES / sample, folder / name)
    if "street.jpg" in text:
        Image.open(SAMPLES / "pagoda.jpg").resize((96, 64)).save(folder / "street.jpg")
    (folder / "photos").mkdir()
    for name in PHOTOGRAPHS:
        shutil.copy(SAMPLES / name, folder / "photos" / name)
    for name, count in {"my_photos": 8, "new_photos": 2}.items():
        if name in text:
            write_photographs(folder / name, {"blue": count, "green": count, "red": count})
    if "pets" in text:
        _write_table(folder / "pets")
    if "streets" in text:
        _write_masks(folder / "streets")
    if "photos.parquet" in text:
        _write_parquet(folder)
    if "my_timm.safetensors" in text:
        state = golden_state("resnet50")
        state |= {"fc.weight": state["fc.weight"][:10], "fc.bias": state["fc.bias"][:10]}
        save_file(state, folder / "my_timm.safetensors")


def _write_table(folder: Path) -> None:
    """Photographs with two quantities: how red and how bright they are."""
    images = write_photographs(folder, {"blue": 6, "red": 6})
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "age (years)", "weight (kg)"])
        for path in sorted(images.rglob("*.png")):
            red, _, blue = np.asarray(Image.open(path)).mean((0, 1))
            rows.writerow([path.relative_to(folder).as_posix(), round(red / 30, 2), round(blue / 20, 2)])


def _write_masks(folder: Path) -> None:
    """Noise with a brighter half, and which half that is."""
    generator = np.random.default_rng(0)
    (folder / "train").mkdir(parents=True)
    for index in range(5):
        mask = np.zeros((64, 64), "uint8")
        mask[:, 16 + 8 * index :] = 1
        image = generator.integers(0, 120, (64, 64, 3)) + 120 * mask[..., None]
        Image.fromarray(image.astype("uint8")).save(folder / "train" / f"{index}.jpg")
        Image.fromarray(mask).save(folder / "train" / f"{index}.png")
    names = ["road", "sky", *(f"class {number}" for number in range(2, 11))]
    (folder / "classes.txt").write_text("\n".join(names) + "\n")


def _write_parquet(folder: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    images = [{"bytes": (SAMPLES / name).read_bytes(), "path": name} for name in PHOTOGRAPHS]
    parquet.write_table(pyarrow.table({"image": images}), folder / "photos.parquet")


def fill(hub: HubServer, text: str) -> None:
    """Put on a Hub what a page loads from there."""
    for name in STAND_INS:
        if name in text:
            entry = registry().find(name)
            state = golden_state(name)
            if "fc.weight" in state:
                state["fc.weight"] *= 0.1  # of random weights logits are so far apart that bfloat16 changes the scores
            repository = entry.source.removeprefix("hf://")
            hub.repository(repository).commit({"model.safetensors": _safetensors(state)})
    if "yolox_tiny" in text and importlib.util.find_spec("torch"):  # without it the pages' blocks are left out
        _put_pickled(hub, "yolox_tiny")
    if "hf://me/my-timm-model" in text:
        pretrained = {"tag": "mine", "input_size": [3, 96, 96], "num_classes": 1000, "license": "mit"}
        config = {"architecture": "resnet18", "num_classes": 1000, "pretrained_cfg": pretrained}
        _tagged(hub, "me/my-timm-model", config, "resnet18")
    if "hf://me/my-smp-model" in text:
        _tagged(
            hub, "me/my-smp-model", read_golden("smp_unet_tu_convnext_atto")[1]["config"], "smp_unet_tu_convnext_atto"
        )


def _put_pickled(hub: HubServer, name: str) -> None:
    """A detector as its authors saved it: a file of PyTorch, with the tensors below `model`."""
    import torch

    entry, content = registry().find(name), io.BytesIO()
    torch.save({"model": {key: torch.as_tensor(value) for key, value in golden_state(name).items()}}, content)
    hub.repository(entry.source.removeprefix("hf://")).commit({entry.filename: content.getvalue()})


def _tagged(hub: HubServer, repo_id: str, config: dict, golden: str) -> None:
    files = {"config.json": json.dumps(config).encode(), "model.safetensors": _safetensors(golden_state(golden))}
    repository = hub.repository(repo_id)
    repository.tags["v2"] = repository.commit(files)


def _safetensors(state: dict[str, np.ndarray]) -> bytes:
    from safetensors.numpy import save

    return save(state)
