"""Bilinear interpolation to the size of another map."""

import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.layers import BilinearLike2D

CASES = {
    f"BilinearLike2D-{align}": (
        lambda align=align: BilinearLike2D(align_corners=align),
        lambda: [promises.numbers(0, (2, 3, 4, 5)) / 8, promises.numbers(1, (2, 7, 3, 1))],
    )
    for align in (True, False)
}


@promises.keeps(CASES)
def test_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


# torch.nn.functional.interpolate of [0, 3, 9] to 5 and to 2 pixels.
@pytest.mark.parametrize(
    ("align_corners", "size", "expected"),
    [
        (True, 5, [0, 1.5, 3, 6, 9]),
        (False, 5, [0, 1.2, 3, 6.6, 9]),
        (True, 2, [0, 9]),
        (False, 2, [0.75, 7.5]),
        (True, 1, [0]),
    ],
)
def test_a_row_is_interpolated_as_in_pytorch(align_corners, size, expected):
    row = keras.ops.reshape(keras.ops.array([0.0, 3.0, 9.0]), (1, 1, 3, 1))
    resized = BilinearLike2D(align_corners=align_corners)([row, keras.ops.ones((1, 1, size, 1))])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(resized)[0, 0, :, 0], expected, atol=1e-6)
