"""Maps fused by learned weights."""

import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import FastNormalizedFusion

PROMISES = [promise for promise in promises.PROMISES if promise is not promises.takes_channels_first]  # any order


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_every_promise(promise, tmp_path):
    promise(FastNormalizedFusion(), [promises.numbers(index, (2, 3, 4, 5)) for index in range(3)], tmp_path)


def test_a_negative_weight_counts_as_nothing():
    maps = [promises.numbers(index, (1, 2, 2, 3)) for index in range(3)]
    layer = FastNormalizedFusion()
    layer.build([x.shape for x in maps])
    layer.edge_weights.assign([1.0, -2.0, 3.0])
    promises.assert_same(promises.run(layer, maps), [(maps[0] + 3 * maps[2]) / (4 + 1e-4)])


def test_one_map_is_refused():
    with pytest.raises(InputError, match="list of two or more"):
        FastNormalizedFusion()(np.ones((1, 2, 2, 3)))
