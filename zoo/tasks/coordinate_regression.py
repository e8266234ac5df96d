"""The coordinates of an object in an image."""

from typing import Any, ClassVar

from zoo.catalogue.entry import Entry
from zoo.tasks.images import Images


class CoordinateRegression(Images):
    """`x` and `y`, column and row in pixels."""

    pipeline_tag = "keypoint-detection"
    show = 'print(record["x"], record["y"])'
    columns: ClassVar = {"x": float, "y": float}

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record["x"], record["y"] = (round(float(value), 3) for value in output)

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [f"x {record['x']:g}, y {record['y']:g}"]

    def gives(self, entry: Entry) -> str:
        return "x and y, column and row, float32 `(batch, 2)`, in pixels from 0."


TASK = CoordinateRegression()
