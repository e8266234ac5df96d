"""A picture whose holes are filled."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image, ImageOps

from zoo.errors import InputError
from zoo.preprocessing import read_picture
from zoo.registry import Entry
from zoo.tasks.masked import Masked
from zoo.tasks.task import Prepared, written


class Inpainting(Masked):
    """`hole`, the share of the pixels that were filled; `record.picture` is the whole picture."""

    pipeline_tag = "image-to-image"
    example = "damaged.png"
    show = 'print(record["hole"])\nrecord.picture.save("mended.png")'
    columns: ClassVar = {"width": int, "height": int, "hole": float, "picture": bytes}

    def prepare(self, source: Any, entry: Entry) -> Prepared:
        return preprocess_damaged(source)

    def answer(self, record, entry, prepared, output, top) -> None:
        record.picture = Image.fromarray(np.clip(np.round(output), 0, 255).astype(np.uint8))
        record["width"], record["height"] = record.picture.size
        record["hole"] = round(float(1 - prepared["mask"].mean()), 6)

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [f"{record['width']} x {record['height']} pixels, {record['hole']:.1%} filled{written(record)}"]

    def takes(self, entry: Entry) -> str:
        return (
            '`{"image": ..., "mask": ...}`: RGB, 0 to 255, uint8 or float, `(batch, height, width, 3)`, and float32 '
            "`(batch, height, width, 1)`, 1 where the picture is whole and 0 in its holes. Any size; normalisation is "
            "inside. `model.preprocess` makes both from a PNG whose holes are transparent."
        )

    def gives(self, entry: Entry) -> str:
        return "RGB, 0 to 255, float32 `(batch, height, width, 3)`: the picture, its holes filled; the rest unchanged."

    def input_facts(self, entry: Entry) -> str:
        return "a picture of any size and a mask, 1 = whole, 0 = hole; or a PNG whose holes are transparent"


def preprocess_damaged(source: Any) -> dict[str, np.ndarray]:
    """A picture and the mask of its holes.

    Args:
        source: A picture with transparency, whose holes are its fully transparent pixels: a path, a PIL image, or an
            array `(height, width, 4)`. Or a mapping with `image`, any picture, and `mask`, `(height, width)` or
            `(height, width, 1)` or a path: not 0 where the picture is whole, 0 in its holes.

    Returns:
        `image`, uint8 `(height, width, 3)`, 0 in the holes, and `mask`, float32 `(height, width, 1)` of 0 and 1.

    Raises:
        InputError: It cannot be read, has no hole or nothing else, or the mask has another size.
    """
    if isinstance(source, Mapping):
        if set(source) != {"image", "mask"}:
            raise InputError(f"A damaged picture has the keys {sorted(source)}. Expected 'image' and 'mask'.")
        image, mask = np.asarray(read_picture(source["image"])), _mask(source["mask"])
    else:
        image, mask = _opaque(source)
    if mask.shape != image.shape[:2]:
        raise InputError(
            f"The mask has the shape {mask.shape}, the picture {image.shape[:2]}. Expected one height and width."
        )
    if mask.all() or not mask.any():
        what = "no hole" if mask.all() else "no pixel outside its holes"
        raise InputError(
            f"The picture has {what}. Expected transparent pixels where it is to be filled, or a mask that is 0 there."
        )
    return {"image": image * mask[..., None], "mask": mask[..., None].astype(np.float32)}


def _opaque(source: Any) -> tuple[np.ndarray, np.ndarray]:
    """The colours of a picture, and where it is not fully transparent."""
    if isinstance(source, np.ndarray):
        if source.ndim != 3 or source.shape[-1] != 4 or source.dtype != np.uint8:
            raise InputError(
                f"A damaged picture has the shape {source.shape} and the dtype {source.dtype}. Expected uint8 "
                "(height, width, 4), opacity last, 0 in the holes; or {'image': ..., 'mask': ...}."
            )
        picture = Image.fromarray(source)
    elif isinstance(source, Image.Image):
        picture = ImageOps.exif_transpose(source)
    else:
        read_picture(source)  # says in a sentence what is wrong with the file
        with Image.open(Path(source)) as opened:
            picture = ImageOps.exif_transpose(opened)
    pixels = np.asarray(picture.convert("RGBA"))
    return pixels[..., :3], pixels[..., 3] > 0


def _mask(source: Any) -> np.ndarray:
    array = np.asarray(source) if isinstance(source, np.ndarray) else np.asarray(read_picture(source).convert("L"))
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != 2:
        raise InputError(f"A mask has the shape {array.shape}. Expected (height, width) or (height, width, 1).")
    return array != 0


TASK = Inpainting()
