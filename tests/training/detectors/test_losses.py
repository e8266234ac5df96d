"""The focal loss and smooth L1, by hand, on every backend; no number overflows."""

import keras
import numpy as np
import pytest

from zoo.training.detectors.losses import focal, smooth_l1


def test_focal_loss_by_hand():
    labels, logits = np.array([[1, -1, -2]], "float32"), np.log([[[1, 3], [1 / 4, 1], [7, 7]]]).astype("float32")
    score = np.array([[0.5, 0.75], [0.2, 0.5]])
    yes = 0.25 * (1 - score) ** 2 * -np.log(score)
    no = 0.75 * score**2 * -np.log(1 - score)
    assert float(focal(*map(keras.ops.convert_to_tensor, (labels, logits)))) == pytest.approx(
        no[0, 0] + yes[0, 1] + no[1].sum(), rel=1e-5
    )


def test_logits_of_any_size_give_a_number():
    labels, logits = np.array([[0, -1]], "float32"), np.array([[[-500], [500]]], "float32")
    assert float(focal(*map(keras.ops.convert_to_tensor, (labels, logits)))) == pytest.approx(
        0.25 * 500 + 0.75 * 500, rel=1e-5
    )


def test_smooth_l1_is_a_parabola_then_a_line():
    found = keras.ops.convert_to_numpy(smooth_l1(keras.ops.array([0, 1 / 18, 1 / 9, -1, 2], "float32")))
    np.testing.assert_allclose(found, [0, 0.5 * 9 / 18**2, 0.5 / 9, 1 - 0.5 / 9, 2 - 0.5 / 9], rtol=1e-5)
