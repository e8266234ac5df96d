"""Keras' global settings, which a training script or keras.json makes: models are built and answer as documented."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo

MODELS = ["blurnet-textures", "espcn-x2", "coordconv-regressor", "tcn-co2", "pconv-unet"]


def inputs_of(model):
    generator = np.random.default_rng(0)

    def numbers(tensor):
        shape = [1, *(length or (256 if tensor.name == "series" else 32) for length in tensor.shape[1:])]
        if tensor.name == "mask":
            return (generator.random(shape) > 0.3).astype("float32")
        return generator.integers(0, 256, shape).astype("float32")

    return keras.tree.map_structure(numbers, model.input)


def outputs(model):
    return keras.ops.convert_to_numpy(model(inputs_of(model), training=False))


@pytest.fixture(scope="module")
def expected():
    return {name: outputs(zoo.load(name)) for name in MODELS}


@pytest.fixture
def policy():
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("name", MODELS)
def test_images_are_channels_last_whatever_the_configuration_says(name, expected):
    keras.config.set_image_data_format("channels_first")
    try:
        actual = outputs(zoo.load(name))
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(actual, expected[name])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_pixels_and_outputs_are_float32_under_mixed_precision(name, dtype, policy, expected):
    policy(dtype)
    model = zoo.load(name)
    assert {layer.compute_dtype for layer in model.layers} == {"float32", dtype.removeprefix("mixed_")}
    assert {keras.backend.standardize_dtype(tensor.dtype) for tensor in (*model.inputs, *model.outputs)} == {"float32"}
    actual = outputs(model)
    assert actual.dtype == np.float32
    assert np.abs(actual - expected[name]).max() <= 0.012 * np.abs(expected[name]).max()
    # Weightless on the way in, as normalisation is, and on the way out: nothing is rounded there.
    first = next(layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer))
    assert first.compute_dtype == "float32"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_pure_policies_hold_inside_only(dtype, policy):
    policy(dtype)
    model = zoo.load("blurnet-textures")
    assert model.get_layer("conv2").compute_dtype == dtype
    assert outputs(model).dtype == np.float32


def test_random_weights_are_there_under_a_policy_too(policy):
    policy("mixed_bfloat16")
    model = zoo.load("blurnet-textures", weights=None)
    assert model.spec.random == "all"
    assert len(model.spec.initial_weights) == 5


ROOT = Path(__file__).parents[1]
WITHOUT_TORCH = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("as if it were not installed")
sys.meta_path.insert(0, NoTorch())
import zoo
print(zoo.info("espcn-x2").name)
for use in (lambda: zoo.load, lambda: __import__("zoo.layers"), lambda: __import__("zoo.export").export.litert):
    try:
        use()
    except zoo.ZooError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [
        ("tensorfow", "KERAS_BACKEND is 'tensorfow'. Expected one of tensorflow, jax, torch, openvino; did you mean"),
        ("Jax", "KERAS_BACKEND is 'Jax'. Expected one of"),
        ("torch", "KERAS_BACKEND is 'torch', which is not installed. Expected it: pip install 'layerzoo[torch]'"),
    ],
)
def test_a_backend_that_is_not_there_is_one_error_at_first_use(backend, sentence):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    run = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "check": False}
    lines = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], **run).stdout.splitlines()
    assert lines[0] == "espcn-x2.photos"
    assert len(lines) == 4
    assert all(line.startswith(sentence) for line in lines[1:])


@pytest.mark.parametrize("where", ["KERAS_BACKEND", "keras.json"])
def test_the_command_line_says_so_as_well(where, tmp_path):
    environment = {**os.environ, "KERAS_HOME": str(tmp_path)}
    environment.pop("KERAS_BACKEND", None)
    if where == "keras.json":
        (tmp_path / "keras.json").write_text('{"backend": "tensorfow"}')
    else:
        environment[where] = "tensorfow"
    (tmp_path / "x.npy").touch()
    command = [sys.executable, "-m", "zoo", "predict", "espcn-x2", str(tmp_path / "x.npy")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert f"{where} is 'tensorfow'. Expected one of" in done.stderr.replace(str(tmp_path) + "/", "")
