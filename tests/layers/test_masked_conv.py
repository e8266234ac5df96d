"""What sparse and partial convolution have in common."""

import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import PartialConv1D, PartialConv2D, PartialConv3D, SparseConv1D, SparseConv2D, SparseConv3D

BOTH = pytest.mark.parametrize("layer", [PartialConv2D, SparseConv2D])


def holes(seed, shape, dtype="float32"):
    return (np.random.default_rng(seed).random(shape) < 0.5).astype(dtype)


CASES = {}
for _rank, _classes in enumerate(
    [(SparseConv1D, PartialConv1D), (SparseConv2D, PartialConv2D), (SparseConv3D, PartialConv3D)], 1
):
    for _class in _classes:
        CASES[_class.__name__] = (
            lambda layer=_class: layer(2, 3, padding="same", bias_initializer="ones"),
            lambda rank=_rank: [
                promises.numbers(1, (2, *(5, 4, 3)[:rank], 2)) / 16,
                holes(2, (2, *(5, 4, 3)[:rank], 1)),
            ],
        )
CASES["PartialConv2D per channel"] = (
    lambda: PartialConv2D(2, (3, 2), 2, binary=False),
    lambda: [promises.numbers(1, (2, 6, 5, 3)) / 16, holes(2, (2, 6, 5, 3))],
)
CASES["SparseConv2D sum"] = (
    lambda: SparseConv2D(2, 3, normalization="sum", binary=False),
    lambda: [promises.numbers(1, (2, 6, 5, 3)) / 16, holes(2, (2, 6, 5, 1))],
)


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


@BOTH
@pytest.mark.parametrize(("padding", "inner"), [("valid", slice(None)), ("same", slice(1, -1))])
@pytest.mark.parametrize("mask_channels", [1, 3])
def test_with_a_full_mask_it_is_a_convolution(layer, padding, inner, mask_channels):
    image = promises.numbers(0, (2, 6, 7, 3))
    masked, plain = layer(4, 3, padding=padding, bias_initializer="ones"), keras.layers.Conv2D(4, 3, padding=padding)
    masked.build([image.shape, (*image.shape[:3], mask_channels)])
    plain.build(image.shape)
    plain.set_weights(masked.get_weights())
    outputs, mask = promises.run(masked, [image, np.ones((*image.shape[:3], mask_channels), "float32")])
    (expected,) = promises.run(plain, [image])
    promises.assert_same([outputs[:, inner, inner]], [expected[:, inner, inner]])
    assert mask.min() == 1


@BOTH
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32"])
def test_masks_of_booleans_and_integers_work(layer, dtype):
    image, mask = promises.numbers(0, (1, 5, 6, 2)), holes(3, (1, 5, 6, 1))
    layer = layer(2, 3, padding="same")
    expected = promises.run(layer, [image, mask])
    promises.assert_same(promises.run(layer, [image, mask.astype(dtype)]), expected)


@BOTH
def test_a_full_float_mask_stays_full(layer):
    image, mask = promises.numbers(0, (1, 5, 6, 2)), np.ones((1, 5, 6, 2), "float32")
    assert promises.run(layer(2, 3, binary=False), [image, mask])[1].min() == 1


@BOTH
def test_what_lies_in_a_hole_does_not_matter(layer):
    image, mask = promises.numbers(0, (1, 5, 6, 2)), holes(4, (1, 5, 6, 1))
    layer = layer(2, 3, padding="same")
    expected = promises.run(layer, [image, mask])
    promises.assert_same(promises.run(layer, [image + 5 * (1 - mask), mask]), expected)


@BOTH
@pytest.mark.parametrize("shape", [(1, 5, 7, 1), (1, 5, 6, 2), (1, 5, 6)])
def test_a_mask_of_another_shape_is_refused(layer, shape):
    match = rf"{layer.__name__}: the mask must have the spatial size of the features and 1 or 3 channels. Received"
    with pytest.raises(InputError, match=match):
        layer(2, 3)([np.ones((1, 5, 6, 3), "float32"), np.ones(shape, "float32")])
    with pytest.raises(InputError, match=match):
        layer(2, 3)([keras.Input((5, 6, 3)), keras.Input(shape[1:])])


@BOTH
def test_impossible_arguments_are_refused(layer):
    name = layer.__name__
    with pytest.raises(
        InputError, match=rf"{name}: `strides > 1` not supported in conjunction with `dilation_rate > 1`"
    ):
        layer(2, 3, strides=2, dilation_rate=2)
    with pytest.raises(InputError, match=rf"{name}: .*`?kernel_size`?.*0"):
        layer(2, 0)
    with pytest.raises(InputError, match=rf"{name}: `groups` must be 1, .* Received: groups=2"):
        layer(2, 3, groups=2)
    with pytest.raises(InputError, match=rf"{name}: `padding` must be one of .* Received: padding='reflect'"):
        layer(2, 3, padding="reflect")
    with pytest.raises(InputError, match=rf"{name}: the features must have 4 axes. Received: shape="):
        layer(2, 3)([np.ones((5, 6, 3), "float32"), np.ones((5, 6, 1), "float32")])


@pytest.mark.parametrize("dtype", ["mixed_float16", "float16"])
@pytest.mark.parametrize("valid", ["one", "all"])
@pytest.mark.parametrize(
    ("layer", "options"),
    [
        (PartialConv2D, {}),
        (PartialConv2D, {"binary": False}),
        (SparseConv2D, {}),
        (SparseConv2D, {"normalization": "sum"}),
        (SparseConv2D, {"binary": False}),
    ],
)
def test_windows_of_more_entries_than_float16_counts_stay_right(layer, options, valid, dtype):
    """7 x 7 x 2048 is 100,352, and float16 ends at 65,504: neither the ratio nor the sum may become infinite."""
    shape = (1, 7, 7, 2048)
    mask = np.ones(shape, "float32") if valid == "all" else np.zeros(shape, "float32")
    mask[0, 3, 3, 0] = 1
    image = np.full(shape, 2.0, "float32")
    # A window of twos and ones is summed to 200,704 before it is divided, and one valid entry of 1/16 weighs 100,352.
    weight = 1.0 if valid == "all" and options.get("normalization") == "sum" else 2.0**-5 if valid == "all" else 2.0**-3
    arguments = {"padding": "valid", "kernel_initializer": keras.initializers.Constant(weight), **options}
    exact = promises.run(layer(1, 7, **arguments), [image, mask])
    half = promises.run(layer(1, 7, dtype=dtype, **arguments), [image, mask])
    assert [x.dtype for x in half] == [np.float16, np.float16]
    for actual, expected in zip(half, exact, strict=True):
        np.testing.assert_allclose(actual.astype("float32"), np.minimum(expected, 65_504), rtol=5e-3)


@BOTH
def test_thirty_layers_in_float16_stay_finite(layer):
    generator = np.random.default_rng(0)
    x, mask = generator.normal(0, 60, (1, 6, 6, 64)).astype("float32"), holes(3, (1, 6, 6, 64))
    for seed in range(30):
        initializer = keras.initializers.HeNormal(seed)
        convolution = layer(
            64, 3, padding="same", activation="relu", kernel_initializer=initializer, dtype="mixed_float16"
        )
        x, mask = convolution([x, mask])
    assert np.isfinite(promises.arrays([x])[0]).all()
