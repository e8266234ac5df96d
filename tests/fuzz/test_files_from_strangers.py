"""Damaged and hostile files of every kind that is read: a documented error or an answer, in bounded time and memory.

ZOO_FUZZ_SECONDS=60 python -m pytest tests/fuzz     longer: so many seconds for each kind, other cases after the usual
"""

import functools
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from random import Random

import numpy as np
import pyarrow.parquet
import pytest
import safetensors.numpy
from PIL import Image, features

import zoo
from tests.fuzz import bounds
from tests.fuzz.mutations import mutated, mutated_json
from tests.marked_cases import first_of_each
from zoo.catalogue.registry import Registry
from zoo.datasets import depth_maps, images_with_masks
from zoo.imaging.planes import Planes
from zoo.training.label_data import trained_task
from zoo.training.trainers import find_trainer

TIMM = {
    "architecture": "resnet18",
    "num_classes": 3,
    "pretrained_cfg": {
        "tag": "a1_in1k",
        "input_size": [3, 64, 64],
        "interpolation": "bicubic",
        "crop_pct": 0.95,
        "crop_mode": "center",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "num_classes": 3,
        "license": "apache-2.0",
        "label_names": ["a", "b", "c"],
    },
    "label_names": ["a", "b", "c"],
    "model_args": {"num_classes": 3},
}
CHECKPOINTS = Path(zoo.__file__).parent / "checkpoints"
SMALL = ("espcn-x2", "blurnet-textures", "coordconv-regressor", "tcn-co2", "sparseconvnet", "segnet-basic")


def photograph(size: tuple[int, int] = (24, 18), mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype="uint8")
    return Image.fromarray(pixels).convert(mode)


def images() -> list[tuple[str, bytes]]:
    """An image in each format and mode that Pillow writes."""
    Image.init()
    found = []
    for suffix, name in sorted(Image.registered_extensions().items()):
        for mode in ("RGB", "L", "P", "RGBA", "1", "I;16", "F", "CMYK"):
            target = io.BytesIO()
            try:
                photograph(mode=mode).save(target, name)
            except (OSError, ValueError, KeyError, AttributeError, TypeError):
                continue
            found.append((suffix, target.getvalue()))
    return found


