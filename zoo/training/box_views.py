"""Views of an image with boxes: larger or smaller, another part, mirrored, the boxes moved with the pixels."""

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Input
from zoo.imaging.planes import Planes
from zoo.imaging.preprocessing import RESAMPLING, lay_on_square

SCALES = {"light": (0.75, 1.33), "strong": (0.4, 2.0)}  # of a view, over the scale at which the model sees all of it


def box_view(
    planes: Planes, boxes: np.ndarray, spec: Input, scales: tuple[float, float], generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random view of an image, and where its boxes are in it.

    Args:
        planes: The image, which the view takes the place of.
        boxes: x1, y1, x2 and y2 in its pixels, `(boxes, 4)`.
        spec: How the model sees it; its `size` is the side of the view.
        scales: The least and the largest scale, over that at which the whole image fills the view.
        generator: Draws the scale, the part of a larger image or the place of a smaller one, on grey, and whether it is
            mirrored.

    Returns:
        The pixels, uint8 `(side, side, channels)`; the boxes in them, `(boxes, 4)`, cut at the border of what is seen;
        and the share of its area that is seen of each, `(boxes,)`.

    Example:
        >>> import numpy as np
        >>> from zoo.catalogue.entry import Input
        >>> from zoo.imaging.planes import Planes
        >>> from zoo.training.box_views import box_view
        >>> image, spec = Planes(np.zeros((40, 60, 3), "uint8")), Input(size=30, crop_mode="letterbox")
        >>> boxes = np.array([[0.0, 0, 60, 40]])
        >>> pixels, boxes, seen = box_view(image, boxes, spec, (1, 1), np.random.default_rng(0))
        >>> pixels.shape, (boxes[0, 2:] - boxes[0, :2]).tolist(), seen.tolist()
        ((30, 30, 3), [30.0, 20.0], [1.0])
    """
    side, whole = spec.size or max(planes.size), np.array(planes.size)
    full = side / whole if spec.crop_mode == "squash" else np.full(2, side / whole.max())
    scale = full * np.exp(generator.uniform(*np.log(scales)))
    seen = np.minimum(whole, side / scale)  # width and height of the part that is seen, in pixels of the image
    start = generator.uniform(0, 1, 2) * (whole - seen)
    size = np.clip(np.rint(seen * scale), 1, side).astype(int)
    place = generator.integers(0, side - size + 1)
    is_mirrored = bool(generator.integers(2))
    planes.map(lambda plane: _part(plane, start, seen, size, spec))
    lay_on_square(planes, side, place, spec)
    pixels = planes.pixels()
    pixels = pixels[..., ::-1] if spec.channels == "bgr" else pixels
    moved = (boxes.reshape(-1, 2, 2) - start) * (size / seen) + place
    area = np.prod(moved[:, 1] - moved[:, 0], axis=-1)
    moved = np.clip(moved, place, place + size)
    share = np.prod(moved[:, 1] - moved[:, 0], axis=-1) / area
    if is_mirrored:
        pixels = pixels[:, ::-1]
        moved[..., 0] = side - moved[:, ::-1, 0]
    return np.ascontiguousarray(pixels), moved.reshape(-1, 4), share


def _part(plane: Image.Image, start: np.ndarray, seen: np.ndarray, size: np.ndarray, spec: Input) -> Image.Image:
    """The part of an image, resized as the model's images are."""
    width, height = map(int, size)
    (left, top), (wide, tall) = start, seen
    resampling = RESAMPLING[spec.interpolation]
    if spec.antialias:
        return plane.resize((width, height), resampling, (left, top, left + wide, top + tall))
    rows = (wide / width, 0, left, 0, tall / height, top)
    return plane.transform((width, height), Image.Transform.AFFINE, rows, resampling)
