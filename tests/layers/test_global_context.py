"""Pooling by attention to positions."""

import numpy as np

from tests.layers import promises
from zoo.layers import GlobalContextPooling2D

CASES = {
    "GlobalContextPooling2D": (
        lambda: GlobalContextPooling2D(),
        lambda: [promises.numbers(0, (2, 3, 4, 5)) / 8, promises.numbers(1, (2, 3, 4, 1)) / 8],
    )
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_it_averages_by_the_softmax_of_the_second_map():
    image, logits = promises.numbers(0, (2, 3, 4, 5)), promises.numbers(1, (2, 3, 4, 1))
    weights = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum((1, 2), keepdims=True)
    expected = (image * weights).sum((1, 2), keepdims=True)
    promises.assert_same(promises.run(GlobalContextPooling2D(), [image, logits]), [expected])
