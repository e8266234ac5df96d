"""A model of every task can be trained and evaluated."""

from pathlib import Path

import keras
import numpy as np
import pytest

import zoo.tasks
from tests.marked_cases import slow_except
from tests.training.small_tasks import (
    CASES,
    RATES,
    coordinate_classification,
    entry,
    forecasting,
)
from zoo import architectures
from zoo.tasks import find_task
from zoo.training.trainers import find_trainer

# Trained in seconds; the rest of their kind is tested in tests/tasks and tests/measures, and by `make test-all` here.
QUICK = {coordinate_classification}


@pytest.mark.parametrize("case", slow_except(QUICK, CASES))
def test_a_model_of_each_task_learns_and_is_measured(case, tmp_path):
    described, data = case()
    keras.utils.set_random_seed(0)
    model = architectures.build(described)
    rate = RATES.get(case, 0.01)
    run = zoo.finetune(model, data, epochs=5, learning_rate=rate, batch_size=2, output_dir=tmp_path / "run")
    assert run.history["loss"][-1] < run.history["loss"][0]
    numbers = [value for value in run.metrics.values() if not isinstance(value, dict)]
    assert run.metrics["count"] > 0
    assert len(numbers) > 1
    assert np.isfinite(numbers).all()
    assert run.model.spec.random == "none"
    assert run.model.spec.metrics == {name: run.metrics[name] for name in run.model.spec.metrics}


def test_features_of_volumes_are_what_was_handed_over():
    trainer, volumes = find_trainer("volume-features"), np.random.default_rng(0).normal(size=(3, 4, 5, 6))
    examples = trainer.find(
        (volumes, np.ones((3, 7))), "train", entry("volume-features", "medicalnet.medicalnet"), None
    )
    assert examples.shape == (4, 5, 6, 1)
    volume, target = trainer.read(examples.items[0], None, examples.shape, None)
    assert abs(float(volume.mean())) < 1e-6
    np.testing.assert_array_equal(target, np.ones(7))


def test_a_forecaster_is_evaluated_on_steps_it_was_not_trained_on():
    described, _ = forecasting()
    trainer = find_trainer("forecasting")
    training, held = trainer.hold_out(trainer.find(np.arange(90.0), "train", described, None), described, 0)
    future = [target for item in training.items for target in trainer.read(item, described, training.shape, None)[1]]
    measured = [target for item in held.items for target in trainer.read(item, described, held.shape, None)[1]]
    assert max(future) < min(measured)
    assert measured[-1] == 89


def test_every_task_has_a_trainer():
    for path in Path(zoo.tasks.__file__).parent.glob("*.py"):
        task = path.stem.replace("_", "-")
        if "TASK =" in path.read_text():
            assert find_trainer(task).data
            assert find_task(task)
