"""What is drawn on a canvas at (x, y)."""

from typing import Any

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Entry
from zoo.tasks.coordinates import Coordinates
from zoo.tasks.task import written


class CoordinateRendering(Coordinates):
    """`pixels`: how many are drawn; `record.image` is the canvas, drawn pixels white."""

    pipeline_tag = "other"
    show = 'record.image.save("canvas.png")'

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record["height"], record["width"] = output.shape
        record["pixels"] = int((output > 0).sum())
        record.image = Image.fromarray(np.round(255 / (1 + np.exp(-output.astype("float64")))).astype(np.uint8))

    def lines(self, record: dict[str, Any]) -> list[str]:
        canvas = f"{record['width']} x {record['height']}"
        return [f"{record['pixels']} pixels drawn on a canvas of {canvas}{written(record)}"]

    def gives(self, entry: Entry) -> str:
        return (
            "a logit for each pixel of the canvas, float32 `(batch, height, width)`; above 0 the pixel is drawn, and "
            "the sigmoid is its brightness from 0 to 1."
        )


TASK = CoordinateRendering()
