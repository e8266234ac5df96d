"""A load that is interrupted or fails leaves the process as it was: the next one works, and nothing large is left."""

import sys

import keras
import numpy as np
import pytest
from keras.src.backend.common import global_state
from safetensors.numpy import load_file, save_file

import zoo
from tests.weights.memory import peak_bytes

IMAGE = np.full((1, 32, 32, 3), 100, "uint8")


class Interruption:
    """Raises an exception at the n-th call of a function of Keras or of ours; without one, counts the calls.

    With `only`, calls of functions of that name.
    """

    def __init__(self, error=None, at=0, only=None):
        self.error, self.at, self.only, self.calls = error, at, only, 0

    def __call__(self, frame, event, argument):
        path, name = frame.f_code.co_filename, frame.f_code.co_name
        if not ("/keras/" in path or "/zoo/" in path) or name.startswith("<"):  # a generator that ends swallows errors
            return
        if self.only is not None and name != self.only:
            return
        self.calls += 1
        if self.error is not None and self.calls == self.at:
            raise self.error

    def __enter__(self):
        sys.settrace(self)
        return self

    def __exit__(self, *exception):
        sys.settrace(None)


@pytest.fixture(scope="module")
def calls():
    zoo.load("maxpool-textures")  # what is imported once is not part of it
    with Interruption() as counted:
        zoo.load("maxpool-textures")
    return counted.calls


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("share", np.linspace(0.15, 0.97, 12).round(2))
def test_whatever_interrupts_a_load_the_next_one_works(error, share, calls):
    with pytest.raises((error, zoo.ZooError)), Interruption(error(), int(share * calls)):
        zoo.load("maxpool-textures")
    assert not global_state.get_global_attribute("uninitialized_variables")
    assert global_state.get_global_attribute("stateless_scope") is None
    assert np.isfinite(keras.ops.convert_to_numpy(zoo.load("maxpool-textures")(IMAGE))).all()


@pytest.mark.parametrize("scope", [1, 2, 3, 10, 40, 41, 42, 80])
def test_a_scope_that_was_not_closed_changes_no_name(scope):
    with pytest.raises(KeyboardInterrupt), Interruption(KeyboardInterrupt(), scope, only="__exit__"):
        zoo.load("maxpool-textures")
    model = zoo.load("maxpool-textures")
    assert model.weights[0].path == "conv1/kernel"
    assert zoo.load("maxpool-textures", weights=None).weights[0].path == "conv1/kernel"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return zoo.save(zoo.load("blurnet-textures"), tmp_path_factory.mktemp("mine") / "mine")


@pytest.mark.parametrize(
    "dtype",
    ["bool", "int8", "uint8", "int16", "int32", "int64", "uint64", "float8_e4m3fn", "float8_e5m2", "complex64"],
)
def test_a_dtype_that_is_not_read_is_refused_by_name(dtype, folder, tmp_path):
    path = write_as(folder, tmp_path, dtype)
    with pytest.raises(zoo.WeightsMismatchError, match=r"not floating point of at least 16 bits: .*conv1/kernel is"):
        zoo.load("blurnet-textures", weights=path)
    assert zoo.load("maxpool-textures")(IMAGE).shape == (1, 10)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_floats_of_16_bits_and_more_are_read(dtype, folder, tmp_path):
    model = zoo.load("blurnet-textures", weights=write_as(folder, tmp_path, dtype))
    expected = keras.ops.convert_to_numpy(zoo.load("blurnet-textures").get_layer("conv1").kernel)
    actual = keras.ops.convert_to_numpy(model.get_layer("conv1").kernel)
    np.testing.assert_allclose(actual, expected, rtol=1e-2 if dtype == "bfloat16" else 1e-6)


def write_as(folder, tmp_path, dtype):
    import ml_dtypes

    dtype = getattr(ml_dtypes, dtype, None) or np.dtype(dtype)
    tensors = load_file(folder / "model.safetensors")
    save_file({name: values.astype(dtype) for name, values in tensors.items()}, tmp_path / "odd.safetensors")
    return tmp_path / "odd.safetensors"


@pytest.mark.parametrize("shape", [(), (1,), (0,), (16, 1), (2, 8)])
def test_a_shape_of_any_rank_that_does_not_fit_is_refused(shape, folder, tmp_path):
    tensors = load_file(folder / "model.safetensors") | {"bn1/gamma": np.ones(shape, "float32")}
    save_file(tensors, tmp_path / "odd.safetensors")
    with pytest.raises(zoo.WeightsMismatchError, match="misshapen: bn1/gamma"):
        zoo.load("blurnet-textures", weights=tmp_path / "odd.safetensors")


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory was used")
def test_a_mismatch_allocates_nothing(folder):
    """A network of half a gigabyte beside a file of 250 kB: the file's list of tensors is enough to refuse it."""

    def load():
        with pytest.raises(zoo.WeightsMismatchError):
            zoo.load("vgg11", weights=folder / "model.safetensors")

    assert peak_bytes(load) < 100_000_000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_reported_by_name(value, folder, tmp_path, caplog):
    tensors = load_file(folder / "model.safetensors")
    tensors["fc/kernel"][3, 4] = value
    save_file(tensors, tmp_path / "nan.safetensors")
    zoo.load("blurnet-textures", weights=tmp_path / "nan.safetensors")
    assert "has NaN or infinity in fc/kernel" in caplog.text
