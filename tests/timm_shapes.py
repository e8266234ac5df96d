"""Models and timm checkpoints without values, for tests that need names and shapes only."""

import json
import math

import keras

from zoo import architectures
from zoo.catalogue.registry import registry
from zoo.weights import filling
from zoo.weights.formats import read_timm


def abstract(name, *, input_shape=None, **update):
    """The model of an entry, or of one that differs from it in `update`, without values for its weights."""
    keras.utils.clear_session()
    with filling.abstract():
        return architectures.build(registry().find(name).model_copy(update=update), input_shape=input_shape)


def timm_shapes(model):
    """Name and shape, in PyTorch's order, of every tensor that the model reads from a timm checkpoint."""
    shapes = {}
    for layer in model.layers:
        for variable in layer.weights:
            slot = read_timm(layer, variable, set())
            axes = slot.axes or range(len(variable.shape))
            shape = dict(zip(axes, variable.shape, strict=True))
            shapes[slot.tensor] = [shape[axis] for axis in range(len(shape))]
    return shapes


def write_hollow_checkpoint(shapes, path):
    """Write a safetensors file of float32 zeros as one hole: it takes no time and no space, whatever its size."""
    header, end = {}, 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(file.tell() + end)
    return path
