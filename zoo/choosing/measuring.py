"""One candidate: its accuracy as stated or on one's own photographs, its time in a runtime, and its size."""

import os

import keras
import numpy as np

from zoo.choosing import Choice
from zoo.errors import InputError
from zoo.export.opened import ExportedModel, layers_of
from zoo.export.record import megabytes
from zoo.loading import answering
from zoo.model import ZooModel
from zoo.runtimes import example, in_runtime, timed

_WARM_SECONDS = 2.0  # in which TensorFlow's calls still take half as long again
_SECONDS = 1.0  # of timing


def measured(handle: str, data: str | os.PathLike[str] | None, runtime: str) -> Choice:
    """Load a model, or open an export, and measure it.

    Raises:
        InputError: It cannot be trained on the data.
        As `zoo.load` and `zoo.runtimes.in_runtime`.
    """
    model = answering(handle)
    batch = example(layers_of(model))
    network = in_runtime(model, runtime, batch).network
    for seconds in (_WARM_SECONDS, _SECONDS):
        milliseconds = timed({"": lambda: network(batch)}, seconds)[""]
    metric, accuracy = _stated(model)
    if data is not None and isinstance(model, ZooModel):
        metric, accuracy = probed(model, data)
    if isinstance(model, ExportedModel):
        size = megabytes(model.folder, model.record)
    else:
        size = sum(int(np.prod(variable.shape)) for variable in model.weights) * 4 / 1e6
    found = Choice(handle, metric, accuracy, round(milliseconds, 2), round(size, 2), model.spec.license)
    keras.utils.clear_session()
    return found


def _stated(model: ZooModel | ExportedModel) -> tuple[str, float | None]:
    """The first metric of the card, or what a file in 8 bits was measured at on photographs."""
    if isinstance(model, ExportedModel) and (promise := (model.record.model_extra or {}).get("promise")):
        return promise["metric"], promise["int8"]
    return next(iter(model.spec.metrics.items()), ("", None))


def probed(model: ZooModel, data: str | os.PathLike[str]) -> tuple[str, float]:
    """What a new linear head on the model's features scores on photographs that it was not fitted to.

    Raises:
        InputError: The model has no pooled features, or the data cannot be read.
    """
    from zoo.training.preparation import prepare
    from zoo.training.probe import backbone, fit_probe, probe_metrics
    from zoo.training.recipe import completed

    prepared = prepare(model, data, completed(None, {"augment": None}))
    if prepared.plan.probe is None or prepared.validation is None:
        raise InputError(
            f"{model.spec.name} has no linear head on pooled features, so it cannot be probed. Expected models that "
            "classify images; leave it out, or leave out the data."
        )
    network, seed = backbone(prepared.model), prepared.settings["seed"]
    fit_probe(prepared.model, network, prepared.training, prepared.plan.probe, prepared.class_weight, seed)
    measure = prepared.trainer.measure(prepared.model.spec, None)
    _, results = probe_metrics(prepared.model, network, prepared.validation, prepared.loss, (), measure)
    return next((name, value) for name, value in results.items() if name != "count")
