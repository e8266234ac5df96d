"""A depth for every pixel from a few measured ones."""

from typing import Any, ClassVar

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Entry
from zoo.datasets import depth_maps
from zoo.errors import InputError
from zoo.imaging import depth_colors
from zoo.imaging.files import Content, starts_with
from zoo.imaging.forms import plain
from zoo.imaging.npy import NPY
from zoo.tasks.arrays import read_array
from zoo.tasks.masked import Masked
from zoo.tasks.task import Prepared, written


class DepthCompletion(Masked):
    """`measured`, the fraction of pixels that had a depth; `record.depth_map` in metres, `record.image` its colours."""

    pipeline_tag = "depth-estimation"
    channels = 1
    example = "sparse.png"
    show = 'print(record.depth_map.shape, record["nearest_metres"])\nrecord.image.save("depth.png")'
    columns: ClassVar = {
        "width": int,
        "height": int,
        "measured": float,
        "nearest_metres": float,
        "farthest_metres": float,
        "depth_map": bytes,
        "image": bytes,
    }

    def is_several(self, shape: tuple[int, ...]) -> bool:
        """One map may have an axis of one channel; one of colours is an image, and not as many maps."""
        return len(shape) == 4 or (len(shape) == 3 and shape[-1] > 4)

    def normalized(self, entry: Entry, image: Any) -> Any:
        return image

    def prepare(self, source: Any, entry: Entry) -> Prepared:
        return preprocess_depth(source)

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record.depth_map = output[..., 0]
        record["height"], record["width"] = record.depth_map.shape
        record["measured"] = round(float(prepared["mask"].mean()), 6)
        record["nearest_metres"] = round(float(record.depth_map.min()), 3)
        record["farthest_metres"] = round(float(record.depth_map.max()), 3)
        record.image = depth_colors.image(record.depth_map)

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [
            f"{record['width']} x {record['height']} pixels, {record['measured']:.1%} measured, "
            f"{record['nearest_metres']:g} to {record['farthest_metres']:g} m{written(record)}"
        ]

    def takes(self, entry: Entry) -> str:
        return (
            '`{"image": ..., "mask": ...}`, both float32 `(batch, height, width, 1)`: depths in metres, 0 where none '
            "was measured, and 1 where one was. Any size. `model.preprocess` makes both from KITTI's 16-bit PNG "
            "(metres = value / 256, 0 = none) or from an array of metres."
        )

    def gives(self, entry: Entry) -> str:
        return "a depth for each pixel, float32 `(batch, height, width, 1)`, in metres."


def preprocess_depth(source: Any) -> dict[str, np.ndarray]:
    """Measured depths and where they are.

    Args:
        source: A 16-bit PNG as KITTI's (metres = value / 256, 0 = none), an `.npy` file, or an array `(height, width)`
            or `(height, width, 1)`: integers as in the PNG, or float metres with 0 or NaN for none; in any form of
            `zoo.imaging.forms`.

    Returns:
        `image`, metres, 0 for none, and `mask`, 1 where there is one: float32 `(height, width, 1)`.

    Raises:
        InputError: It cannot be read, is of another kind, contains a negative or infinite depth, or none at all.
    """
    source = plain(source)
    is_image = isinstance(source, Image.Image) or (isinstance(source, str | Content) and not starts_with(source, NPY))
    array = depth_maps.read_depths(source) if is_image else read_array(source, "depth map")
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "iuf":
        raise InputError(
            f"A depth map has the shape {array.shape} and the dtype {array.dtype}. Expected (height, width), "
            f"integers (metres x {depth_maps.UNITS_PER_METRE}, 0 = none) or float metres (0 or NaN = none)."
        )
    metres = array.astype(np.float32) / (1 if array.dtype.kind == "f" else depth_maps.UNITS_PER_METRE)
    metres = np.where(np.isnan(metres), np.float32(0), metres)
    if not np.isfinite(metres).all() or (metres < 0).any():
        raise InputError("A depth map contains infinity or negative values. Expected metres, 0 or NaN for none.")
    if not metres.any():
        raise InputError("A depth map has no measured pixel. Expected at least one that is not 0.")
    return {"image": metres[..., None], "mask": (metres > 0).astype(np.float32)[..., None]}


TASK = DepthCompletion()
