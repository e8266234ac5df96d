"""Models whose input is not an image: what `zoo.predict`, `zoo.info` and the command line do with (x, y)."""

import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import zoo
from zoo import architectures
from zoo.command_line.main import main


@pytest.fixture(scope="module")
def model():
    return zoo.load("coordconv-classifier")


def test_the_model_takes_pairs_and_gives_a_canvas(model):
    assert model.input_shape == (None, 2)
    assert model.output_shape == (None, 64, 64)


@pytest.mark.parametrize(
    "inputs",
    [np.array([[40, 12], [8, 50]]), [(40, 12), (8, 50)], ["40,12", "8, 50"], [np.array([40.0, 12.0]), [8, 50]]],
)
def test_several_pairs_in_several_forms(model, inputs):
    records = zoo.predict(model, inputs)
    assert [(record["input"], record["x"], record["y"]) for record in records] == [("40,12", 40, 12), ("8,50", 8, 50)]


@pytest.mark.parametrize("one", [np.array([40, 12]), "40,12"])
def test_one_pair(model, one):
    (record,) = zoo.predict(model, one)
    assert json.loads(json.dumps(record)) == record
    assert 0.9 < record["score"] <= 1
    scores = np.asarray(record.image)
    assert scores.shape == (64, 64)
    assert np.argwhere(scores == 255).tolist() == [[12, 40]]


@pytest.mark.parametrize("place", [(64, 0), (0, -1), (1, 2, 3), "40", "a,b", (np.nan, 1), 7])
def test_what_is_not_a_pixel_is_refused(model, place):
    with pytest.raises(zoo.InputError, match=r"is not a pixel of the canvas. Expected \(x, y\).*x from 0 to 63"):
        zoo.predict(model, [place])


@pytest.mark.parametrize("name", ["coordconv-classifier", "deconv-renderer"])
def test_a_canvas_is_as_large_as_the_configuration_says(name):
    entry = zoo.catalogue.registry.registry().find(name)
    filters = {"filters": (4, 4, 4, 4)} if name.startswith("deconv") else {}
    small = architectures.build(entry.model_copy(update={"config": entry.config | filters | {"canvas": 32}}))
    assert small.output_shape == (None, 32, 32)
    assert len(zoo.predict(small, "31,31")) == 1
    with pytest.raises(zoo.InputError, match="x from 0 to 31"):
        zoo.predict(small, "32,0")


def test_a_model_saved_before_its_configuration_had_the_canvas_has_one_of_64():
    entry = zoo.catalogue.registry.registry().find("coordconv-classifier")
    assert architectures.build(entry.model_copy(update={"config": {}})).preprocess("63,63").tolist() == [63, 63]


def test_the_model_survives_its_file(model, tmp_path):
    keras.Model.save(model, tmp_path / "model.keras")
    assert zoo.predict(zoo.load(str(tmp_path / "model.keras")), "40,12")[0]["x"] == 40


def test_the_command_line_reads_pairs(tmp_path):
    result = CliRunner().invoke(main, ["predict", "coordconv-classifier", "40,12", "-o", str(tmp_path / "scores.png")])
    assert result.exit_code == 0, result.output
    assert "x 40, y 12" in result.stdout
    assert (tmp_path / "scores.png").is_file()
    assert "(x, y) in pixels" in CliRunner().invoke(main, ["info", "coordconv-classifier"]).stdout
