"""A squared activation with its own scale and bias."""

import numpy as np
import pytest

from tests.layers import promises
from zoo.layers import StarReLU

CASES = {"StarReLU": (lambda: StarReLU(), lambda: [promises.numbers(0, (2, 3, 4, 5)) / 8 + 1 / 256])}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    if promise is promises.takes_channels_first:
        pytest.skip("it does not know channels")
    promise(make(), inputs(), tmp_path)


def test_it_squares_what_is_positive():
    image = promises.numbers(0, (2, 3, 4, 5))
    expected = 0.8944 * np.maximum(image, 0) ** 2 - 0.4472
    promises.assert_same(promises.run(StarReLU(), [image]), [expected])
    promises.assert_same(promises.run(StarReLU(2.0, use_bias=False), [image]), [2 * np.maximum(image, 0) ** 2])


def test_normal_inputs_keep_mean_and_variance():
    (outputs,) = promises.run(StarReLU(), [np.random.default_rng(0).normal(size=(1, 100_000)).astype("float32")])
    assert abs(outputs.mean()) < 0.02
    assert abs(outputs.var() - 1) < 0.05
