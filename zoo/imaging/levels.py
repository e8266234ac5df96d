"""From numbers of any type to 8-bit levels: the right scale, or an error; never black in silence."""

import numpy as np

from zoo.errors import InputError

ROWS = 256  # converted at once: a photograph in float64 would take gigabytes
OVERSHOOT = 64  # how far beyond 0 to 255 floats are clipped: what an interpolation leaves
DARKEST = 4096  # of 65,536 levels: 16-bit images below are of 12 bits or fewer, and would come out black


def eight_bits(values: np.ndarray) -> np.ndarray:
    """Scale an image's numbers to uint8.

    Args:
        values: `(height, width)` or `(height, width, channels)`: booleans, false black and true white; uint8; uint16, 0
            to 65535; other integers, 0 to 255 or, with larger ones among them, 0 to 65535; or floats, 0 to 255.

    Returns:
        uint8 of the same shape.

    Raises:
        InputError: The numbers are of another type, lie outside, are not finite, or would all become black.

    Example:
        >>> import numpy as np
        >>> from zoo.imaging.levels import eight_bits
        >>> eight_bits(np.array([[0, 65535]], "uint16")).tolist()
        [[0, 255]]
    """
    if values.dtype == np.uint8 or values.size == 0:
        return values.astype(np.uint8, copy=False)
    if values.dtype.kind == "b":
        return values.astype(np.uint8) * 255
    if values.dtype.kind not in "iuf":
        raise InputError(
            f"An image has the dtype {values.dtype}. Expected uint8, uint16, or floats with values from 0 to 255."
        )
    lowest, highest = values.min(), values.max()
    divisor = _divisor_of_integers(values.dtype, int(lowest), int(highest)) if values.dtype.kind in "iu" else 1
    if values.dtype.kind == "f":
        _check_floats(float(lowest), float(highest))
    levels = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), ROWS):
        rows = values[start : start + ROWS].astype(np.float64) / divisor
        levels[start : start + ROWS] = np.clip(np.round(rows), 0, 255)
    return levels


def _divisor_of_integers(dtype: np.dtype, lowest: int, highest: int) -> int:
    if lowest < 0 or highest > 65535:
        raise InputError(
            f"An image of integers has values from {lowest} to {highest}. Expected 0 to 255, or 0 to 65535 (16 bits); "
            "scale it to one of these."
        )
    is_16_bit = dtype.itemsize == 2 and dtype.kind == "u"
    if highest == 1 and not is_16_bit:
        raise InputError("An image of integers has values up to 1. Expected 0 to 255; or booleans, true for white.")
    if highest <= 255 and not is_16_bit:
        return 1
    if 0 < highest < DARKEST:
        raise InputError(
            f"An image of 16 bits has values up to {highest} of 65535, and would come out black. Expected the whole "
            f"range: multiply it, by 16 where a camera gives 12 bits, or convert 0 to 255 to uint8."
        )
    return 257


def _check_floats(lowest: float, highest: float) -> None:
    if not np.isfinite([lowest, highest]).all():
        raise InputError("An image contains NaN or infinity. Expected values from 0 to 255.")
    if 0 < highest <= 1 and lowest >= 0:
        raise InputError(
            f"An image has values up to {highest:.3g}. Expected 0 to 255; multiply an image in [0, 1] by 255."
        )
    if lowest < 0 and highest < 8:
        raise InputError(
            f"An image has values from {lowest:.3g} to {highest:.3g}, as if it were normalised already. Expected 0 to "
            "255; normalisation is inside of the model."
        )
    if lowest < -OVERSHOOT or highest > 255 + OVERSHOOT:
        raise InputError(
            f"An image of floats has values from {lowest:.6g} to {highest:.6g}. Expected 0 to 255; scale it to that."
        )
