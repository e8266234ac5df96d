import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import PixelShuffle2D

CASES = {
    "tensorflow": (lambda: PixelShuffle2D(2), lambda: [promises.numbers(0, (2, 3, 4, 8))]),
    "pytorch": (lambda: PixelShuffle2D(3, "pytorch"), lambda: [promises.numbers(1, (1, 2, 3, 18))]),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_the_pytorch_order_reproduces_the_golden_file(golden):
    promises.assert_same(
        promises.run(PixelShuffle2D(3, "pytorch"), [golden["h"]]), [golden["pixelshuffle_3_torch_order"]]
    )


def test_the_tensorflow_order_follows_equation_4():
    image = promises.numbers(2, (2, 3, 4, 12))
    expected = np.zeros((2, 6, 8, 3), "float32")
    for y in range(6):
        for x in range(8):
            for c in range(3):
                expected[:, y, x, c] = image[:, y // 2, x // 2, 3 * 2 * (y % 2) + 3 * (x % 2) + c]
    promises.assert_same(promises.run(PixelShuffle2D(2), [image]), [expected], tolerance=0)


def test_impossible_arguments_are_refused():
    with pytest.raises(InputError, match=r"PixelShuffle2D: `size` must be an int of at least 1. Received: size=0"):
        PixelShuffle2D(0)
    with pytest.raises(
        InputError, match=r"PixelShuffle2D: `channel_order` must be one of .* Received: channel_order='torch'"
    ):
        PixelShuffle2D(channel_order="torch")


def test_channels_that_fill_no_square_are_refused():
    with pytest.raises(InputError, match=r"PixelShuffle2D: the channels must be a multiple of size\*\*2 = 9. Received"):
        PixelShuffle2D(3)(keras.Input((4, 4, 12)))
