"""A learned factor for a residual branch."""

import numpy as np
import pytest

from tests.layers import promises
from zoo.layers import SkipInit

CASES = {"SkipInit": (lambda: SkipInit(), lambda: [promises.numbers(0, (2, 3, 4, 5)) / 8])}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    if promise is promises.takes_channels_first:
        pytest.skip("it does not know channels")
    promise(make(), inputs(), tmp_path)


def test_it_starts_at_zero_and_multiplies():
    image = promises.numbers(0, (2, 3, 4, 5))
    layer = SkipInit()
    promises.assert_same(promises.run(layer, [image]), [np.zeros_like(image)])
    again = SkipInit()
    again.build(image.shape)
    again.skipinit_gain.assign(-2.0)
    promises.assert_same(promises.run(again, [image]), [-2 * image])
