import keras
import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import DiffusionFill1D, DiffusionFill2D, DiffusionFill3D

TAPS = np.array([1, 4, 6, 4, 1]) / 16


def holes(seed, shape, share=0.3):
    return (np.random.default_rng(seed).random((*shape[:-1], 1)) < share).astype("float32")


def filled(values, weights, gain, levels):
    """The definition, of a signal `(steps,)`, entry by entry."""
    if levels == 0 or len(values) == 1:
        return values
    coarse, mask = [], []
    for center in range(0, len(values), 2):
        near = [(tap, center + k - 2) for k, tap in enumerate(TAPS) if 0 <= center + k - 2 < len(values)]
        weight = sum(tap * weights[i] for tap, i in near)
        coarse.append(sum(tap * weights[i] * values[i] for tap, i in near) / weight if weight else 0.0)
        mask.append(min(1.0, gain * weight))
    coarse = filled(np.array(coarse), np.array(mask), gain, levels - 1)
    padded = np.pad(coarse, 1, mode="edge")
    even = (padded[:-2] + 6 * padded[1:-1] + padded[2:]) / 8
    up = np.stack([even, (padded[1:-1] + padded[2:]) / 2], 1).ravel()[: len(values)]
    return values * weights + (1 - weights) * up


@pytest.mark.parametrize(("length", "gain", "levels"), [(13, 16, 12), (16, 1, 12), (32, 4, 2)])
def test_a_signal_is_filled_as_the_definition_says(length, gain, levels):
    values, mask = promises.numbers(0, (1, length, 1)), holes(1, (1, length, 1))
    expected = filled(values[0, :, 0].astype("float64"), mask[0, :, 0].astype("float64"), gain, levels)
    actual = promises.run(DiffusionFill1D(gain=gain, levels=levels), [values, mask])[0]
    np.testing.assert_allclose(actual[0, :, 0], expected, atol=1e-4)


def test_two_and_three_dimensions_are_one_after_the_other():
    values, mask = promises.numbers(0, (1, 11, 1)), holes(1, (1, 11, 1))
    expected = promises.run(DiffusionFill1D(), [values, mask])[0]
    for layer, repeats in ((DiffusionFill2D(), (3,)), (DiffusionFill3D(), (3, 2))):
        shape = (1, 11, *repeats, 1)
        wide = [np.broadcast_to(x.reshape(1, 11, *[1] * len(repeats), 1), shape).copy() for x in (values, mask)]
        actual = promises.run(layer, wide)[0]
        assert actual.shape == shape
        # Constant across the other axes, as the input is; the border weighs less there, and the mask saturates later.
        assert np.ptp(actual, axis=tuple(range(2, len(shape) - 1))).max() < 1.5
        valid = wide[1] == 1
        np.testing.assert_array_equal(actual[valid], wide[0][valid])
    assert expected.min() >= values[mask == 1].min()
    assert expected.max() <= values[mask == 1].max()


def test_a_wide_hole_is_filled_smoothly_between_its_edges():
    image, mask = np.zeros((1, 8, 64, 1), "float32"), np.zeros((1, 8, 64, 1), "float32")
    image[:, :, -4:], mask[:, :, :4], mask[:, :, -4:] = 1.0, 1.0, 1.0
    row = promises.run(DiffusionFill2D(), [image, mask])[0][0, 4, :, 0]
    assert (np.diff(row) > -1e-6).all()
    assert row[31] == pytest.approx(0.5, abs=0.1)


def test_what_lies_under_the_hole_changes_nothing():
    image, mask = promises.numbers(3, (2, 9, 12, 2)), holes(4, (2, 9, 12, 1))
    expected = promises.run(DiffusionFill2D(), [image, mask])
    promises.assert_same(
        promises.run(DiffusionFill2D(), [np.where(mask, image, 1e4).astype("float32"), mask]), expected
    )


def test_a_mask_for_each_channel_fills_each_for_itself():
    image, mask = promises.numbers(3, (1, 9, 12, 2)), np.concatenate([holes(s, (1, 9, 12, 1)) for s in (5, 6)], -1)
    both = promises.run(DiffusionFill2D(), [image, mask])[0]
    for channel in range(2):
        one = slice(channel, channel + 1)
        promises.assert_same([both[..., one]], promises.run(DiffusionFill2D(), [image[..., one], mask[..., one]]))


def test_nothing_valid_gives_zeros():
    empty = [np.ones((1, 5, 5, 1), "float32"), np.zeros((1, 5, 5, 1), "float32")]
    np.testing.assert_array_equal(promises.run(DiffusionFill2D(), empty)[0], 0)


@pytest.mark.parametrize("arguments", [{"gain": 0.5}, {"gain": "16"}, {"levels": 0}, {"levels": 2.5}])
def test_wrong_arguments_are_reported(arguments):
    with pytest.raises(InputError, match=next(iter(arguments))):
        DiffusionFill2D(**arguments)


def test_shapes_that_do_not_go_together_are_reported():
    with pytest.raises(InputError, match="features and a mask"):
        DiffusionFill2D()([keras.ops.ones((1, 4, 4, 3)), keras.ops.ones((1, 4, 4, 2))])


def promised(layer, shape):
    return lambda: layer(levels=2), lambda: [promises.numbers(7, shape), holes(8, shape)]


@promises.keeps(
    {
        "1d": promised(DiffusionFill1D, (2, 9, 2)),
        "2d": promised(DiffusionFill2D, (2, 7, 6, 2)),
        "3d": promised(DiffusionFill3D, (1, 5, 4, 3, 2)),
    }
)
def test_it_keeps_the_promises_of_all_layers(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)
