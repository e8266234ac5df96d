import keras
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.layers import promises
from tests.layers.reference import output_shape, windows
from zoo.errors import InputError
from zoo.layers import SparseConv1D, SparseConv2D, SparseConv3D


@pytest.mark.parametrize("form", ["s1d1", "s2d1", "s1d2"])
def test_it_reproduces_the_golden_file(golden, form):
    arguments = {"strides": int(form[1]), "dilation_rate": int(form[3]), "padding": "same"}
    inputs = [golden["x"], golden["mask1"]]
    for normalization, binary, mask in (("mean", True, "binary"), ("sum", False, "float")):
        layer = SparseConv2D(7, 3, normalization=normalization, binary=binary, **arguments)
        layer.build([x.shape for x in inputs])
        layer.set_weights([golden["kernel"], golden["bias"]])
        expected = [golden[f"sparse_{normalization}_{form}"], golden[f"sparse_mask_{mask}_{form}"]]
        promises.assert_same(promises.run(layer, inputs), expected)


@given(
    rank=st.integers(1, 3),
    size=st.integers(1, 3),
    stride_or_dilation=st.sampled_from([(1, 1), (2, 1), (3, 1), (5, 1), (1, 2)]),
    padding=st.sampled_from(["same", "valid"]),
    mean=st.booleans(),
    binary=st.booleans(),
    seed=st.integers(0, 99),
)
# Two pixels no window sees.
@example(rank=3, size=1, stride_or_dilation=(5, 1), padding="same", mean=True, binary=True, seed=2)
def test_it_is_equations_2_and_3_of_the_paper(rank, size, stride_or_dilation, padding, mean, binary, seed):
    stride, dilation = stride_or_dilation
    random = np.random.default_rng(seed)
    sizes = random.integers((size - 1) * dilation + 1, (size - 1) * dilation + 4, rank)
    image, mask = random.random((*sizes, 2)).astype("float32"), (random.random((*sizes, 1)) < 0.4).astype("float32")
    layer = {1: SparseConv1D, 2: SparseConv2D, 3: SparseConv3D}[rank](
        3, size, stride, padding, "mean" if mean else "sum", binary, dilation_rate=dilation, kernel_initializer="zeros"
    )
    layer.build([(1, *image.shape), (1, *mask.shape)])
    kernel, bias = random.standard_normal((*[size] * rank, 2, 3)).astype("float32"), np.ones(3, "float32")
    layer.set_weights([kernel, bias])
    geometry = ([size] * rank, [stride] * rank, padding, dilation)
    shape = output_shape(image, *geometry)
    features, next_mask = np.zeros((*shape, 3)), np.zeros((*shape, 1))
    for (position, window, _), (_, valid, _) in zip(windows(image, *geometry), windows(mask, *geometry), strict=True):
        total = valid.mean() if mean else valid.sum()
        convolved = np.tensordot(window * valid, kernel, rank + 1)
        features[position] = (convolved / total if total else 0) + bias
        next_mask[position] = valid.max() if binary else valid.mean()
    promises.assert_same(promises.run(layer, [image[None], mask[None]]), [features[None], next_mask[None]])


def test_without_a_mask_pixels_of_zeros_are_invalid():
    image = promises.numbers(0, (1, 6, 5, 3))
    image[:, 1:4, 1:4] = 0
    image[:, 2, 2, 1] = 1
    mask = (image != 0).any(-1, keepdims=True).astype("float32")
    layer = SparseConv2D(2, 3)
    layer.build(image.shape)
    promises.assert_same(promises.run(layer, [image]), promises.run(layer, [image, mask]))


def test_the_variance_of_the_initializer_is_kept():
    image = np.random.default_rng(0).standard_normal((1, 32, 32, 16)).astype("float32")
    mask = np.ones((1, 32, 32, 1), "float32")
    outputs = promises.run(SparseConv2D(16, 3, kernel_initializer="lecun_normal"), [image, mask])[0]
    assert outputs.std() == pytest.approx(1.0, rel=0.1)


def test_an_unknown_normalization_is_refused():
    with pytest.raises(
        InputError, match=r"SparseConv2D: `normalization` must be one of .* Received: normalization='max'"
    ):
        SparseConv2D(2, 3, normalization="max")


def test_arguments_survive_their_config():
    layer = SparseConv2D(2, 3, normalization="sum", binary=False, dilation_rate=2)
    config = SparseConv2D.from_config(layer.get_config()).get_config()
    assert (config["normalization"], config["binary"], config["dilation_rate"]) == ("sum", False, (2, 2))
    assert keras.saving.get_registered_name(SparseConv2D) == "zoo>SparseConv2D"
