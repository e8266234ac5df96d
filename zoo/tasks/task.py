"""What a task knows about its models."""

import abc
import os
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Entry
from zoo.errors import InputError

# An array without the batch axis, or one per named input of the model.
Prepared = np.ndarray | dict[str, np.ndarray]
# Likewise, of what comes out; the names of a feature pyramid are its strides.
Outputs = np.ndarray | dict[Any, np.ndarray]
# A name and what is in it: a type, `[type]` for a list, a dict for a struct.
Columns = dict[str, Any]


class Prediction(dict):
    """A record that `json.dumps` takes. Where the task makes an image, `image` contains it as a PIL image.

    `label_map` is the class of each pixel, or voxel, of a segmentation; `depth_map` the metres of each pixel. `outputs`
    are the arrays of a model whose outputs have names, without the batch axis.
    """

    image: Image.Image | None = None
    label_map: np.ndarray | None = None
    depth_map: np.ndarray | None = None
    outputs: dict[Any, np.ndarray] | None = None


class Task(abc.ABC):
    """One task. Stateless: what differs between its models stands in their entries.

    `pipeline_tag` is the Hub's name for it. `example` is a source and `show` what is done with its record, as a card
    writes them. An array with `several_rank` axes is several sources, and a source without a path is `kind` number so.
    `tile` is how many pixels of output a side of a tile has, where a large image may go by tiles, whose outputs are
    `pixels`. `columns` are what a record contains, for a table of many: int, float, `np.float32`, str, and bytes for an
    attribute of the record that becomes a PNG file; None where the sources are not files. `read_outputs` are the names
    of the outputs that `postprocess` reads, where they have names.
    """

    pipeline_tag: str
    example = "photo.jpg"
    show: str
    kind = "image"
    several_rank = 4
    tile: ClassVar[int | None] = None
    columns: ClassVar[Columns | None]
    read_outputs: ClassVar[tuple[str, ...]] = ()

    def reads(self, output: Any) -> bool:
        """Whether outputs are those that `postprocess` reads: one array, or the arrays that it knows by their names."""
        if not isinstance(output, dict):
            return not self.read_outputs
        return bool(self.read_outputs) and set(self.read_outputs) <= set(output)

    def columns_of(self, entry: Entry) -> Columns | None:
        """`columns` of one model, where they differ between models."""
        return self.columns

    def scores(self, output: np.ndarray) -> np.ndarray:
        """What people are shown of the outputs for one input: shares from 0 to 1 of logits, quantities as they are."""
        return output

    @abc.abstractmethod
    def inputs(self, entry: Entry, input_shape: tuple[int | None, ...] | None) -> tuple[Any, tuple[Any, ...]]:
        """The model's input layer or layers, and the normalised tensors that the builder begins with."""

    @abc.abstractmethod
    def prepare(self, source: Any, entry: Entry) -> Prepared:
        """From one source to what the model takes, without the batch axis.

        Raises:
            InputError: The source cannot be read, or is of another kind.
        """

    @abc.abstractmethod
    def postprocess(self, record: Prediction, entry: Entry, prepared: Prepared, output: Any, top: int) -> None:
        """Add one output to the record: what `json.dumps` takes as its items, images and arrays as attributes."""

    @abc.abstractmethod
    def lines(self, record: dict[str, Any]) -> list[str]:
        """What `postprocess` added, as lines for a terminal."""

    @abc.abstractmethod
    def takes(self, entry: Entry) -> str:
        """What goes into the model, for its card: shape, dtype, range."""

    @abc.abstractmethod
    def gives(self, entry: Entry) -> str:
        """What comes out of the model, for its card."""

    def pixels(self, output: np.ndarray) -> np.ndarray:
        """A part of an output as it is kept, where there may be tiles: uint8."""
        check_finite(output)
        return output if output.dtype == np.uint8 else np.clip(np.round(output), 0, 255).astype(np.uint8)

    def unchanged(self, prepared: Prepared) -> np.ndarray | None:
        """The pixels of a part of the input which the network would leave as it is; None where it would not."""
        return None

    def is_several(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape is as many sources as its first axis is long."""
        return len(shape) == self.several_rank

    def name(self, source: Any, position: int, prepared: Prepared) -> str:
        """What a record calls its source."""
        return os.fspath(source) if isinstance(source, str | os.PathLike) else f"{self.kind} {position}"

    def record(self, name: str, entry: Entry, prepared: Prepared, output: Outputs, top: int) -> Prediction:
        """What `zoo.predict` gives for one source called `name`.

        Named outputs that no task reads: the record has their shapes, and `outputs` the arrays.

        Raises:
            InputError: The output is not finite.
        """
        for array in output.values() if isinstance(output, dict) else [output]:
            check_finite(array)
        record = Prediction(input=name, model=entry.name, task=entry.task)
        if self.reads(output):
            self.postprocess(record, entry, prepared, output, top)
        else:
            record.outputs = output if isinstance(output, dict) else {"output": output}
            record["outputs"] = {str(key): list(array.shape) for key, array in record.outputs.items()}
        return record

    def described(self, record: dict[str, Any]) -> list[str]:
        """The record for a terminal."""
        if "outputs" in record:
            return [f"{name}: {' x '.join(map(str, shape))}" for name, shape in record["outputs"].items()]
        return self.lines(record)


def check_finite(output: np.ndarray) -> None:
    """Refuse an output that means nothing.

    Raises:
        InputError: It is not finite.
    """
    if not np.isfinite(output).all():
        raise InputError(
            "The network gave NaN or infinity. Expected finite numbers: another input, weights that did not diverge, "
            "or a dtype of a larger range, such as float32."
        )


def written(record: dict[str, Any]) -> str:
    """The end of a line: where the image went."""
    return f" -> {record['output']}" if "output" in record else ""
