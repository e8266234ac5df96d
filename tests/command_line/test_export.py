"""`zoo export` and `zoo verify`: a folder on stdout, one sentence on stderr when something is wrong."""

import json
import subprocess
import sys
from typing import get_args

import pytest
from click.testing import CliRunner

import zoo.export
from zoo.command_line.export import FORMATS
from zoo.command_line.main import main
from zoo.export.record import ExportRecord


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_export_prints_the_folder_that_verify_takes(tmp_path):
    result = run("export", "espcn-x2", "-o", tmp_path, "--version", "4", "--inference-only")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'espcn-x2' / '4'}\n"
    result = run("verify", tmp_path / "espcn-x2" / "4")
    assert result.stdout.startswith("espcn-x2.photos as saved_model: outputs differ by ")
    record = json.loads(run("verify", tmp_path / "espcn-x2" / "4", "--json").stdout)
    assert record["inference_only"] is True
    assert record["verified"]["relative_difference"] <= 1e-5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["export", "espcn-x2", "--format", "caffe"],
            "There is no format 'caffe'. Expected one of saved_model, litert",
        ),
        (["export", "espcn-x2", "--format", "tflite"], "Did you mean 'litert'?"),
        (["export", "espcn-x2", "--format", "SavedModel"], "Did you mean 'saved_model'?"),
        (["export", "espcn-x2", "--version", "latest"], "--version is 'latest'. Expected a whole number"),
        (["export", "espcn-x2", "--format", "onnx", "--opset", "x"], "--opset is 'x'. Expected a whole number"),
        (["export", "espcn-x2", "--format", "onnx", "--opset", "3"], "opset=3. Expected a whole number from 9 to 18"),
        (["export", "espcn-x2", "--opset", "17"], "--opset belongs to onnx. Leave it out for saved_model"),
        (["export", "espcn-x2", "--format", "onnx", "--dtype", "bfloat16"], "belong to saved_model"),
        (["export", "espcn-x2", "--dtype", "float8"], "Expected None, 'float32' or 'bfloat16'"),
        (["export", "espcn-x2", "--version", "0"], "Expected a whole number from 1"),
        (["export", "espcn-x22"], "Did you mean 'espcn-x2'"),
        (["export", "resnet10t.none"], "No model is named"),
    ],
)
def test_what_is_wrong_is_one_error(arguments, message, tmp_path):
    result = run(*arguments, "-o", tmp_path)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_verify_refuses_what_is_not_an_export(tmp_path):
    result = run("verify", tmp_path)
    assert result.exit_code == 1
    assert "is not an export of this library" in result.stderr


def test_the_formats_are_those_that_can_be_verified():
    assert (*get_args(ExportRecord.model_fields["format"].annotation), "timm") == FORMATS  # that one has no record


def test_the_public_names_are_sorted_and_there():
    assert zoo.export.__all__ == sorted(zoo.export.__all__)
    assert all(callable(getattr(zoo.export, name)) for name in zoo.export.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'caffe'"):
        _ = zoo.export.caffe


def test_a_card_and_the_help_need_no_tensorflow():
    code = "import sys; from zoo.command_line.main import main; main(['card', 'espcn-x2'], standalone_mode=False); "
    code += "print(sys.modules.keys() & {'tensorflow', 'keras'})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "set()"
