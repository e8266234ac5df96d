"""The pixel of a canvas that (x, y) means."""

from typing import Any

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Entry
from zoo.tasks.coordinates import Coordinates


class CoordinateClassification(Coordinates):
    """`x` and `y` of the highest score; `record.image` is the scores of all pixels, the highest white."""

    show = 'print(record["x"], record["y"])\nrecord.image.save("scores.png")'

    def postprocess(self, record, entry, prepared, output, top) -> None:
        scores = np.exp(output - output.max())
        y, x = np.unravel_index(int(scores.argmax()), scores.shape)
        record |= {"x": int(x), "y": int(y), "score": round(float(1 / scores.sum()), 6)}
        record.image = Image.fromarray(np.round(255 * scores).astype(np.uint8))

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [f"{record['score']:7.2%}  x {record['x']}, y {record['y']}"]

    def gives(self, entry: Entry) -> str:
        return (
            "a logit for each pixel of the canvas, float32 `(batch, height, width)`; their softmax over all pixels is "
            "a score from 0 to 1."
        )


TASK = CoordinateClassification()
