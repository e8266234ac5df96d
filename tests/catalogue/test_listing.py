"""Which models there are, and how a wrong choice is answered."""

import json
import re

import pytest
from click.testing import CliRunner

import zoo
from zoo.catalogue.layers_used import layers_used
from zoo.catalogue.listing import listed
from zoo.catalogue.multiply_adds import multiply_adds_millions
from zoo.command_line.main import main


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("pattern", value) for value in (None, 3, b"resnet*", "", "a\nb", "\x1b[2J", "*" * 201, ["*"])],
        *[("task", value) for value in ("", 3, b"x", ["super-resolution"], "dancing\n" * 1000)],
        *[("pretrained", value) for value in (1, "yes", [])],
        *[("tag", value) for value in (3, "no_such_tag", ["*"])],
        *[("license", value) for value in (3, "apache", "", ["apache-2.0"])],
        *[("layer", value) for value in (3, "Blur", "blur2d")],
        *[("max_parameters", value) for value in ("5", 0, -1, float("nan"), True)],
        *[("max_multiply_adds", value) for value in ("5", 0, float("nan"), [300])],
        *[("max_size", value) for value in ("224", 0, True)],
        *[("metric", value) for value in (3, "", "top1", "top1_percent>", "top1_percent>=", "top1_percent>=many")],
        *[("metric", value) for value in ("top1_percent>=nan", "top1_percent=80", "psnr_db>=1>=2", ">=80")],
        *[("sort", value) for value in (3, "", "-", "--size", "top1", "speed", ["size"])],
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
        (["--tag", "a1_in1kk"], r"tag='a1_in1kk'.*Did you mean 'a1_in1k'"),
        (["--license", "apache"], r"license='apache'.*apache-2\.0"),
        (["--max-parameters", "-1"], r"max_parameters=-1\.0\. Expected"),
        (["--max-parameters", "nan"], r"max_parameters=nan\. Expected"),
        (["--max-multiply-adds", "0"], r"max_multiply_adds=0\.0\. Expected millions"),
        (["--max-size", "0"], r"max_size=0\.0\. Expected pixels"),
        (["--layer", "Blur2"], r"layer='Blur2' is not the layer of any model.*Did you mean 'Blur2D'"),
        (["--metric", "top1"], r"metric='top1'\. Expected.*Did you mean 'top1_percent'"),
        (
            ["--sort", "top5percent"],
            r"sort='top5percent'\. Expected one of name, parameters.*Did you mean 'top5_percent'",
        ),
        (["--max-parameters", "few"], r"'few' is not a valid float"),
        (["a\x1b[2J*"], r"pattern="),
        ([""], r"An argument is empty"),
    ],
)
def test_a_wrong_choice_is_answered_with_the_right_ones(arguments, message):
    result = run("list", *arguments)
    assert result.exit_code != 0
    assert result.stdout == ""
    assert re.search(message, result.stderr)
    assert "\x1b" not in result.stderr


def facts(names):
    return [listed()[name] for name in names]


def test_each_choice_leaves_out_those_that_it_does_not_fit_and_no_others():
    every = facts(zoo.list_models())
    choices = {
        "tag": ("*in12k*", lambda model: "in12k" in (model["tag"] or "")),
        "license": ("mit", lambda model: model["license"] == "mit"),
        "max_parameters": (5, lambda model: model.get("parameters_millions", 1e9) <= 5),
        "max_multiply_adds": (300, lambda model: (multiply_adds_millions(model["name"]) or 1e9) <= 300),
        "max_size": (192, lambda model: model["input"].get("size", 0) <= 192),
        "layer": ("Blur2D", lambda model: "Blur2D" in layers_used(model["architecture"])),
        "metric": ("psnr_db", lambda model: "psnr_db" in model.get("metrics", {})),
    }
    for name, (value, fits) in choices.items():
        expected = [model["name"] for model in every if fits(model)]
        assert 0 < len(expected) < len(every), name
        assert zoo.list_models(**{name: value}) == expected, name


@pytest.mark.parametrize(
    ("bound", "fits"), [(">=85", lambda value: value >= 85), ("<= 60.5", lambda value: value <= 60.5)]
)
def test_a_metric_may_have_a_bound_on_either_side(bound, fits):
    found = zoo.list_models(metric=f"top1_percent{bound}")
    stating = facts(zoo.list_models(metric="top1_percent"))
    assert found == [model["name"] for model in stating if fits(model["metrics"]["top1_percent"])]
    assert 0 < len(found) < len(stating)


@pytest.mark.parametrize("order", ["name", "parameters", "multiply_adds", "size", "top1_percent"])
def test_models_are_sorted_and_those_without_the_number_come_last(order):
    found = zoo.list_models("*50*", sort=order)
    assert sorted(found) == sorted(zoo.list_models("*50*"))
    numbers = [numbers_of(listed()[name], order) for name in found]
    known = [number for number in numbers if number is not None]
    assert numbers == sorted(known) + [None] * (len(numbers) - len(known))
    downwards = [numbers_of(listed()[name], order) for name in zoo.list_models("*50*", sort=f"-{order}")]
    assert downwards == sorted(known, reverse=True) + [None] * (len(numbers) - len(known))


def numbers_of(model, order):
    return {
        "name": model["name"],
        "parameters": model.get("parameters_millions"),
        "multiply_adds": multiply_adds_millions(model["name"]),
        "size": model["input"].get("size"),
        "top1_percent": model.get("metrics", {}).get("top1_percent"),
    }[order]


def test_the_command_line_filters_and_sorts_as_list_models_does():
    arguments = ["*net*", "--max-multiply-adds", "500", "--metric", "top5_percent>=92", "--sort", "-top5_percent"]
    expected = zoo.list_models("*net*", max_multiply_adds=500, metric="top5_percent>=92", sort="-top5_percent")
    header, *rows = run("list", *arguments).stdout.splitlines()
    assert [row.split()[0] for row in rows] == expected
    assert header.split() == ["model", "task", "parameters", "multiply-adds", "size", "metric", "licence"]
    assert all(" top5_percent " in row for row in rows)
    printed = json.loads(run("list", *arguments, "--json").stdout)
    assert [row["multiply_adds_millions"] for row in printed] == list(map(multiply_adds_millions, expected))


def test_info_says_what_a_model_computes():
    assert re.search(r"multiply-adds +1\.81 G\n", run("info", "resnet18.tv_in1k").stdout)
    assert "multiply-adds" not in run("info", "espcn-x2").stdout  # for images of any size


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
    for untrue in ("recorded at the first download", "no pretrained weights", "in the package"):
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
