"""What every export begins with: a model that may be exported, and images to compare it on."""

import os
from typing import Any

import keras
import numpy as np
from PIL import Image

from zoo.errors import ExportError
from zoo.export.variants import in_float32
from zoo.loading import ready
from zoo.model import ZooModel
from zoo.weights.untrained import mark_trained

ANY_SIDE = 64  # where neither the model nor its checkpoint knows a size
_ANY_LENGTH = 32  # likewise, of volumes and series
_LARGEST_SIDE = 224  # the comparison takes seconds, not minutes
_LEAST_SIDES = {"ssd.ssd": 300}  # of builders: their smallest map has no place in a smaller image


def exportable(model: ZooModel | str, *, allow_random: bool) -> ZooModel:
    """Load the model if necessary, refuse one that nobody has trained, and give it in float32.

    Raises:
        InputError: Neither a model of the zoo nor a handle.
        ExportError: Random weights, or a backend other than TensorFlow.
        As `zoo.load`, for a handle.
    """
    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            f"Keras runs on {keras.backend.backend()}. Exports are TensorFlow graphs; set KERAS_BACKEND=tensorflow."
        )
    return in_float32(trained(model, allow_random=allow_random))


def trained(model: ZooModel | str | os.PathLike[str], *, allow_random: bool) -> ZooModel:
    """Load the model if necessary, and refuse one that nobody has trained.

    Raises:
        InputError: Neither a model of the zoo nor a handle.
        ExportError: Random weights.
        As `zoo.load`, for a handle.
    """
    model = ready(model)
    mark_trained(model)
    if model.spec.random != "none" and not allow_random:
        what = "a head with random weights" if model.spec.random == "head" else "random weights"
        raise ExportError(
            f"{model.spec.name} has {what}: its outputs mean nothing. Train it first, or pass allow_random=True "
            "to try out the export."
        )
    return model


def takes_images(model: ZooModel) -> bool:
    """Whether the input is pixels, `(batch, height, width, channels)`, 0 to 255."""
    return not takes_mask(model) and len(model.input_shape) == 4


def takes_mask(model: ZooModel) -> bool:
    """Whether the input is a dict of `image` and `mask`."""
    return isinstance(model.input, dict)


def samples(model: ZooModel, count: int = 2) -> Any:
    """Seeded images, as smooth and as rough as photographs: uint8 `(count, height, width, channels)`.

    Coordinates are whole numbers of pixels, volumes and series normalised noise, float32. With a mask: a dict of
    float32 arrays, half of the pixels known.
    """
    generator = np.random.default_rng(0)
    if takes_mask(model):
        images = _images(model, model.input["image"].shape, count, generator)
        mask = generator.integers(0, 2, (*images.shape[:-1], 1)).astype("float32")
        return {"image": images * mask, "mask": mask}
    *sides, channels = model.input_shape[1:]
    if channels == 2 and not sides:
        return generator.integers(0, min(model.output_shape[1:3]), (count, channels)).astype("float32")
    if not takes_images(model):
        shortest = model.spec.config.get("season", 0) + 1  # of a forecaster
        sides = [length or max(_ANY_LENGTH, shortest) for length in sides]
        noise = generator.standard_normal((count, *sides, channels)).astype("float32")
        return abs(noise) if model.spec.task == "volume-segmentation" else noise  # which takes counts
    return _images(model, model.input_shape, count, generator)


def tensors(inputs: Any, dtype: Any = "float32") -> Any:
    """The samples as tensors of one dtype, for a call."""
    return keras.tree.map_structure(lambda array: keras.ops.cast(array, dtype), inputs)


def _images(model: ZooModel, shape: tuple, count: int, generator: np.random.Generator) -> np.ndarray:
    *sides, channels = shape[1:]
    side = min(model.spec.input.size or ANY_SIDE, _LARGEST_SIDE)
    side = max(side, _LEAST_SIDES.get(model.spec.builder, 0))
    # A decoder pads images: whether each runtime does so is seen where they have no sides that it need not pad.
    height, width = (length or side - 5 * bool(model.spec.decoder) for length in sides)
    planes = [_image(generator, height, width) for _ in range(count * channels)]
    return np.moveaxis(np.reshape(planes, (count, channels, height, width)), 1, -1)


def reference_outputs(model: ZooModel, inputs: Any) -> dict[str, np.ndarray]:
    """The outputs of the Keras model, by name; a single one is called `output`."""
    outputs = named(model(inputs, training=False))
    return {name: keras.ops.convert_to_numpy(output) for name, output in outputs.items()}


def named(outputs: Any) -> dict[str, Any]:
    """Outputs by names that every format can write: a single output is `output`, a stride `stride_4`, what lies deeper
    has the names on the way to it, `head_boxes`."""
    if not isinstance(outputs, dict | list | tuple):
        return {"output": outputs}
    whole = "stride" if isinstance(outputs, dict) else "output"
    paths = {path: output for path, output in keras.tree.flatten_with_path(outputs)}
    return {"_".join(map(str, ([whole] if isinstance(path[0], int) else []) + [*path])): paths[path] for path in paths}


def named_inputs(model: ZooModel, inputs: Any) -> dict[str, Any]:
    """Inputs by the names that a signature takes them by."""
    return inputs if takes_mask(model) else {model.inputs[0].name: inputs}


def _image(generator: np.random.Generator, height: int, width: int) -> np.ndarray:
    coarse = generator.integers(0, 256, (max(2, height // 16), max(2, width // 16)), dtype="uint8")
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), "float64")
    return np.clip(smooth + generator.normal(0, 8, (height, width)), 0, 255).astype("uint8")
