"""A model in the runtime that is fastest on this machine: converted once, kept in the cache, and verified.

    keras        the model itself, as a graph
    tensorflow   a SavedModel with batch normalisation folded into the convolutions
    openvino, onnx, litert   the exports of `zoo.export`
    tensorflow-bfloat16, openvino-bfloat16   the same in bfloat16, for processors that have it

Those in float32 agree with Keras to 1e-4 of the largest output; those in bfloat16 are chosen by `"auto"` only where
their best class was that of Keras on at least 99.5 % of inputs of the job.
"""

import functools
import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from zoo.backend import jit_compile
from zoo.errors import ExportError, InputError
from zoo.export.opened import ExportedModel
from zoo.model import ZooModel
from zoo.printing import warn
from zoo.processor import has_bfloat16
from zoo.runtimes.conversion import CONVERSIONS, converted

RUNTIMES = ("auto", "keras", *CONVERSIONS)
TOLERANCE = 1e-4  # of the largest output
CALIBRATION = 200  # inputs, on which bfloat16 may have another best class once
LEAST_SAME_PERCENT = 99.5
_WORTH = 1.1  # times faster than float32, for bfloat16 to be considered
_MODULES = {"onnx": ("onnxruntime", "tf2onnx"), "litert": ("ai_edge_litert",)}
_SECONDS = 1.0  # of trial, of all runtimes together
_LEAST = 3  # calls of each
_ANY_SIDE = 224  # of images, where a model takes them of any size


class Running(NamedTuple):
    """A network in a runtime.

    Attributes:
        runtime: What it is called; of an export its format.
        network: From a batch to outputs.
        milliseconds: Of each runtime that was tried.
        agreement: Where it computes in bfloat16 by `"auto"`: on how many `images` it was compared with Keras, and
            `same_class_percent`.
    """

    runtime: str
    network: Callable[[Any], Any]
    milliseconds: dict[str, float]
    agreement: dict[str, float] | None = None


def check_runtime(runtime: Any) -> None:
    """Check that there is such a runtime.

    Raises:
        InputError: There is not.
    """
    if runtime not in RUNTIMES:
        raise InputError(f"runtime={runtime!r:.100}. Expected one of {', '.join(RUNTIMES)}.")


def installed() -> list[str]:
    """The runtimes that this Python has; those of exports where Keras runs on TensorFlow, which converts; those in
    bfloat16 where the processor has it."""
    if keras.backend.backend() != "tensorflow":
        return ["keras"]
    return ["keras", *(name for name in CONVERSIONS if _is_installed(name))]


def _is_installed(name: str) -> bool:
    runtime, _, precision = name.partition("-")
    modules = _MODULES.get(runtime, (runtime,))
    return all(map(importlib.util.find_spec, modules)) and (not precision or has_bfloat16())


