"""Features of a volume from a network without classes."""

from typing import Any, ClassVar

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.errors import InputError
from zoo.tasks.task import Prepared
from zoo.tasks.volumes import Volumes, read_volume


class VolumeFeatures(Volumes):
    """`features`: a list of floats."""

    pipeline_tag = "image-feature-extraction"
    show = 'print(len(record["features"]))'
    columns: ClassVar = {"features": [np.float32]}

    def prepare(self, source: Any, entry: Entry) -> Prepared:
        return preprocess_volume(source)

    def postprocess(self, record, entry, prepared, output, top) -> None:
        record["features"] = output.tolist()

    def lines(self, record: dict[str, Any]) -> list[str]:
        return [f"{len(record['features'])} features"]

    def takes(self, entry: Entry) -> str:
        return (
            "float32 `(batch, depth, height, width, 1)`, each volume with zero mean and unit variance over the "
            "voxels that are not 0; `model.preprocess(volume)` does that."
        )

    def gives(self, entry: Entry) -> str:
        return "float32 `(batch, channels)`, the pooled features, without a unit."


def preprocess_volume(volume: Any) -> np.ndarray:
    """Give a volume's voxels zero mean and unit variance, as MedicalNet was trained (its `datasets/brains18.py`).

    Voxels of exactly 0 are background: they are not counted, and become 0, the mean. (In training they were noise
    around it.) The size is kept.

    Args:
        volume: An array `(depth, height, width)` of any numbers, or the path of an `.npy` file that contains one.

    Returns:
        float32 `(depth, height, width, 1)`.

    Raises:
        InputError: The file cannot be read, or the array has another shape, NaN, infinity, or one value only.
    """
    array = read_volume(volume)
    voxels = array[array != 0]
    deviation = voxels.std(dtype=np.float64) if voxels.size else 0.0
    if deviation == 0:
        raise InputError("A volume has no two values beside 0. Expected one with something in it.")
    normalized = np.where(array == 0, 0, (array - voxels.mean(dtype=np.float64)) / deviation)
    return normalized[..., None].astype(np.float32)


TASK = VolumeFeatures()
