"""A model in other runtimes: the same outputs, converted once, and the fastest that agrees."""

import json
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
from tests.marked_cases import slow_except
from zoo import runtimes
from zoo.command_line.main import main
from zoo.errors import ExportError, InputError
from zoo.runtimes import conversion, example, in_runtime, installed
from zoo.runtimes.trial import timed

NAME = "blurnet-textures"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where conversions are kept, for all tests here."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder, generator = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for place in range(6):
        Image.fromarray(generator.integers(0, 256, (64, 64, 3), "uint8")).save(folder / f"{place}.png")
    (folder / "broken.png").write_text("no image")
    return folder


@pytest.fixture
def own_cache(cache, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", f"{cache}")


def rows(path):
    return pq.read_table(path).to_pylist()


@pytest.mark.parametrize("runtime", slow_except({"keras", "onnx"}, ["keras", *conversion.CONVERSIONS]))
def test_every_runtime_gives_what_keras_does(runtime, cache):
    if runtime not in installed():
        pytest.skip(f"{runtime} is not installed")
    model = zoo.load(NAME)
    images = example(model, 3)
    found = np.asarray(in_runtime(model, runtime, cache_dir=cache).network(images))
    expected = np.asarray(model(images))
    tolerance = 2e-2 if runtime.endswith("-bfloat16") else 1e-4
    np.testing.assert_allclose(found, expected, atol=tolerance * np.abs(expected).max())


def test_what_was_converted_is_used_again_until_the_weights_change(cache, monkeypatch):
    model = zoo.load(NAME)
    in_runtime(model, "onnx", cache_dir=cache)
    kept = sorted((cache / "zoo-runtimes").iterdir())
    with monkeypatch.context() as patch:
        patch.setattr("zoo.export.onnx", None)  # whoever calls it fails
        in_runtime(zoo.load(NAME), "onnx", cache_dir=cache)
    model.weights[0].assign_add(np.full(model.weights[0].shape, 0.01))
    in_runtime(model, "onnx", cache_dir=cache)
    assert len(sorted((cache / "zoo-runtimes").iterdir())) == len(kept) + 1


@pytest.mark.slow  # converts twice
def test_a_damaged_conversion_is_made_anew(tmp_path):
    model = zoo.load(NAME)
    in_runtime(model, "onnx", cache_dir=tmp_path)
    (path,) = tmp_path.rglob("model.onnx")
    path.write_bytes(path.read_bytes()[:-100])
    images = example(model)
    found = np.asarray(in_runtime(model, "onnx", cache_dir=tmp_path).network(images))
    np.testing.assert_allclose(found, np.asarray(model(images)), rtol=1e-3, atol=1e-4)


def test_auto_is_the_fastest_of_those_that_agree(cache, monkeypatch):
    model = zoo.load(NAME)
    monkeypatch.setattr(runtimes, "installed", lambda: ["keras", "onnx", "litert"])
    honest = runtimes.converted

    def dishonest(model, runtime, cache_dir):  # a runtime that is fast and wrong
        if runtime == "litert":
            return lambda batch: np.zeros((len(batch), model.spec.num_classes), "float32")
        return honest(model, runtime, cache_dir)

    monkeypatch.setattr(runtimes, "converted", dishonest)
    running = in_runtime(model, "auto", example(model, 4), cache_dir=cache)
    assert running.milliseconds.keys() == {"keras", "onnx"}
    assert running.runtime == min(running.milliseconds, key=running.milliseconds.get)


def test_runtimes_are_tried_once_for_weights_and_a_shape_of_batches(tmp_path, monkeypatch, caplog):
    model, other = zoo.load(NAME), zoo.load(NAME)
    other.weights[0].assign_add(np.full(other.weights[0].shape, 0.01))
    monkeypatch.setattr(runtimes, "installed", lambda: ["keras", "openvino"])
    monkeypatch.setattr(runtimes, "compiled", lambda model: model)
    opened, tried = [], []

    def converted(model, runtime, cache_dir):
        opened.append(runtime)
        return model

    def timed(calls):
        tried.append(list(calls))
        return {"keras": 2.0, "openvino": 1.0}

    monkeypatch.setattr(runtimes, "converted", converted)
    monkeypatch.setattr(runtimes, "timed", timed)

    def choose(model, count):
        running = in_runtime(model, "auto", example(model, count), cache_dir=tmp_path)
        assert (running.runtime, running.milliseconds) == ("openvino", {"keras": 2.0, "openvino": 1.0})
        assert caplog.text.count("is tried in keras, openvino") == len(tried)
        return len(tried)

    assert [choose(model, 4), choose(zoo.load(NAME), 4), choose(model, 5), choose(other, 4)] == [1, 1, 2, 3]
    for path in tmp_path.rglob("milliseconds.json"):
        path.write_text('{"keras": 2.0, "openv')
    assert choose(model, 4) == 4
    opened.clear()
    monkeypatch.setattr(runtimes, "installed", lambda: ["keras", "openvino", "onnx"])
    assert choose(model, 4) == 5
    choose(model, 4)
    assert opened == ["openvino", "onnx", "openvino"]  # what is not chosen is not opened again


def test_a_job_that_keras_answers_in_a_minute_tries_nothing(tmp_path, monkeypatch, caplog):
    model = zoo.load(NAME)
    batch = example(model, 4)
    monkeypatch.setattr(runtimes, "installed", lambda: ["keras", "openvino"])
    monkeypatch.setattr(runtimes, "compiled", lambda model: model)
    monkeypatch.setattr(runtimes, "converted", lambda model, runtime, cache_dir: model)
    monkeypatch.setattr(runtimes, "turn", lambda call: [1000.0])
    monkeypatch.setattr(runtimes, "timed", lambda calls: {"keras": 2.0, "openvino": 1.0})

    def chosen(count):
        return in_runtime(model, "auto", batch, count=count, cache_dir=tmp_path).runtime

    assert [chosen(count) for count in (1, 4 * 59)] == ["keras", "keras"]
    assert "is tried" not in caplog.text
    assert [chosen(count) for count in (4 * 60, 1)] == ["openvino", "openvino"]  # the second by what is known now
    assert caplog.text.count("is tried") == 1


def test_what_is_hopeless_is_called_for_one_turn():
    calls = {"fast": 0, "slow": 0}

    def call(name, seconds):
        calls[name] += 1
        time.sleep(seconds)

    found = timed({"fast": lambda: call("fast", 0.02), "slow": lambda: call("slow", 0.11)}, seconds=0.0)
    assert found["fast"] < found["slow"]
    assert calls["fast"] >= 4  # once to warm up, three turns
    assert calls["slow"] == 2


@pytest.fixture
def rounding(monkeypatch):
    """A runtime in bfloat16 that is fast; its outputs are Keras', changed by what is returned to the test."""
    changes = {"by": 0.0}
    monkeypatch.setattr(runtimes, "installed", lambda: ["keras", "openvino-bfloat16"])
    monkeypatch.setattr(runtimes, "timed", lambda calls: {name: 1.0 + (name == "keras") for name in calls})

    def converted(model, runtime, cache_dir):
        network = runtimes.compiled(model)
        return lambda batch: (1 - 2 * (np.arange(len(batch)) < changes["by"])[:, None]) * network(batch)

    monkeypatch.setattr(runtimes, "converted", converted)
    return changes


@pytest.mark.slow  # converts twice
@pytest.mark.usefixtures("own_cache")
def test_bfloat16_is_chosen_where_the_best_class_stays(rounding, caplog):
    model = zoo.load(NAME)
    batch = example(model, 4)
    calibration = [np.repeat(batch, 50, axis=0)]
    assert in_runtime(model, "auto", batch).runtime == "keras"  # nothing to compare on
    rounding["by"] = 1  # of 200
    running = in_runtime(model, "auto", batch, calibration=lambda: calibration)
    assert running.runtime == "openvino-bfloat16"
    assert running.agreement == {"images": 200, "same_class_percent": 99.5}
    rounding["by"] = 2
    running = in_runtime(model, "auto", batch, calibration=lambda: calibration)
    assert (running.runtime, running.agreement) == ("keras", None)
    assert "another best class in openvino-bfloat16 than in Keras on 2 of 200 inputs" in caplog.text


@pytest.mark.usefixtures("own_cache", "rounding")
def test_a_job_says_and_keeps_on_what_bfloat16_was_compared(photos, tmp_path, monkeypatch):
    output = tmp_path / "out.parquet"
    assert zoo.predict_files(NAME, photos, tmp_path / "short.parquet", runtime="auto")["runtime"] == "keras"
    monkeypatch.setattr(runtimes, "WORTH_TRIAL", 0.0)
    monkeypatch.setattr("zoo.batch.calibration.has_bfloat16", lambda: True)
    assert "agreement" not in zoo.predict_files(NAME, photos, tmp_path / "few.parquet", runtime="auto")
    monkeypatch.setattr("zoo.batch.calibration.LEAST", 7)
    for _ in range(2):
        record = zoo.predict_files(NAME, photos, output, runtime="auto")
        assert record["runtime"] == "openvino-bfloat16"
        assert record["agreement"] == {"images": 6, "same_class_percent": 100.0}  # one of seven is broken
    command = ["predict", NAME, f"{photos}", "-o", f"{output}", "--runtime", "auto"]
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    assert "computed by openvino-bfloat16; its best class is that of Keras on 100 % of 6" in done.stdout


@pytest.mark.slow  # two conversions that fail; one more below
def test_a_network_that_a_runtime_does_not_have_stays_in_keras(cache, monkeypatch):
    model = zoo.load("unet3d-phantoms")
    monkeypatch.setattr(runtimes, "installed", lambda: ["keras", "litert"])
    assert in_runtime(model, "auto", example(model), cache_dir=cache).milliseconds.keys() == {"keras"}
    with pytest.raises(ExportError, match=r"does not run in litert: .*'down1-pool'.* keras runs every model"):
        in_runtime(model, "litert", cache_dir=cache)


@pytest.mark.usefixtures("own_cache")
def test_files_are_predicted_by_any_runtime_and_the_rows_are_the_same(photos, tmp_path):
    record = zoo.predict_files(NAME, photos, tmp_path / "keras.parquet")
    assert record["runtime"] == "keras"
    record = zoo.predict_files(NAME, photos, tmp_path / "onnx.parquet", runtime="onnx")
    assert (record["runtime"], record["count"], record["errors"]) == ("onnx", 7, 1)
    for one, other in zip(rows(tmp_path / "keras.parquet"), rows(tmp_path / "onnx.parquet"), strict=True):
        assert (one["input"], one["error"]) == (other["input"], other["error"])
        for mine, its in zip(one["predictions"] or (), other["predictions"] or (), strict=True):
            assert mine["score"] == pytest.approx(its["score"], abs=1e-4)
    with pytest.raises(InputError, match="runtime differ"):
        zoo.predict_files(NAME, photos, tmp_path / "onnx.parquet")


@pytest.mark.slow  # a conversion that fails
def test_a_runtime_that_cannot_do_it_leaves_nothing_begun(photos, tmp_path):
    with pytest.raises(ExportError, match=r"does not run in litert: .*'down1-pool'.* keras runs every model"):
        zoo.predict_files("unet3d-phantoms", photos, tmp_path / "out.parquet", runtime="litert")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("own_cache")
def test_auto_stays_with_what_a_job_began_with(photos, tmp_path, monkeypatch):
    output = tmp_path / "out.parquet"
    zoo.predict_files(NAME, photos, output, runtime="onnx")
    before = output.read_bytes()
    monkeypatch.setattr(runtimes, "timed", None)  # nothing is tried
    assert zoo.predict_files(NAME, photos, output, runtime="auto")["runtime"] == "onnx"
    assert output.read_bytes() == before


@pytest.mark.usefixtures("own_cache")
def test_the_command_line_says_what_computed(photos, tmp_path):
    command = ["predict", NAME, f"{photos}", "-o", f"{tmp_path / 'out.parquet'}", "--runtime", "onnx"]
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    assert "computed by onnx" in done.stdout
    done = CliRunner().invoke(main, [*command, "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["runtime"] == "onnx"
    done = CliRunner().invoke(main, [*command[:-1], "torch"])
    assert "Expected one of auto, keras, tensorflow" in done.output


def test_ray_runs_keras_alone(photos, tmp_path):
    pytest.importorskip("ray.data")
    with pytest.raises(InputError, match="whose workers run Keras"):
        zoo.predict_files(NAME, photos, tmp_path / "out.parquet", engine="ray", runtime="onnx")
