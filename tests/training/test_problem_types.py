"""From a folder with a table to a published and served model: several labels per image, and quantities.

The answers are known, since the images are made of them: bands of the colours that the labels name, and brightnesses.
"""

import json
from pathlib import Path

import keras
import numpy as np
import pyarrow.parquet
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image

import zoo
from tests.hub_server.server import HubServer
from zoo.command_line.main import main
from zoo.errors import InputError

COLORS = ("blue", "green", "red")


def banded(colors, generator):
    """Dark noise, and a bright band for each colour."""
    pixels = generator.integers(40, 70, (16, 16, 3)).astype("uint8")
    for channel, name in enumerate(("red", "green", "blue")):
        if name in colors:
            top = generator.integers(0, 5)
            pixels[top : top + 12, :, channel] = 230
    return pixels


def write_labels(folder: Path, count=48):
    generator, rows = np.random.default_rng(0), []
    folder.mkdir()
    for number in range(count):
        colors = [name for place, name in enumerate(COLORS) if number >> place & 1]
        Image.fromarray(banded(colors, generator)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{';'.join(colors)}")
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows]))
    return folder


def shaded(red, green, generator):
    pixels = np.array([red, green, 0]) + generator.integers(0, 9, (16, 16, 3))
    return np.clip(pixels, 0, 255).astype("uint8")


