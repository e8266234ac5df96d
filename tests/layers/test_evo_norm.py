"""Normalisation and activation found together by a search."""

import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import EvoNorm2D

CASES = {"EvoNorm2D": (lambda: EvoNorm2D(2), lambda: [promises.numbers(0, (2, 3, 4, 6)) / 8])}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_it_is_the_formula():
    image = promises.numbers(0, (2, 3, 4, 6))
    layer = EvoNorm2D(2, epsilon=0.25)
    layer.build(image.shape)
    gamma, beta, v = (np.linspace(start, start + 1, 6) for start in (0.5, -0.5, 0.1))
    for variable, values in zip((layer.gamma, layer.beta, layer.v), (gamma, beta, v), strict=True):
        variable.assign(values)
    groups = image.reshape(2, 3, 4, 2, 3)
    deviation = np.sqrt(groups.var((1, 2, 4), keepdims=True) + 0.25)
    deviation = np.broadcast_to(deviation, groups.shape).reshape(image.shape)
    expected = image / (1 + np.exp(-v * image)) / deviation * gamma + beta
    promises.assert_same(promises.run(layer, [image]), [expected])


def test_without_the_gate_the_rest_is_left():
    image = promises.numbers(0, (2, 3, 4, 6))
    deviation = np.sqrt(image.var((1, 2, 3), keepdims=True) + 1e-5)
    promises.assert_same(promises.run(EvoNorm2D(1, gate=False), [image]), [image / deviation])


@pytest.mark.parametrize("groups", [0, 4])
def test_groups_that_do_not_divide_the_channels_are_named(groups):
    with pytest.raises(InputError, match="`groups` must divide the 6 channels"):
        EvoNorm2D(groups)(np.ones((1, 3, 4, 6)))
