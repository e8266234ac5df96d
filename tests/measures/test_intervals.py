"""Confidence intervals: what statistics says of them where it can say so, seeded, and of every measure."""

import numpy as np
import pytest

from zoo.measures.classification import ClassificationMeasure
from zoo.measures.coordinates import DistanceMeasure, PixelMeasure
from zoo.measures.depth import DepthMeasure
from zoo.measures.features import NeighborMeasure, SquaredErrorMeasure
from zoo.measures.forecasting import ForecastingMeasure
from zoo.measures.inpainting import InpaintingMeasure
from zoo.measures.multi_label import MultiLabelMeasure
from zoo.measures.overlap import OverlapMeasure
from zoo.measures.regression import RegressionMeasure
from zoo.measures.segmentation import SegmentationMeasure
from zoo.measures.super_resolution import SuperResolutionMeasure

COUNT = 40
GENERATOR = np.random.default_rng(0)
NOISE = GENERATOR.standard_normal((COUNT, 8, 8)).astype("float32")
MAPS = 5 + GENERATOR.random((COUNT, 8, 8)).astype("float32")
CLASSES = GENERATOR.integers(0, 3, COUNT)
LOGITS = np.eye(3)[CLASSES] + GENERATOR.standard_normal((COUNT, 3))
IMAGES = GENERATOR.integers(0, 256, (COUNT, 8, 8, 3)).astype("float32")
MASKS = (NOISE[..., None] > 0).astype("float32")
BEST = np.stack(np.divmod(NOISE.reshape(COUNT, -1).argmax(axis=1), 8)[::-1], axis=1)  # x and y
COLOURED = IMAGES[:, ::2, ::2].astype("uint8")

# Outputs, targets and inputs of each measure.
CASES = {
    "classification": (ClassificationMeasure("abc"), LOGITS, CLASSES, None),
    "pixels": (PixelMeasure(), NOISE, BEST * (np.arange(COUNT) % 3 > 0)[:, None], None),
    "distances": (DistanceMeasure(), NOISE[:, 0, :2], NOISE[:, 1, :2], None),
    "depth": (DepthMeasure(), MAPS + NOISE, MAPS * (NOISE > 1), None),
    "neighbors": (NeighborMeasure(), LOGITS, CLASSES, None),
    "features": (SquaredErrorMeasure(), NOISE[:, 0], NOISE[:, 1], None),
    "forecasts": (ForecastingMeasure(4), NOISE[:, 0], MAPS[:, 0], MAPS[:, 1, :, None]),
    "inpainting": (InpaintingMeasure(), IMAGES[::-1], IMAGES, {"mask": MASKS}),
    "labels": (MultiLabelMeasure("abc"), LOGITS, np.eye(3)[CLASSES], None),
    "overlap": (OverlapMeasure(), NOISE, MASKS[::-1, ..., 0], None),
    "regression": (RegressionMeasure("a"), MAPS[:, 0, :1] + NOISE[:, 0, :1] / 9, MAPS[:, 0, :1], None),
    "segmentation": (
        SegmentationMeasure("abc"),
        GENERATOR.standard_normal((COUNT, 8, 8, 3)),
        GENERATOR.integers(0, 3, (COUNT, 8, 8)),
        None,
    ),
    "super-resolution": (SuperResolutionMeasure(), IMAGES + NOISE[..., None], IMAGES, COLOURED),
}


@pytest.mark.parametrize("case", CASES)
def test_each_metric_lies_in_its_interval(case):
    measure, outputs, targets, inputs = CASES[case]
    for part in (slice(0, 25), slice(25, None)):
        taken = {"mask": inputs["mask"][part]} if isinstance(inputs, dict) else None if inputs is None else inputs[part]
        measure.add(outputs[part], targets[part], taken)
    numbers = {name: value for name, value in measure.results().items() if not isinstance(value, dict)}
    intervals = measure.intervals()
    assert set(intervals) == set(numbers) - {"count"}
    for name, (low, high) in intervals.items():
        assert low < high
        assert low <= numbers[name] <= high or name == "mean_iou_percent"  # a mean of ratios is biased upwards


def test_the_interval_of_a_share_is_that_of_the_binomial():
    """80 of 100: the standard error is 4 points."""
    measure = ClassificationMeasure("ab")
    measure.add(np.eye(2)[np.repeat([0, 1], [80, 20])], np.zeros(100, int))
    low, high = measure.intervals()["top1_percent"]
    assert (low, high) == pytest.approx((80 - 1.96 * 4, 80 + 1.96 * 4), abs=1.2)
    assert measure.intervals() == measure.intervals(seed=0) != measure.intervals(seed=1)


def test_one_example_has_no_interval():
    measure = DistanceMeasure()
    measure.add(np.zeros((1, 2)), np.ones((1, 2)))
    assert measure.intervals() == {}


def test_maps_without_a_target_do_not_count():
    measure = DepthMeasure()
    measure.add(np.ones((3, 2, 2)), np.array([0, 2, 3])[:, None, None] * np.ones((3, 2, 2)))
    assert measure.results() == {"count": 2, "mae_metres": 1.5, "rmse_metres": 1.5}
    assert measure.intervals()["mae_metres"] == [1.0, 2.0]
