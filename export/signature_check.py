"""Checks that each signature of a SavedModel gives what `zoo.predict` returns.

What is expected comes from the code that `zoo.predict` runs, its task and the Keras model, never from the functions
that the signatures were traced from: those would agree with themselves whatever they did.
"""

import io
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from zoo.catalogue.entry import Entry
from zoo.catalogue.task_names import TaskName
from zoo.errors import ExportError
from zoo.export import graph_images
from zoo.export.answers import TOP
from zoo.export.explanations import expected_answer
from zoo.export.exportable import named, named_inputs, tensors
from zoo.export.features import gives_features, named_features, rest_after
from zoo.imaging.label_maps import of_two_classes
from zoo.imaging.preprocessing import Resized
from zoo.imaging.tiles import each
from zoo.labels import read_labels
from zoo.model import ZooModel
from zoo.tasks import find_task
from zoo.tasks.task import Prediction

Arrays = dict[str, np.ndarray]
_ROUNDED_TO = {"x": 1e-3, "y": 1e-3, "boxes": 1e-3}  # by records; everything else to a millionth
_FURTHEST = 2  # of 255, between TensorFlow's decoding and resizing and Pillow's
_CLOSE = 2e-6  # probabilities
_ROUNDED = 2**-7  # of the largest output, in bfloat16: a step, as TensorFlow may fuse operations of one graph or not
_ROUNDED_HEAD = 0.05  # of the largest output: what a head makes of features in bfloat16


def check_signatures(
    found: dict[str, Any],
    model: ZooModel,
    inputs: Any,
    network: Callable[[Any], Any],
    *,
    exact: bool,
    tolerance: float,
) -> dict[str, dict[str, float]]:
    """Call each signature and compare.

    Args:
        found: The signatures of an export, loaded back.
        model: The Keras model.
        inputs: Its inputs, as the model takes them.
        network: Gives the network's outputs that the signature's follow from: the Keras model, or, where numbers are
            rounded on purpose, the export's own call.
        exact: False where numbers are rounded on purpose.
        tolerance: How far an output may be from the expected one, as a fraction of the largest, where it is exact.

    Returns:
        By signature, `largest_difference`, `largest_reference` and `relative_difference`.

    Raises:
        ExportError: A signature gives something else.
    """
    outputs, close = network(tensors(inputs)), _CLOSE
    if not exact:
        tolerance = close = _ROUNDED
    results = {}
    for name, signature in found.items():
        if name == "features":
            results[name] = _check_features(signature, model, inputs, outputs, tolerance if exact else _ROUNDED_HEAD)
            continue
        if name == "explain":
            served = _arrays(signature(**named_inputs(model, tensors(inputs))))
            most = tolerance if exact else _ROUNDED_HEAD
            results[name] = _compare(
                f"{model.spec.name}, signature explain", served, expected_answer(model, inputs), 1.0, most
            )
            continue
        asked, said = inputs, outputs
        prepared: Iterable[Any] = each(inputs)
        if name == "encoded":
            files = [_file(image, position) for position, image in enumerate(inputs)]
            asked, prepared = _decoded(model, files)
            said = network(tensors(asked))
            served = signature(image_bytes=tf.constant(files))
        else:
            dtype = "uint8" if name == "serving_uint8" else "float32"
            served = signature(**named_inputs(model, tensors(inputs, dtype)))
        arrays = _arrays(served)
        expected = predicted(model.spec, prepared, keras.tree.map_structure(_array, said), arrays, close)
        results[name] = _compare(f"{model.spec.name}, signature {name}", arrays, expected, _largest(said), tolerance)
    return results


def predicted(entry: Entry, inputs: Iterable[Any], outputs: Any, served: Arrays, close: float = _CLOSE) -> Arrays:
    """What `zoo.predict` returns for each prepared input, in the shapes of a signature's tensors.

    `served` decides only between pixels or classes that are equally good, but for `close` of a probability.
    """
    task, rows = find_task(entry.task), []
    for position, (prepared, output) in enumerate(zip(inputs, each(outputs), strict=True)):
        row = {name: value[position] for name, value in served.items() if np.ndim(value) and len(value) > position}
        if not task.reads(output):
            rows.append(named(task.record("", entry, prepared, output, 1).outputs))
        else:
            top = 1 if isinstance(output, dict) else output.shape[-1]
            record = task.record("", entry, prepared, output, top=top)
            rows.append(PREDICTED[entry.task](entry, record, output, row, close))
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _classes(entry: Entry, record: Prediction, logits: np.ndarray, served: Arrays, close: float) -> Arrays:
    best = record["predictions"]  # all of them
    probabilities = np.zeros(len(best), "float32")
    probabilities[[item["index"] for item in best]] = [item["score"] for item in best]
    first = np.array([item["index"] for item in best[:TOP]])
    indices = _or_equal(first, served.get("indices", first), probabilities, close)
    answer = {"scores": probabilities[indices], "indices": indices, "probabilities": probabilities}
    names = {item["index"]: item["label"] for item in best}
    return answer if names[0] is None else answer | {"classes": _texts([names[index] for index in indices])}


