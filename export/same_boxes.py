"""Boxes of two runtimes: those whose scores are equal but for rounding come in either order."""

from collections.abc import Mapping

import numpy as np


def in_order_of(outputs: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of a detector with each image's boxes in the order of the reference, as far as they are the same.

    Args:
        outputs: By name, all of one shape with `reference`: `boxes`, `(batch, count, 4)`, and others per box,
            `(batch, count)`; what else there is stays as it is.
        reference: The same from another runtime, also with `scores`.

    Example:
        >>> import numpy as np
        >>> from zoo.export.same_boxes import in_order_of
        >>> reference = {"boxes": np.array([[[0, 0, 4, 4], [5, 5, 9, 9.0]]]), "scores": np.array([[0.7, 0.7]])}
        >>> outputs = {"boxes": reference["boxes"][:, ::-1], "scores": np.array([[0.7, 0.7]])}
        >>> bool((in_order_of(outputs, reference)["boxes"] == reference["boxes"]).all())
        True
    """
    found = {name: array.copy() for name, array in outputs.items()}
    per_box = [name for name, array in outputs.items() if array.shape[:2] == outputs["boxes"].shape[:2]]
    for index in range(len(reference["boxes"])):
        distances = sum(
            np.abs(reference[name][index].astype(float)[:, None] - outputs[name][index].astype(float))
            .reshape(len(reference["boxes"][index]), len(outputs["boxes"][index]), -1)
            .sum(axis=-1)
            for name in per_box
        )
        order = []
        for row in distances:
            nearest = int(np.argmin(row))
            order.append(nearest)
            distances[:, nearest] = np.inf
        for name in per_box:
            found[name][index] = outputs[name][index][order]
    return found
