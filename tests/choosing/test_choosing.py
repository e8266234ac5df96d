"""Choosing by measurements: the front is what no other beats, limits hold, and a probe knows one's own photographs."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
import zoo.export
from zoo.choosing import Choice, front
from zoo.choosing.drawing import draw
from zoo.command_line.main import main
from zoo.errors import AccessError, ExportError, InputError, OfflineError, UnknownModelError

PAIR = ["blurnet-textures", "maxpool-textures"]


def choice(model, accuracy, milliseconds, megabytes, metric="top1_percent"):
    return Choice(model, metric, accuracy, milliseconds, megabytes, "mit")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two classes that a probe of any network tells apart: stripes that lie, and stripes that stand."""
    folder, generator = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for name in ("lying", "standing"):
        (folder / name).mkdir()
        for place in range(15):
            period, noise = generator.integers(6, 14), generator.normal(0, 20, (64, 64))
            stripes = 100 * np.sin(np.arange(64) * 2 * np.pi / period)[:, None] + 128 + noise
            pixels = np.clip(stripes if name == "lying" else stripes.T, 0, 255).astype("uint8")
            Image.fromarray(pixels).convert("RGB").save(folder / name / f"{place}.png")
    return folder


def test_the_front_is_what_no_other_beats():
    choices = [
        choice("accurate", 90, 9, 9),
        choice("fast", 70, 1, 9),
        choice("small", 70, 9, 1),
        choice("beaten", 70, 9, 9),
        choice("worse", 69, 1.5, 9),
        choice("unknown", None, 20, 20),
        choice("other", 1, 99, 99, metric="psnr_db"),
    ]
    best = {one.model for one in front(choices) if one.is_best}
    assert best == {"accurate", "fast", "small", "unknown", "other"}
    twins = front([choice("one", 70, 1, 1), choice("two", 70, 1, 1)])
    assert [one.is_best for one in twins] == [True, True]


@pytest.mark.slow  # three models; the example in the docstring of zoo.choosing is quick
def test_models_are_measured_with_what_their_cards_state(tmp_path):
    limits = {"max_milliseconds": 1e6, "max_megabytes": 1000, "license": "commercial"}
    choices = zoo.choose([*PAIR, PAIR[0]], plot=tmp_path / "choice.png", **limits)
    assert sorted(one.model for one in choices) == PAIR
    for one in choices:
        entry = zoo.info(one.model)
        assert (one.metric, one.accuracy) == next(iter(entry.metrics.items()))
        assert one.megabytes == pytest.approx(entry.parameters_millions * 4, rel=0.05)
        assert one.milliseconds > 0
    assert choices[0].is_best
    with Image.open(tmp_path / "choice.png") as plot:
        assert plot.size[0] > 400


@pytest.mark.slow  # the network of ImageNet, twice
def test_on_photographs_of_ones_own_the_accuracy_is_a_probes(photos):
    (found,) = zoo.choose(["tf_efficientnet_lite0"], data=photos)
    assert (found.metric, found.accuracy) == ("top1_percent", 100.0)


@pytest.mark.slow  # an export
def test_exports_are_measured_as_they_are(tmp_path):
    folder = str(zoo.export.saved_model(PAIR[0], tmp_path))
    choices = {one.model: one for one in zoo.choose([folder, PAIR[0]])}
    found, expected = choices[folder], choices[PAIR[0]]
    assert (found.metric, found.accuracy, found.license) == (expected.metric, expected.accuracy, expected.license)
    files = [path for path in Path(folder).rglob("*") if path.is_file() and "assets.extra" not in path.parts]
    assert found.megabytes == pytest.approx(sum(path.stat().st_size for path in files) / 1e6, abs=0.01)
    assert found.milliseconds > 0
    with pytest.raises(InputError, match="None of 1 models has at most 1e-06 MB"):
        zoo.choose(folder, max_megabytes=1e-6)
    with pytest.raises(InputError, match="is an export, whose head stays as it is"):
        zoo.choose([folder], data=tmp_path)
    (Path(folder) / "variables" / "variables.index").unlink()
    with pytest.raises(ExportError, match="is not an export of this library"):
        zoo.choose(folder)


