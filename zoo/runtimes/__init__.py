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
from zoo.runtimes.trial import kept, timed, turn

Network = Callable[[Any], Any]  # from a batch to outputs

RUNTIMES = ("auto", "keras", *CONVERSIONS)
TOLERANCE = 1e-4  # of the largest output
CALIBRATION = 200  # inputs, on which bfloat16 may have another best class once
LEAST_SAME_PERCENT = 99.5
_WORTH = 1.1  # times faster than float32, for bfloat16 to be considered
_MODULES = {"onnx": ("onnxruntime", "tf2onnx"), "litert": ("ai_edge_litert",)}
WORTH_TRIAL = 60.0  # seconds of a job in Keras; conversions and the trial take one or two minutes
_ANY_SIDE = 224  # of images, where a model takes them of any size


class Running(NamedTuple):
    """A network in a runtime.

    Attributes:
        runtime: What it is called; of an export its format.
        network: From a batch to outputs.
        milliseconds: Of each runtime that was tried and can be used.
        agreement: Where it computes in bfloat16 by `"auto"`: on how many `images` it was compared with Keras, and
            `same_class_percent`.
    """

    runtime: str
    network: Network
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
    count: int | None = None,
    calibration: Callable[[], Sequence[Any]] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Running:
    """The model's network in a runtime.

    Args:
        model: The model; or an export, which has its own runtime, whatever is asked for.
        runtime: One of `RUNTIMES`; `"auto"` for the fastest that is installed, can run it, and agrees with Keras, as
            tried for a second on `batch`; the cache keeps what each took, for the next time.
        batch: What the network will be given; only for `"auto"`.
        count: How many inputs in all, for `"auto"`: those that Keras answers in a minute are answered in Keras, unless
            the runtimes were tried before. Without it they always are.
        calibration: Gives batches of what a classifier will be given, of about 200 images in all; without them
            `"auto"` stays in float32.
        cache_dir: Where what was converted, and what each took, is kept, as `zoo.load`.

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
    names = ["keras", *(each for each in installed()[1:] if calibration is not None or not _in_bfloat16(each))]
    if len(names) == 1:
        return Running("keras", compiled(model), {})
    opened = functools.cache(lambda name: compiled(model) if name == "keras" else converted(model, name, cache_dir))

    def tried() -> dict[str, float] | None:
        return None if _is_short(opened("keras"), batch, count) else _tried(model, names, opened, batch)

    milliseconds = kept(model, names, batch, cache_dir, tried)
    return _fastest(model, opened, milliseconds, calibration) if milliseconds else Running("keras", opened("keras"), {})


def _is_short(network: Network, batch: Any, count: int | None) -> bool:
    """Whether a job of `count` inputs takes the network less than what the trial of all runtimes is worth."""
    if count is None:
        return False
    _numpy(network(batch))  # to warm up
    batches = -(-count // len(keras.tree.flatten(batch)[0]))
    return batches * statistics.median(turn(lambda: _numpy(network(batch)))) < 1000 * WORTH_TRIAL


def _tried(model: ZooModel, names: Sequence[str], opened: Callable[[str], Network], batch: Any) -> dict[str, float]:
    """Milliseconds of a batch in Keras and in each other runtime that can run the network and agrees."""
    warn(f"{model.spec.name} is tried in {', '.join(names)}, once for these weights on this machine: a minute or two.")
    reference, calls = _numpy(opened("keras")(batch)), {"keras": functools.partial(opened("keras"), batch)}
    for name in names[1:]:
        try:
            call = functools.partial(opened(name), batch)
            found = _numpy(call())
        except ExportError as error:
            warn(f"{model.spec.name} is not tried in {name}: {error.reason or error}")
            continue
        if _in_bfloat16(name) or agrees(found, reference):
            calls[name] = call
        else:
            warn(f"{model.spec.name} has other outputs in {name} than in Keras, so it is not used.")
    return timed(calls)


def _fastest(
    model: ZooModel,
    opened: Callable[[str], Network],
    milliseconds: dict[str, float],
    calibration: Callable[[], Sequence[Any]] | None,
) -> Running:
    """The fastest in float32, or one in bfloat16 that is faster and agrees with Keras on the calibration set."""
    best = min((name for name in milliseconds if not _in_bfloat16(name)), key=lambda name: milliseconds[name])
    batches: Sequence[Any] = ()
    for name in sorted(filter(_in_bfloat16, milliseconds), key=lambda name: milliseconds[name]):
        if calibration is None or milliseconds[name] * _WORTH > milliseconds[best]:
            break
        batches = batches or calibration()
        if not (count := sum(map(len, batches))):
            break
        same = sum(int((_best(opened("keras"), one) == _best(opened(name), one)).sum()) for one in batches)
        percent = round(100 * same / count, 2)
        if percent >= LEAST_SAME_PERCENT:
            return Running(name, opened(name), milliseconds, {"images": count, "same_class_percent": percent})
        warn(
            f"{model.spec.name} has another best class in {name} than in Keras on {count - same} of {count} inputs, so "
            "it is not used."
        )
    return Running(best, opened(best), milliseconds)


def _best(network: Network, batch: Any) -> np.ndarray:
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


def compiled(model: ZooModel) -> Network:
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


def _numpy(outputs: Any) -> Any:
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)
