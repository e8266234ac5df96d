"""Some inputs of a job, on which a runtime in bfloat16 is compared with Keras before it is used."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from zoo.batch.inputs import Input, Listing, piece_numbers, pieces
from zoo.errors import InputError
from zoo.model import ZooModel
from zoo.prediction import alone, by_shape, check_fits
from zoo.processor import has_bfloat16
from zoo.runtimes import CALIBRATION
from zoo.tasks import find_task

LEAST = 10 * CALIBRATION  # inputs of a job, for the comparison to be worth its time
_PIECES = 20  # from which they are taken, evenly: the inputs of one may be of one class


def calibration(
    model: ZooModel, listed: Callable[[], Listing], whole: Listing, batch_size: int
) -> Callable[[], list[np.ndarray]] | None:
    """What gives batches of up to 200 inputs from all over a job, each `(batch, ...)` as the network takes them; None
    where the processor has no bfloat16, the model is not a classifier, or the job is small.

    Args:
        model: Whose inputs they are.
        listed: Lists the job.
        whole: Its listing, iterated.
        batch_size: Inputs of a batch at most.
    """
    if not has_bfloat16() or model.spec.task != "image-classification" or whole.count < LEAST:
        return None
    return functools.partial(_batches, model, listed, whole.pieces, batch_size)


def _batches(model: ZooModel, listed: Callable[[], Listing], count: int, batch_size: int) -> list[np.ndarray]:
    """Those that can be read."""
    prepared: list[Any] = []
    for item in _chosen(listed(), count):
        try:
            one = find_task(model.spec.task).prepare(item.file(), model.spec)
            check_fits(model, alone(one))
        except InputError:
            continue
        prepared.append(one)
    whole: Iterator[Any] = (stacked for _, stacked in by_shape(prepared))
    return [stacked[start : start + batch_size] for stacked in whole for start in range(0, len(stacked), batch_size)]


def _chosen(listing: Listing, count: int) -> Iterator[Input]:
    """As many inputs of each of a few pieces, from the whole job."""
    wanted = {int(number): 0 for number in np.linspace(0, count - 1, min(count, _PIECES))}
    each = CALIBRATION // len(wanted)
    for share in listing:
        if wanted.keys().isdisjoint(piece_numbers(share)):
            continue
        for piece in pieces(share, wanted):
            inputs = list(piece.inputs)
            yield from (inputs[place] for place in np.linspace(0, len(inputs) - 1, min(each, len(inputs)), dtype=int))
