"""Channel attention by a convolution over neighbouring channels."""

import numpy as np

from tests.layers import promises
from zoo.layers import EfficientChannelAttention

CASES = {
    "EfficientChannelAttention": (lambda: EfficientChannelAttention(3), lambda: [promises.numbers(0, (2, 3, 4, 5)) / 8])
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_a_gate_sees_the_averages_of_its_neighbours():
    image = promises.numbers(0, (2, 3, 4, 5))
    layer = EfficientChannelAttention(3)
    layer.build(image.shape)
    layer.kernel.assign(np.reshape([0.5, 1.0, -2.0], (3, 1, 1)))
    means = np.pad(image.mean((1, 2)), ((0, 0), (1, 1)))
    seen = 0.5 * means[:, :-2] + means[:, 1:-1] - 2.0 * means[:, 2:]
    expected = image / (1 + np.exp(-seen))[:, None, None, :]
    promises.assert_same(promises.run(layer, [image]), [expected])
