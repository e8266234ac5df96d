"""What every task says about how its models are taught."""

import abc
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from zoo.datasets import hugging_face
from zoo.errors import InputError
from zoo.registry import Entry
from zoo.training.examples import Examples, hold_out

LARGEST_CROP = (256, 256)  # height and width in pixels; larger pictures are taught in crops of so much


class Lesson(abc.ABC):
    """One task, taught. Stateless, as the task itself.

    `bfloat16` says that the outputs are scores, so that computing in 16 bits does no harm; metres and pixels are not.
    `crops` says that examples are cropped to the shape that the model takes, so that larger ones will do. `data` is
    what the lesson is taught from, for a message.
    """

    bfloat16 = False
    crops = False
    data: str

    @abc.abstractmethod
    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        """Find what there is, and check all of it.

        Args:
            data: A folder, a pair of inputs and truths, or a split of Hugging Face's `datasets`.
            split: `"train"` or `"val"`: the folder within a folder that has them.
            entry: The model as it was handed over.
            labels: The classes of the training data, for data that are measured on; None for the training data.
            skip_unreadable: Whether files that cannot be read are left out, and named in a warning.

        Raises:
            InputError: A file cannot be read, or the data make no sense to learn from.
        """

    @abc.abstractmethod
    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        """What the model takes in training, without the batch axis."""

    @abc.abstractmethod
    def read(
        self, item: Any, entry: Entry, shape: tuple[int, ...], generator: np.random.Generator | None
    ) -> tuple[Any, Any]:
        """One example: input and target. With a generator another view of it at each call, else as it is measured."""

    @abc.abstractmethod
    def loss(self, entry: Entry, learnt: Examples | None) -> Any:
        """What `compile` takes; `learnt` is what it is taught from, None where that is a dataset of batches."""

    def metrics(self, entry: Entry) -> list[Any]:
        """What `compile` takes."""
        return []

    @abc.abstractmethod
    def report(self, model: Any, batches: Iterable[tuple[Any, ...]], folder: Path) -> dict[str, Any]:
        """Measure a taught model, write a picture of it to `folder`: numbers by name, and dicts of them by class."""

    def adapted(self, entry: Entry, examples: Examples) -> Entry:
        """What the model will say of itself: other classes, other names."""
        return entry

    def check_size(self, entry: Entry, shape: tuple[int, ...], measured: Examples) -> None:
        """See that what is measured on fits the shape that is learnt.

        Raises:
            InputError: It does not.
        """
        own = self.shape(entry, measured)
        is_larger = len(own) == len(shape) and all(have >= want for have, want in zip(own, shape, strict=True))
        if own != shape and not (self.crops and is_larger):
            raise InputError(
                f"The sizes do not match: inputs to measure on are {own or 'of several sizes'}, those to learn from "
                f"{shape}. Expected {'at least' if self.crops else 'exactly'} the latter."
            )

    def hold_out(self, examples: Examples, entry: Entry, seed: int) -> tuple[Examples, Examples]:
        """Part the examples where there are none to measure on."""
        return hold_out(examples, seed)


def is_folder(data: Any) -> bool:
    """Whether the data are a path."""
    return isinstance(data, str | os.PathLike)


def pairs(data: Any, what: str) -> list[tuple[Any, Any]]:
    """Inputs with their truths, from a tuple of the two or a split of `datasets`.

    Raises:
        InputError: It is no such tuple, or the two are not of one length.
    """
    if hugging_face.is_split(data):
        data = hugging_face.columns(data)
    if not isinstance(data, tuple) or len(data) != 2:
        raise InputError(
            f"The data are a {type(data).__name__}. Expected {what}, a split of Hugging Face's datasets, or a "
            "tf.data.Dataset of batches."
        )
    inputs, truths = data
    if len(inputs) != len(truths) or len(inputs) == 0:
        raise InputError(
            f"There are {len(inputs)} inputs and {len(truths)} truths. Expected as many, and at least one."
        )
    return list(zip(inputs, truths, strict=True))


def split_folder(data: str | os.PathLike, split: str) -> Path:
    """`data/split` where it is a folder, else `data` itself.

    Raises:
        InputError: There is no such folder.
    """
    root = Path(data)
    if not root.is_dir():
        raise InputError(f"There is no folder {root}. Expected the data to learn from.")
    return root / split if (root / split).is_dir() else root


def answers(model: Any, inputs: Any) -> np.ndarray:
    """What the model gives for a batch."""
    import keras

    return keras.ops.convert_to_numpy(model(inputs, training=False))