def write_quantities(folder: Path, count=48):
    """Grams are the brightness of red times 10 plus 1,000, shares that of green."""
    generator, rows = np.random.default_rng(1), []
    folder.mkdir()
    for number in range(count):
        red, green = generator.integers(20, 230, 2)
        Image.fromarray(shaded(red, green, generator)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{1000 + 10 * red},{green / 255:.4f}")
    (folder / "labels.csv").write_text("\n".join(["file,weight [g],share", *rows]))
    return folder


TYPED = """
import os, zoo, zoo.export
os.chdir({folder!r})
run = zoo.finetune("blurnet-textures", "data", epochs=1, batch_size=12, output_dir="run")
zoo.publish(run, "me/model", license="apache-2.0")
model = zoo.load("hf://me/model@v1")
zoo.save(model, "loaded")
zoo.export.saved_model(model, "served")
"""


def typed(folder):
    """Type it in a folder that has the data; returns the card that the Hub has afterwards."""
    with HubServer(folder) as server:
        done = server.run(TYPED.format(folder=str(folder)), HF_TOKEN="hf_valid", keras=True)
        assert done.returncode == 0, done.stderr
        repository = server.repositories["me/model"]
        return repository.commits[repository.branches["main"]]["README.md"].decode()


def served(folder, images):
    [file] = (folder / "served").rglob("saved_model.pb")
    signature = tf.saved_model.load(str(file.parent)).signatures["encoded"]
    return {key: value.numpy() for key, value in signature(image_bytes=tf.constant(images)).items()}


def command(*words):
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_several_labels_of_a_folder_are_trained_and_predicted(tmp_path):
    data = write_labels(tmp_path / "data")
    run = zoo.finetune("blurnet-textures", data, epochs=1, batch_size=12, output_dir=tmp_path / "run")
    assert (run.model.spec.problem_type, run.model.spec.labels) == ("multi_label_classification", COLORS)
    assert run.metrics["map_percent"] >= 95
    images = [banded(colors, np.random.default_rng(7)) for colors in ((), ("red",), ("blue", "green"))]
    assert [sorted(one["labels"]) for one in zoo.predict(run.model, images)] == [[], ["red"], ["blue", "green"]]


@pytest.mark.slow  # publishes, exports and serves too
def test_several_labels_from_the_folder_to_the_server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_labels(tmp_path / "data")
    card = typed(tmp_path)
    assert "any number of them. Labels: blue, green, red." in card
    assert "name: mAP, %" in card
    model = zoo.load("loaded")
    assert (model.spec.problem_type, model.spec.labels) == ("multi_label_classification", COLORS)
    assert json.loads(Path("run/run.json").read_text())["metrics"]["map_percent"] >= 95
    record = zoo.evaluate(model, write_labels(tmp_path / "other", 30))
    assert (record["count"], record["map_percent"] >= 97, record["f1_percent"] >= 95) == (30, True, True)
    generator = np.random.default_rng(7)
    found, contents = [], []
    for number, colors in enumerate([(), ("red",), ("blue", "green"), COLORS]):
        path = tmp_path / f"new-{number}.png"
        Image.fromarray(banded(colors, generator)).save(path)
        contents.append(path.read_bytes())
        found.append(sorted(zoo.predict(model, path)[0]["labels"]))
    assert found == [[], ["red"], ["blue", "green"], [*COLORS]]
    answers = served(tmp_path, contents)
    rows = zip(answers["classes"], answers["scores"], strict=True)
    assert [sorted(map(bytes.decode, names[scores >= 0.5])) for names, scores in rows] == found
    assert "labels: " in command("predict", "loaded", "new-2.png")
    command("predict", "loaded", "new-2.png", "-o", "rows.parquet")
    [row] = pyarrow.parquet.read_table("rows.parquet").to_pylist()
    assert sorted(row["labels"]) == ["blue", "green"]
    assert "3 labels: blue, green, red" in command("finetune", "blurnet-textures", "data", "--dry-run")


@pytest.mark.slow
def test_quantities_from_the_folder_to_the_server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_quantities(tmp_path / "data")
    card = typed(tmp_path)
    assert "weight in g, share" in card
    assert 'print(record["values"])' in card
    model = zoo.load("loaded")
    assert (model.spec.problem_type, model.spec.labels) == ("regression", ("weight", "share"))
    record = zoo.evaluate(model, "data")
    assert record["r2"] >= 0.97
    assert record["quantity_mae"]["weight"] < 100  # of 2,100 between the least and the most
    Image.fromarray(shaded(120, 60, np.random.default_rng(7))).save("new.png")
    [prediction] = zoo.predict(model, "new.png")
    assert prediction["values"] == pytest.approx({"weight": 2200, "share": 60 / 255}, rel=0.15)
    assert prediction["units"] == {"weight": "g"}
    answers = served(tmp_path, [Path("new.png").read_bytes()])
    assert answers["names"].tolist() == [[b"weight", b"share"]]
    np.testing.assert_allclose(answers["values"][0], [*prediction["values"].values()], rtol=1e-5)
    assert " g  weight" in command("predict", "loaded", "new.png")
    command("predict", "loaded", "new.png", "-o", "rows.parquet")
    [row] = pyarrow.parquet.read_table("rows.parquet").to_pylist()
    assert [*row] == ["input", "model", "error", "values"]
    assert row["values"] == prediction["values"]
    keeps_its_scale(model)


def keeps_its_scale(model):
    """Fine-tuned further, a trained head begins with what it knows."""
    run = zoo.finetune(model, "data", epochs=1, freeze="backbone", output_dir="further")
    assert run.model.spec.quantities == model.spec.quantities
    assert run.metrics["r2"] >= 0.9
    assert run.model.layers[-1].name == "quantities"
    pixels = np.full((1, 16, 16, 3), 90, "uint8")
    copy = keras.models.clone_model(run.model)
    copy.set_weights(run.model.get_weights())
    np.testing.assert_allclose(copy(pixels), run.model(pixels), rtol=1e-6)


@pytest.mark.slow  # a training more; the same heads are trained from folders above
def test_a_head_for_batches_is_loaded_by_its_problem_type(tmp_path):
    levels = np.random.default_rng(0).integers(0, 256, (8, 1, 1, 3))
    images = np.broadcast_to(levels, (8, 16, 16, 3)).astype("float32")
    rows = (images.mean((1, 2)) / 255).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices((images, rows)).batch(4)
    model = zoo.load("blurnet-textures", num_classes=3, problem_type="regression")
    assert model.spec.task == "image-regression"
    run = zoo.finetune(model, batches, validation_data=batches, epochs=1, output_dir=tmp_path / "run")
    assert run.metrics["r2"] > 0.9  # of a head that was fitted to the same eight images
    with pytest.raises(InputError, match=r"shape \(4, 2\)\. Expected \(batch, 3\)"):
        zoo.finetune(model, batches.map(lambda image, row: (image, row[:, :2])), output_dir=tmp_path / "other")
    with pytest.raises(InputError, match=r"own head, which is for image-regression\. Expected zoo\.load"):
        zoo.finetune(model, batches, problem_type="single_label_classification", output_dir=tmp_path / "other")
    with pytest.raises(InputError, match=r"problem_type='regression' without num_classes="):
        zoo.load("blurnet-textures", problem_type="regression")
