"""Repetition of pixels up to the size of another map."""

import numpy as np

from tests.layers import promises
from zoo.layers import NearestLike2D

CASES = {
    "NearestLike2D": (
        lambda: NearestLike2D(),
        lambda: [promises.numbers(0, (2, 3, 2, 5)) / 8, promises.numbers(1, (2, 7, 4, 1))],
    )
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_rows_are_counted_from_the_edge():
    image = np.arange(3, dtype="float32").reshape(1, 3, 1, 1)
    (outputs,) = promises.run(NearestLike2D(), [image, np.zeros((1, 7, 1, 1), "float32")])
    assert outputs.ravel().tolist() == [0, 0, 0, 1, 1, 2, 2]
