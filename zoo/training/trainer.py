"""The base class of task trainers: how the models of a task are trained."""

import abc
import os
from collections.abc import Iterable, Sized
from pathlib import Path
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.datasets import folders, hugging_face
from zoo.errors import InputError
from zoo.labels import output_names
from zoo.measures.measure import Measure
from zoo.model import ZooModel
from zoo.training.examples import Examples, hold_out
from zoo.training.linear_head import Kind
from zoo.training.plan import LARGEST_BATCH

LARGEST_CROP = (256, 256)  # height and width in pixels; larger images are trained on in crops of this size


class TaskTrainer(abc.ABC):
    """How the models of one task are trained. Stateless, as the task itself.

    `bfloat16`: the outputs are scores, so computing in 16 bits does no harm; metres and pixels are not.
    `crops`: examples are cropped to the shape that the model takes, so that larger ones will do. `data` is
    the data that the trainer takes, for a message. `mirrors`: an image and its mirror image have one target.
    `linear_head`: the kind of a new head, so that it can be fitted to features; None where it is trained by steps.
    `strong`: whether there are strong views of an image and its target, see `read_strong`. `images_alone`: a view of an
    image changes nothing of its target, so layers of Keras may make it; `classes`: targets are one class each.
    `batches`: a `tf.data.Dataset` of batches is trained on too. `monitor`: the metric that decides which epoch is kept,
    the higher the better; the loss decides between equals. `keeps_normalization`: batch normalisation of trained layers
    stays as it is, unless `freeze` is "none". `largest_batch` examples are in an automatic batch at most, and
    `least_steps` is how many of them an automatic number of epochs takes at least.
    """

    bfloat16 = False
    crops = False
    mirrors = False
    strong = False
    images_alone = False
    classes = False
    linear_head: Kind | None = None
    monitor: str | None = None
    batches = True
    keeps_normalization = False
    largest_batch = LARGEST_BATCH
    least_steps = 0
    data: str

    def check_model(self, entry: Entry) -> None:  # noqa: B027
        """Check that the model can be trained, before its data are read.

        Raises:
            InputError: It is evaluated only.
            MissingExtraError: Something has to be installed first.
        """

    @abc.abstractmethod
    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        """Find what there is, and check all of it.

        Args:
            data: A folder, a pair of inputs and targets, or a split of Hugging Face's `datasets`.
            split: Which part of a folder that has parts, such as `"train"` or `"val"`.
            entry: The model as it was passed.
            labels: The classes that the model knows, for validation data; None for training data.
            skip_unreadable: Skip unreadable files and name them in a warning.

        Raises:
            InputError: A file cannot be read, or the data cannot be trained on.
        """

    @abc.abstractmethod
    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        """What the model takes in training, without the batch axis."""

    @abc.abstractmethod
    def read(
        self, item: Any, entry: Entry, shape: tuple[int, ...] | None, generator: np.random.Generator | None
    ) -> tuple[Any, Any]:
        """One example: input and target.

        Args:
            item: One of `Examples.items`.
            entry: The model that takes it.
            shape: The input that the model takes in training; None for the whole example, in its own size.
            generator: Draws another view of it at each call; None for validation.
        """

    def read_strong(self, item: Any, entry: Entry, shape: tuple[int, ...], generator: np.random.Generator) -> Any:
        """One example, as `read` gives it, in a view that differs more from the image: of `augment="strong"`."""
        return self.read(item, entry, shape, generator)

    def trained(self, model: ZooModel) -> ZooModel:
        """The model with the outputs that the loss is of: its own layers, and another way out where that is needed."""
        return model

    def callbacks(self, complete: ZooModel, batches: Any, *, averages: bool) -> list[Any]:
        """Callbacks of Keras that add metrics to an epoch before it is compared with others.

        Args:
            complete: The model with its own outputs, which shares its layers with the one that `fit` trains.
            batches: The validation data.
            averages: The optimizer averages the weights, and the averages are what is measured.
        """
        return []

    @abc.abstractmethod
    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        """What `compile` takes; `examples` are those to train on, None where they are a dataset of batches."""

    def named_loss(self, name: str, entry: Entry, examples: Examples | None) -> Any:
        """The loss of this name, as `loss` gives the task's own.

        Raises:
            InputError: The task has no other, or none of this name.
        """
        raise InputError(f"loss={name!r:.100} does not apply to {entry.task}. Expected None, for the task's own.")

    def metrics(self, entry: Entry) -> list[Any]:
        """What `compile` takes."""
        return []

    @abc.abstractmethod
    def measure(self, entry: Entry, examples: Examples | None) -> Measure:
        """The measure of the task; `examples` are those to evaluate on, None where they are batches."""

    def draw(self, entry: Entry, measure: Any, example: tuple[Any, Any, Any], folder: Path) -> None:  # noqa: B027
        """Write images of the evaluation to `folder`; `example` is an input, its target and the output."""

    def report(self, model: Any, batches: Iterable[tuple[Any, ...]], folder: Path) -> tuple[dict[str, Any], str]:
        """Evaluate a trained model and write images of it.

        Returns:
            Metrics by name, and dicts of them per class; and, where they are no better than guessing, why.
        """
        measure, example = self.measure(model.spec, None), None
        for inputs, targets, *_ in batches:
            outputs = model_outputs(model, inputs)
            measure.add(outputs, targets, inputs)
            example = example or first_of((inputs, targets, outputs))
        metrics = measure.results()
        if example is not None:
            self.draw(model.spec, measure, example, folder)
        return metrics, measure.poor() if measure.count else ""

    def has_split(self, data: Any, split: str) -> bool:
        """Whether the data are a folder that contains this split."""
        return is_folder(data) and folders.split_folder(data, split).is_dir()

    def adapted(self, entry: Entry, examples: Examples) -> Entry:
        """The entry of the trained model: other classes, other names."""
        return entry

    def resized(self, entry: Entry, shape: tuple[int, ...], size: tuple[int, int]) -> tuple[Entry, tuple[int, ...]]:
        """The entry of the trained model, and the shape it is trained on, for inputs of this height and width.

        Raises:
            InputError: The task takes inputs as they are, or not of this size.
        """
        raise InputError(f"image_size={size} does not apply to {entry.task}. Expected None, for the data's own.")

    def check_size(self, entry: Entry, shape: tuple[int, ...], measured: Examples) -> None:
        """Check that the validation data fit the shape that is trained.

        Raises:
            InputError: It does not.
        """
        own = self.shape(entry, measured)
        is_larger = len(own) == len(shape) and all(have >= want for have, want in zip(own, shape, strict=True))
        if own != shape and not (self.crops and is_larger):
            raise InputError(
                f"The sizes do not match: validation inputs are {own or 'of several sizes'}, training inputs "
                f"{shape}. Expected {'at least' if self.crops else 'exactly'} the latter."
            )

    def hold_out(self, examples: Examples, entry: Entry, seed: int) -> tuple[Examples, Examples]:
        """Split the examples where no validation data are passed."""
        return hold_out(examples, seed)


