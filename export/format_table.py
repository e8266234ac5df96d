"""The table of formats in `export/README.md`: a model of each builder in every format, and how far its outputs differ.

python -m zoo.export.format_table     exports them into a temporary folder and writes the table anew
"""

import json
import re
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import zoo.export
from zoo.catalogue.entry import Entry
from zoo.errors import ExportError, MissingExtraError
from zoo.export.card import carded_entries
from zoo.export.card_facts import card_name
from zoo.export.exportable import takes_mask
from zoo.export.record import extras_of
from zoo.export.rounded import photographs
from zoo.export.to_litert import quantized
from zoo.loading import load
from zoo.model import ZooModel

BEGIN, END = "<!-- format_table begins -->", "<!-- format_table ends -->"


def _litert(model: ZooModel, folder: str) -> Path:
    """In any size; at 96 x 96 where LiteRT needs to know one."""
    try:
        return zoo.export.litert(model, folder)
    except ExportError as error:
        if "input_shape" not in f"{error}":
            raise
        channels = (model.input["image"] if takes_mask(model) else model.input).shape[-1]
        return zoo.export.litert(load(model.spec.name, input_shape=(96, 96, channels)), folder)


def _eight_bits(model: ZooModel, folder: str) -> Path:
    """With the ranges of photographs, and measured on them."""
    images = photographs(model)
    return quantized(model, folder, images, measure=images, version=None, allow_random=False)


COLUMNS: dict[str, tuple[Callable[..., Path], str]] = {
    "SavedModel": (zoo.export.saved_model, "call_float32"),
    "folded": (lambda *given: zoo.export.saved_model(*given, inference_only=True), "call_float32"),
    "bfloat16": (lambda *given: zoo.export.saved_model(*given, dtype="bfloat16"), "call_float32"),
    "LiteRT": (_litert, "float32"),
    "LiteRT, 8 bits": (_eight_bits, "int8"),
    "ONNX": (zoo.export.onnx, "float32"),
    "OpenVINO": (zoo.export.openvino, "float32"),
    "OpenVINO, bfloat16": (zoo.export.openvino, "by itself"),
}


def tabled_entries() -> list[Entry]:
    """The first embedded model of each builder: its sisters are graphs of the same layers."""
    by_builder: dict[str, Entry] = {}
    for entry in carded_entries():
        by_builder.setdefault(entry.builder, entry)
    return list(by_builder.values())


def table() -> str:
    """One row per model, one column per format, as Markdown."""
    lines = [f"| model | {' | '.join(COLUMNS)} |", f"| --- |{' --- |' * len(COLUMNS)}"]
    for entry in tabled_entries():
        model = load(entry.name)
        with tempfile.TemporaryDirectory() as folder:
            cells = [_cell(model, write, key, folder) for write, key in COLUMNS.values()]
        lines.append(f"| {card_name(entry)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(model: ZooModel, write: Callable[..., Path], key: str, folder: str) -> str:
    """The relative difference; what the task measures where numbers are rounded; or the layer that is in the way."""
    try:
        path = write(model, folder)
    except (ExportError, MissingExtraError) as error:
        reason = re.search(
            r"layer ('[^']+' \(\w+\))|(does not take colour images alone)|(\w+ is [\d.]+) on", f"{error}"
        )
        return f"no: {next(filter(None, reason.groups())) if reason else error}"
    record: dict[str, Any] = json.loads((extras_of(path) / "export.json").read_text())
    found = record.get("measured") or record["differences"][key]
    units = {"psnr_db": "{:.1f} dB", "same_class_percent": "{:.1f} %", "cosine_similarity": "cosine {:.6f}"}
    measured = [text.format(found[name]) for name, text in units.items() if name in found]
    return measured[0] if measured else f"{found['relative_difference']:.0e}"


if __name__ == "__main__":
    readme = Path(str(resources.files("zoo"))) / "export" / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    readme.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")
