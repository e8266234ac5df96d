import keras
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.layers import promises
from tests.layers.reference import output_shape, windows
from zoo.errors import InputError
from zoo.layers import MaxPoolingWithArgmax1D, MaxPoolingWithArgmax2D, MaxPoolingWithArgmax3D

CASES = {
    "MaxPoolingWithArgmax1D": (lambda: MaxPoolingWithArgmax1D(3, 2, "same"), lambda: [promises.numbers(0, (2, 8, 3))]),
    "MaxPoolingWithArgmax2D": (lambda: MaxPoolingWithArgmax2D(), lambda: [promises.numbers(1, (2, 5, 6, 3))]),
    "MaxPoolingWithArgmax2D same": (
        lambda: MaxPoolingWithArgmax2D((2, 3), padding="same"),
        lambda: [promises.numbers(2, (2, 5, 7, 3))],
    ),
    "MaxPoolingWithArgmax2D overlapping": (
        lambda: MaxPoolingWithArgmax2D(3, 2, "same"),
        lambda: [promises.numbers(3, (2, 5, 6, 3))],
    ),
    "MaxPoolingWithArgmax3D": (
        lambda: MaxPoolingWithArgmax3D(2, 2, "same"),
        lambda: [promises.numbers(4, (1, 5, 4, 3, 2))],
    ),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_it_reproduces_the_golden_file(golden):
    pooled, indices = promises.run(MaxPoolingWithArgmax2D(), [golden["y"]])
    promises.assert_same([pooled, indices], [golden["pool_2x2"], golden["pool_2x2_index"]])
    pooled, indices = promises.run(MaxPoolingWithArgmax2D(3, 2), [golden["y"][:, :13, :17]])
    promises.assert_same([pooled, indices], [golden["pool_3x3s2_valid"], golden["pool_3x3s2_valid_index"]])
    assert indices.dtype == np.int32


@given(
    rank=st.integers(1, 3),
    size=st.integers(1, 4),
    stride=st.integers(1, 4),
    padding=st.sampled_from(["same", "valid"]),
    seed=st.integers(0, 99),
)
@example(rank=3, size=1, stride=3, padding="same", seed=0)  # two pixels of an axis no window sees
def test_it_is_the_first_maximum_of_each_window(rank, size, stride, padding, seed):
    sizes = np.random.default_rng(seed).integers(size, size + 4, rank)
    image = np.random.default_rng(seed).integers(-3, 3, (*sizes, 2)).astype("float32")  # many are equal
    layer = {1: MaxPoolingWithArgmax1D, 2: MaxPoolingWithArgmax2D, 3: MaxPoolingWithArgmax3D}[rank](
        size, stride, padding
    )
    geometry = ([size] * rank, [stride] * rank, padding)
    shape = output_shape(image, *geometry)
    pooled, indices = np.zeros((*shape, 2), "float32"), np.zeros((*shape, 2), "int32")
    for position, _, pixels in windows(image, *geometry):
        for channel in range(2):
            at = max(pixels.values(), key=lambda pixel: image[(*pixel, channel)])  # max keeps the first
            pooled[(*position, channel)] = image[(*at, channel)]
            indices[(*position, channel)] = np.ravel_multi_index((*at, channel), image.shape)
    promises.assert_same(promises.run(layer, [image[None]]), [pooled[None], indices[None]])


def test_it_agrees_with_the_operation_of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    image = promises.numbers(0, (2, 7, 9, 3))
    for size, stride, padding in ((2, 2, "same"), (3, 2, "same"), (3, 1, "valid")):
        pooled, indices = tf.nn.max_pool_with_argmax(image, size, stride, padding.upper(), output_dtype="int32")
        promises.assert_same(
            promises.run(MaxPoolingWithArgmax2D(size, stride, padding), [image]), [pooled.numpy(), indices.numpy()]
        )


@pytest.mark.parametrize("strides", [1, 2])
def test_of_equal_maxima_the_first_gets_the_gradient(strides):
    slope = promises.gradient(MaxPoolingWithArgmax2D(2, strides), [np.zeros((1, 2, 2, 1), "float32")])
    np.testing.assert_array_equal(slope[0, ..., 0], [[1, 0], [0, 0]])


def test_a_window_of_minus_infinity_names_a_pixel_of_the_image():
    pooled, indices = promises.run(MaxPoolingWithArgmax2D(3, 2, "same"), [np.full((1, 5, 5, 2), -np.inf, "float32")])
    assert pooled.max() < -3e38  # TensorFlow's pooling starts from the lowest finite number
    assert indices.min() >= 0
    assert indices.max() < 50


def test_impossible_arguments_are_refused():
    with pytest.raises(
        InputError, match=r"MaxPoolingWithArgmax2D: `pool_size` must be an int or 2 ints.* Received: pool_size=0"
    ):
        MaxPoolingWithArgmax2D(0)
    with pytest.raises(
        InputError, match=r"MaxPoolingWithArgmax2D: `padding` must be one of .* Received: padding='reflect'"
    ):
        MaxPoolingWithArgmax2D(padding="reflect")


def test_an_image_smaller_than_the_window_is_refused():
    with pytest.raises(
        InputError, match=r"MaxPoolingWithArgmax2D: padding='valid' needs .* Received: shape=.*Use padding"
    ):
        MaxPoolingWithArgmax2D(4)(keras.Input((3, 9, 1)))