def _values(entry: Entry, record: Prediction, output: np.ndarray, *_: Any) -> Arrays:
    answer = {"values": np.array([*record["values"].values()], "float32")}
    return answer if entry.labels is None else answer | {"names": _texts([*record["values"]])}


def _label_map(entry: Entry, record: Prediction, logits: np.ndarray, *_: Any) -> Arrays:
    answer = {"label_map": np.asarray(record.label_map), "probabilities": _softmax(np.asarray(of_two_classes(logits)))}
    labels = read_labels(entry.labels)
    return answer if labels is None else answer | {"labels": _texts(labels)}


def _image(entry: Entry, record: Prediction, pixels: np.ndarray, *_: Any) -> Arrays:
    return {"pixels": pixels, "image": np.asarray(record.image)}


def _pixel(entry: Entry, record: Prediction, logits: np.ndarray, served: Arrays, close: float) -> Arrays:
    probabilities = _softmax(logits.ravel())
    width = logits.shape[1]
    place = np.array([record["y"] * width + record["x"]])
    other = np.array([int(served.get("y", 0)) * width + int(served.get("x", 0))])
    y, x = divmod(int(_or_equal(place, other, probabilities, close)[0]), width)
    found = {"x": x, "y": y, "score": np.float32(record["score"]), "probabilities": probabilities.reshape(logits.shape)}
    return {name: np.asarray(value) for name, value in found.items()}


def _brightness(entry: Entry, record: Prediction, logits: np.ndarray, *_: Any) -> Arrays:
    brightness = 1 / (1 + np.exp(-logits.astype("float64")))
    if np.abs(255 * brightness - np.asarray(record.image)).max() > 1:
        raise ExportError(f"{entry.name}: zoo.predict draws another canvas than its outputs say. Please report it.")
    return {"brightness": brightness.astype("float32")}


def _boxes(entry: Entry, record: Prediction, output: Any, *_: Any) -> Arrays:
    found, length = record["predictions"], len(output["scores"])
    answer = {
        "boxes": np.zeros((length, 4), "float32"),
        "scores": np.zeros(length, "float32"),
        "indices": np.full(length, -1, "int32"),
        "count": np.asarray(len(found), "int32"),
    }
    for name, key in (("boxes", "box"), ("scores", "score"), ("indices", "index")):
        if found:
            answer[name][: len(found)] = [item[key] for item in found]
    names = [item["label"] for item in found] + [""] * (length - len(found))
    return answer if entry.labels is None else answer | {"classes": _texts(names)}


def _voxels(entry: Entry, record: Prediction, logits: np.ndarray, *_: Any) -> Arrays:
    probabilities = 1 / (1 + np.exp(-logits[..., 0].astype("float64")))
    return {"label_map": np.asarray(record.label_map), "probabilities": probabilities.astype("float32")}


def _features(entry: Entry, record: Prediction, features: np.ndarray, *_: Any) -> Arrays:
    return {"features": np.array(record["features"], "float32")}


PREDICTED: dict[TaskName, Callable[[Entry, Prediction, Any, Arrays, float], Arrays]] = {
    "coordinate-classification": _pixel,
    "coordinate-regression": lambda _, record, *rest: {name: np.float32(record[name]) for name in ("x", "y")},
    "coordinate-rendering": _brightness,
    "depth-completion": lambda _, record, *rest: {"metres": np.asarray(record.depth_map)[..., None]},
    "forecasting": lambda _, record, *rest: {"forecast": np.array(record["forecast"], "float32")},
    "image-classification": _classes,
    "image-features": _features,
    "image-regression": _values,
    "inpainting": _image,
    "multi-label-classification": _classes,
    "object-detection": _boxes,
    "semantic-segmentation": _label_map,
    "super-resolution": _image,
    "volume-features": _features,
    "volume-segmentation": _voxels,
}


