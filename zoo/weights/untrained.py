"""Which weights are still untrained.

A model that begins with random values, in a new head or everywhere, has their fingerprints in its spec, by variable. A
variable counts as trained once it differs from its initial value: `fit`, a training loop of one's own and weights that
are set all count, while saving and loading do not. A model may be exported and published as soon as no variable has its
initial value.
"""

import weakref
import zlib
from collections.abc import Iterable

import keras
import numpy as np

from zoo.catalogue import notices
from zoo.catalogue.entry import Entry
from zoo.model import ZooModel

_told: weakref.WeakSet[ZooModel] = weakref.WeakSet()


def record_initial_values(model: ZooModel, layers: Iterable[keras.layers.Layer]) -> None:
    """Write into the model's spec the fingerprints of its untrained `layers`."""
    model.spec = model.spec.model_copy(update={"initial_weights": fingerprints(layers)})


def fingerprints(layers: Iterable[keras.layers.Layer]) -> dict[str, str]:
    """Fingerprints of the variables of these layers. Constants, such as a bias of 0, are left out, if anything else is
    there."""
    values = {
        variable.path: keras.ops.convert_to_numpy(variable)
        for layer in layers
        for variable in layer.trainable_variables
        if variable._value is not None  # built without values, to be filled
    }
    random = {path: drawn for path, drawn in values.items() if not np.isin(drawn, (0, 1)).all()}
    return {path: _fingerprint(drawn) for path, drawn in (random or values).items()}


def untrained(model: ZooModel) -> list[str]:
    """The variables that still have the random values they began with, by path."""
    variables = {variable.path: variable for variable in model.weights}  # frozen ones too
    if model.spec.random != "none" and not model.spec.initial_weights and not model.initial_fingerprints:
        return list(variables)  # built without `zoo.load`: nothing is known, so nothing is trusted
    drawn = {} if model.spec.random == "none" else model.spec.initial_weights
    return [
        path
        for path, variable in variables.items()
        if path in drawn or path in model.initial_fingerprints
        if _fingerprint(keras.ops.convert_to_numpy(variable)) in (drawn.get(path), model.initial_fingerprints.get(path))
    ]


def current_spec(model: ZooModel) -> Entry:
    """The entry of the model as training has left it: once every random value is replaced, none is random, and
    the metrics of the old weights are gone; a clone that still has its new weights is random. The model stays as it
    is."""
    if model.spec.random == "none" and not model.initial_fingerprints:
        return model.spec
    left = bool(untrained(model))
    if left == (model.spec.random != "none"):
        return model.spec
    drawn = dict(model.initial_fingerprints) if left else {}
    random = "all" if left else "none"
    return model.spec.model_copy(update={"random": random, "initial_weights": drawn, "metrics": {}, "measured": None})


def mark_trained(model: ZooModel) -> None:
    """Write `current_spec` into the model."""
    model.spec = current_spec(model)


def record_loaded_values(model: ZooModel) -> None:
    """Keep a fingerprint of all weights with the model, for files that are not written as ours are."""
    model.loaded_fingerprint = _whole_fingerprint(model)


def record_adapter(model: ZooModel, content: bytes) -> None:
    """Keep the adapter's file with the model that has it, so that it is saved as one while the weights stay."""
    model.adapter = content
    record_loaded_values(model)


def is_as_loaded(model: ZooModel) -> bool:
    """Whether the weights are known to be those that were loaded; a copy of the model does not know."""
    loaded = getattr(model, "loaded_fingerprint", None)
    return loaded is not None and loaded == _whole_fingerprint(model)


def warn_of_untrained(model: ZooModel) -> None:
    """Warn once per model of the layers that still have their random initial values."""
    if model in _told:
        return
    layers = sorted({path.split("/")[0] for path in untrained(model)})
    if layers:
        _told.add(model)
        notices.warn_of_untrained(model.spec, layers)


def _whole_fingerprint(model: ZooModel) -> str:
    return " ".join(_fingerprint(keras.ops.convert_to_numpy(variable)) for variable in model.weights)


def _fingerprint(values: np.ndarray) -> str:
    return f"{zlib.crc32(np.ascontiguousarray(values, 'float32').data):08x}"
