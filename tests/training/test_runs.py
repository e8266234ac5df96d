"""The folder of a run: held by one process, unfinished or damaged and told so, and never half of something."""

import json
import logging
import resource
import struct
from pathlib import Path

import filelock
import keras
import numpy as np
import pytest
import safetensors.numpy
from click.testing import CliRunner

import zoo
from tests.marked_cases import slow_except
from tests.training.photographs import write_photographs
from zoo.catalogue.training_record import RunRecord, read_record
from zoo.command_line.main import main
from zoo.errors import AccessError, InputError, UnreadableError
from zoo.training.preparation import prepare
from zoo.training.recipe import completed
from zoo.training.running import train_model
from zoo.training.state import State

OPTIONS = {"epochs": 3, "freeze": "backbone", "batch_size": 4}
COMMAND = "zoo finetune blurnet-textures photographs --epochs 3"


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C in the third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return write_photographs(tmp_path_factory.mktemp("data") / "photographs", {"blue": 5, "green": 5}, side=8)


@pytest.fixture(scope="module")
def interrupted(photographs, tmp_path_factory):
    """A run after two of three epochs, and what was prepared for it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    (folder / "state").mkdir(parents=True)
    prepared = prepare(zoo.load("blurnet-textures"), photographs, completed(None, OPTIONS), command=COMMAND)
    with pytest.raises(KeyboardInterrupt):
        train_model(prepared, State(folder / "state", prepared.settings, COMMAND), folder / "logs", [Interrupt()])
    return folder, prepared


@pytest.fixture
def state(interrupted, tmp_path):
    """A copy of its state, to damage."""
    copy = tmp_path / "run" / "state"
    copy.mkdir(parents=True)
    for path in (interrupted[0] / "state").iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# What is asked of a folder with an unfinished run.
ASKED = {
    "load": lambda folder, data: zoo.load(folder),
    "info": lambda folder, data: zoo.info(folder),
    "predict": lambda folder, data: zoo.predict(folder, data / "blue" / "0.png"),
    "evaluate": lambda folder, data: zoo.evaluate(folder, data),
    "publish": lambda folder, data: zoo.publish(folder, "me/mine", license="apache-2.0", token="hf_x"),
    "finetune": lambda folder, data: zoo.finetune(
        "blurnet-textures", data, epochs=7, freeze="backbone", output_dir=folder
    ),
}


@pytest.mark.parametrize("verb", slow_except(set(ASKED) - {"load"}, ASKED))
def test_an_unfinished_run_names_the_command_that_finishes_it(verb, interrupted, photographs):
    with pytest.raises(InputError, match=f"unfinished.* run the same command again: {COMMAND}"):
        ASKED[verb](interrupted[0], photographs)


def metadata(**changes):
    def damage(content: bytes) -> bytes:
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        facts = json.loads(header["__metadata__"]["state"])
        header["__metadata__"]["state"] = json.dumps({**facts, **changes})
        written = json.dumps(header).encode()
        return struct.pack("<Q", len(written)) + written + content[8 + length :]

    return damage


def tensors(change):
    def damage(content: bytes) -> bytes:
        arrays = safetensors.numpy.load(content)
        (length,) = struct.unpack("<Q", content[:8])
        return safetensors.numpy.save(change(arrays), json.loads(content[8 : 8 + length]).get("__metadata__"))

    return damage


DAMAGES = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "header cut": lambda content: content[:100],
    "header of 10^18 bytes": lambda content: struct.pack("<Q", 10**18) + content[8:],
    "text": lambda content: b"no tensors",
    "zeros": lambda content: bytes(len(content)),
    "a tensor missing": tensors(lambda arrays: {name: arrays[name] for name in arrays if name != "model/0"}),
    "a tensor too many": tensors(lambda arrays: {**arrays, "model/999": np.zeros(1, "float32")}),
    "another shape": tensors(lambda arrays: {**arrays, "model/0": np.zeros((2, 2), "float32")}),
}
DAMAGES_OF_FACTS = {
    "no metadata": lambda content: struct.pack("<Q", 2) + b"{}",
    "no epoch": metadata(epoch=None),
    "an epoch of text": metadata(epoch="two"),
    "no whole epoch": metadata(epoch=1.5),
    "an epoch more than the history": metadata(epoch=3),
    "a negative epoch": metadata(epoch=-1),
    "a best epoch that was not": metadata(best_epoch=2),
    "a history of text": metadata(history="none"),
    "a history of other lengths": metadata(history={"loss": [1.0]}),
    "a best that is not a number": metadata(best="low"),
    "settings that are a list": metadata(settings=[]),
    "a patience that is a list": metadata(waited=[1]),
    "stopped by a word": metadata(stopped="no"),
}


@pytest.mark.parametrize(
    ("name", "damage"),
    [(name, damage) for name in ("last.safetensors", "best.safetensors") for damage in DAMAGES]
    + [("last.safetensors", damage) for damage in DAMAGES_OF_FACTS],
)
def test_a_damaged_state_is_reported_before_anything_is_trained(name, damage, state, interrupted):
    content = (state / name).read_bytes()
    (state / name).write_bytes({**DAMAGES, **DAMAGES_OF_FACTS}[damage](content))
    with pytest.raises(UnreadableError, match=rf"{name} cannot be read .*resume=False"):
        State(state, interrupted[1].settings).restore(interrupted[1].model)


@pytest.mark.parametrize("name", ["last.safetensors", "best.safetensors"])
def test_a_lost_state_is_reported(name, state, interrupted):
    best = state / "best.safetensors"
    best.write_bytes(safetensors.numpy.save(safetensors.numpy.load(best.read_bytes()), {"epoch": "2"}))
    (state / name).unlink()
    with pytest.raises(UnreadableError, match=rf"{name} cannot be read"):
        State(state, interrupted[1].settings)


def test_a_run_that_was_killed_while_its_first_epoch_was_kept_says_that_it_starts_again(state, interrupted, caplog):
    best = state / "best.safetensors"
    best.write_bytes(safetensors.numpy.save(safetensors.numpy.load(best.read_bytes()), {"epoch": "1"}))
    (state / "last.safetensors").unlink()
    with caplog.at_level(logging.WARNING, "zoo"):
        assert State(state, interrupted[1].settings).epoch == 0
    assert "it starts again" in caplog.text


def test_settings_whose_plan_is_not_a_plan_are_those_of_another_run(state, interrupted):
    path = state / "last.safetensors"
    path.write_bytes(metadata(settings={"plan": 3})(path.read_bytes()))
    with pytest.raises(InputError, match="contains another run"):
        State(state, interrupted[1].settings)


def test_a_damaged_optimizer_is_reported_too(state, interrupted):
    path = state / "last.safetensors"
    path.write_bytes(tensors(lambda arrays: {n: a for n, a in arrays.items() if n != "optimizer/0"})(path.read_bytes()))
    with pytest.raises(UnreadableError, match="tensors of the optimizer"):
        State(state, interrupted[1].settings).restore_optimizer(interrupted[1].model.optimizer)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"metrics": [], "by_class": {}, "settings": {}}',
        '{"history": {"loss": "low"}, "by_class": {}, "settings": {}}',
        '{"by_class": {"iou": 3}, "settings": {}}',
        '{"metrics": {"top1_percent": {}}, "by_class": {}, "settings": {}}',
        '{"metrics": {}}',
        b"\xff\xfe\x00",
        bytes(70 << 20),
    ],
    ids=lambda content: f"{len(content)} {content[:12]!r}",
)
def test_a_damaged_record_is_reported(content, tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UnreadableError, match=r"run.json.*resume=False"):
        read_record(path, RunRecord)


def test_one_process_trains_in_a_folder(photographs, tmp_path):
    (tmp_path / "run" / "state").mkdir(parents=True)
    alone = r"Another process trains in .*run\. Expected to be the only one"
    with (
        filelock.FileLock(tmp_path / "run" / "state" / "lock"),
        pytest.raises(InputError, match=alone),
    ):
        zoo.finetune("blurnet-textures", photographs, output_dir=tmp_path / "run", **OPTIONS)
    assert (tmp_path / "run" / "state" / "lock").exists()  # it is still the other's


def test_a_full_disk_leaves_nothing_of_a_run_that_kept_nothing(photographs, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(AccessError, match=r"cannot be written .*with space for it"):
            zoo.finetune("blurnet-textures", photographs, output_dir=tmp_path / "a" / "run", **OPTIONS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(tmp_path) == []


def test_files_that_no_run_wrote_are_not_written_over(photographs, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(InputError, match=r"contains README\.md, which zoo.finetune did not write"):
        zoo.finetune("blurnet-textures", photographs, output_dir=tmp_path, **OPTIONS)
    assert files(tmp_path) == ["README.md"]


def test_a_run_does_not_become_a_part_of_its_data(photographs):
    for output in (photographs, photographs / "run"):
        with pytest.raises(InputError, match="lies within the data"):
            zoo.finetune("blurnet-textures", photographs, output_dir=output, **OPTIONS)


@pytest.mark.slow  # processes; the function resumes in the tests around it
def test_the_command_resumes_says_so_and_writes_the_card_of_what_was_done(
    interrupted, photographs, state, monkeypatch, caplog
):
    monkeypatch.chdir(photographs.parent)
    folder = state.parent
    arguments = ["finetune", "blurnet-textures", "photographs", "--epochs", "3", "--freeze", "backbone"]
    arguments += ["--batch-size", "4", "-o", str(folder)]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with caplog.at_level(logging.WARNING, "zoo"):
            answer = CliRunner().invoke(main, arguments)
            run = zoo.finetune("blurnet-textures", "photographs", output_dir=folder, **OPTIONS)
    finally:
        keras.config.set_dtype_policy(before)
    assert answer.exit_code == 0, answer.output
    assert "resumed after epoch 2 of 3" in caplog.text
    assert "contains this run, finished: nothing is trained again" in caplog.text
    assert {layer.dtype_policy.name for layer in run.model.layers} == {"float32"}
    card = (folder / "README.md").read_text()
    command = (
        "zoo finetune blurnet-textures photographs --output-dir .../run --epochs 3 --freeze backbone --batch-size 4"
    )
    assert f"```\n{command}\n```" in card
    assert f"| top-1, % | {run.metrics['top1_percent']:g} |" in card
    assert "Trained on photographs: 8 training examples, 2 validation examples, 3 epochs." in card
    assert "None are known" not in card
    assert str(zoo.export.model_card(folder)).rstrip() == card.rstrip()
