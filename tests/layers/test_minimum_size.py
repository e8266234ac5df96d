"""A smallest size for maps: by hand, and against adaptive average pooling from its definition."""

import math

import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import MinimumSize2D

CASES = {
    "one side too small": (lambda: MinimumSize2D(5), lambda: [promises.numbers(0, (2, 3, 6, 3))]),
    "both": (lambda: MinimumSize2D(7), lambda: [promises.numbers(1, (2, 4, 1, 3))]),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_three_pixels_become_seven_by_hand():
    (outputs,) = promises.run(MinimumSize2D(7), [np.array([2.0, 4.0, 8.0], "float32").reshape(1, 3, 1, 1)])
    expected = [2, 2, 3, 4, 6, 8, 8]  # pixels 0, 0, 0-1, 1, 1-2, 2, 2
    np.testing.assert_array_equal(outputs[0, :, 0, 0], expected)


@pytest.mark.parametrize("shape", [(1, 6), (4, 5), (3, 9)])
def test_each_side_is_pooled_adaptively_to_the_size_or_left_alone(shape):
    image = np.random.default_rng(0).normal(size=(2, *shape, 3)).astype("float32")
    (outputs,) = promises.run(MinimumSize2D(6), [image])
    sides = [max(side, 6) for side in shape]
    assert outputs.shape == (2, *sides, 3)
    for y, x in np.ndindex(*sides):
        (top, bottom), (left, right) = (
            (i * old // new, math.ceil((i + 1) * old / new)) for i, old, new in zip((y, x), shape, sides, strict=True)
        )
        expected = image[:, top:bottom, left:right].mean(axis=(1, 2))
        np.testing.assert_allclose(outputs[:, y, x], expected, atol=1e-6)


def test_a_map_that_is_large_enough_passes_unchanged_whatever_is_known_of_its_size():
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, MinimumSize2D(3)(inputs))
    assert model.output_shape == (None, None, None, 2)
    image = np.random.default_rng(0).normal(size=(1, 3, 5, 2)).astype("float32")
    np.testing.assert_array_equal(model.predict(image, verbose=0), image)


@pytest.mark.parametrize("size", [0, 1.5])
def test_a_size_that_is_not_a_positive_int_is_refused(size):
    with pytest.raises(InputError, match="`size` must be an int of at least 1"):
        MinimumSize2D(size)
