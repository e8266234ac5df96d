"""Quantities of an image: one number or several, with names and units."""

from typing import Any, ClassVar

from zoo.catalogue.entry import Entry
from zoo.labels import read_labels
from zoo.printing import as_markdown
from zoo.tasks.images import Images
from zoo.tasks.task import Columns


class ImageRegression(Images):
    """`values`: the numbers by name; `units`: their units by name, where they have some."""

    pipeline_tag = "other"
    show = 'print(record["values"])'
    columns: ClassVar = {}

    def columns_of(self, entry: Entry) -> Columns:
        return {"values": {name: float for name in quantity_names(entry)}}

    def postprocess(self, record, entry, prepared, output, top) -> None:
        names = quantity_names(entry)
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
            f"{name}{f' in {unit}' if unit else ''}" for name, unit in zip(quantity_names(entry), units, strict=True)
        ]
        return f"float32 `(batch, {entry.num_classes})`, quantities: {', '.join(map(as_markdown, named))}."


def quantity_names(entry: Entry) -> tuple[str, ...]:
    """What the outputs are called; their numbers where they have no names."""
    return read_labels(entry.labels) or tuple(map(str, range(entry.num_classes or 0)))


TASK = ImageRegression()
