"""Which models there are, and how a wrong choice is answered."""

import json
import re

import pytest
from click.testing import CliRunner

import zoo
from zoo.command_line.main import main


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("pattern", value) for value in (None, 3, b"resnet*", "", "a\nb", "\x1b[2J", "*" * 201, ["*"])],
        *[("task", value) for value in ("", 3, b"x", ["super-resolution"], "dancing\n" * 1000)],
        *[("pretrained", value) for value in (1, "yes", [])],
    ],
)
def test_what_nothing_can_match_is_an_error_of_the_argument(name, value):
    with pytest.raises(zoo.InputError, match=name) as caught:
        zoo.list_models(**{name: value})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("pattern", ["[", "[!", "*[", "resnet18*" * 20, "***********************b*c*d*e*f*g*h*i*j*k"])
def test_any_pattern_is_one(pattern):
    assert zoo.list_models(pattern) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnt*"], r"No model matches 'resnt\*'.*Did you mean 'resnet"),
        (["ResNet50"], r"'ResNet50'.*Did you mean 'resnet50'"),
        (["*resnetblurr*"], r"Did you mean 'resnetblur"),
        (["qqqqqq"], r"`zoo list` shows them all"),
        (["--task", "dancing"], r"no task 'dancing'.*super-resolution"),
        (["--tag", "a1_in1kk"], r"--tag 'a1_in1kk'.*Did you mean 'a1_in1k'"),
        (["--license", "apache"], r"--license 'apache'.*apache-2\.0"),
        (["--max-parameters", "-1"], r"--max-parameters -1\. Expected"),
        (["--max-parameters", "nan"], r"--max-parameters nan\. Expected"),
        (["--max-parameters", "few"], r"'few' is not a valid float"),
        (["a\x1b[2J*"], r"pattern="),
        ([""], r"pattern="),
    ],
)
def test_a_wrong_choice_is_answered_with_the_right_ones(arguments, message):
    result = run("list", *arguments)
    assert result.exit_code != 0
    assert result.stdout == ""
    assert re.search(message, result.stderr)
    assert "\x1b" not in result.stderr


def test_choices_that_match_no_model_together_are_not_an_error():
    result = run("list", "espcn*", "--task", "forecasting")
    assert (result.exit_code, result.stderr) == (0, "0 models\n")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder and a `.keras` file of one model; the folder's labels and licence are a stranger's."""
    root = tmp_path_factory.mktemp("saved")
    model = zoo.load("espcn-x2")
    folder = zoo.save(model, root / "mine")
    model.save(root / "mine.keras")
    description = json.loads((folder / "zoo.json").read_text()) | {"license": "[/b] *mine*"}
    (folder / "zoo.json").write_text(json.dumps(description))
    return folder


def test_a_folder_is_described(saved):
    result = run("info", saved)
    assert result.exit_code == 0, result.output
    for fact in (
        "mine",
        str(saved),
        "[/b] *mine*",
        "espcn-x2.photos (apache-2.0)",
        "model.safetensors",
        zoo.info(saved).sha256,
    ):
        assert fact in result.stdout
    for untrue in ("recorded at the first download", "no pretrained weights", "in this package"):
        assert untrue not in result.stdout


def test_a_folder_without_its_weights_is_told(saved, tmp_path):
    (tmp_path / "zoo.json").write_text((saved / "zoo.json").read_text())
    assert f"{tmp_path}, in which model.safetensors is missing" in run("info", tmp_path).stdout


def test_a_keras_file_is_described(saved):
    file = saved.with_suffix(".keras")
    result = run("info", file)
    assert result.exit_code == 0, result.output
    assert str(file) in result.stdout
    assert "recorded at the first download" not in result.stdout
    assert json.loads(run("info", file, "--json").stdout)["name"] == "espcn-x2.photos"


def test_a_model_without_weights_is_not_said_to_be_downloaded():
    out = run("info", "resnetblur18").stdout
    assert "no pretrained weights" in out
    assert "recorded at the first download" not in out
