"""Segmentation of a volume into object and background."""

from typing import Any, ClassVar

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.tasks.task import Prepared, written
from zoo.tasks.volumes import Volumes, read_volume

MARK = (255, 64, 64)


class VolumeSegmentation(Volumes):
    """`voxels`, how many were found; `record.label_map`, 1 for them; `record.image`, the `slice` with the most."""

    pipeline_tag = "image-segmentation"
    example = "counts.npy"
    show = 'print(record["voxels"], record.label_map.shape)\nrecord.image.save("slice.png")'
    columns: ClassVar = {"voxels": int, "slice": int, "image": bytes}

    def prepare(self, source: Any, entry: Entry) -> Prepared:
        volume = read_volume(source)
        if volume.min() < 0:
            raise InputError("A volume contains negative values. Expected counts, from 0.")
        return volume[..., None]

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record.label_map = (output[..., 0] > 0).astype(np.uint8)
        index = int(record.label_map.sum(axis=(1, 2)).argmax())
        record["voxels"], record["slice"] = int(record.label_map.sum()), index
        record.image = marked(prepared[index, ..., 0], record.label_map[index])

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [f"{record['voxels']} voxels found, most in slice {record['slice']}{written(record)}"]

    def takes(self, entry: Entry) -> str:
        return "counts, float32 `(batch, depth, height, width, 1)`, from 0, of any size; normalisation is inside."

    def gives(self, entry: Entry) -> str:
        return "a logit for each voxel, float32 `(batch, depth, height, width, 1)`; above 0 it is found."


def marked(values: np.ndarray, found: np.ndarray) -> Image.Image:
    """One slice `(height, width)`, its largest value white, what is found in red."""
    grey = np.round(255 * values / max(float(values.max()), 1e-6)).astype(np.uint8)
    pixels = np.repeat(grey[..., None], 3, axis=-1)
    pixels[found > 0] = pixels[found > 0] // 2 + np.array(MARK, np.uint8) // 2
    return Image.fromarray(pixels)


TASK = VolumeSegmentation()
