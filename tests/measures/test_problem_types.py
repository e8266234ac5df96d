"""Metrics of several labels and of quantities: those of scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from zoo.errors import InputError
from zoo.measures.multi_label import MultiLabelMeasure
from zoo.measures.regression import RegressionMeasure


def measured(measure, outputs, targets):
    for part in np.array_split(np.arange(len(outputs)), 3):
        measure.add(outputs[part], targets[part])
    return measure.results()


@pytest.mark.parametrize("digits", [0, 1, 9])
def test_labels_are_measured_as_by_scikit_learn(digits):
    generator = np.random.default_rng(digits)
    targets = generator.integers(0, 2, (50, 4)).astype("float32")
    targets[:, 2] = 0  # a label that no example has
    outputs = np.round(2 * targets - 1 + generator.normal(0, 2, targets.shape), digits)  # with equal scores
    found = measured(MultiLabelMeasure("abcd"), outputs, targets)
    kept = [0, 1, 3]
    expected = metrics.average_precision_score(targets[:, kept], outputs[:, kept], average=None)
    assert list(found["class_ap_percent"].values()) == pytest.approx(100 * expected, abs=0.006)
    assert found["map_percent"] == pytest.approx(100 * expected.mean(), abs=0.006)
    hard = outputs >= 0
    assert found["f1_percent"] == pytest.approx(100 * metrics.f1_score(targets, hard, average="micro"), abs=0.006)
    macro = metrics.f1_score(targets[:, kept], hard[:, kept], average="macro")
    assert found["macro_f1_percent"] == pytest.approx(100 * macro, abs=0.006)


def test_quantities_are_measured_as_by_scikit_learn():
    generator = np.random.default_rng(0)
    targets = generator.normal(100, 5, (40, 3)).astype("float32")
    outputs = targets + generator.normal(0, 2, targets.shape).astype("float32")
    found = measured(RegressionMeasure("abc"), outputs, targets)
    assert found["r2"] == pytest.approx(metrics.r2_score(targets, outputs), rel=1e-4)
    by_name = metrics.mean_absolute_error(targets, outputs, multioutput="raw_values")
    assert [*found["quantity_mae"].values()] == pytest.approx(by_name, rel=1e-4)
    alone = measured(RegressionMeasure("a"), outputs[:, :1], targets[:, :1])
    assert alone["mae"] == pytest.approx(by_name[0], rel=1e-4)


def test_guessing_is_called_so():
    guess, target = MultiLabelMeasure("ab"), np.array([[1, 0], [0, 1], [0, 0], [0, 0]])
    guess.add(np.zeros((4, 2)), target)
    assert "25 % on 4 validation examples, and an order by chance has 25 %" in guess.poor()
    right = MultiLabelMeasure("ab")
    right.add(2.0 * target - 1, target)
    assert right.poor() == ""
    mean, values = RegressionMeasure("a"), np.array([[1.0], [2.0], [3.0]])
    mean.add(np.full((3, 1), 2.0), values)
    assert "R² is 0 on 3 validation examples" in mean.poor()
    exact = RegressionMeasure("a")
    exact.add(values, values)
    assert exact.poor() == ""


def test_targets_of_another_kind_are_refused():
    with pytest.raises(InputError, match=r"go from 0 to 2\. Expected 1 for the labels"):
        MultiLabelMeasure("ab").add(np.zeros((1, 2)), np.array([[0, 2]]))
    with pytest.raises(InputError, match="a logit for each of 2 labels"):
        MultiLabelMeasure("ab").add(np.zeros((1, 3)), np.zeros((1, 3)))
    with pytest.raises(InputError, match="Expected the same"):
        RegressionMeasure("a").add(np.zeros((2, 1)), np.zeros(2))