@pytest.mark.slow  # two models; the example in the docstring of zoo.choosing is quick
def test_limits_hold_and_say_what_there_is():
    with pytest.raises(InputError, match=r"None of 1 models has at most 1e-06 ms; blurnet-textures is the nearest"):
        zoo.choose(PAIR[:1], max_milliseconds=1e-6)
    with pytest.raises(InputError, match="None of 2 models has at most 1e-06 MB"):
        zoo.choose(PAIR, max_megabytes=1e-6)
    with pytest.raises(InputError, match=r"None of 1 models has license='commercial'. "):
        zoo.choose("sparseconvnet", license="commercial")
    with pytest.raises(InputError, match=r"Expected one of apache-2.0, commercial. Did you mean 'commercial'\?"):
        zoo.choose(PAIR, license="comercial")
    with pytest.raises(InputError, match="No model of the task image-features lies on this machine"):
        zoo.choose(task="image-features")
    for options, message in (
        ({"max_milliseconds": 0}, "max_milliseconds=0"),
        ({"runtime": "torch"}, "runtime='torch'. Expected one of auto, keras"),
        ({"plot": "choice.txt"}, "Expected NAME.png"),
    ):
        with pytest.raises(InputError, match=message):
            zoo.choose(PAIR, **options)
    with pytest.raises(InputError, match="download=True without max_megabytes"):
        zoo.choose(download=True)
    with pytest.raises(UnknownModelError):
        zoo.choose(["resnet5"])
    with pytest.raises(InputError, match="handle=3"):
        zoo.choose([3])


def test_what_turns_out_to_be_larger_than_the_limit_is_left_out(monkeypatch):
    sizes = {PAIR[0]: 3.0, PAIR[1]: 1.0}
    monkeypatch.setattr(
        "zoo.choosing.measuring.measured", lambda handle, data, runtime: choice(handle, 70, 1, sizes[handle])
    )
    monkeypatch.setattr("zoo.choosing._size", lambda located: 0)  # as where nothing is known of it
    assert [one.model for one in zoo.choose(PAIR, max_megabytes=2)] == [PAIR[1]]
    with pytest.raises(InputError, match=f"None of 2 models has at most 0.5 MB; {PAIR[1]} is the nearest, with 1 MB"):
        zoo.choose(PAIR, max_megabytes=0.5)


def test_no_download_is_announced_in_offline_mode(monkeypatch):
    said = []
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/nowhere")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OfflineError, match=r"offline mode is on: resnet18.a1_in1k. Expected models that are"):
        zoo.choose("resnet18", say=said.append)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("zoo.choosing.measuring.measured", lambda handle, data, runtime: choice(handle, 70, 1, 1))
    zoo.choose("resnet18", say=said.append)
    assert said == ["1 model is downloaded, about 47 MB: resnet18.a1_in1k"]


def test_a_model_without_a_linear_head_is_not_probed(photos):
    for models in (["espcn-x2"], [PAIR[0], "coordconv-classifier"]):
        with pytest.raises(InputError, match="cannot be probed on photographs"):
            zoo.choose(models, data=photos)


def test_a_plot_is_whole_or_not_there(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(AccessError, match="cannot be written"):
        draw([choice("one", 70, 1, 1)], tmp_path / "file" / "choice.png")
    draw([choice("one", 70, 1, 1), choice("unknown", None, 1, 1)], tmp_path / "new" / "choice.svg")
    before = (tmp_path / "new" / "choice.svg").read_bytes()
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda self, place, dpi: place.write_text("half") / 0)
    with pytest.raises(ZeroDivisionError):
        draw([choice("two", 70, 1, 1)], tmp_path / "new" / "choice.svg")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "new").iterdir()] == [("choice.svg", before)]


@pytest.mark.slow  # four models
def test_by_default_those_are_measured_that_lie_here(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", f"{tmp_path}")
    found = {one.model for one in zoo.choose(task="coordinate-regression")}
    assert found == set(zoo.list_models(task="coordinate-regression", pretrained=True))


@pytest.mark.slow  # two models; the example in the docstring of zoo.choosing is quick
def test_the_command_line_prints_the_best_and_as_json_all():
    done = CliRunner().invoke(main, ["choose", PAIR[0], "--json"], catch_exceptions=False)
    assert [(one["model"], one["is_best"]) for one in json.loads(done.stdout)] == [(PAIR[0], True)]
    done = CliRunner().invoke(main, ["choose", PAIR[0]], catch_exceptions=False)
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["model", "accuracy", "ms", "MB", "licence"]
    assert "1 of 1 models" in done.stderr
