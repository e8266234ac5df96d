"""What every task answers about its models."""

import abc
import os
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.errors import InputError
from zoo.registry import Entry

if TYPE_CHECKING:
    from zoo.evaluation import Track
    from zoo.model import ZooModel
    from zoo.prediction import Prediction

# An array without the batch axis, or one for each of the model's named inputs.
Prepared = np.ndarray | dict[str, np.ndarray]
# A name and what is in it: a type, `[type]` for a list, a dict for a struct.
Columns = dict[str, Any]


class Task(abc.ABC):
    """One task. Stateless: what differs between its models stands in their entries.

    `pipeline_tag` is the Hub's name for it. `example` is a source and `show` what is done with its record, as a card
    writes them. An array with `several_rank` axes is several sources, and a source without a path is `kind` number so.
    `columns` are what a record holds, for a table of many: int, float, `np.float32`, str, and bytes for an attribute of
    the record that becomes a PNG file; None where the sources are no files.
    """

    pipeline_tag: str
    example = "photo.jpg"
    show: str
    kind = "image"
    several_rank = 4
    columns: ClassVar[Columns | None]

    @abc.abstractmethod
    def inputs(self, entry: Entry, input_shape: tuple[int | None, ...] | None) -> tuple[Any, tuple[Any, ...]]:
        """The model's input layer or layers, and the normalised tensors that the builder begins with."""

    @abc.abstractmethod
    def prepare(self, source: Any, model: "ZooModel") -> Prepared:
        """From one source to what the model takes, without the batch axis.

        Raises:
            InputError: The source cannot be read, or is of another kind.
        """

    @abc.abstractmethod
    def answer(self, record: "Prediction", model: "ZooModel", prepared: Prepared, output: np.ndarray, top: int) -> None:
        """Tell one output: add to the record what `json.dumps` takes, and pictures and arrays as attributes."""

    @abc.abstractmethod
    def lines(self, record: dict[str, Any]) -> list[str]:
        """The record for a terminal."""

    @abc.abstractmethod
    def takes(self, entry: Entry) -> str:
        """What goes into the model, for its card: shape, dtype, range."""

    @abc.abstractmethod
    def gives(self, entry: Entry) -> str:
        """What comes out of the model, for its card."""

    @abc.abstractmethod
    def input_facts(self, entry: Entry) -> str:
        """What `zoo info` says of the input, in a line."""

    def name(self, source: Any, position: int, prepared: Prepared) -> str:
        """What a record calls its source."""
        return os.fspath(source) if isinstance(source, str | os.PathLike) else f"{self.kind} {position}"

    def evaluate(self, model: "ZooModel", folder: str | os.PathLike[str], split: str, track: "Track") -> dict[str, Any]:
        """Measure the model on a folder of data with its truth: `count`, and the measures of the task.

        Raises:
            InputError: The folder is not laid out as the task wants it.
        """
        raise InputError(
            f"{model.spec.name} ({model.spec.task}) cannot be measured on a folder. "
            "Expected a model of the task image-classification, semantic-segmentation or depth-completion."
        )


def written(record: dict[str, Any]) -> str:
    """The end of a line: where the picture went."""
    return f" -> {record['output']}" if "output" in record else ""
