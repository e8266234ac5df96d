import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import (
    MaxPoolingWithArgmax1D,
    MaxPoolingWithArgmax2D,
    MaxPoolingWithArgmax3D,
    MaxUnpooling1D,
    MaxUnpooling2D,
    MaxUnpooling3D,
)

POOLING = {1: MaxPoolingWithArgmax1D, 2: MaxPoolingWithArgmax2D, 3: MaxPoolingWithArgmax3D}
UNPOOLING = {1: MaxUnpooling1D, 2: MaxUnpooling2D, 3: MaxUnpooling3D}


def pooled(shape, *arguments):
    """Return indices of a pooled image and other values than the maxima, as a decoder has them."""
    image = promises.numbers(0, shape)
    _, indices = promises.run(POOLING[len(shape) - 2](*arguments), [image])
    return [promises.numbers(1, indices.shape), indices]


CASES = {
    "MaxUnpooling1D": (lambda: MaxUnpooling1D(2), lambda: pooled((2, 6, 3), 2)),
    "MaxUnpooling2D": (lambda: MaxUnpooling2D(), lambda: pooled((2, 4, 6, 3), 2)),
    "MaxUnpooling2D like": (
        lambda: MaxUnpooling2D(2, None, "same"),
        lambda: [*pooled((2, 5, 7, 3), 2, 2, "same"), np.zeros((2, 5, 7, 1), "float32")],
    ),
    "MaxUnpooling2D overlapping": (
        lambda: MaxUnpooling2D(3, 2, "same"),
        lambda: [*pooled((2, 5, 7, 3), 3, 2, "same"), np.zeros((2, 5, 7, 1), "float32")],
    ),
    "MaxUnpooling3D": (lambda: MaxUnpooling3D(), lambda: pooled((1, 4, 4, 2, 2), 2)),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_it_reproduces_the_golden_file(golden):
    inputs = [golden["pool_2x2"], golden["pool_2x2_index"].astype("int32")]
    promises.assert_same(promises.run(MaxUnpooling2D(), inputs), [golden["unpool_2x2"]])
    inputs = [golden["pool_3x3s2_valid"], golden["pool_3x3s2_valid_index"].astype("int32")]
    layer = MaxUnpooling2D(3, 2, output_size=(13, 17))
    promises.assert_same(promises.run(layer, inputs), [golden["unpool_3x3s2_to_13x17"]])


@given(
    rank=st.integers(1, 3),
    size=st.integers(1, 4),
    stride=st.integers(1, 4),
    padding=st.sampled_from(["same", "valid"]),
    seed=st.integers(0, 99),
)
def test_every_value_goes_where_its_index_says_and_of_two_the_last_stays(rank, size, stride, padding, seed):
    sizes = tuple(int(n) for n in np.random.default_rng(seed).integers(size, size + 4, rank))
    values, indices = pooled((2, *sizes, 2), size, stride, padding)
    layer = UNPOOLING[rank](size, stride, padding, output_size=sizes)
    expected = np.zeros((2, *sizes, 2), "float32")
    for image, value, index in zip(expected, values, indices, strict=True):
        for v, i in zip(value.ravel(), index.ravel(), strict=True):
            image.reshape(-1)[i] = v
    promises.assert_same(promises.run(layer, [values, indices]), [expected], tolerance=0)


@pytest.mark.parametrize(("padding", "expected"), [("valid", (9, 7)), ("same", (8, 6))])
def test_the_default_size_is_that_of_whole_windows(padding, expected):
    values, indices = np.ones((1, 4, 3, 1), "float32"), np.zeros((1, 4, 3, 1), "int32")
    (outputs,) = promises.run(MaxUnpooling2D(3, 2, padding), [values, indices])
    assert outputs.shape == (1, *expected, 1)


def test_indices_of_another_shape_are_refused():
    with pytest.raises(
        InputError, match=r"MaxUnpooling2D: the indices must have the shape of the pooled features.*Received"
    ):
        MaxUnpooling2D()([keras.Input((4, 3, 8)), keras.Input((4, 3, 6), dtype="int32")])
    with pytest.raises(InputError, match=r"indices of shape \(1, 4, 3\)"):
        MaxUnpooling2D()([np.ones((1, 4, 3, 2), "float32"), np.ones((1, 4, 3), "int32")])


def test_an_output_size_with_another_number_of_windows_is_refused():
    with pytest.raises(
        InputError, match=r"MaxUnpooling2D: an output of size \(9, 6\) pools to \(4, 3\) windows. Received"
    ):
        MaxUnpooling2D(output_size=(9, 6))([keras.Input((5, 3, 8)), keras.Input((5, 3, 8), dtype="int32")])


def test_impossible_arguments_are_refused():
    with pytest.raises(
        InputError, match=r"MaxUnpooling2D: `output_size` must be an int or 2 ints.* Received: output_size=0"
    ):
        MaxUnpooling2D(output_size=0)
    with pytest.raises(InputError, match=r"MaxUnpooling2D: `padding` must be one of .* Received: padding='reflect'"):
        MaxUnpooling2D(padding="reflect")
    with pytest.raises(InputError, match=r"MaxUnpooling2D: the inputs must be \[pooled, indices\].*Received: 1 inputs"):
        MaxUnpooling2D()([np.ones((1, 4, 3, 2), "float32")])
