"""What the exports for other runtimes share: convert, run in that runtime, compare, publish.

They take float32 raw pixels, 0 to 255, and give what the model gives (logits, pixels). Each lies in a folder of its
own, `<output_dir>/<name>-<format>/<version>/`: a TensorFlow server that watches `<name>` must not find them.
"""

import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.errors import ExportError, MissingExtraError, ZooError
from zoo.export.card_facts import card_name
from zoo.export.explanations import with_map
from zoo.export.export_card import converted_section
from zoo.export.exportable import exportable, reference_outputs, samples, takes_mask
from zoo.export.folding import fused
from zoo.export.variants import plain_settings
from zoo.export.verification import ELSEWHERE, Runner, check, write_extras
from zoo.export.versions import check_version, disk_error, new_version
from zoo.model import ZooModel


@plain_settings()
def convert(
    model: ZooModel | str,
    output_dir: str | os.PathLike[str],
    name: str,
    *,
    write: Callable[[ZooModel, Path], None],
    runners: dict[str, Runner],
    exact: bool = True,
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
        explain: The file gives a map beside the output, as `with_map`.
        version: As for every export.
        allow_random: As for every export.
    """
    check_version(version)
    model = exportable(model, allow_random=allow_random)
    if takes_mask(model):
        raise ExportError(f"{model.spec.name} takes an image and a mask. Expected one input; saved_model writes both.")
    if isinstance(model.output, dict):
        raise ExportError(f"{model.spec.name} gives several maps. Expected one output; only saved_model writes more.")
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
        except ZooError:
            raise
        except Exception as error:  # converters and runtimes raise whatever they like
            raise (disk_error(error) or ExportError(explanation(model, name, f"{error}"))) from error
        facts = {"format": name, "exact": exact, "differences": differences}
        use = converted_section(model, name, reference)
        write_extras(new.folder, new.folder, model, use=use, facts=facts, inputs=inputs, reference=reference)
    return new.path


def input_signature(model: ZooModel, batch_size: int | None, side: int | None) -> list[Any]:
    """One tensor of pixels; `side` is taken where the model leaves its height and width open."""
    sides = [length or side for length in model.input_shape[1:-1]]
    return [tf.TensorSpec((batch_size, *sides, model.input_shape[-1]), tf.float32, name=model.inputs[0].name)]


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


def explanation(model: ZooModel, name: str, message: str) -> str:
    """Which layer a converter stumbled over, and why: its messages name operations by the layer they come from."""
    # A second trace of a model counts its scopes: maxpool_1.
    words = {re.sub(r"_\d+$", "", word) for word in re.findall(r"[\w.-]+", message)} | set(
        re.findall(r"[\w.-]+", message)
    )
    layers = [layer for layer in model.layers if layer.name in words and layer.name != model.inputs[0].name]
    where = ", ".join(f"{layer.name!r} ({type(layer).__name__})" for layer in layers[:3]) or "an unnamed operation"
    reason = re.search(r"'tf\.\w+' op [^\n]+", message) or re.search(r"[^\n]*(not supported|nsupported)[^\n]*", message)
    why = reason.group()[:300] if reason else message.strip()[:300]
    return (
        f"{model.spec.name} cannot be written as {name} because of the layer {where}. The converter reports: {why}. "
        "Choose another format; saved_model supports every model."
    )
