"""Vectors of one length, times a learned factor."""

import numpy as np
import pytest

from tests.layers import promises
from zoo.layers import ScaledUnitNormalization

PROMISES = [promise for promise in promises.PROMISES if promise is not promises.takes_channels_first]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_every_promise(promise, tmp_path):
    layer = ScaledUnitNormalization()
    layer.build((None, None, None, 5))
    layer.set_weights([promises.numbers(1, (5,))])
    promise(layer, [promises.numbers(7, (2, 3, 4, 5))], tmp_path)


def test_a_vector_of_nothing_stays():
    (outputs,) = promises.run(ScaledUnitNormalization(3.0), [np.array([[0, 0], [0, 2]], "float32")])
    assert outputs.tolist() == [[0, 0], [0, 3]]
