"""Depth completion on `kitti-depth/test`: all points of the laser, a quarter of them, and 5 %."""

import time
from pathlib import Path

import numpy as np
from keras.ops import convert_to_numpy

import zoo
from recipes import classical
from recipes import sparseconvnet_scores as scoring
from recipes.measurement import Measurement, Table
from zoo.architectures import sparseconvnet
from zoo.catalogue.registry import registry

KITTI = "kitti-depth"
PERCENTS = (100, 25, 5)
ARCHITECTURES = ("sparseconvnet",)


def diffusion(sparse: np.ndarray) -> np.ndarray:
    """The fill of the inverse depths alone."""
    depths = sparse[None, ..., None].astype("float32")
    return convert_to_numpy(sparseconvnet.diffused(depths, (depths > 0).astype("float32")))[0, ..., 0]


def visible_diffusion(sparse: np.ndarray) -> np.ndarray:
    """The same from the points that no nearer one hides."""
    depths = sparse[None, ..., None].astype("float32")
    mask = sparseconvnet.visible(depths, (depths > 0).astype("float32"))
    return convert_to_numpy(sparseconvnet.diffused(depths, mask))[0, ..., 0]


def methods() -> dict[str, classical.Completion]:
    """Those that learn nothing, the fill alone, and the networks."""
    entries = [entry for entry in registry().entries.values() if entry.architecture in ARCHITECTURES]
    networks = {entry.name: scoring.answers(zoo.load(entry.name)) for entry in entries}
    return (
        classical.completion() | {"diffusion": diffusion, "diffusion of what is visible": visible_diffusion} | networks
    )


def tables(data: Path) -> dict[str, Table]:
    """MAE and RMSE in metres, and the mean CPU seconds per map."""
    pairs = scoring.kitti_pairs(data / KITTI)
    table: Table = {}
    for name, method in methods().items():
        method(scoring.keep(pairs[0][0], 50))  # what is done once is not timed
        begun = time.process_time()
        rows = scoring.by_percent(method, pairs, PERCENTS)
        seconds = (time.process_time() - begun) / (len(PERCENTS) * len(pairs))
        table[name] = {
            f"{percent} %, {key.removesuffix('_metres').upper()}": round(value, 3)
            for percent, row in rows.items()
            for key, value in row.items()
        } | {"seconds": round(seconds, 2)}
    return {"kitti_methods": table}


RECORDS = (
    "sparseconvnet-diffusion",
    *[
        f"{name}-{density}"
        for name in ("sparseconvnet", "depth-convnet")
        for density in ("random-density", "one-density")
    ],
)
MEASUREMENTS = (Measurement("Depth completion, 12 KITTI pairs, metres", (f"{KITTI}/test",), RECORDS, tables),)
