"""An export is loaded back and compared before anyone can see it; `verify` does it again wherever it is.

Beside the export lie `export.json` (what it is, how far it differs, the SHA-256 of its files) and `verification.npz`
(seeded inputs, and the Keras model's outputs).
"""

import datetime
import importlib
import importlib.metadata
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from zoo.catalogue.entry import Entry
from zoo.catalogue.handles import path_of
from zoo.errors import ExportError, ZooError
from zoo.export.answers import agreement
from zoo.export.export_card import with_section
from zoo.export.record import digest, digests, read_arrays, read_record
from zoo.export.same_boxes import in_order_of
from zoo.labels import read_labels
from zoo.model import ZooModel

TOLERANCE = 1e-5  # of the largest reference value, on the machine that exports
ELSEWHERE = 1e-4  # another processor rounds differently
Outputs = dict[str, np.ndarray]
Runner = Callable[[Path, Any], Outputs]


def check(entry: Entry, outputs: Outputs, reference: Outputs, *, exact: bool, tolerance: float = TOLERANCE) -> dict:
    """Compare an export's outputs with the Keras model's.

    Returns:
        `largest_difference`, `largest_reference`, `relative_difference`; where `exact` is False what the task measures.

    Raises:
        ExportError: Shapes differ, something is not finite, or (where `exact`) the difference is above `tolerance`.
    """
    if {name: value.shape for name, value in outputs.items()} != {
        name: value.shape for name, value in reference.items()
    }:
        raise ExportError(f"{entry.name}: the export's outputs have another shape. It is not kept; please report it.")
    if not all(np.isfinite(value).all() for value in outputs.values()):
        raise ExportError(f"{entry.name}: the export's outputs are NaN or infinite, so it is not kept.")
    if "boxes" in reference:
        outputs = in_order_of(outputs, reference)
    largest = max(float(np.abs(value).max()) for value in reference.values())
    difference = max(float(np.abs(outputs[name] - reference[name]).max()) for name in reference)
    found = {
        "largest_difference": difference,
        "largest_reference": largest,
        "relative_difference": difference / largest if largest else difference,
    }
    if exact and not difference <= tolerance * largest:  # NaN is not
        raise ExportError(
            f"{entry.name}: the export differs by {difference:.3g} from the Keras model, whose largest output is "
            f"{largest:.3g}. Expected at most {tolerance * largest:.3g}; it is not kept."
        )
    return found if exact else found | agreement(entry, outputs, reference)


def write_extras(
    folder: Path, extras: Path, model: ZooModel, *, use: str, facts: dict[str, Any], inputs: Any, reference: Outputs
) -> None:
    """Write what rides along into `extras`: card, spec, labels, comparison, and the hashes of all files in `folder`.

    `use` is the section of the card that says how to use this export.
    """
    from zoo.export.card import model_card

    entry = model.spec
    extras.mkdir(exist_ok=True)
    (extras / "README.md").write_text(with_section(str(model_card(model)), use), encoding="utf-8")
    (extras / "zoo.json").write_text(entry.model_dump_json(indent=2) + "\n", encoding="utf-8")
    labels = read_labels(entry.labels)
    if labels is not None:
        (extras / "labels.txt").write_text("\n".join(labels) + "\n", encoding="utf-8")
    stored = (
        {f"inputs_{name}": array for name, array in inputs.items()} if isinstance(inputs, dict) else {"inputs": inputs}
    )
    np.savez_compressed(extras / "verification.npz", **stored, **reference)  # type: ignore[arg-type]
    record = {
        "model": entry.name,
        **facts,
        "layerzoo": zoo.__version__,
        "keras": importlib.metadata.version("keras"),
        "tensorflow": importlib.metadata.version("tensorflow"),
        "exported": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "files": digests(folder),
    }
    (extras / "export.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def verify(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Check an export: no file changed, and its outputs are those of the Keras model when it was exported.

    Args:
        folder: One version, as an export returned it.

    Returns:
        The record of the export, with `verified`: how far the outputs on this machine differ.

    Raises:
        ExportError: Not an export of this library, damaged, a file that changed, or outputs that differ.
        MissingExtraError: The runtime of its format is not installed.

    Example:
        >>> import tempfile, zoo.export
        >>> path = zoo.export.saved_model("espcn-x2", tempfile.mkdtemp())
        >>> zoo.export.verify(path)["model"]
        'espcn-x2.photos'
    """
    folder = path_of(folder)
    record, entry = read_record(folder)
    changed = [name for name, expected in record.files.items() if digest(folder / name) != expected]
    if changed:
        raise ExportError(f"{folder}: {', '.join(changed)} changed since the export. Export the model again.")
    reference = read_arrays(folder)
    stored = {name: reference.pop(name) for name in list(reference) if name.startswith("inputs")}
    inputs = stored.get("inputs", {name.removeprefix("inputs_"): array for name, array in stored.items()})
    if not stored or not reference:
        raise ExportError(f"{folder}: verification.npz lacks inputs or outputs. Export the model again.")
    module = importlib.import_module(f"zoo.export.to_{record.format}")
    try:
        outputs = module.run(folder, inputs)
    except ZooError:
        raise
    except Exception as error:  # runtimes raise whatever they like on a file that is not theirs
        raise ExportError(
            f"{folder} cannot be run as {record.format} ({type(error).__name__}: {str(error)[:300]}). "
            "Export the model again."
        ) from error
    verified = check(entry, outputs, reference, exact=record.exact, tolerance=ELSEWHERE)
    return record.model_dump(mode="json") | {"verified": verified}
