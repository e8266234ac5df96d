"""TensorFlow SavedModels that serve from raw pixels or files, and that fine-tune in TF Hub."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.errors import InputError
from zoo.export.card_facts import card_name
from zoo.export.export_card import saved_model_section
from zoo.export.exportable import exportable, named, reference_outputs, samples, tensors
from zoo.export.folding import folded
from zoo.export.reusable import Reusable, input_dtypes, signatures
from zoo.export.signature_check import check_signatures
from zoo.export.variants import in_bfloat16, plain_settings
from zoo.export.verification import TOLERANCE, Outputs, check, write_extras
from zoo.export.versions import check_version, disk_error, new_version
from zoo.model import ZooModel


@plain_settings()
def saved_model(
    model: ZooModel | str,
    output_dir: str | os.PathLike[str],
    *,
    version: int | None = None,
    batch_size: int | None = None,
    compile_xla: bool = False,
    inference_only: bool = False,
    explain: bool = False,
    dtype: str | None = None,
    allow_random: bool = False,
) -> Path:
    """Write `<output_dir>/<name>/<version>/`, a SavedModel: whole or not at all, and compared with the model before.

    Its signatures, each a dict of tensors with the batch first:

    - `serving_default`: `image`, float32 `(batch, height, width, 3)`, 0 to 255, raw pixels -> what `zoo.predict`
      returns. Of a classification: `classes`, `scores` and `indices`, the five best, best first, and `probabilities` of
      all classes in the order of `labels.txt`. The README beside the export lists each task's.
    - `serving_uint8`: the same from uint8.
    - `encoded`: `image_bytes`, string `(batch,)`: what JPEG or PNG files hold, prepared as `model.preprocess` does.
    - `features`: what goes into the head.
    - `explain`, where that is asked for: `image` -> `map`, where the model sees its best class, 0 to 1,
      `(batch, height, width)` as the image, and its `index` and `label`; of a segmentation the confidence alone.

    Each is called once it is saved, and refused where its outputs are not those of `zoo.predict`.

    It is also a reusable SavedModel: `tensorflow_hub.load(path)` can be called on pixels, and
    `tensorflow_hub.KerasLayer(path, trainable=True)` fine-tunes it in `tf_keras`. (It does not load inside Keras 3.)

    Args:
        model: A model from `zoo.load`, or a handle for it.
        output_dir: Where models lie. A server that watches `<output_dir>/<name>` picks the version up.
        version: A number from 1; None for the next.
        batch_size: A fixed number of images in each call; None for any.
        compile_xla: Compile the network with XLA where it is served, once for each size of the input.
        inference_only: Fold batch normalisation into convolutions, and fuse parallel branches (RepVGG, MobileOne,
            RepViT, RepGhost, ...) into one, which is faster; cannot be fine-tuned.
        explain: Add the signature `explain`, for models that need no gradients for it; see `zoo.explain`.
        dtype: `"bfloat16"` to compute in it, which is faster on processors that have it; None for float32.
        allow_random: Export a model that has random weights too.

    Returns:
        The folder of the version. `assets.extra/` in it contains card, spec, labels, and `export.json` with the largest
        difference from the Keras model.

    Raises:
        ExportError: The version exists, the weights are random, or the export's outputs differ (in float32 by more
            than 1e-5 of the largest value); or, with `explain`, the head needs gradients.
        AccessError: `output_dir` cannot be written.
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
    model = exportable(model, allow_random=allow_random)
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
    with new_version(output_dir, card_name(model.spec), version) as new:
        reusable = Reusable(network, batch_size=batch_size, compile_xla=compile_xla, trainable=not inference_only)
        served = signatures(network, reusable, batch_size=batch_size, compile_xla=compile_xla, explain=explain)
        _write(reusable, new.folder, served)
        facts["differences"] = _differences(new.folder, model, inputs, reference, exact=facts["exact"])
        extras = new.folder / "assets.extra"
        use = saved_model_section(model.spec, served)
        write_extras(new.folder, extras, model, use=use, facts=facts, inputs=inputs, reference=reference)
    return new.path


def _write(reusable: Reusable, folder: Path, served: dict[str, Any]) -> None:
    try:
        tf.saved_model.save(reusable, str(folder), signatures=served)
    except tf.errors.OpError as error:
        raise (disk_error(error) or error) from error


def opened(folder: Path) -> Callable[[Any], Outputs]:
    """The network, as a program without this library calls it: from inputs to its outputs."""
    loaded = tf.saved_model.load(str(folder))
    return lambda inputs: _numpy(named(loaded(keras.tree.map_structure(tf.constant, inputs), training=False)))


def run(folder: Path, inputs: Any) -> Outputs:
    """The network's outputs."""
    return opened(folder)(inputs)


def _differences(folder: Path, model: ZooModel, inputs: Any, reference: Outputs, *, exact: bool) -> dict:
    """Load the export back and compare every way into it with the Keras model and with `zoo.predict`."""
    loaded = tf.saved_model.load(str(folder))
    found: dict[str, dict[str, float]] = {}
    for dtype in input_dtypes(model):
        outputs = _numpy(named(loaded(tensors(inputs, dtype.name), training=False)))
        found[f"call_{dtype.name}"] = check(model.spec, outputs, reference, exact=exact)
    # A rounded network is held to what follows from its own outputs.
    asked: Any = model if exact else loaded
    network = functools.partial(asked, training=False)
    signatures = dict(loaded.signatures)
    return found | check_signatures(signatures, model, inputs, network, exact=exact, tolerance=TOLERANCE)


def _numpy(outputs: dict[str, Any]) -> Outputs:
    return {name: keras.ops.convert_to_numpy(value) for name, value in outputs.items()}
