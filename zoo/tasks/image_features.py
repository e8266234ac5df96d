"""Features of an image from a network without classes: pooled, or an embedding."""

from typing import Any, ClassVar

import numpy as np

from zoo.tasks.images import Images


class ImageFeatures(Images):
    """`features`: a list of floats."""

    pipeline_tag = "image-feature-extraction"
    show = 'print(len(record["features"]))'
    columns: ClassVar = {"features": [np.float32]}

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record["features"] = output.tolist()

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [f"{len(record['features'])} features"]

    def gives(self, entry) -> str:
        return "float32 `(batch, channels)`, the pooled features, without a unit."


TASK = ImageFeatures()
