"""What fills holes without learning: OpenCV's inpainting, and methods of depth completion.

OpenCV is optional: `pip install opencv-python-headless`. Without it its methods are left out.
"""

import importlib.util
from collections.abc import Callable

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from skimage.restoration import inpaint_biharmonic

from recipes.sparseconvnet_scores import nearest

HAS_OPENCV = importlib.util.find_spec("cv2") is not None
RADIUS = 3  # pixels, of OpenCV's inpainting
FARTHEST = 100.0  # metres, from which IP-Basic counts
EMPTY = 0.1  # metres: IP-Basic takes what is below for no measurement

# From RGB, (h, w, 3), uint8, black under the holes, and a mask, (h, w), 1 is valid, to RGB.
Inpainting = Callable[[np.ndarray, np.ndarray], np.ndarray]
# From metres, (h, w), 0 = none, to metres.
Completion = Callable[[np.ndarray], np.ndarray]


def inpainting() -> dict[str, Inpainting]:
    """The methods by name."""
    methods: dict[str, Inpainting] = {"biharmonic": biharmonic}
    if HAS_OPENCV:
        import cv2

        methods["Telea"] = lambda image, mask: cv2.inpaint(image, 1 - mask, RADIUS, cv2.INPAINT_TELEA)
        methods["Navier-Stokes"] = lambda image, mask: cv2.inpaint(image, 1 - mask, RADIUS, cv2.INPAINT_NS)
    return methods


def biharmonic(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """scikit-image's; the answer is float, 0 to 255."""
    return 255 * inpaint_biharmonic(image / 255, mask == 0, channel_axis=-1)


def completion() -> dict[str, Completion]:
    """The methods by name."""
    methods: dict[str, Completion] = {"nearest": nearest, "linear": linear}
    if HAS_OPENCV:
        methods["IP-Basic, bilateral"] = lambda sparse: ip_basic(sparse, is_bilateral=True)
        methods["IP-Basic, Gaussian"] = lambda sparse: ip_basic(sparse, is_bilateral=False)
    return methods


def linear(sparse: np.ndarray) -> np.ndarray:
    """Planes over Delaunay's triangles, and the nearest depth outside of them."""
    points = np.argwhere(sparse > 0)
    interpolated = LinearNDInterpolator(points, sparse[sparse > 0])(*np.indices(sparse.shape))
    return np.where(np.isnan(interpolated), nearest(sparse), interpolated)


def ip_basic(sparse: np.ndarray, *, is_bilateral: bool) -> np.ndarray:
    """Morphology on inverted depths, so that near ones win. Ku et al., 2018, https://arxiv.org/abs/1802.00036.

    With the kernels that its authors publish; what is left empty far from any point gets the nearest depth.
    """
    import cv2

    depths = np.where(sparse > EMPTY, FARTHEST - sparse, 0).astype("float32")
    rows, columns = np.indices((5, 5)) - 2
    diamond = (np.abs(rows) + np.abs(columns) <= 2).astype("uint8")
    depths = cv2.dilate(depths, diamond)
    depths = cv2.morphologyEx(depths, cv2.MORPH_CLOSE, np.ones((5, 5), "uint8"))
    depths = np.where(depths > EMPTY, depths, cv2.dilate(depths, np.ones((7, 7), "uint8")))
    first = (depths > EMPTY).argmax(axis=0)  # the uppermost depth of each column is extended to the top
    above = np.arange(len(depths))[:, None] < first
    depths = np.where(above, np.take_along_axis(depths, first[None], axis=0), depths)
    depths = np.where(depths > EMPTY, depths, cv2.dilate(depths, np.ones((31, 31), "uint8")))
    depths = cv2.medianBlur(depths.astype("float32"), 5)
    blurred = cv2.bilateralFilter(depths, 5, 1.5, 2.0) if is_bilateral else cv2.GaussianBlur(depths, (5, 5), 0)
    depths = np.where(depths > EMPTY, blurred, depths)
    return np.where(depths > EMPTY, FARTHEST - depths, nearest(sparse))
