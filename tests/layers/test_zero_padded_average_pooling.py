"""Average pooling that counts zeros: by hand at even and odd sides, and the promises of every layer."""

import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import ZeroPaddedAveragePooling2D

CASES = {
    "even and odd": (lambda: ZeroPaddedAveragePooling2D(3, 2), lambda: [promises.numbers(0, (2, 6, 7, 3)) / 8]),
    "per axis": (lambda: ZeroPaddedAveragePooling2D((2, 3), (1, 2)), lambda: [promises.numbers(1, (2, 5, 8, 1)) / 8]),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


@pytest.mark.parametrize("strides", [1, 2])
def test_it_is_the_mean_of_every_window_of_the_padded_map(strides):
    image = np.random.default_rng(0).normal(size=(2, 6, 7, 3)).astype("float32")
    (outputs,) = promises.run(ZeroPaddedAveragePooling2D(3, strides), [image])
    before = [0 if strides == 2 and side % 2 == 0 else 1 for side in image.shape[1:3]]
    padded = np.pad(image, [(0, 0), *((pad, 1) for pad in before), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::strides, ::strides]
    promises.assert_same([outputs], [windows.mean((-2, -1))])


def test_a_window_without_pixels_is_refused():
    with pytest.raises(InputError, match="`pool_size` must be an int or 2 ints of at least 1"):
        ZeroPaddedAveragePooling2D(0)
