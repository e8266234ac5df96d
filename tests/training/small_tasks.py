"""A small model of each task, and data made here that it can learn from."""

import keras
import numpy as np
from PIL import Image

from zoo import architectures
from zoo.catalogue.decoded import with_decoder
from zoo.catalogue.entry import Entry, Input
from zoo.catalogue.registry import registry

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


def detector(decoder: str, side: int, num_classes: int = 3, **options) -> Entry:
    """A small one for squares of this side."""
    trunk = entry(
        "image-classification", "resnet.resnet", num_classes=5,
        config={"depths": [1, 1, 1, 1], "filters": [8, 8, 16, 16], "stem_filters": 8},
    )  # fmt: skip
    described, _ = with_decoder(trunk, decoder, {"filters": 32, "depth": 1, **options}, num_classes)
    seen = described.input.model_copy(update={"size": side})
    return described.model_copy(update={"random": "all", "input": seen})


def ssd(num_classes: int) -> Entry:
    """Its normalisation is the usual one, which suits random weights."""
    known = registry().find("ssd300_vgg16")
    facts = {"classifier": known.classifier, "head": known.head, "input": Input(size=300, crop_mode="squash")}
    return entry("object-detection", known.builder, num_classes=num_classes, **facts)


def as_trained(described: Entry):
    """The model of a detector, with named classes and weights that are spread: images have boxes."""
    keras.utils.set_random_seed(0)
    labels = tuple(f"class {number}" for number in range(described.num_classes or 0))
    model = architectures.build(described.model_copy(update={"random": "none", "labels": labels}))
    for variable in model.weights:
        variable.assign_add(0.1 * keras.random.uniform(variable.shape))
    return model


def detection():
    """Bright squares on dark images."""
    random, found, targets = np.random.default_rng(0), [], []
    for _ in range(8):
        pixels, side = random.integers(0, 60, (64, 80, 3), "uint8"), int(random.integers(16, 40))
        left, top = int(random.integers(80 - side)), int(random.integers(64 - side))
        pixels[top : top + side, left : left + side] = 250
        found.append(pixels)
        targets.append({"boxes": [(left, top, left + side, top + side)], "classes": [0]})
    return detector("fcos", 64, num_classes=1), (found, targets)


CASES = [
    segmentation, detection, depth, inpainting, super_resolution, forecasting, coordinate_classification, features,
    volume_segmentation, coordinate_rendering,
]  # fmt: skip
RATES = {super_resolution: 0.001}
