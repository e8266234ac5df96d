"""One model of each task on something real that it was not trained on: what goes in, what comes out, what is right.

Photographs, disparities and the series lie inside scikit-image, scikit-learn and statsmodels; volumes and canvases are
generated. Nothing is downloaded. The package needs its extra `train`.
"""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image

import zoo
from recipes import forecast_image, not_so_clevr
from recipes.irregular_masks import Bin, irregular_mask
from recipes.phantoms import dice, phantoms
from recipes.photographs import bicubic, degrade, photograph
from recipes.sparseconvnet_scores import keep, motorcycle
from recipes.textures import LABELS, planes, shifted, windows
from zoo.imaging import depth_colors
from zoo.tasks.volume_segmentation import marked

SEED = 7
TEXTURES = 6  # of ten, as many as fit
DETAIL = (190, 120, 290, 220)  # of coffee.png, in its own pixels
GIVEN_PERCENT = 5  # of the motorcycle's disparities
HOLES = Bin(20, 30)  # percent


class Scene(NamedTuple):
    """A row of images with their captions, the model that made one of them, and what it said in a line."""

    model: str
    words: str
    images: dict[str, Image.Image]


def super_resolution() -> Scene:
    """A detail of a photograph at half its size, doubled."""
    large, small = degrade(photograph("coffee.png"), 2)
    record = zoo.predict("espcn-x2", small)[0]
    versions = {"bicubic": bicubic(small, 2), "espcn-x2": record.image, "original": large}
    details = {name: image.crop(DETAIL).resize((300, 300), 0) for name, image in versions.items()}
    return Scene("espcn-x2", f"{record['width']} x {record['height']} pixels from half as many a side", details)


def semantic_segmentation() -> Scene:
    """A street of a country that its training data, of Cambridge, did not show."""
    photo = photograph("china.jpg")
    record = zoo.predict("segnet-basic", photo)[0]
    found = ", ".join(f"{item['label']} {item['area']:.0%}" for item in record["classes"][:3])
    return Scene("segnet-basic", found, {"photograph": photo, "classes": record.image})


def depth_completion() -> Scene:
    """A motorcycle from every twentieth of its disparities, which the network takes for metres; near is bright."""
    target = motorcycle()
    sparse = keep(target, GIVEN_PERCENT)
    record = zoo.predict("sparseconvnet", sparse)[0]
    error = float(np.abs(record.depth_map - target)[target > 0].mean())
    shown = {"given": sparse, "filled": record.depth_map, "target": target}
    words = (
        f"{GIVEN_PERCENT} % of the disparities given, up to {target.max():.0f} pixels; mean error {error:.1f} pixels"
    )
    images = {
        name: Image.fromarray(depth_colors.colors(values / target.max()) * (values > 0)[..., None].astype(np.uint8))
        for name, values in shown.items()
    }
    return Scene("sparseconvnet", words, images)


def inpainting() -> Scene:
    """A photograph of a cat, damaged and mended."""
    photo = photograph("chelsea.png")
    mask = irregular_mask(photo.height, photo.width, HOLES, np.random.default_rng(SEED))
    damaged = Image.fromarray(np.concatenate([np.asarray(photo), 255 * mask], axis=-1))
    record = zoo.predict("pconv-unet", damaged)[0]
    on_white = Image.alpha_composite(Image.new("RGBA", damaged.size, "white"), damaged).convert("RGB")
    images = {"damaged": on_white, "filled": record.image, "original": photo}
    return Scene("pconv-unet", f"{record['hole']:.0%} of the pixels filled", images)


def image_classification() -> Scene:
    """Patches of textures, from strips of the photographs that were kept out of training."""
    generator = np.random.default_rng(SEED)
    pixels, labels = windows(planes("test"), 200, generator)
    shown = [int(np.argmax(labels == label)) for label in range(TEXTURES)]  # the first patch of each
    patches = shifted(pixels, generator)[shown]
    best = [record["predictions"][0] for record in zoo.predict("blurnet-textures", patches)]
    right = sum(item["label"] == LABELS[label] for item, label in zip(best, labels[shown], strict=True))
    images = {
        f"{LABELS[label]}: {item['label']} {item['score']:.0%}": Image.fromarray(patch).resize((200, 200), 0)
        for item, label, patch in zip(best, labels[shown], patches, strict=True)
    }
    return Scene("blurnet-textures", f"{right} of {len(best)} right", images)


def forecasting() -> Scene:
    """The next year of carbon dioxide."""
    figure, buffer = forecast_image.draw(), io.BytesIO()
    figure.savefig(buffer)
    return Scene("tcn-co2", "52 weeks ahead, from all before the dotted line", {"weekly CO2": Image.open(buffer)})


def volume_segmentation() -> Scene:
    """Faint lesions in a phantom."""
    counts, lesions = phantoms(1, np.random.default_rng(SEED))
    record = zoo.predict("unet3d-phantoms", counts[0, ..., 0])[0]
    index, score = record["slice"], dice(record.label_map, lesions[0, ..., 0])
    images = {
        "counts": marked(counts[0, index, ..., 0], np.zeros_like(record.label_map[index])),
        "found": record.image,
        "target": marked(counts[0, index, ..., 0], lesions[0, index, ..., 0]),
    }
    enlarged = {name: image.resize((240, 240), 0) for name, image in images.items()}
    return Scene("unet3d-phantoms", f"slice {index}; Dice of the volume {score:.2f}", enlarged)


def coordinates() -> Scene:
    """A square drawn at (x, y), found again in the image, and its pixel named."""
    place = not_so_clevr.split_centres("quadrant")[1][400]
    text = ",".join(map(str, place))
    drawn = zoo.predict("coordconv-renderer", text)[0].image.point(lambda level: 255 * (level > 127))
    found = zoo.predict("coordconv-regressor", drawn)[0]
    named = zoo.predict("coordconv-classifier", text)[0]
    words = f"({text}) drawn, found at ({found['x']:.1f}, {found['y']:.1f}), named ({named['x']}, {named['y']})"
    images = {"coordconv-renderer": drawn, "coordconv-classifier": named.image}
    return Scene("coordconv-regressor", words, {name: image.resize((240, 240), 0) for name, image in images.items()})


SCENES = (  # in an order that fills the lines of the page
    super_resolution,
    semantic_segmentation,
    inpainting,
    coordinates,
    depth_completion,
    forecasting,
    volume_segmentation,
    image_classification,
)
