"""The same run in two processes on loopback, each a host."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

import zoo
from zoo.errors import InputError
from zoo.training import hosts

OPTIONS = {"epochs": 3, "batch_size": 8, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Where a square lies in a canvas: images `(40, 64, 64, 1)` and its centre (x, y)."""
    corners = np.random.default_rng(0).integers(0, 56, (40, 2))
    images = np.zeros((40, 64, 64, 1), "float32")
    for image, (x, y) in zip(images, corners, strict=True):
        image[y : y + 9, x : x + 9] = 255
    path = tmp_path_factory.mktemp("squares") / "squares.npz"
    np.savez(path, inputs=images, targets=corners + 4.0)
    return path


def start(data, output, *others):
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    return subprocess.Popen(
        [sys.executable, "-m", "zoo", "finetune", "conv-regressor", data, "-o", output, "--json", *arguments, *others],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
    )


@pytest.mark.slow  # three runs, two of them in processes of their own; test_several_devices.py is the quick one
def test_two_processes_get_the_losses_of_one(squares, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        addresses = f"127.0.0.1:{free.getsockname()[1]},127.0.0.1"
    processes = [start(squares, tmp_path / "two", "--hosts", addresses, "--host-index", str(index)) for index in (0, 1)]
    answers = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    first, second = (json.loads(output) for output, _ in answers)
    assert first == second
    one = zoo.finetune("conv-regressor", squares, output_dir=tmp_path / "one", **OPTIONS)
    np.testing.assert_allclose(first["history"]["loss"], one.history["loss"], rtol=1e-4)
    assert one.history["loss"][-1] < one.history["loss"][0]
    # Looser: biases before a batch normalisation have no gradient but noise, which Adam makes as large as any other.
    np.testing.assert_allclose(first["history"]["val_loss"], one.history["val_loss"], rtol=0.02)
    assert zoo.load(str(tmp_path / "two")).spec.base.name == "conv-regressor.quadrant"


def test_several_hosts_need_jax():
    with pytest.raises(InputError, match=r"The backend is tensorflow\. Several hosts need JAX"):
        hosts.join("127.0.0.1:1,127.0.0.1", 0)


def test_a_host_that_is_none_of_them_is_refused(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    for addresses, index in (("127.0.0.1:1,127.0.0.1", 2), ("127.0.0.1,127.0.0.1:1", 0)):
        with pytest.raises(InputError, match=r"Expected HOST:PORT,HOST,\.\.\., and an index from 0 to 1"):
            hosts.join(addresses, index)


def test_alone_a_process_has_nobody_to_wait_for():
    assert (hosts.share(), hosts.is_primary(), hosts.devices()) == ((0, 1), True, 1)
    hosts.check_agreement({"anything": 1}, "data")
    hosts.barrier("the end")
