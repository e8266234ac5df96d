"""Quantities of an image: one number or several, with names and units."""

from typing import Any, ClassVar

from zoo.catalogue.entry import Entry
from zoo.labels import output_names
from zoo.printing import as_markdown
from zoo.tasks.images import Images
from zoo.tasks.task import Columns


class ImageRegression(Images):
    """`values`: the numbers by name; `units`: their units by name, where they have some."""

    pipeline_tag = "other"
    show = 'print(record["values"])'
    columns: ClassVar = {}

    def columns_of(self, entry: Entry) -> Columns:
        return {"values": {name: float for name in output_names(entry.labels, entry.num_classes)}}

    def postprocess(self, record, entry, prepared, output, top) -> None:
        names = output_names(entry.labels, entry.num_classes)
        record["values"] = {name: float(value) for name, value in zip(names, output, strict=True)}
        record["units"] = {name: each.unit for name, each in zip(names, entry.quantities, strict=False) if each.unit}

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [
            f"{value:.6g}{' ' + unit if (unit := record['units'].get(name)) else ''}  {name}"
            for name, value in record["values"].items()
        ]

    def gives(self, entry: Entry) -> str:
        units = [quantity.unit for quantity in entry.quantities] or [""] * (entry.num_classes or 0)
        named = [
            f"{name}{f' in {unit}' if unit else ''}"
            for name, unit in zip(output_names(entry.labels, entry.num_classes), units, strict=True)
        ]
        return f"float32 `(batch, {entry.num_classes})`, quantities: {', '.join(map(as_markdown, named))}."


TASK = ImageRegression()
