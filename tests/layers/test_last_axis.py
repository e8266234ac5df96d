"""What the layers of ConvNeXt promise: they work along the last axis, whatever is before."""

import pytest

from tests.layers import promises
from zoo.layers import GlobalResponseNorm, LayerScale, SimpleNorm

PROMISES = [promise for promise in promises.PROMISES if promise is not promises.takes_channels_first]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("layer_class", [GlobalResponseNorm, LayerScale, SimpleNorm])
def test_every_promise(layer_class, promise, tmp_path):
    layer = layer_class()
    layer.build((None, None, None, 5))
    layer.set_weights([promises.numbers(seed, (5,)) for seed in range(len(layer.weights))])
    promise(layer, [promises.numbers(7, (2, 3, 4, 5))], tmp_path)
