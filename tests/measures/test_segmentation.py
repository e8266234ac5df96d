"""Scores of a segmentation, against numbers counted by hand."""

import math

import numpy as np
import pytest

from zoo.measures.segmentation import confusion_matrix, segmentation_scores

TARGET = np.array([[0, 0, 0, 1], [1, 1, -1, 255]])
ANSWER = np.array([[0, 0, 1, 1], [1, 0, 1, 0]])


def test_pixels_are_counted_by_target_and_answer_and_void_is_not():
    np.testing.assert_array_equal(confusion_matrix(TARGET, ANSWER, 3), [[2, 1, 0], [1, 2, 0], [0, 0, 0]])


def test_small_integers_do_not_overflow():
    target, answer = np.full(4, 200, "uint8"), np.full(4, 100, "uint8")
    assert confusion_matrix(target, answer, 256)[200, 100] == 4


def test_the_three_measures_and_a_class_that_does_not_occur():
    scores = segmentation_scores(np.array([[6, 2, 0], [0, 1, 0], [0, 0, 0]]))
    assert scores.global_accuracy == pytest.approx(100 * 7 / 9)
    assert scores.mean_class_accuracy == pytest.approx(100 * (6 / 8 + 1) / 2)
    assert scores.class_iou[:2] == pytest.approx((100 * 6 / 8, 100 * 1 / 3))
    assert math.isnan(scores.class_iou[2])
    assert scores.mean_iou == pytest.approx(100 * (6 / 8 + 1 / 3) / 2)


def test_a_class_that_was_only_answered_counts_as_an_iou_of_zero():
    scores = segmentation_scores(np.array([[3, 1], [0, 0]]))
    assert scores.class_iou == (75.0, 0.0)
    assert scores.mean_iou == 37.5
    assert scores.mean_class_accuracy == 75.0


def test_the_scores_are_those_of_scikit_learn():
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, jaccard_score

    generator = np.random.default_rng(0)
    target, answer = generator.integers(0, 5, (2, 3000))
    scores = segmentation_scores(confusion_matrix(target, answer, 5))
    assert scores.global_accuracy == pytest.approx(100 * accuracy_score(target, answer))
    assert scores.mean_class_accuracy == pytest.approx(100 * balanced_accuracy_score(target, answer))
    assert scores.class_iou == pytest.approx(100 * jaccard_score(target, answer, average=None))
