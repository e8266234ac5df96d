"""Average pooling to a size."""

import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.layers import AverageTo2D

CASES = {
    "AverageTo2D": (lambda: AverageTo2D((2, 3)), lambda: [promises.numbers(0, (2, 5, 4, 3)) / 8]),
    "larger": (lambda: AverageTo2D(6), lambda: [promises.numbers(0, (2, 3, 4, 3)) / 8]),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


@pytest.mark.parametrize("size", [1, 2, 3, (6, 4)])
def test_the_numbers_are_those_of_keras_for_a_known_size(size):
    x = promises.numbers(0, (2, 7, 5, 3))
    (outputs,) = promises.run(AverageTo2D(size, data_format="channels_last"), [x])
    expected = keras.layers.AdaptiveAveragePooling2D(size, data_format="channels_last")(x)
    np.testing.assert_allclose(outputs, keras.ops.convert_to_numpy(expected), atol=1e-5)


@pytest.mark.parametrize("size", [0, -1, (2, 0), (1, 2, 3)])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match="`size` must be"):
        AverageTo2D(size)
