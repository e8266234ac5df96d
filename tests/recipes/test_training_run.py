"""A training run: what its state contains, when it is written, and what is left of a run."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import safetensors.numpy

from recipes import training_run
from recipes.training_run import TrainingRun, filled, parser, run_facts, write_weights

STEPS_PER_ROUND = 2


def untrained():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="dense")(inputs))
    model.compile("adam", "mse")
    return model


def learn(run, count, rounds_per_state=1):
    """As a recipe does; returns the indices of the rounds."""
    indices = []
    for index in run.rounds(count, STEPS_PER_ROUND, rounds_per_state):
        inputs = np.random.default_rng(index).normal(size=(2 * STEPS_PER_ROUND, 3))
        run.model.fit(inputs, inputs[:, :2], 2, shuffle=False, verbose=0)
        indices.append(index)
    return indices


def test_the_state_is_written_every_few_rounds_and_after_the_last(tmp_path):
    state = tmp_path / "runs" / "small.state"
    run, written = TrainingRun(state, untrained), []
    for index in run.rounds(5, STEPS_PER_ROUND, rounds_per_state=2):
        written.append((index, state.is_file() and int(TrainingRun(state, untrained).model.optimizer.iterations)))
        run.model.fit(np.zeros((4, 3)), np.zeros((4, 2)), 2, verbose=0)
    assert written == [(0, False), (1, False), (2, 4), (3, 4), (4, 8)]
    assert int(TrainingRun(state, untrained).model.optimizer.iterations) == 10
    assert learn(TrainingRun(state, untrained), 5) == []  # there is nothing left to do
    assert [path.name for path in state.parent.iterdir()] == ["small.state"]


def test_seconds_and_notes_are_in_the_state_with_the_model_that_they_belong_to(tmp_path, monkeypatch):
    state, clock = tmp_path / "small.state", iter([0, 10, 25, 1000, 1005])
    monkeypatch.setattr(training_run, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    run = TrainingRun(state, untrained)
    for index in run.rounds(2, STEPS_PER_ROUND):
        if index == 1:
            run.notes["score"] = 8
            assert run.seconds == 25
            break  # stopped: what has happened since the state is lost
        run.notes["score"] = 7
        run.model.fit(np.ones((4, 3)), np.ones((4, 2)), 2, verbose=0)
    again = TrainingRun(state, untrained)
    assert again.notes == {"score": 7}
    assert again.seconds == 10 + 5
    assert int(again.model.optimizer.iterations) == STEPS_PER_ROUND


def test_a_stop_while_the_state_is_written_leaves_the_one_before(tmp_path, monkeypatch):
    state = tmp_path / "small.state"
    run = TrainingRun(state, untrained)
    learn(run, 1)
    before = state.read_bytes()

    def half(tensors, path, metadata):
        path.write_bytes(before[: len(before) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(safetensors.numpy, "save_file", half)
        with pytest.raises(KeyboardInterrupt):
            learn(run, 2)
    assert state.read_bytes() == before
    assert learn(TrainingRun(state, untrained), 3) == [1, 2]


def test_weights_come_back_in_the_precision_that_was_asked_for(tmp_path):
    model, path = untrained(), tmp_path / "folder" / "small.safetensors"
    exact = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    for dtype in ("float32", "float16"):
        write_weights(model, path, dtype)
        for weight, value in zip(filled(untrained(), path).weights, exact, strict=True):
            np.testing.assert_array_equal(weight, value.astype(dtype))


def test_the_facts_name_the_versions_of_what_had_a_say():
    facts = run_facts(steps=4, seed=0, seconds=1.6, packages=("pillow",))
    assert (facts["training_steps"], facts["seed"], facts["seconds"]) == (4, 0, 2)
    assert list(facts["versions"]) == ["keras", "tensorflow", "numpy", "pillow"]
    assert facts["versions"]["keras"] == keras.__version__


def test_a_recipe_says_in_its_first_line_what_it_does(capsys):
    with pytest.raises(SystemExit):
        parser("Train a network.\n\nMore.").parse_args(["--help"])
    out = capsys.readouterr().out
    assert "Train a network." in out
    assert "More." not in out


def test_a_recipe_trains_writes_and_measures_or_measures_alone(tmp_path):
    def train(state):
        run = TrainingRun(state, untrained)
        learn(run, 1)
        return run.model, 2.0

    def measure(weights):
        return {"first": float(filled(untrained(), weights).weights[0][0, 0]), "seed": "as measured"}

    def facts(seconds):
        return {"seconds": seconds, "seed": 0}

    places = ["--output", str(tmp_path / "files"), "--state", str(tmp_path / "runs")]
    for more in ([], ["--measure"]):
        options = training_run.measuring(parser("Train.")).parse_args([*places, *more])
        training_run.main("small", options, train=train, facts=facts, measure=measure)
        record = json.loads((tmp_path / "files" / "small.json").read_text())
        assert record == {**measure(tmp_path / "files" / "small.safetensors"), "seconds": 2.0}
    assert not list((tmp_path / "runs").iterdir())
