"""A small model of each task, and data made here that it can learn from."""

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Entry, Input

GREY = Input(mean=(0,), std=(1,))


def entry(task: str, builder: str, **facts) -> Entry:
    known = {"format": "zoo", "license": "apache-2.0", "input": Input(), "paper": "", "name": task, "tag": None}
    return Entry(**{**known, "architecture": task, "builder": builder, "task": task, "random": "all", **facts})


def images(count: int, height: int, width: int) -> list[np.ndarray]:
    """Squares of one colour: their edges are what bicubic enlargement lacks."""
    small = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), "uint8")
    return [np.asarray(Image.fromarray(one).resize((width, height), Image.Resampling.NEAREST)) for one in small]


def segmentation():
    found = images(8, 24, 20)
    masks = [np.where(one[..., 0] > 127, 1, 0).astype("uint8") for one in found]
    masks[0][:4] = 255
    model = entry(
        "semantic-segmentation", "segnet.segnet_basic", config={"filters": [8, 8], "kernel_size": 3, "shrink": 2},
        num_classes=2, classifier="classifier",
    )  # fmt: skip
    return model, (found, masks)


def depth():
    random = np.random.default_rng(0)
    dense = random.uniform(1, 9, (8, 16, 20)).astype("float32")
    sparse = dense * (random.random(dense.shape) < 0.4)
    model = entry(
        "depth-completion", "sparseconvnet.sparseconvnet", config={"filters": 4, "kernel_sizes": [5, 3]}, input=GREY
    )
    return model, (list(sparse), list(dense))


def inpainting():
    return entry("inpainting", "pconv_unet.pconv_unet", config={"filters": [4, 4]}), images(8, 32, 32)


def super_resolution():
    return entry("super-resolution", "espcn.espcn", config={"scale": 2}), images(8, 32, 36)


def forecasting():
    model = entry("forecasting", "tcn.tcn", config={"horizon": 4, "season": 6, "deviation": 1.0, "dilations": [1, 2]})
    return model, np.sin(np.arange(90) * np.pi / 3).astype("float32")


def coordinate_classification():
    places = np.random.default_rng(0).integers(0, 64, (16, 2)).astype("float32")
    return entry("coordinate-classification", "coordconv.classifier"), (places, places)


def features():
    found = images(12, 16, 16)
    model = entry("image-features", "blurnet.blurnet", config={"filters": [8, 8]}, num_classes=0, classifier="fc")
    return model, (found, [index % 3 for index in range(12)])


def volume_segmentation():
    volumes = np.random.default_rng(0).poisson(3, (8, 8, 8, 8)).astype("float32")
    model = entry("volume-segmentation", "unet3d.unet3d", config={"filters": [4, 8]})
    return model, (list(volumes), list((volumes > 4).astype("float32")))


def coordinate_rendering():
    places = np.random.default_rng(0).integers(0, 64, (8, 2)).astype("float32")
    canvases = np.zeros((8, 64, 64), "float32")
    canvases[:, :32] = 1
    return entry("coordinate-rendering", "coordconv.classifier", config={"filters": [8]}), (places, canvases)


CASES = [
    segmentation, depth, inpainting, super_resolution, forecasting, coordinate_classification, features,
    volume_segmentation, coordinate_rendering,
]  # fmt: skip
RATES = {super_resolution: 0.001}