def known_labels(entry: Entry) -> tuple[str, ...]:
    """What a model calls its classes or quantities; their numbers where it has no names for them."""
    return output_names(entry.labels, entry.num_classes)


def path_pairs(examples: list[tuple[Any, Any]], kind: type) -> list[Any]:
    """Examples whose input and target are both paths as the pair of files that a folder gives, of this `kind`."""
    return [kind(*map(Path, one)) if all(map(is_folder, one)) else one for one in examples]


def is_dataset(data: Any) -> bool:
    """Whether the data are a `tf.data.Dataset` of batches."""
    return hasattr(data, "element_spec")


def is_folder(data: Any) -> bool:
    """Whether the data are a path."""
    return isinstance(data, str | os.PathLike)


def pairs(data: Any, what: str) -> list[tuple[Any, Any]]:
    """Inputs with their targets, from a tuple of the two or a split of `datasets`.

    Raises:
        InputError: It is not such a tuple, or the two are not of one length.
    """
    if hugging_face.is_split(data):
        data = hugging_face.columns(data)
    if not isinstance(data, tuple) or len(data) != 2:
        raise InputError(
            f"The data are a {type(data).__name__}. Expected {what}, a split of Hugging Face's datasets, or a "
            "tf.data.Dataset of batches."
        )
    inputs, targets = data
    if not all(isinstance(part, Sized) for part in data):
        kinds = " and a ".join(type(part).__name__ for part in data)
        raise InputError(f"The data are a {kinds}. Expected inputs and targets that have a length: arrays or lists.")
    if len(inputs) != len(targets) or len(inputs) == 0:
        raise InputError(
            f"There are {len(inputs)} inputs and {len(targets)} targets. Expected as many, and at least one."
        )
    return list(zip(inputs, targets, strict=True))


def model_outputs(model: Any, inputs: Any) -> Any:
    """What the model gives for a batch: arrays."""
    import keras

    return keras.tree.map_structure(keras.ops.convert_to_numpy, model(inputs, training=False))


def first_of(batch: Any) -> Any:
    """The first example of a tree of arrays or tensors with a batch axis."""
    import keras

    return keras.tree.map_structure(lambda array: np.asarray(array[0]), batch)
