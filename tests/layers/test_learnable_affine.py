"""One learned scale and one learned bias for a whole map."""

import pytest

from tests.layers import promises
from zoo.layers import LearnableAffine

CASES = {"LearnableAffine": (lambda: LearnableAffine(), lambda: [promises.numbers(0, (2, 3, 4, 5)) / 8])}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    if promise is promises.takes_channels_first:
        pytest.skip("it does not know channels")
    promise(make(), inputs(), tmp_path)


def test_it_is_the_formula():
    image = promises.numbers(0, (2, 3, 4, 5))
    layer = LearnableAffine()
    layer.build(image.shape)
    layer.scale.assign([2.0])
    layer.bias.assign([-0.5])
    promises.assert_same(promises.run(layer, [image]), [2 * image - 0.5])
