"""What a person types, and what comes back: answers on stdout, one sentence on stderr when something is wrong."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
from zoo.command_line.main import main


def run(*arguments, **options):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype="uint8")).save(path)
    return path


def test_list_names_what_matches():
    result = run("list", "resnet50.*")
    assert result.exit_code == 0
    assert "resnet50.a1_in1k" in result.stdout
    assert "80.382 top1_percent" in result.stdout
    assert "resnet18" not in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "espcn-x2", ""],
        ["predict", "espcn-x2", "photos", "-o", ""],
        ["predict", "espcn-x2", "photos", "--output="],
        ["evaluate", "espcn-x2", ""],
        ["finetune", "espcn-x2", ""],
        ["verify", ""],
        ["choose", "", "--data", "photos"],
        [""],
    ],
)
def test_an_empty_argument_is_not_this_folder(arguments, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert "An argument is empty" in result.stderr
    assert not list(tmp_path.iterdir())


def test_list_as_json_is_what_list_models_says():
    rows = json.loads(run("list", "--json", "--task", "super-resolution").stdout)
    assert [row["name"] for row in rows] == zoo.list_models(task="super-resolution")


def test_list_filters_by_weights():
    names = [row["name"] for row in json.loads(run("list", "resnetblur*", "--random", "--json").stdout)]
    assert names == ["resnetblur18"]


def test_info_says_what_one_asks_before_choosing():
    out = run("info", "resnetblur50").stdout
    for fact in ("apache-2.0", "79.306", "hf://timm/resnetblur50.bt_in1k", "25.6 M", "224 x 224", "ImageNet-1k"):
        assert fact in out


def test_info_as_json_is_the_entry():
    assert json.loads(run("info", "resnet18", "--json").stdout) == zoo.info("resnet18").model_dump(mode="json")


def test_predict_writes_the_enlarged_image(photo, tmp_path):
    result = run("predict", "espcn-x2", photo, "-o", tmp_path / "big.png")
    assert result.exit_code == 0, result.output
    assert "60 x 40 pixels" in result.stdout
    with Image.open(tmp_path / "big.png") as big:
        assert big.size == (60, 40)


@pytest.mark.parametrize("point", ["-1,2", "-1.5,2", "40,-2", "-.5,-3"])
def test_a_point_may_have_negative_coordinates(point):
    result = run("predict", "coordconv-classifier", point)
    assert "option" not in result.stderr
    assert result.stdout.startswith(point) or point in result.stderr


@pytest.mark.parametrize(("words", "hint"), [(["--toop", "3"], "--top"), (["-x"], ""), (["--jsno"], "--json")])
def test_an_unknown_option_is_not_an_image(photo, words, hint):
    result = run("predict", "espcn-x2", photo, *words)
    assert result.exit_code == 2
    assert "No such option" in result.stderr
    assert hint in result.stderr


def test_predict_writes_several_images_into_a_folder(photo, tmp_path):
    second = tmp_path / "second.png"
    Image.new("L", (5, 7)).save(second)
    result = run("predict", "espcn-x2", photo, second, "-o", tmp_path / "out", "--json")
    records = json.loads(result.stdout)
    assert [(record["width"], record["height"]) for record in records] == [(60, 40), (10, 14)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["photo.png", "second.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "resnet51"], "No model is named 'resnet51'"),
        (["list", "--task", "dancing"], "There is no task 'dancing'"),
        (["predict", "espcn-x2", "nowhere.jpg"], "There is no file nowhere.jpg"),
        (["predict", "espcn-x2", __file__], "cannot be read as an image"),
        (["pin", "resnetblur18"], "is not a checkpoint"),
        (["cache", "remove"], "Expected names or --all"),
        (["cache", "remove", "espcn-x2"], "is not downloaded"),
        (["cache", "remove", "nobody/nothing"], "nobody/nothing"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_code_1(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stdout == ""


def test_an_image_is_written_whole_or_refused(photo, tmp_path):
    result = run("predict", "espcn-x2", photo, "-o", tmp_path / "big.nothing")
    assert result.exit_code == 1
    assert "big.nothing cannot be written" in result.stderr


def test_a_damaged_file_among_several_is_told_and_the_others_are_answered(photo, tmp_path):
    bad = tmp_path / "bad\x1b[2J.jpg"
    bad.write_bytes(b"no image")
    result = run("predict", "espcn-x2", bad, photo, "nowhere.png", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert (tmp_path / "out" / f"{photo.stem}.png").is_file()
    assert result.stdout.startswith(str(photo))
    assert "x1b[2J.jpg cannot be read as an image" in result.stderr
    assert "There is no file nowhere.png" in result.stderr
    assert "\x1b" not in result.output
    records = json.loads(run("predict", "espcn-x2", bad, photo, "--json").stdout)
    assert ["error" in record for record in records] == [True, False]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("photos", "photos is a folder. Expected images, such as photos/*.jpg; or -o NAME.parquet with it"),
        ("photos/*.jpg", "is a pattern. Expected images; or -o NAME.parquet"),
        ("https://example.org/cat.png", "is a URL. Expected a file on this machine: download it first"),
        (__file__, "cannot be read as an image (not an image that Pillow knows)"),
        ("/dev/zero", "is a pipe or a device. Expected a regular file"),
    ],
)
def test_what_is_not_an_image_is_told_with_what_to_do(name, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    result = run("predict", "espcn-x2", name)
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_an_image_may_come_from_a_pipe(photo):
    result = CliRunner().invoke(main, ["predict", "espcn-x2", "-", "--json"], input=photo.read_bytes())
    assert (
        json.loads(result.stdout)[0]["width"]
        == json.loads(run("predict", "espcn-x2", photo, "--json").stdout)[0]["width"]
    )


def test_two_images_of_one_name_are_not_written_over_one_another(photo, tmp_path):
    (tmp_path / "more").mkdir()
    second = tmp_path / "more" / photo.name
    second.write_bytes(photo.read_bytes())
    result = run("predict", "espcn-x2", photo, second, "-o", tmp_path / "out")
    assert f"{photo.stem}.png. Expected names of their own" in result.stderr


@pytest.mark.parametrize("arguments", [["--nonsense"], ["list", "--nonsense"], ["nonsense"], ["predict", "espcn-x2"]])
def test_unknown_words_and_options_are_usage_errors(arguments):
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("arguments", [["list"], ["info", "resnet50"]])
def test_list_and_info_import_no_tensorflow(arguments):
    code = f"""
