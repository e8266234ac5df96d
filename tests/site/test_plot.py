"""The plot's points lie where their numbers say."""

import pytest

from zoo.catalogue.registry import registry
from zoo.site.plot import BOTTOM, LEFT, RIGHT, TOP, accuracy_plot


def entry(name, millions, **metrics):
    return (
        registry()
        .find("resnet50")
        .model_copy(update={"name": name, "parameters_millions": millions, "metrics": metrics})
    )


def millions(entry):
    return entry.parameters_millions


def test_points_go_from_left_to_right_on_a_logarithmic_scale_and_from_bottom_to_top():
    plot = accuracy_plot(
        [entry("large", 100, top1=80), entry("small", 1, top1=70), entry("middle", 10, top1=75)], "top1", millions
    )
    assert [point.name for point in plot.points] == ["small", "middle", "large"]
    assert [point.x for point in plot.points] == [LEFT, (LEFT + RIGHT) / 2, RIGHT]
    assert [point.y for point in plot.points] == [BOTTOM, (TOP + BOTTOM) / 2, TOP]
    assert [mark.text for mark in plot.x_marks] == ["1", "2", "5", "10", "20", "50", "100"]
    assert [(mark.text, mark.at) for mark in plot.y_marks] == [("70", BOTTOM), ("75", 208), ("80", TOP)]


def test_a_model_without_the_metric_or_of_unknown_size_is_left_out():
    plot = accuracy_plot(
        [entry("known", 3, top1=50), entry("sizeless", None, top1=50), entry("other", 3, psnr=5)], "top1", millions
    )
    assert [point.name for point in plot.points] == ["known"]


@pytest.mark.parametrize(("size", "marks"), [(1, ["1", "2"]), (0.03, ["0.02", "0.05"]), (7, ["5", "10"])])
def test_a_single_point_lies_between_its_marks(size, marks):
    plot = accuracy_plot([entry("alone", size, top1=75)], "top1", millions)
    assert [mark.text for mark in plot.x_marks] == marks
    assert [mark.text for mark in plot.y_marks] == ["75", "80"]
    assert LEFT <= plot.points[0].x <= RIGHT


def test_the_registrys_models_lie_in_the_field():
    points = accuracy_plot(registry().entries.values(), "top1_percent", millions).points
    assert len(points) > 200
    assert all(LEFT <= point.x <= RIGHT and TOP <= point.y <= BOTTOM for point in points)
