"""What the exports for other runtimes share: convert, run in that runtime, compare, publish.

They take float32 raw pixels, 0 to 255, and a mask where the model does, by their names; they give what the model gives
(logits, pixels). Each lies in a folder of its own, `<output_dir>/<name>-<format>/<version>/`: a TensorFlow server that
watches `<name>` must not find them.
"""

import importlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import ExportError, InputError, MissingExtraError, ZooError
from zoo.export.card_facts import card_name
from zoo.export.explanations import with_map
from zoo.export.export_card import converted_section
from zoo.export.exportable import exportable, reference_outputs, samples, takes_mask
from zoo.export.folding import fused
from zoo.export.rounded import measured
from zoo.export.variants import plain_settings
from zoo.export.verification import ELSEWHERE, Runner, check, write_extras
from zoo.export.versions import check_version, disk_error, new_version
from zoo.model import ZooModel
from zoo.tasks import find_task

# As the converters order names.
DETECTED = ("boxes", "classes", "count", "scores")
# LiteRT writes and prepares some operations for known shapes alone.
_OF_KNOWN_SHAPES = re.compile(r"'tf\.Conv|failed to (reshape|prepare)")


@plain_settings()
def convert(
    model: ZooModel | str,
    output_dir: str | os.PathLike[str],
    name: str,
    *,
    write: Callable[[ZooModel, Path], None],
    runners: dict[str, Runner],
    exact: bool = True,
    images: Sequence[np.ndarray] | None = None,
    explain: bool = False,
    version: int | None,
    allow_random: bool,
) -> Path:
    """Write one version in the format `name`.

    Args:
        model: As for every export.
        output_dir: As for every export.
        name: The format.
        write: Writes the model's file into a folder; it is given the model with its parallel branches fused.
        runners: How to run it, by what it is called in the record; the first must be exact where `exact` says so.
        exact: False where numbers are rounded on purpose.
        images: Real ones, prepared, that a rounded file is measured on; None where it is evaluated afterwards.
        explain: The file gives a map beside the output, as `with_map`.
        version: As for every export.
        allow_random: As for every export.
    """
    check_version(version)
    model = exportable(model, allow_random=allow_random)
    if isinstance(model.output, dict):
        model = _of_read_outputs(model)
    inputs = samples(model)
    reference = reference_outputs(model, inputs)
    if explain:
        _, found = with_map(model)(inputs, training=False)
        reference["explanation"] = keras.ops.convert_to_numpy(found)
    with new_version(output_dir, f"{card_name(model.spec)}-{name}", version) as new:
        differences: dict[str, dict] = {}
        try:
            write(fused(model) if exact else model, new.folder)  # rounded, a sum of branches is better left as one
            for label, run in runners.items():
                is_exact = exact and not differences
                outputs = run(new.folder, inputs)
                differences[label] = check(model.spec, outputs, reference, exact=is_exact, tolerance=ELSEWHERE)
            found = None if images is None else measured(model, next(iter(runners.values())), new.folder, images)
        except ZooError:
            raise
        except Exception as error:  # converters and runtimes raise whatever they like
            raise (disk_error(error) or explained(model, name, f"{error}")) from error
        facts = {"format": name, "exact": exact, "differences": differences}
        if found is not None:
            facts["measured"] = found
        use = converted_section(model, name, reference)
        write_extras(new.folder, new.folder, model, use=use, facts=facts, inputs=inputs, reference=reference)
    return new.path


def output_names(count: int) -> tuple[str, ...]:
    """What the outputs of a file are called, in its order: one, with its explanation, or those of a detector."""
    return ("output", "explanation")[:count] if count < 3 else DETECTED


def _of_read_outputs(model: ZooModel) -> ZooModel:
    """The model with those of its named outputs that its task reads.

    Raises:
        ExportError: It reads none of them.
    """
    names = find_task(model.spec.task).read_outputs
    if not names or not set(names) <= set(model.output):
        raise ExportError(f"{model.spec.name} gives several maps. Expected one output; only saved_model writes more.")
    part = ZooModel(model.input, {name: model.output[name] for name in names}, name=model.name)
    part.spec = model.spec
    return part


def check_weight_dtype(weight_dtype: str | None, known: Sequence[str] = ("float16", "int8")) -> None:
    """Check that weights can be stored so.

    Raises:
        InputError: They cannot.
    """
    if weight_dtype is not None and weight_dtype not in known:
        raise InputError(f"weight_dtype={weight_dtype!r}. Expected None or {' or '.join(map(repr, known))}.")


def input_signature(model: ZooModel, batch_size: int | None, side: int | None) -> list[Any]:
    """A tensor of pixels, or a dict of these where the model takes a mask; `side` is taken where it leaves its height
    and width open."""

    def tensor(name: str, shape: tuple[int | None, ...]) -> Any:
        return tf.TensorSpec((batch_size, *(length or side for length in shape[1:-1]), shape[-1]), tf.float32, name)

    if takes_mask(model):
        return [{name: tensor(name, value.shape) for name, value in model.input.items()}]
    return [tensor(model.inputs[0].name, model.input_shape)]


def fed(names: Sequence[str], inputs: Any) -> dict[str, np.ndarray]:
    """Inputs by the names that a file has for them."""
    by_name = inputs if isinstance(inputs, dict) else {names[0]: inputs}
    return {name: array.astype("float32") for name, array in by_name.items()}


def runtime(module: str, extra: str) -> Any:
    """Import a runtime, or say which extra brings it.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{extra} needs {module.partition('.')[0]}, which is not installed ({error}). "
            f"Expected: pip install 'layerzoo[{extra}]'."
        ) from error


def explained(model: ZooModel, name: str, message: str) -> ExportError:
    """Which layer a converter or runtime stumbled over, and why: their messages name operations by the layer they come
    from."""
    # A second trace of a model counts its scopes: maxpool_1.
    words = {re.sub(r"_\d+$", "", word) for word in re.findall(r"[\w.-]+", message)} | set(
        re.findall(r"[\w.-]+", message)
    )
    layers = [layer for layer in model.layers if layer.name in words and layer.name != model.inputs[0].name]
    where = ", ".join(f"{layer.name!r} ({type(layer).__name__})" for layer in layers[:3])
    reason = re.search(r"'tf\.\w+' op [^\n]+", message) or re.search(r"[^\n]*(not supported|nsupported)[^\n]*", message)
    why = " ".join((reason.group() if reason else message).split())[:300].rstrip(".")
    why = f"because of the layer {where}, {why}" if where else why
    shape = (model.input["image"] if takes_mask(model) else model.input).shape[1:]
    is_open = name == "litert" and _OF_KNOWN_SHAPES.search(why) and len(shape) == 3 and None in shape
    advice = (
        f"Load the model for one size, zoo.load(..., input_shape=(256, 256, {shape[-1]})), or choose another format"
        if is_open
        else "Choose another format"
    )
    return ExportError(
        f"{model.spec.name} cannot be written as {name}: {why}. {advice}; saved_model supports every model.", reason=why
    )
