"""What a run will do, and the command that prints it without doing it."""

import json
import re

import pytest
from click.testing import CliRunner

import zoo
from zoo.command_line.main import main
from zoo.training.plan import patience, phases


@pytest.fixture(scope="module")
def model():
    return zoo.load("blurnet-textures", num_classes=3)


def told(parts):
    return [(part.name, part.first, part.last, part.learning_rate, len(part.trained)) for part in parts]


def test_a_new_head_learns_first_and_alone_then_all_at_a_tenth(model):
    assert told(phases(model, freeze="none", epochs=8, learning_rate="auto")) == [
        ("head", 0, 2, 1e-3, 1),
        ("all", 2, 8, 1e-4, 9),
    ]


def test_a_frozen_backbone_leaves_the_head(model):
    (part,) = phases(model, freeze="backbone", epochs=8, learning_rate=0.5)
    assert (part.trained, part.trained_parameters, part.learning_rate) == (("fc",), 64 * 3 + 3, 0.5)


def test_a_head_of_several_layers_learns_as_one():
    model = zoo.load("fcn16s-small", num_classes=3)
    assert phases(model, freeze="backbone", epochs=8, learning_rate="auto")[0].trained == (
        "score_fr",
        "upscore2",
        "score_pool4",
    )


def test_the_first_layers_are_frozen_by_their_number(model):
    parts = phases(model, freeze=4, epochs=8, learning_rate="auto")
    assert parts[-1].trained == ("conv3", "bn3", "conv4", "bn4", "fc")


def test_without_a_new_head_all_layers_learn_at_once():
    model = zoo.load("espcn-x2")
    assert told(phases(model, freeze="none", epochs=8, learning_rate="auto")) == [("all", 0, 8, 1e-4, 3)]


def test_patience_is_a_third_of_the_epochs_and_three_at_least():
    assert [patience(epochs) for epochs in (1, 10, 30)] == [3, 4, 11]


def test_a_dry_run_tells_the_plan_and_writes_nothing(photographs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    arguments = ["finetune", "blurnet-textures", str(photographs), "--dry-run", "--batch-size", "4", "--epochs", "8"]
    answer = CliRunner().invoke(main, [*arguments, "--json"])
    plan = json.loads(answer.stdout)
    assert (plan["training_examples"], plan["validation_examples"], plan["steps_per_epoch"]) == (21, 5, 5)
    assert plan["classes"] == ["blue", "green", "red"]
    assert plan["memory_bytes"] > 4 * plan["parameters"]
    words = CliRunner().invoke(main, arguments).stdout
    assert "the head is fitted first" in words
    assert "epochs 1 to 8: 3 layers are trained" in words
    assert "stops after 3 epochs without improvement" in words
    assert "each epoch" not in words
    few = CliRunner().invoke(main, [*arguments[:4], "--batch-size", "4"]).stdout  # as a new user types it
    assert "each epoch sees all training examples 6 times" in few
    assert "2 epochs" not in few
    assert "without improvement" not in few
    assert re.search(r"learning rate at most \d(\.\d{1,2})?(e-\d+)?, 60 steps", few)
    assert sorted(tmp_path.rglob("*")) == before
