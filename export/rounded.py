"""Files with rounded numbers are compared with the model on real images, and not written where too little is left."""

from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.errors import ExportError
from zoo.export.answers import agreement
from zoo.export.exportable import reference_outputs, takes_images
from zoo.export.verification import Outputs
from zoo.model import ZooModel

LEAST = {"same_class_percent": 90.0, "same_label_percent": 90.0, "psnr_db": 40.0, "cosine_similarity": 0.999}
COUNT = 32  # images
_SIDE = 128  # of a crop, where the model takes any size
_SAMPLES = Path(str(resources.files("zoo") / "demo" / "samples"))
_PHOTOGRAPHS = ("cat.jpg", "espresso.jpg", "flower.jpg", "pagoda.jpg", "bricks.png", "grass.png", "gravel.png")


def photographs(model: ZooModel) -> list[np.ndarray]:
    """Parts of the photographs in this package, as the model takes them, `(height, width, 3)`; the same each time.

    Raises:
        ExportError: The model does not take colour images alone.
    """
    if not takes_images(model) or model.input_shape[-1] != 3:
        raise ExportError(
            f"{model.spec.name} does not take colour images alone, and a file with rounded weights is measured on "
            "photographs. Choose another model, or leave weight_dtype out."
        )
    generator = np.random.default_rng(0)
    files = [Image.open(_SAMPLES / name).convert("RGB") for name in _PHOTOGRAPHS]
    height, width = (side or model.spec.input.size or _SIDE for side in model.input_shape[1:3])
    return [_part(files[place % len(files)], height, width, model, generator) for place in range(COUNT)]


def _part(image: Image.Image, height: int, width: int, model: ZooModel, generator: np.random.Generator) -> np.ndarray:
    """A part at least half as large as the image, scaled to the size."""
    scale = generator.uniform(0.5, 1) * min(image.width / width, image.height / height)
    sides = round(scale * width), round(scale * height)
    left, top = (int(generator.integers(0, all - part + 1)) for all, part in zip(image.size, sides, strict=True))
    return model.preprocess(image.crop((left, top, left + sides[0], top + sides[1])).resize((width, height)))


def measured(
    model: ZooModel, run: Callable[[Path, Any], Outputs], folder: Path, images: Sequence[np.ndarray]
) -> dict[str, float]:
    """How well the file in the folder agrees with the model: `images`, and what the task measures.

    Raises:
        ExportError: Less than `LEAST`.
    """
    pairs = [(run(folder, image[None]), reference_outputs(model, image[None])) for image in images]
    ours, theirs = (
        {name: np.concatenate([one[name].reshape(-1, one[name].shape[-1]) for one in each]) for name in each[0]}
        for each in zip(*pairs, strict=True)
    )
    found = agreement(model.spec, ours, theirs)
    for name, least in LEAST.items():
        if found.get(name, least) < least:
            raise ExportError(
                f"{model.spec.name} loses too much by rounding: {name} is {found[name]:.4g} on {len(images)} images, "
                f"and {least:g} is expected. It is not kept; write it in float16 or float32, or in 8 bits as "
                "zoo.export.int8 does, measured on photographs of your own."
            )
    return {"images": len(images), **found}


def signal_to_error(exact: np.ndarray, rounded: np.ndarray, axis: int) -> float:
    """The ratio of both in dB, of the mean channel along `axis`; infinite where rounding changed nothing.

    By channel, because the next layer multiplies each by weights of its own: small ones count like large ones, which
    decide the range that all are rounded in.
    """
    squares, errors = np.square(exact.astype("float64")), np.square(exact.astype("float64") - rounded)
    others = tuple(place for place in range(exact.ndim) if exact.ndim < 2 or place != axis % exact.ndim)
    signal, error = squares.sum(others), errors.sum(others)
    lost = np.mean(np.minimum(error / np.maximum(signal, np.finfo("float64").tiny), 1))
    return float(-10 * np.log10(lost)) if lost else np.inf


def worst_first(touched: Mapping[str, Sequence[str]], ratio: Mapping[str, float]) -> list[str]:
    """The operations by the lowest ratio of the tensors that each gives and gets; those without any are left out."""
    known = {operation: [ratio[name] for name in names if name in ratio] for operation, names in touched.items()}
    return sorted((operation for operation, found in known.items() if found), key=lambda name: min(known[name]))
