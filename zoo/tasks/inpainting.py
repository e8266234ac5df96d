"""An image whose holes are filled."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.imaging.files import Content, opened_image, read_npy, readable, starts_with
from zoo.imaging.forms import plain
from zoo.imaging.npy import NPY
from zoo.imaging.planes import DEEP, LAZY, read_image, upright
from zoo.tasks.masked import Masked
from zoo.tasks.task import Prepared, written


class Inpainting(Masked):
    """`hole`, the fraction of the pixels that were filled; `record.image` is the whole image."""

    pipeline_tag = "image-to-image"
    tile = 512
    example = "damaged.png"
    show = 'print(record["hole"])\nrecord.image.save("mended.png")'
    columns: ClassVar = {"width": int, "height": int, "hole": float, "image": bytes}

    def prepare(self, source: Any, entry: Entry) -> Prepared:
        return preprocess_damaged(source)

    def unchanged(self, prepared: Prepared) -> np.ndarray | None:
        """What is whole."""
        assert isinstance(prepared, dict)  # noqa: S101 (as `prepare` gives it)
        return prepared["image"] if prepared["mask"].all() else None

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record.image = Image.fromarray(self.pixels(output))
        record["width"], record["height"] = record.image.size
        record["hole"] = round(float(1 - prepared["mask"].mean()), 6)

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [f"{record['width']} x {record['height']} pixels, {record['hole']:.1%} filled{written(record)}"]

    def takes(self, entry: Entry) -> str:
        return (
            '`{"image": ..., "mask": ...}`: RGB, 0 to 255, uint8 or float, `(batch, height, width, 3)`, and float32 '
            "`(batch, height, width, 1)`, 1 where the image is whole and 0 in its holes. Any size; normalisation is "
            "inside. `model.preprocess` makes both from a PNG whose holes are transparent."
        )

    def gives(self, entry: Entry) -> str:
        return "RGB, 0 to 255, float32 `(batch, height, width, 3)`: the image, its holes filled; the rest unchanged."


def preprocess_damaged(source: Any) -> dict[str, np.ndarray]:
    """An image and the mask of its holes.

    Args:
        source: An image with transparency, whose holes are its fully transparent pixels, in any form of
            `zoo.imaging.forms`; as an array `(height, width, 4)`. Or a mapping with `image`, any image, and `mask`, an
            image or an array `(height, width)` or `(height, width, 1)`: not 0 where the image is whole, 0 in its holes.

    Returns:
        `image`, uint8 `(height, width, 3)`, 0 in the holes, and `mask`, float32 `(height, width, 1)` of 0 and 1.

    Raises:
        InputError: It cannot be read, has no hole or nothing else, or the mask has another size.
    """
    source = plain(source)
    if isinstance(source, Mapping):
        if set(source) != {"image", "mask"}:
            raise InputError(f"A damaged image has the keys {sorted(map(str, source))}. Expected 'image' and 'mask'.")
        image, mask = np.asarray(read_image(source["image"])), _mask(source["mask"])
    else:
        image, mask = _opaque(source)
    if mask.shape != image.shape[:2]:
        raise InputError(
            f"The mask has the shape {mask.shape}, the image {image.shape[:2]}. Expected one height and width."
        )
    if mask.all() or not mask.any():
        what = "no hole" if mask.all() else "no pixel outside its holes"
        raise InputError(
            f"The image has {what}. Expected transparent pixels where it is to be filled, or a mask that is 0 there."
        )
    return {"image": image * mask[..., None], "mask": mask[..., None].astype(np.float32)}


def _opaque(source: Any) -> tuple[np.ndarray, np.ndarray]:
    """The colours of an image, and where it is not fully transparent."""
    if isinstance(source, np.ndarray) and (source.ndim != 3 or source.shape[-1] != 4):
        raise InputError(
            f"A damaged image has the shape {source.shape}. Expected (height, width, 4), opacity last, 0 in the holes; "
            "or {'image': ..., 'mask': ...}."
        )
    pixels = np.asarray(read_image(source, "RGBA"))
    return pixels[..., :3], pixels[..., 3] > 0


def _mask(source: Any) -> np.ndarray:
    source = plain(source)
    array = source if isinstance(source, np.ndarray) else _levels(source)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != 2:
        raise InputError(f"A mask has the shape {array.shape}. Expected (height, width) or (height, width, 1).")
    return array != 0


def _levels(source: Any) -> np.ndarray:
    """The numbers of a mask's file as they are, of colours their luma: a mask of ones is none of holes."""
    if isinstance(source, str | Content):
        if starts_with(source, NPY):
            return read_npy(source)
        with opened_image(source) as image:
            return _numbers(image)
    with readable(LAZY):
        return _numbers(source)


def _numbers(image: Image.Image) -> np.ndarray:
    image = upright(image)
    return np.asarray(image if image.mode in (*DEEP, "1", "L") else read_image(image).convert("L"))


TASK = Inpainting()