def arrays() -> list[bytes]:
    """Arrays as `.npy`."""
    found = []
    for dtype in ("uint8", "uint16", "float16", "float32", "float64", "int64", "bool", "complex64", "S3", "object"):
        target = io.BytesIO()
        np.save(target, np.ones((9, 8, 3)).astype(dtype), allow_pickle=True)
        found.append(target.getvalue())
    return found


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.fixture(params=first_of_each(["a quarter", "the rest"]))
def fuzz(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`bounds.fuzz`, over a quarter of the cases or, slowly, over all others."""
    return functools.partial(bounds.fuzz, rest=request.param == "the rest")


@pytest.fixture(scope="module")
def descriptions() -> list[bytes]:
    found = [zoo.info(name).model_dump(mode="json") for name in SMALL]
    regression = {"task": "image-regression", "labels": ["a", "b"], "num_classes": 2}
    regression["quantities"] = [{"unit": "kg", "mean": 3.0, "std": 0.5}, {}]
    return [json.dumps(facts).encode() for facts in (*found, zoo.info("blurnet-textures").model_dump() | regression)]


def test_descriptions(tmp_path, descriptions, fuzz):
    written(tmp_path, "config.json", json.dumps(TIMM).encode())
    assert zoo.info(tmp_path).num_classes == 3

    def attempt(random: Random) -> None:
        if random.random() < 0.5:
            (tmp_path / "zoo.json").unlink(missing_ok=True)
            written(tmp_path, "config.json", mutated_json(json.dumps(TIMM).encode(), random))
        else:
            written(tmp_path, "zoo.json", mutated_json(random.choice(descriptions), random))
        zoo.info(tmp_path)

    fuzz("descriptions", 400, attempt)


def test_models_of_descriptions_are_built_or_refused(tmp_path, descriptions, fuzz):
    """What is read as a description may still be of a network that is too large, or of none."""
    for name in SMALL:
        filename = zoo.info(name).filename
        shutil.copy(CHECKPOINTS / filename, tmp_path / filename)
    zoo.load("espcn-x2")  # what TensorFlow takes is not a model's

    def attempt(random: Random) -> None:
        written(tmp_path, "zoo.json", mutated_json(random.choice(descriptions), random))
        zoo.load(tmp_path)

    fuzz("models of descriptions", 60, attempt)


def test_safetensors(tmp_path, fuzz):
    content = (CHECKPOINTS / zoo.info("fsrcnn-x2").filename).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]

    def attempt(random: Random) -> None:
        if random.random() < 0.3:
            changed = mutated(content, random)
        else:
            head = mutated_json(json.dumps(header).encode(), random)
            size = len(head) if random.random() < 0.8 else random.choice((0, 1, 10**6, 2**63, 2**64 - 1))
            changed = size.to_bytes(8, "little") + head + body
        zoo.load("fsrcnn-x2", weights=written(tmp_path, "weights.safetensors", changed))

    fuzz("safetensors", 60, attempt)


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed: pip install torch")
def test_pickles(tmp_path, fuzz):
    import torch

    tensors = {name: torch.ones(3, 4) for name in ("conv.weight", "conv.bias")}
    contents = []
    for state, is_zip in (({"state_dict": tensors, "epoch": 3}, True), (tensors, False), ([object], True)):
        target = io.BytesIO()
        torch.save(state, target, _use_new_zipfile_serialization=is_zip)
        contents.append(target.getvalue())

    def attempt(random: Random) -> None:
        path = written(tmp_path, "weights.pt", mutated(random.choice(contents), random))
        zoo.load("fsrcnn-x2", weights=path)

    fuzz("pickles", 40, attempt)


def test_images(tmp_path, fuzz):
    contents = images()
    assert len({suffix for suffix, _ in contents}) > 20
    assert features.check("webp")

    def attempt(random: Random) -> None:
        suffix, content = random.choice(contents)
        path = written(tmp_path, f"image{suffix}", mutated(content, random))
        planes = Planes(path, random.choice((1, 3, 4)))
        assert planes.pixels().dtype == np.uint8

    fuzz("images", 1500, attempt)


def test_arrays_masks_and_depths(tmp_path, fuzz):
    contents = arrays()
    masks = [content for suffix, content in images() if suffix == ".png"]
    image = written(tmp_path, "image.jpg", b"")
    photograph().save(image)

    def attempt(random: Random) -> None:
        kind = random.randrange(4)
        if kind == 0:
            path = written(tmp_path, "array.npy", mutated(random.choice(contents), random))
            Planes(path, random.choice((1, 3, 5))).pixels()
        elif kind == 1:
            mask = written(tmp_path, "mask.png", mutated(random.choice(masks), random))
            images_with_masks.read_pair(images_with_masks.Pair(image, mask), 5)
        elif kind == 2:
            depth_maps.read_depths(written(tmp_path, "depths.png", mutated(random.choice(masks), random)))
        else:
            depth_maps.read_depths(written(tmp_path, "depths.npy", mutated(random.choice(contents), random)))

    fuzz("arrays", 500, attempt)


TABLES = (
    b"file,label\n0.png,cat\n1.png,dog\n",
    b"file,label\n0.png,cat;dog\n1.png,\n",
    b"file,age (years),split\n0.png,3,train\n1.png,4.5,train\n",
)


def test_tables_of_labels(tmp_path, fuzz):
    facts = {"file": ["0.png", "1.png"], "label": [["cat"], ["dog", "cat"]], "age": [1.5, None]}
    pyarrow.parquet.write_table(pyarrow.table(facts), tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    for number in range(2):
        photograph().save(tmp_path / f"{number}.png")
    entry = zoo.info("blurnet-textures")

    def attempt(random: Random) -> None:
        if random.random() < 0.5:
            table = written(tmp_path, "labels.csv", mutated(random.choice(TABLES), random))
        else:
            table = written(tmp_path, "labels.parquet", mutated(whole, random))
        task = trained_task(entry, table, "auto", "")
        find_trainer(task).find(table, "train", entry, None)

    fuzz("tables of labels", 300, attempt)


def test_series_and_volumes(tmp_path, fuzz):
    models = [zoo.load("tcn-co2"), zoo.load("unet3d-phantoms")]
    contents = []
    for array in (np.ones((200, 1), "float32"), np.ones((8, 9, 10), "uint16"), np.ones(300)):
        target = io.BytesIO()
        np.save(target, array)
        contents.append(target.getvalue())

    def attempt(random: Random) -> None:
        path = written(tmp_path, "array.npy", mutated(random.choice(contents), random))
        random.choice(models).preprocess(path)

    fuzz("series and volumes", 150, attempt)


def test_registries(tmp_path, fuzz):
    text = (Path(zoo.__file__).parent / "registry.yaml").read_text()
    content = text[text.index("families:") : text.index("\n  fsrcnn:")].encode()
    assert Registry(written(tmp_path, "registry.yaml", content)).find("espcn-x2").config == {"scale": 2}

    def attempt(random: Random) -> None:
        Registry(written(tmp_path, "registry.yaml", mutated(content, random)))

    fuzz("registries", 400, attempt)


def test_runs_and_their_state(tmp_path, fuzz):
    from zoo.catalogue.training_record import check_finished, training_record
    from zoo.training.state import State

    settings = {"plan": {"seed": 1}, "model": "x"}
    state = {"settings": settings, "command": "zoo finetune", "epoch": 2, "waited": 0, "best": 0.5, "best_epoch": 1}
    state |= {"stopped": False, "history": {"loss": [1.0, 0.5]}}
    weights = {"model/0": np.ones((3, 4), "float32"), "optimizer/0": np.zeros(3, "float32")}
    record = {"metrics": {"top1_percent": 50.0}, "history": {"loss": [1.0]}, "seed": 1, "command": "x", "settings": {}}
    folder = tmp_path / "run" / "state"
    folder.mkdir(parents=True)
    whole = {"state": json.dumps(state)}
    for name in ("last", "best"):
        written(folder, f"{name}.safetensors", safetensors.numpy.save(weights, whole))
    written(folder.parent, "run.json", json.dumps(record).encode())
    assert State(folder, settings).epoch == 2
    assert training_record(folder.parent).metrics == {"top1_percent": 50.0}
    reads = (lambda: State(folder, settings), lambda: training_record(folder.parent), lambda: check_finished(folder))

    def attempt(random: Random) -> None:
        changed = mutated_json(json.dumps(state).encode(), random).decode("latin-1")
        last = safetensors.numpy.save(weights, {"state": changed})
        best = safetensors.numpy.save({"model/0": weights["model/0"]}, {"epoch": "2"})
        written(folder, "last.safetensors", last if random.random() < 0.6 else mutated(last, random))
        written(folder, "best.safetensors", best if random.random() < 0.7 else mutated(best, random))
        written(folder.parent, "run.json", mutated_json(json.dumps(record).encode(), random))
        random.choice(reads)()

    fuzz("runs", 300, attempt)


def test_keras_files(tmp_path, fuzz):
    model = zoo.load("fsrcnn-x2")
    model.save(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "whole.keras") as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    content = (tmp_path / "whole.keras").read_bytes()
    assert zoo.load(tmp_path / "whole.keras").spec == model.spec

    def attempt(random: Random) -> None:
        path = tmp_path / "changed.keras"
        if random.random() < 0.3:
            path.write_bytes(mutated(content, random))
        else:
            name = random.choice(sorted(parts))
            change = mutated_json if name.endswith(".json") else mutated
            with zipfile.ZipFile(path, "w") as changed:
                for part, held in parts.items():
                    changed.writestr(part, change(held, random) if part == name else held)
        zoo.load(path)

    fuzz("keras files", 50, attempt)
