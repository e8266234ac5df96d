"""The minimum of a smooth convex function, by L-BFGS: NumPy alone, and the same at each call."""

from collections import deque
from collections.abc import Callable

import numpy as np

MEMORY = 10  # steps that the curvature is estimated from
MOST_STEPS = 300
SUFFICIENT = 1e-4  # the share of the expected decrease that a step has to bring
SHORTEST = 1e-10  # of a step, after which no decrease is to be had


def minimize(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray, tolerance: float
) -> np.ndarray:
    """Go down from `start` until the norm of the gradient is at most `tolerance`, or nothing lower is found.

    Args:
        function: From a point, an array of any shape, to its value and its gradient, of the same shape.
        start: Where to begin.
        tolerance: The norm of the gradient at which to stop.

    Returns:
        The point.

    Reference: Nocedal & Wright, Numerical Optimization, 2006, algorithms 7.4 and 3.1.

    Example:
        >>> import numpy as np
        >>> from zoo.training.lbfgs import minimize
        >>> minimize(lambda x: (np.square(x - 3).sum(), 2 * (x - 3)), np.zeros(2), 1e-6).round(4).tolist()
        [3.0, 3.0]
    """
    point, (value, gradient) = start, function(start)
    pairs: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=MEMORY)
    for _ in range(MOST_STEPS):
        if np.linalg.norm(gradient) <= tolerance:
            break
        direction = -_multiplied(gradient, pairs)
        slope = float(np.vdot(direction, gradient))
        length = 1.0 if pairs else min(1.0, 1.0 / float(np.linalg.norm(gradient)))
        new_value, new_gradient = function(point + length * direction)
        while not new_value <= value + SUFFICIENT * length * slope and length > SHORTEST:
            length /= 2
            new_value, new_gradient = function(point + length * direction)
        if not new_value < value:
            break
        step, change = length * direction, new_gradient - gradient
        if np.vdot(step, change) > 1e-12 * np.vdot(change, change):
            pairs.append((step, change))
        point, value, gradient = point + step, new_value, new_gradient
    return point


def _multiplied(vector: np.ndarray, pairs: deque[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The vector times the inverse of the estimated curvature."""
    if not pairs:
        return vector
    result, shares = vector.copy(), []
    for step, change in reversed(pairs):
        share = np.vdot(step, result) / np.vdot(step, change)
        result -= share * change
        shares.append(share)
    step, change = pairs[-1]
    result *= np.vdot(step, change) / np.vdot(change, change)
    for (step, change), share in zip(pairs, reversed(shares), strict=True):
        result += (share - np.vdot(change, result) / np.vdot(step, change)) * step
    return result
