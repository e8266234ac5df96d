"""TensorFlow SavedModels that serve from raw pixels or files, and that fine-tune in TF Hub."""

import io
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from zoo.errors import InputError
from zoo.export.card_facts import card_name
from zoo.export.exportable import exportable, named, reference_outputs, samples, takes_mask, tensors
from zoo.export.reusable import Reusable, answer, feature_extractor, input_dtypes, named_features, signatures
from zoo.export.variants import folded, in_bfloat16
from zoo.export.verification import TOLERANCE, Outputs, check, write_extras
from zoo.export.versions import check_version, disk_error, new_version
from zoo.model import ZooModel


def saved_model(
    model_or_handle: ZooModel | str,
    directory: str | os.PathLike[str],
    *,
    version: int | None = None,
    batch_size: int | None = None,
    compile_xla: bool = False,
    inference_only: bool = False,
    dtype: str | None = None,
    allow_random: bool = False,
) -> Path:
    """Write `<directory>/<name>/<version>/`, a SavedModel: whole or not at all, and compared with the model before.

    Its signatures, each a dict of tensors with the batch first:

    - `serving_default`: `image`, float32 `(batch, height, width, 3)`, 0 to 255, raw pixels -> what `zoo.predict` says:
      `scores`, with `classes` and `class_scores` (the five best) where there are labels; `label_map`; `pixels` and
      `picture`.
    - `serving_uint8`: the same from uint8.
    - `encoded`: `image_bytes`, string `(batch,)`: what JPEG or PNG files hold, prepared as `model.preprocess` does.
    - `features`: what goes into the head.

    It is also a reusable SavedModel: `tensorflow_hub.load(path)` can be called on pixels, and
    `tensorflow_hub.KerasLayer(path, trainable=True)` fine-tunes it in `tf_keras`. (It does not load inside Keras 3.)

    Args:
        model_or_handle: A model from `zoo.load`, or a handle for it.
        directory: Where models lie. A server that watches `<directory>/<name>` picks the version up.
        version: A number from 1; None for the next.
        batch_size: A fixed number of pictures in each call; None for any.
        compile_xla: Compile the network with XLA where it is served, once for each size of the input.
        inference_only: Fold batch normalisation into convolutions, which is faster; cannot be fine-tuned.
        dtype: `"bfloat16"` to compute in it, which is faster on processors that have it; None for float32.
        allow_random: Export a model that has random weights too.

    Returns:
        The folder of the version. `assets.extra/` in it holds card, spec, labels, and `export.json` with the largest
        difference from the Keras model.

    Raises:
        ExportError: The version exists, the weights are random, or the export answers differently (in float32 by more
            than 1e-5 of the largest value).
        AccessError: The directory cannot be written.
        InputError: An argument is out of range.
        As `zoo.load`, for a handle.

    Example:
        >>> import tempfile, zoo.export
        >>> path = zoo.export.saved_model("espcn-x2", tempfile.mkdtemp())
        >>> path.parent.name, path.name
        ('espcn-x2', '1')
    """
    if dtype not in (None, "float32", "bfloat16"):
        raise InputError(f"dtype={dtype!r}. Expected None, 'float32' or 'bfloat16'.")
    if batch_size is not None and batch_size < 1:
        raise InputError(f"batch_size={batch_size}. Expected at least 1, or None for any.")
    check_version(version)
    model = exportable(model_or_handle, allow_random=allow_random)
    network = folded(model) if inference_only else model
    network = in_bfloat16(network) if dtype == "bfloat16" else network
    inputs = samples(model, batch_size or 2)
    reference = reference_outputs(model, inputs)
    facts: dict[str, Any] = {
        "format": "saved_model",
        "exact": dtype != "bfloat16",
        "batch_size": batch_size,
        "compile_xla": compile_xla,
        "inference_only": inference_only,
        "dtype": dtype or "float32",
    }
    with new_version(directory, card_name(model.spec), version) as new:
        reusable = Reusable(network, batch_size=batch_size, compile_xla=compile_xla, trainable=not inference_only)
        served = signatures(network, reusable, batch_size=batch_size, compile_xla=compile_xla)
        _write(reusable, new.folder, served)
        facts["differences"] = _differences(new.folder, model, inputs, reference, exact=facts["exact"])
        extras = new.folder / "assets.extra"
        write_extras(new.folder, extras, model, facts=facts, inputs=inputs, reference=reference)
    return new.path


def _write(reusable: Reusable, folder: Path, served: dict[str, Any]) -> None:
    try:
        tf.saved_model.save(reusable, str(folder), signatures=served)
    except tf.errors.OpError as error:
        raise (disk_error(error) or error) from error


def run(folder: Path, inputs: Any) -> Outputs:
    """The network's outputs, as a program without this library gets them."""
    loaded = tf.saved_model.load(str(folder))
    return _numpy(named(loaded(keras.tree.map_structure(tf.constant, inputs), training=False)))


def _differences(folder: Path, model: ZooModel, inputs: Any, reference: Outputs, *, exact: bool) -> dict:
    """Load the export back and compare every way into it with the Keras model."""
    entry = model.spec
    loaded = tf.saved_model.load(str(folder))
    expected = {"serving": _floats(answer(entry, inputs, _single(reference)))}
    # An error of the logits is a relative error of the scores.
    largest = max(float(np.abs(value).max()) for value in reference.values())
    tolerance = TOLERANCE * max(1.0, largest if "scores" in expected["serving"] else 1.0)
    expected["features"] = _floats(named_features(feature_extractor(model)(inputs)))
    found = {}
    for dtype in input_dtypes(model):
        outputs = _numpy(named(loaded(tensors(inputs, dtype.name), training=False)))
        found[f"call_{dtype.name}"] = check(entry, outputs, reference, exact=exact)
    for name, signature in loaded.signatures.items():
        if name == "encoded":
            continue
        dtype = tf.uint8 if name == "serving_uint8" else tf.float32
        outputs = _floats(signature(**_named_inputs(model, tensors(inputs, dtype.name))))
        found[name] = check(entry, outputs, expected[name.split("_")[0]], exact=exact, tolerance=tolerance)
    if "encoded" in loaded.signatures:
        files = [_png(picture) for picture in inputs]
        prepared = np.stack([model.preprocess(Image.open(io.BytesIO(content))) for content in files])
        outputs = _floats(loaded.signatures["encoded"](image_bytes=tf.constant(files)))
        decoded = _floats(answer(entry, prepared, _single(reference_outputs(model, prepared))))
        # Pixels may differ by 2 of 255 from Pillow's, so answers may differ by more than rounding.
        found["encoded"] = check(entry, outputs, decoded, exact=False)
    return found


def _named_inputs(model: ZooModel, inputs: Any) -> dict[str, Any]:
    return inputs if takes_mask(model) else {model.inputs[0].name: inputs}


def _single(outputs: Outputs) -> Any:
    return outputs["output"] if list(outputs) == ["output"] else outputs


def _floats(outputs: dict[str, Any]) -> Outputs:
    """Numbers only: names of classes and maps of them follow from these."""
    return {name: value for name, value in _numpy(outputs).items() if value.dtype == np.float32}


def _numpy(outputs: dict[str, Any]) -> Outputs:
    return {name: keras.ops.convert_to_numpy(value) for name, value in outputs.items()}


def _png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
