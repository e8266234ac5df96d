import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.layers import promises
from tests.layers.reference import output_shape, windows
from zoo.layers import PartialConv1D, PartialConv2D, PartialConv3D


@pytest.mark.parametrize("form", ["s1d1", "s2d1", "s1d2"])
def test_it_reproduces_the_golden_file(golden, form):
    inputs = [golden["x"], golden["maskC"]]
    layer = PartialConv2D(7, 3, int(form[1]), "same", dilation_rate=int(form[3]))
    layer.build([x.shape for x in inputs])
    layer.set_weights([golden["kernel"], golden["bias"]])
    promises.assert_same(promises.run(layer, inputs), [golden[f"partial_{form}"], golden[f"partial_mask_{form}"]])


@given(
    rank=st.integers(1, 3),
    size=st.integers(1, 3),
    stride_or_dilation=st.sampled_from([(1, 1), (2, 1), (3, 1), (5, 1), (1, 2)]),
    padding=st.sampled_from(["same", "valid"]),
    mask_channels=st.sampled_from([1, 2]),
    soft=st.booleans(),
    seed=st.integers(0, 99),
)
# Two pixels no window sees.
@example(rank=3, size=1, stride_or_dilation=(5, 1), padding="same", mask_channels=1, soft=False, seed=2)
def test_it_is_equations_1_and_2_of_the_paper(rank, size, stride_or_dilation, padding, mask_channels, soft, seed):
    stride, dilation = stride_or_dilation
    random = np.random.default_rng(seed)
    sizes = random.integers((size - 1) * dilation + 1, (size - 1) * dilation + 4, rank)
    image = random.random((*sizes, 2)).astype("float32")
    mask = (random.random((*sizes, mask_channels)) < 0.3).astype("float32")
    mask = mask * random.random(mask.shape).astype("float32") if soft else mask
    layer = {1: PartialConv1D, 2: PartialConv2D, 3: PartialConv3D}[rank](
        3, size, stride, padding, dilation_rate=dilation, kernel_initializer="zeros"
    )
    layer.build([(1, *image.shape), (1, *mask.shape)])
    kernel, bias = random.standard_normal((*[size] * rank, 2, 3)).astype("float32"), np.ones(3, "float32")
    layer.set_weights([kernel, bias])
    geometry = ([size] * rank, [stride] * rank, padding, dilation)
    shape = output_shape(image, *geometry)
    features, next_mask = np.zeros((*shape, 3)), np.zeros((*shape, 1))
    for (position, window, _), (_, valid, _) in zip(windows(image, *geometry), windows(mask, *geometry), strict=True):
        if valid.sum() > 0:
            convolved = np.tensordot(window * valid, kernel, rank + 1)
            features[position] = convolved * valid.size / valid.sum() + bias
            next_mask[position] = 1
    promises.assert_same(promises.run(layer, [image[None], mask[None]]), [features[None], next_mask[None]])


def test_an_empty_window_gives_zero_without_bias_and_without_a_gradient_of_nan():
    image, mask = promises.numbers(0, (1, 6, 6, 2)), np.ones((1, 6, 6, 1), "float32")
    mask[:, :4, :4] = 0
    layer = PartialConv2D(2, 3, bias_initializer="ones")
    outputs, next_mask = promises.run(layer, [image, mask])
    assert np.all(outputs[0, :2, :2] == 0)
    assert next_mask[0, :2, :2].max() == 0
    slope = promises.gradient(layer, [image, mask])
    assert np.all(np.isfinite(slope))
    assert np.all(slope[0, :4, :4] == 0)


def test_without_a_mask_everything_is_valid():
    image = promises.numbers(0, (1, 5, 6, 3))
    layer = PartialConv2D(2, 3, padding="same")
    layer.build(image.shape)
    expected = promises.run(layer, [image, np.ones((1, 5, 6, 1), "float32")])
    promises.assert_same(promises.run(layer, [image]), expected)
