import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.layers import promises
from tests.layers.reference import output_shape, windows
from zoo.errors import InputError
from zoo.layers import Blur1D, Blur2D, Blur3D

CASES = {
    "Blur1D": (lambda: Blur1D(4, 2), lambda: [promises.numbers(0, (2, 9, 3))]),
    "Blur2D same": (lambda: Blur2D(3, 2), lambda: [promises.numbers(1, (2, 7, 6, 3))]),
    "Blur2D reflect": (lambda: Blur2D(5, (2, 1), "reflect"), lambda: [promises.numbers(2, (2, 6, 7, 3))]),
    "Blur2D valid": (lambda: Blur2D(2, 2, "valid"), lambda: [promises.numbers(3, (2, 6, 7, 3))]),
    "Blur3D": (lambda: Blur3D(3, 2), lambda: [promises.numbers(4, (1, 5, 4, 3, 2))]),
    "Blur3D reflect": (lambda: Blur3D(3, 1, "reflect"), lambda: [promises.numbers(4, (1, 5, 4, 3, 2))]),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_an_impulse_becomes_the_binomial_kernel():
    image = np.zeros((1, 5, 5, 1), "float32")
    image[0, 2, 2, 0] = 16.0
    (outputs,) = promises.run(Blur2D(strides=1), [image])
    np.testing.assert_allclose(outputs[0, 1:4, 1:4, 0], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (3, 1), (4, 2), (5, 2), (7, 2)])
def test_same_padding_reproduces_the_golden_file(golden, size, stride):
    outputs = promises.run(Blur2D(size, stride), [golden["y"]])
    promises.assert_same(outputs, [golden[f"blur_same_{size}s{stride}"]])


@pytest.mark.parametrize("size", [3, 5])
def test_reflect_padding_reproduces_the_golden_file(golden, size):
    outputs = promises.run(Blur2D(size, 2, "reflect"), [golden["y"]])
    promises.assert_same(outputs, [golden[f"blur_reflect_{size}"]])


@given(
    rank=st.integers(1, 3),
    size=st.integers(1, 7),
    stride=st.integers(1, 3),
    padding=st.sampled_from(["same", "valid", "reflect"]),
    seed=st.integers(0, 99),
)
def test_it_is_the_weighted_mean_of_each_window(rank, size, stride, padding, seed):
    sizes = np.random.default_rng(seed).integers(size, size + 4, rank)
    image = promises.numbers(seed, (*sizes, 2))
    layer = {1: Blur1D, 2: Blur2D, 3: Blur3D}[rank](size, stride, padding)
    row = np.array([math.comb(size - 1, k) for k in range(size)], "float64")
    kernel = row
    for _ in range(rank - 1):
        kernel = np.multiply.outer(kernel, row)
    padded, rule = image, padding
    if padding == "reflect":
        padded = np.pad(image, [((size - 1) // 2, size // 2)] * rank + [(0, 0)], mode="reflect")
        rule = "valid"
    expected = np.zeros((*output_shape(padded, [size] * rank, [stride] * rank, rule), 2))
    for position, window, pixels in windows(padded, [size] * rank, [stride] * rank, rule):
        covered = sum(kernel[tap] for tap in pixels)
        expected[position] = np.tensordot(kernel, window, rank) / covered
    promises.assert_same(promises.run(layer, [image[None]]), [expected[None]])


def test_a_constant_image_stays_constant_up_to_the_border():
    for size in (2, 5, 7):
        for padding in ("same", "reflect"):
            (outputs,) = promises.run(Blur2D(size, 2, padding), [np.full((1, 9, 8, 2), 3.0, "float32")])
            np.testing.assert_allclose(outputs, 3.0, rtol=1e-6)


def test_there_are_no_weights():
    layer = Blur2D()
    layer(keras.ops.ones((1, 4, 4, 2)))
    assert layer.weights == []


@pytest.mark.parametrize("size", [0, 8, 3.0])
def test_an_impossible_filter_is_refused(size):
    with pytest.raises(InputError, match=r"Blur2D: `kernel_size` must be an int from 1 to 7. Received: kernel_size="):
        Blur2D(size)


def test_impossible_arguments_are_refused():
    with pytest.raises(
        InputError, match=r"Blur2D: `strides` must be an int or 2 ints of at least 1. Received: strides=0"
    ):
        Blur2D(strides=0)
    with pytest.raises(InputError, match=r"Blur1D: `padding` must be one of .*'reflect'.*Received: padding='zeros'"):
        Blur1D(padding="zeros")
    with pytest.raises(InputError, match=r"Blur2D: `data_format` must be one of .*Received: data_format='NCHW'"):
        Blur2D(data_format="NCHW")


@pytest.mark.parametrize(("padding", "size", "least"), [("reflect", 7, 4), ("valid", 5, 5)])
def test_an_image_too_small_is_refused(padding, size, least):
    match = rf"Blur2D: kernel_size={size} with padding='{padding}' needs at least {least} pixels.*Received: shape="
    with pytest.raises(InputError, match=match):
        Blur2D(size, padding=padding)(keras.ops.ones((1, 3, 9, 1)))
    with pytest.raises(InputError, match=match):
        Blur2D(size, padding=padding)(keras.Input((3, 9, 1)))