def in_runtime(
    model: ZooModel | ExportedModel,
    runtime: str,
    batch: Any = None,
    *,
    calibration: Callable[[], Sequence[Any]] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Running:
    """The model's network in a runtime.

    Args:
        model: The model; or an export, which has its own runtime, whatever is asked for.
        runtime: One of `RUNTIMES`; `"auto"` for the fastest that is installed, can run it, and agrees with Keras, as
            tried for a second on `batch`.
        batch: What the network will be given; only for `"auto"`.
        calibration: Gives batches of what a classifier will be given, of about 200 images in all; without them
            `"auto"` stays in float32.
        cache_dir: Where what was converted is kept, as `zoo.load`.

    Raises:
        InputError: There is no such runtime.
        ExportError: The runtime cannot run the network.
        MissingExtraError: It is not installed.
    """
    check_runtime(runtime)
    if isinstance(model, ExportedModel):
        return Running(model.format, model, {})
    if runtime == "keras":
        return Running(runtime, compiled(model), {})
    if runtime != "auto":
        return Running(runtime, converted(model, runtime, cache_dir), {})
    networks: dict[str, Callable[[Any], Any]] = {"keras": compiled(model)}
    reference = _numpy(networks["keras"](batch))
    for name in installed()[1:]:
        if _in_bfloat16(name) and calibration is None:
            continue
        try:
            network = converted(model, name, cache_dir)
            found = _numpy(network(batch))
        except ExportError as error:
            warn(f"{model.spec.name} is not tried in {name}: {error}")
            continue
        if _in_bfloat16(name) or agrees(found, reference):
            networks[name] = network
        else:
            warn(f"{model.spec.name} has other outputs in {name} than in Keras, so it is not used.")
    milliseconds = timed({name: functools.partial(network, batch) for name, network in networks.items()})
    return _fastest(model, networks, milliseconds, calibration)


def _fastest(
    model: ZooModel,
    networks: dict[str, Callable[[Any], Any]],
    milliseconds: dict[str, float],
    calibration: Callable[[], Sequence[Any]] | None,
) -> Running:
    """The fastest in float32, or one in bfloat16 that is faster and agrees with Keras on the calibration set."""
    best = min((name for name in networks if not _in_bfloat16(name)), key=lambda name: milliseconds[name])
    batches: Sequence[Any] = ()
    for name in sorted(filter(_in_bfloat16, networks), key=lambda name: milliseconds[name]):
        if calibration is None or milliseconds[name] * _WORTH > milliseconds[best]:
            break
        batches = batches or calibration()
        if not (count := sum(map(len, batches))):
            break
        same = sum(int((_best(networks["keras"], one) == _best(networks[name], one)).sum()) for one in batches)
        percent = round(100 * same / count, 2)
        if percent >= LEAST_SAME_PERCENT:
            return Running(name, networks[name], milliseconds, {"images": count, "same_class_percent": percent})
        warn(
            f"{model.spec.name} has another best class in {name} than in Keras on {count - same} of {count} inputs, so "
            "it is not used."
        )
    return Running(best, networks[best], milliseconds)


def _best(network: Callable[[Any], Any], batch: Any) -> np.ndarray:
    return _numpy(network(batch)).argmax(-1)


def _in_bfloat16(runtime: str) -> bool:
    return runtime.endswith("-bfloat16")


def example(model: ZooModel, count: int = 1) -> Any:
    """Inputs as the network is given them, float32; images of the size that it was evaluated at."""
    from zoo.export.exportable import samples

    inputs = samples(model, count)
    if not isinstance(inputs, dict) and inputs.ndim == 4:
        side = model.spec.input.size or _ANY_SIDE
        height, width = (length or side for length in model.input_shape[1:3])
        tiles = (1, -(-height // inputs.shape[1]), -(-width // inputs.shape[2]), 1)
        inputs = np.tile(inputs, tiles)[:, :height, :width]
    return keras.tree.map_structure(lambda array: array.astype("float32"), inputs)


def compiled(model: ZooModel) -> Callable[[Any], Any]:
    """The model as one graph, for the speed; compiled apart, so that the model stays as its owner compiled it."""
    network = keras.Model(model.input, model.output)
    network.compile(jit_compile=jit_compile())
    return network.predict_on_batch


def agrees(found: Any, reference: Any) -> bool:
    """Whether outputs are finite and those of Keras, to `TOLERANCE`."""
    pairs = zip(keras.tree.flatten(found), keras.tree.flatten(reference), strict=True)
    return all(
        one.shape == other.shape and np.abs(one - other).max(initial=0) <= TOLERANCE * np.abs(other).max(initial=0)
        for one, other in pairs
    )


def timed(calls: dict[str, Callable[[], Any]], seconds: float = _SECONDS) -> dict[str, float]:
    """Milliseconds of each call, the median over interleaved rounds, after two to warm up."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call(), call()
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or any(len(each) < _LEAST for each in found.values()):
        for name, call in calls.items():
            before = time.perf_counter()
            call()
            found[name].append(1000 * (time.perf_counter() - before))
    return {name: statistics.median(each) for name, each in found.items()}


def _numpy(outputs: Any) -> Any:
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)
