"""One model of each task on what it was not trained on: what goes in, what has to be beaten, what comes out.

Photographs, disparities and the series lie inside scikit-image, scikit-learn and statsmodels; volumes and canvases are
generated. Nothing is downloaded. The package needs its extra `train`.
"""

import io
from typing import NamedTuple

import matplotlib.figure
import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import grey_dilation
from skimage.metrics import peak_signal_noise_ratio

import zoo
from recipes import camvid_boxes_image, forecast_image, not_so_clevr, textures_image
from recipes.classical import biharmonic
from recipes.import_efficientnet_lite import PHOTOGRAPHS
from recipes.irregular_masks import Bin, irregular_mask
from recipes.phantoms import best_threshold, dice, phantoms, smoothed
from recipes.photographs import bicubic, degrade, luma_psnr, photograph
from recipes.sparseconvnet_scores import answers, inverted, keep, motorcycle, nearest
from zoo.imaging import depth_colors
from zoo.tasks.volume_segmentation import marked

SEED = 7
SIDE = 300  # pixels of a small image, enlarged
DETAIL = (190, 120, 290, 220)  # of coffee.png, in its own pixels
GIVEN_PERCENT = 5  # of the motorcycle's disparities
DOT = 3  # pixels per side of a disparity that is given, as it is drawn
HOLES = Bin(20, 30)  # percent
SMOOTH_VOXELS = 1.0  # the best of `recipes/unet3d.py` for a threshold


class Scene(NamedTuple):
    """A row of images with their captions, the model that made one of them, and what it said in a line."""

    model: str
    words: str
    images: dict[str, Image.Image]


def image_classification() -> Scene:
    """Six photographs, named."""
    photos = [photograph(name) for name in PHOTOGRAPHS]
    best = [record["predictions"][0] for record in zoo.predict("tf_efficientnet_lite0", photos)]
    captions = [f"{item['label'].split(',')[0]} {item['score']:.0%}" for item in best]
    squares = [ImageOps.fit(photo, (SIDE, SIDE)) for photo in photos]
    words = "1,000 classes of ImageNet, 4.65 M parameters, offline"
    return Scene("tf_efficientnet_lite0", words, dict(zip(captions, squares, strict=True)))


def super_resolution() -> Scene:
    """A detail of a photograph at half its size, doubled."""
    large, small = degrade(photograph("coffee.png"), 2)
    versions = {"bicubic": bicubic(small, 2), "wdsr-x2": zoo.predict("wdsr-x2", small)[0].image}
    named = {f"{name}: {luma_psnr(image, large, border=2):.2f} dB": image for name, image in versions.items()}
    details = {name: image.crop(DETAIL).resize((SIDE, SIDE), 0) for name, image in {**named, "original": large}.items()}
    return Scene("wdsr-x2", "a detail, twice as large; PSNR of the whole photograph", details)


def semantic_segmentation() -> Scene:
    """A scene of a country that its training data, of Cambridge, did not show."""
    photo = photograph("china.jpg")
    records = {name: zoo.predict(name, photo)[0] for name in ("segnet-basic", "fpn-lite0")}
    found = ", ".join(f"{item['label']} {item['area']:.0%}" for item in records["fpn-lite0"]["classes"][:3])
    return Scene("fpn-lite0", found, {"photograph": photo, **{name: record.image for name, record in records.items()}})


def inpainting() -> Scene:
    """A photograph of a cat, damaged and mended."""
    photo = photograph("chelsea.png")
    original = np.asarray(photo)
    mask = irregular_mask(photo.height, photo.width, HOLES, np.random.default_rng(SEED))
    damaged = Image.fromarray(np.concatenate([original, 255 * mask], axis=-1))
    record = zoo.predict("pconv-unet", damaged)[0]
    classical = Image.fromarray(
        np.rint(biharmonic((original * mask).astype("uint8"), mask[..., 0])).clip(0, 255).astype("uint8")
    )
    filled = {
        f"{name}: {peak_signal_noise_ratio(original, np.asarray(image)):.2f} dB": image
        for name, image in {"biharmonic equation": classical, "pconv-unet": record.image}.items()
    }
    on_white = Image.alpha_composite(Image.new("RGBA", damaged.size, "white"), damaged).convert("RGB")
    words = f"{record['hole']:.0%} of the pixels filled; PSNR of the whole photograph"
    return Scene("pconv-unet", words, {"damaged": on_white, **filled, "original": photo})


