"""Exports that several test files look at, made once."""

import contextlib
import functools
import io
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import zoo
import zoo.export
from zoo import architectures


@contextlib.contextmanager
def short_of_space(length):
    """No file can have more bytes, as if the disk were full: the system refuses the write itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def scattered(model):
    """Give a model with random weights the statistics of a trained one, so that its outputs differ between images."""
    keras.utils.set_random_seed(0)
    for variable in model.variables:
        shape = variable.shape
        if variable.path.endswith(("gamma", "moving_variance")):
            variable.assign(keras.random.uniform(shape, 0.5, 1.5))
        elif variable.path.endswith(("beta", "moving_mean")):
            variable.assign(0.1 * keras.random.normal(shape))
    return model


def small(registered, input_shape=None, **changes):
    """An architecture of the registry with random weights, made small: what is exported is the same kind of graph."""
    entry = zoo.info(registered).model_copy(update={"random": "all", "source": None, **changes})
    return scattered(architectures.build(entry, input_shape=input_shape))


CAT = Path(zoo.__file__).parent / "demo" / "samples" / "cat.jpg"


def run_snippet(card_folder, folder):
    """What the snippet of an export's card prints, in the folder of the export, line by line; `photo.jpg` is a cat."""
    (snippet,) = re.findall(r"```python\n(.*?)```", (card_folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    printed, photo = io.StringIO(), folder / "photo.jpg"
    shutil.copy(CAT, photo)
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        exec(compile(snippet, "README.md", "exec"), {})  # noqa: S102 - our own text, as a reader would paste it
    photo.unlink()
    return printed.getvalue().splitlines()


@pytest.fixture(scope="session")
def classifier():
    """A ResNet of one block, with three named classes."""
    config = {"depths": [1], "stem_kind": "tiered", "stem_filters": 16}
    return small("resnet10t", config=config, num_classes=3, labels=("red", "green", "blue"))


@pytest.fixture(scope="session")
def saved_models(classifier, tmp_path_factory):
    """From a task to a SavedModel of it, made when it is first asked for."""
    folder = tmp_path_factory.mktemp("served")
    config = classifier.spec.config
    models = {
        "super-resolution": lambda: "espcn-x2",
        "image-classification": lambda: classifier,
        "image-features": lambda: small("resnet10t", config=config, num_classes=0, labels=None, task="image-features"),
        "semantic-segmentation": lambda: small(
            "deeplabv3_mobilenet_v2", (33, 33, 3), config={"filters": [16, 16], "strides": [2, 2]}
        ),
        "volume-features": lambda: small("medicalnet_resnet10", (16, 16, 16, 1), config={"depths": [1, 0, 0, 0]}),
    }
    return functools.cache(lambda task: zoo.export.saved_model(models[task](), folder / task, allow_random=True))


@pytest.fixture(scope="session")
def run_python():
    """Run a script in a process of its own; returns what its last line of output means as JSON."""

    def run(*command: str) -> object:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "0"}
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def found(saved_models, run_python):
    """From tasks to what a process that cannot import this library finds in their SavedModels."""

    @functools.cache
    def found_in(*tasks: str) -> object:
        exports = {task: str(saved_models(task)) for task in tasks}
        return run_python("-P", str(Path(__file__).with_name("stranger.py")), json.dumps(exports))

    return found_in