def _check_features(signature: Any, model: ZooModel, inputs: Any, outputs: Any, tolerance: float) -> dict[str, float]:
    """Features are right where the head makes the model's outputs of them."""
    served = {name: tf.constant(value) for name, value in signature(**named_inputs(model, tensors(inputs))).items()}
    if gives_features(model):
        made, expected = served, named_features(outputs)
    elif set(served) == {"features"}:
        made, expected = named(rest_after(model, tensors(inputs))(served["features"])), named(outputs)
    else:
        made, expected = served, {"features": np.zeros(())}
    where = f"{model.spec.name}, signature features"
    return _compare(where, _arrays(made), _arrays(expected), _largest(outputs), tolerance)


def _compare(where: str, served: Arrays, expected: Arrays, largest: float, tolerance: float) -> dict[str, float]:
    shapes = [{name: np.shape(value) for name, value in arrays.items()} for arrays in (served, expected)]
    if shapes[0] != shapes[1]:
        raise ExportError(f"{where} gives {shapes[0]}. Expected {shapes[1]}, as zoo.predict; it is not kept.")
    differences = {name: _difference(served[name], value) for name, value in expected.items()}
    for name, difference in differences.items():
        most = tolerance * max(1.0, largest) + _ROUNDED_TO.get(name, 1e-6)
        if served[name].dtype == np.uint8:
            most = max(1.0, 255 * tolerance)  # a value between two whole numbers may be rounded either way
        elif served[name].dtype.kind != "f":
            most = max(1e-3, tolerance)  # of the pixels may lie between two classes
        if not difference <= most:
            raise ExportError(
                f"{where}: {name!r} is not what zoo.predict returns (off by {difference:.3g}). "
                f"Expected at most {most:.3g}; it is not kept. Please report it."
            )
    numbers = [name for name in expected if served[name].dtype.kind == "f"]
    most, most_reference = (max([0.0, *values]) for values in (
        (differences[name] for name in numbers), (float(np.abs(expected[name]).max()) for name in numbers)
    ))  # fmt: skip
    relative = most / most_reference if most_reference else most
    return {"largest_difference": most, "largest_reference": most_reference, "relative_difference": relative}


def _difference(served: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference of numbers; of classes and names, the share that differs."""
    if served.dtype.kind == "f" or served.dtype == np.uint8:
        return float(np.abs(served.astype("float64") - expected).max())
    return float(np.mean(served != expected))


def _or_equal(expected: np.ndarray, served: np.ndarray, values: np.ndarray, close: float) -> np.ndarray:
    """`served` where it names places as good as those expected, which rounding may have swapped."""
    is_place = served.shape == expected.shape and np.all((served >= 0) & (served < len(values)))
    if (
        is_place
        and len(set(served.tolist())) == len(served)
        and np.allclose(values[served], values[expected], atol=close)
    ):
        return served
    return expected


def _decoded(model: ZooModel, files: list[bytes]) -> tuple[np.ndarray, list[Any]]:
    """The files as the graph prepares them, within 2 of 255 of `model.preprocess`; and as that prepares them."""
    found = np.asarray(graph_images.decoder(model.spec.input)(tf.constant(files)))
    prepared = [model.preprocess(Image.open(io.BytesIO(content))) for content in files]
    difference = float(np.abs(found - np.stack(prepared)).max())
    if difference > _FURTHEST:
        raise ExportError(
            f"{model.spec.name}: files are decoded with pixels off by {difference:g} of 255. Expected at most "
            f"{_FURTHEST}; it is not kept. Please report it."
        )
    pixels = found.astype("uint8")
    for place, image in enumerate(prepared):
        prepared[place] = pixels[place]
        if isinstance(image, Resized):
            prepared[place] = pixels[place].view(Resized)
            prepared[place].whole = image.whole
    return pixels, prepared


def _file(image: np.ndarray, position: int) -> bytes:
    """PNG and JPEG in turn."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, ("PNG", "JPEG")[position % 2])
    return buffer.getvalue()


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits.astype("float64") - logits.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype("float32")


def _texts(names: Any) -> np.ndarray:
    return np.array([name.encode() for name in names], object)


def _largest(outputs: Any) -> float:
    return max(float(np.abs(_array(value)).max()) for value in keras.tree.flatten(outputs))


def _array(value: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(value))


def _arrays(tensors: dict[str, Any]) -> Arrays:
    return {name: np.asarray(value) for name, value in tensors.items()}