def depth_completion() -> Scene:
    """A motorcycle from every twentieth of its disparities, of which the network sees the inverses; near is bright."""
    target = motorcycle()
    sparse = keep(target, GIVEN_PERCENT)
    filled = {"nearest value": nearest(sparse), "sparseconvnet": inverted(answers(zoo.load("sparseconvnet")))(sparse)}
    shown = {"given": grey_dilation(sparse, (DOT, DOT))}
    for name, values in filled.items():
        shown[f"{name}: {np.abs(values - target)[target > 0].mean():.2f} pixels"] = values
    shown["measured"] = target
    words = f"{GIVEN_PERCENT} % of the disparities given, up to {target.max():.0f} pixels; mean absolute error"
    return Scene("sparseconvnet", words, {name: _depth_image(values / target.max()) for name, values in shown.items()})


def _depth_image(shares: np.ndarray) -> Image.Image:
    """Depths in [0, 1] in colours, white where there is none."""
    return Image.fromarray(np.where(shares[..., None] > 0, depth_colors.colors(shares), 255).astype("uint8"))


def forecasting() -> Scene:
    """The next year of carbon dioxide."""
    words = "52 weeks ahead, from all before the dotted line"
    return Scene("tcn-co2", words, {"weekly CO2": _drawn(forecast_image.draw())})


def coordinates() -> Scene:
    """A square at a place in the quadrant that training left out, drawn with and without coordinate channels."""
    place = not_so_clevr.split_centres("quadrant")[1][400]
    text = ",".join(map(str, place))
    wanted = Image.fromarray(255 * not_so_clevr.squares(place[None])[0].astype("uint8"))
    coordconv = zoo.predict("coordconv-renderer", text)[0].image
    named = zoo.predict("coordconv-classifier", text)[0]
    found = zoo.predict("coordconv-regressor", coordconv.point(lambda level: 255 * (level > 127)))[0]
    images = {
        "deconv-renderer": zoo.predict("deconv-renderer", text)[0].image,
        "coordconv-renderer": coordconv,
        "wanted": wanted,
    }
    words = f"({text}) drawn; found at ({found['x']:.1f}, {found['y']:.1f}), named ({named['x']}, {named['y']})"
    return Scene("coordconv-regressor", words, {name: _on_white(image) for name, image in images.items()})


def _on_white(canvas: Image.Image) -> Image.Image:
    """A white square on black as a dark one on white, enlarged: for paper."""
    return ImageOps.colorize(ImageOps.invert(canvas.convert("L")), "#1f4e79", "#eeeeee").resize((SIDE, SIDE), 0)


def volume_segmentation() -> Scene:
    """Faint lesions in a phantom."""
    counts, lesions = phantoms(1, np.random.default_rng(SEED))
    record = zoo.predict("unet3d-phantoms", counts[0, ..., 0])[0]
    smooth = smoothed(counts, SMOOTH_VOXELS)
    threshold, overlap = best_threshold(smooth, lesions)
    index = record["slice"]
    areas = {
        "counts": np.zeros_like(record.label_map),
        f"best threshold: Dice {overlap:.2f}": (smooth[0, ..., 0] >= threshold).astype(record.label_map.dtype),
        f"unet3d-phantoms: Dice {dice(record.label_map, lesions[0, ..., 0]):.2f}": record.label_map,
        "lesions": lesions[0, ..., 0],
    }
    images = {
        name: marked(counts[0, index, ..., 0], area[index]).resize((SIDE, SIDE), 0) for name, area in areas.items()
    }
    return Scene("unet3d-phantoms", f"slice {index}; Dice of the volume, smoothed for the threshold", images)


def shifts() -> Scene:
    """The score of the right texture as a patch moves: with blur before subsampling, and without."""
    words = "the score of the right class as the patch moves, beside its twin without blur"
    return Scene("blurnet-textures", words, {"": _drawn(textures_image.draw())})


def object_detection() -> Scene:
    """How well objects are found: no frame of CamVid may be shown."""
    words = "average precision on CamVid's test frames, beside the same network from random weights"
    return Scene("fcos-lite0", words, {"": _drawn(camvid_boxes_image.draw())})


def _drawn(figure: matplotlib.figure.Figure) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer)
    return Image.open(buffer)


ROWS = (  # each about six squares wide
    (image_classification,),
    (super_resolution, semantic_segmentation),
    (inpainting,),
    (depth_completion,),
    (forecasting, object_detection),
    (coordinates, shifts),
    (volume_segmentation,),
)
