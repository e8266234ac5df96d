"""A model of every task can be taught: it learns, and is measured."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import zoo.tasks
from zoo import architectures
from zoo.catalogue.registry import Entry, Input
from zoo.tasks import find_task
from zoo.training.lessons import find_lesson

GREY = Input(mean=(0,), std=(1,))
RANDOM = np.random.default_rng(0)


def entry(task: str, builder: str, **facts) -> Entry:
    known = {"format": "zoo", "license": "apache-2.0", "input": Input(), "paper": "", "name": task, "tag": None}
    return Entry(**{**known, "architecture": task, "builder": builder, "task": task, "random": "all", **facts})


def pictures(count: int, height: int, width: int) -> list[np.ndarray]:
    """Squares of one colour: their edges are what bicubic enlargement lacks."""
    small = RANDOM.integers(0, 256, (count, 4, 4, 3), "uint8")
    return [np.asarray(Image.fromarray(one).resize((width, height), Image.Resampling.NEAREST)) for one in small]


def segmentation():
    found = pictures(8, 24, 20)
    masks = [np.where(one[..., 0] > 127, 1, 0).astype("uint8") for one in found]
    masks[0][:4] = 255
    model = entry(
        "semantic-segmentation", "segnet.segnet_basic", config={"filters": [8, 8], "kernel_size": 3, "shrink": 2},
        num_classes=2, classifier="classifier",
    )  # fmt: skip
    return model, (found, masks)


def depth():
    dense = RANDOM.uniform(1, 9, (8, 16, 20)).astype("float32")
    sparse = dense * (RANDOM.random(dense.shape) < 0.4)
    model = entry(
        "depth-completion", "sparseconvnet.sparseconvnet", config={"filters": 4, "kernel_sizes": [5, 3]}, input=GREY
    )
    return model, (list(sparse), list(dense))


def inpainting():
    return entry("inpainting", "pconv_unet.pconv_unet", config={"filters": [4, 4]}), pictures(8, 32, 32)


def super_resolution():
    return entry("super-resolution", "espcn.espcn", config={"scale": 2}), pictures(8, 32, 36)


def forecasting():
    model = entry("forecasting", "tcn.tcn", config={"horizon": 4, "season": 6, "deviation": 1.0, "dilations": [1, 2]})
    return model, np.sin(np.arange(90) * np.pi / 3).astype("float32")


def coordinate_classification():
    places = RANDOM.integers(0, 64, (16, 2)).astype("float32")
    return entry("coordinate-classification", "coordconv.classifier"), (places, places)


def features():
    found = pictures(12, 16, 16)
    model = entry("image-features", "blurnet.blurnet", config={"filters": [8, 8]}, num_classes=0, classifier="fc")
    return model, (found, [index % 3 for index in range(12)])


def volume_segmentation():
    volumes = RANDOM.poisson(3, (8, 8, 8, 8)).astype("float32")
    model = entry("volume-segmentation", "unet3d.unet3d", config={"filters": [4, 8]})
    return model, (list(volumes), list((volumes > 4).astype("float32")))


def coordinate_rendering():
    places = RANDOM.integers(0, 64, (8, 2)).astype("float32")
    canvases = np.zeros((8, 64, 64), "float32")
    canvases[:, :32] = 1
    return entry("coordinate-rendering", "coordconv.classifier", config={"filters": [8]}), (places, canvases)


CASES = [
    segmentation, depth, inpainting, super_resolution, forecasting, coordinate_classification, features,
    volume_segmentation, coordinate_rendering,
]  # fmt: skip
RATES = {super_resolution: 0.001}


@pytest.mark.parametrize("case", CASES)
def test_a_model_of_each_task_learns_and_is_measured(case, tmp_path):
    described, data = case()
    keras.utils.set_random_seed(0)
    model = architectures.build(described)
    rate = RATES.get(case, 0.01)
    run = zoo.finetune(model, data, epochs=5, learning_rate=rate, batch_size=2, output=tmp_path / "run")
    assert run.history["loss"][-1] < run.history["loss"][0]
    numbers = [value for value in run.metrics.values() if not isinstance(value, dict)]
    assert run.metrics["count"] > 0
    assert len(numbers) > 1
    assert np.isfinite(numbers).all()
    assert run.model.spec.random == "none"
    assert run.model.spec.metrics == {name: run.metrics[name] for name in run.model.spec.metrics}


def test_features_of_volumes_are_what_was_handed_over():
    lesson, volumes = find_lesson("volume-features"), RANDOM.normal(size=(3, 4, 5, 6))
    examples = lesson.find((volumes, np.ones((3, 7))), "train", entry("volume-features", "medicalnet.medicalnet"), None)
    assert examples.shape == (4, 5, 6, 1)
    volume, target = lesson.read(examples.items[0], None, examples.shape, None)
    assert abs(float(volume.mean())) < 1e-6
    np.testing.assert_array_equal(target, np.ones(7))


def test_what_a_forecaster_is_measured_on_was_not_learnt():
    described, _ = forecasting()
    lesson = find_lesson("forecasting")
    learnt, held = lesson.hold_out(lesson.find(np.arange(90.0), "train", described, None), described, 0)
    future = [target for item in learnt.items for target in lesson.read(item, described, learnt.shape, None)[1]]
    measured = [target for item in held.items for target in lesson.read(item, described, held.shape, None)[1]]
    assert max(future) < min(measured)
    assert measured[-1] == 89


def test_every_task_has_a_lesson():
    for path in Path(zoo.tasks.__file__).parent.glob("*.py"):
        task = path.stem.replace("_", "-")
        if "TASK =" in path.read_text():
            assert find_lesson(task).data
            assert find_task(task)