import sys
from zoo.command_line.main import main
main({arguments}, standalone_mode=False)
print(sys.modules.keys() & {{"tensorflow", "keras"}})
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "set()"


def test_a_download_is_listed_pinned_and_removed(hub):
    content = bytes(range(256)) * 64
    commit = hub.repository("timm/resnet18.a1_in1k").commit({"model.safetensors": content})
    cli = "from zoo.command_line.main import main; main({}, standalone_mode=True)"
    line = hub.run(cli.format(["pin", "resnet18"])).stdout
    assert line.startswith(f'a1_in1k: {{revision: "{commit}", sha256: "')
    rows = json.loads(hub.run(cli.format(["cache", "list", "--json"])).stdout)
    assert [(row["repo_id"], row["revisions"]) for row in rows] == [("timm/resnet18.a1_in1k", [commit])]
    info = hub.run(cli.format(["info", "resnet18"])).stdout
    assert commit in info
    assert "removed 1" in hub.run(cli.format(["cache", "remove", "resnet18"])).stderr
    assert json.loads(hub.run(cli.format(["cache", "list", "--json"])).stdout) == []


@pytest.mark.slow  # a process; tests/hub has it in one
def test_no_network_and_nothing_cached_is_one_sentence(hub, photo):
    hub.stop()
    code = f"from zoo.command_line.main import main; main(['predict', 'resnet18', {str(photo)!r}])"
    done = hub.run(code, keras=True)
    assert done.returncode == 1
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow  # a Python of its own, with what TensorFlow logs; above the answers are those of this process
def test_predict_says_nothing_but_the_answer(photo, tmp_path):
    command = [sys.executable, "-m", "zoo", "predict", "espcn-x2", str(photo), "-o", str(tmp_path / "big.png")]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout == f"{photo}\n  60 x 40 pixels -> {tmp_path / 'big.png'}\n"
    assert done.stderr == ""
