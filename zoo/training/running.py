"""The run itself: Keras' `fit`, phase after phase, saved after each epoch; and what is written at its end."""

import contextlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import architectures
from zoo.backend import dtype_policy, jit_compile
from zoo.errors import ZooError
from zoo.model import ZooModel
from zoo.printing import warn
from zoo.training import hosts, report
from zoo.training.batches import Batches
from zoo.training.callbacks import SaveState, SetEpoch, ShowProgress, show_probe
from zoo.training.examples import class_weights
from zoo.training.linear_head import Kind
from zoo.training.lora import adapter_of, freeze_bases
from zoo.training.mixing import accuracy, soft_options
from zoo.training.optimizers import phase_optimizer
from zoo.training.plan import Phase
from zoo.training.preparation import Preparation
from zoo.training.probe import backbone, fit_probe, probe_metrics
from zoo.training.state import PROBE, State
from zoo.weights.adapters import add_adapter
from zoo.weights.untrained import record_adapter

SHARES = (0.1, 0.25, 0.5)  # of the way from the fitted head to the last epoch


def train_model(
    prepared: Preparation,
    state: State,
    logs: Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    metrics: Sequence[Any] = (),
) -> None:
    """Train from where `state` is to the end; Keras calls the `callbacks` and logs the `metrics` too."""
    if state.epoch:
        state.restore(prepared.model)
        warn(f"{logs.parent}: resumed after epoch {state.epoch} of {prepared.plan.epochs}")
    elif prepared.plan.probe is not None:
        _fit_head(prepared, prepared.plan.probe, state)
    for phase in prepared.plan.phases:
        if state.epoch < phase.last and not state.stopped:
            _train_phase(prepared, phase, state, logs, callbacks, metrics)
    if state.probe:
        _try_between(prepared, state)
    if state.stopped and state.epoch < prepared.plan.epochs:
        warn(
            f"{logs.parent}: stopped after epoch {state.epoch} of {prepared.plan.epochs}, since the last "
            f"{state.waited} were not better. {state.kept[0].upper()}{state.kept[1:]} is kept"
        )


def _fit_head(prepared: Preparation, kind: Kind, state: State) -> None:
    """Fit a new head to the features of the others; with validation data the model that has it is the first candidate
    for the best, and so is one whose head was fitted before."""
    model, trainer = prepared.model, prepared.trainer
    network = backbone(model)
    if model.spec.random == "head":
        fit_probe(model, network, prepared.training, kind, prepared.class_weight, prepared.settings["seed"])
    if prepared.validation is None:
        return
    measure, metrics = trainer.measure(model.spec, None), task_metrics(prepared)
    logs, results = probe_metrics(model, network, prepared.validation, prepared.loss, metrics, measure)
    show_probe(logs)
    # What was held out is in the fitted head in the end, but in no epoch: to replace it takes two more examples right.
    is_led = prepared.everything is not None and trainer.classes
    lead = 1.5 / (prepared.plan.validation_examples or 1) if is_led else 0.0
    state.record_probe(logs, results, trainer.monitor, lead)
    if hosts.is_primary():
        state.write_probe(model)


def _try_between(prepared: Preparation, state: State) -> None:
    """Try weights between those of the fitted head and those of the last epoch, where neither forgets nor overfits.

    Wortsman et al., 2022, https://arxiv.org/abs/2109.01903, figure 1.
    """
    model, monitor = prepared.model, prepared.trainer.monitor
    compile_model(prepared, prepared.plan.phases[-1])
    first, last = state.fitted(model), [keras.ops.convert_to_numpy(variable) for variable in model.variables]
    for share in SHARES:
        for variable, start, end in zip(model.variables, first, last, strict=True):
            if np.issubdtype(end.dtype, np.floating):  # seeds are not
                variable.assign((1 - share) * start + share * end)
        found = model.evaluate(prepared.validation, return_dict=True, verbose=0)
        is_best = state.record_between({f"val_{name}": value for name, value in found.items()}, share, monitor)
        if is_best and hosts.is_primary():
            state.write_best(model)


def _train_phase(
    prepared: Preparation,
    phase: Phase,
    state: State,
    logs: Path,
    others: Sequence[keras.callbacks.Callback],
    metrics: Sequence[Any],
) -> None:
    model, plan = prepared.model, prepared.plan
    for layer in model.layers:
        layer.trainable = layer.name in phase.trained
    freeze_bases(model)
    compile_model(prepared, phase, metrics)
    model.optimizer.build(model.trainable_variables)
    if state.epoch > phase.first:
        state.restore_optimizer(model.optimizer)
    else:
        state.waited = 0  # only the last phase loses patience
    is_last = phase is plan.phases[-1]
    show = ShowProgress(plan.epochs, state.epoch)
    # By their loss are ranked heads of the kind that can be fitted and was not.
    monitor = prepared.trainer.monitor if plan.probe or prepared.trainer.linear_head is None else None
    averages = prepared.recipe["ema"] is not None
    adds = prepared.trainer.callbacks(prepared.complete, prepared.validation, averages=averages)
    saves = SaveState(
        state,
        plan.patience if is_last else None,
        monitor,
        phase.last,
        others,
        averages=averages,
        writes=hosts.is_primary(),
    )
    callbacks = [*others, *adds, saves, show]
    if averages:
        callbacks.insert(0, keras.callbacks.SwapEMAWeights())  # the averages are evaluated
    if importlib.util.find_spec("tensorboard") and hosts.is_primary():  # of the extra `layerzoo[train]`
        callbacks.append(keras.callbacks.TensorBoard(logs, write_graph=False))
    shares: contextlib.AbstractContextManager = contextlib.nullcontext()
    if isinstance(prepared.training, Batches):
        callbacks.append(SetEpoch(prepared.training))
        shares = hosts.presharded()
    try:
        with shares, _log_written(logs):
            model.fit(
                prepared.training,
                validation_data=prepared.validation,
                initial_epoch=state.epoch,
                epochs=phase.last,
                class_weight=prepared.class_weight,
                shuffle=False,  # the batches are: Keras would shuffle them again, by a state that nobody keeps
                callbacks=callbacks,
                verbose=0,
            )
    finally:
        show.bar.stop()


@contextlib.contextmanager
def _log_written(logs: Path) -> Iterator[None]:
    """Within it, errors of writing TensorBoard's log become one of ours; TensorFlow has many of its own."""
    try:
        yield
    except ZooError:
        raise
    except Exception as error:
        if os.fspath(logs) in str(error):
            raise OSError(str(error)) from error
        raise


def task_metrics(prepared: Preparation) -> list[Any]:
    """The metrics of the task, for the targets that the recipe makes."""
    if soft_options(prepared.recipe):
        return [keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")]
    return prepared.trainer.metrics(prepared.model.spec)


def compile_model(prepared: Preparation, phase: Phase, metrics: Sequence[Any] = ()) -> None:
    """Give the model the optimizer of the phase, the loss, and the `metrics` beside those of the task."""
    prepared.model.compile(
        phase_optimizer(prepared.recipe, phase, prepared.plan.steps_per_epoch),
        prepared.loss,
        metrics=[*task_metrics(prepared), *metrics],
        jit_compile=jit_compile(),
    )


def finish(prepared: Preparation, state: State, folder: Path) -> tuple[ZooModel, dict[str, Any], str]:
    """The trained model in float32, its metrics, and why they are no better than guessing, where they are not.

    Writes the plots of the run.
    """
    model = _trained(prepared, state)
    report.draw_history(state.history, state.best_epoch, folder / "history.png")
    if prepared.validation is None:
        return model, {}, ""
    if isinstance(prepared.validation, Batches):
        prepared.validation.share = (0, 1)
    metrics, poor = prepared.trainer.report(model, prepared.validation, folder)
    kind, everything = prepared.plan.probe, prepared.everything
    if state.best_epoch == PROBE and kind is not None and everything is not None:
        # With the data by which it was kept: of few images a fifth is much.
        state.refitted = len(everything.examples.items)
        warn(
            f"{folder}: no epoch is better than the fitted head, which is now fitted again, to all {state.refitted} "
            "examples; the metrics are of before, on those that were held out"
        )
        classes = everything.examples.classes
        weight = class_weights(classes) if classes and prepared.recipe["class_weight"] is not None else None
        fit_probe(model, backbone(model), everything, kind, weight, prepared.settings["seed"])
    return model, metrics | ({"probe": state.probe} if state.probe else {}), poor


def _trained(prepared: Preparation, state: State) -> ZooModel:
    """The network that the model's entry describes, in float32, with the best weights; an adapter is part of them."""
    trained, adapter = prepared.model, prepared.adapter
    entry = trained.spec.model_copy(update={"random": "none", "adapter": adapter})
    with dtype_policy("float32"):
        model = architectures.build(entry, input_shape=prepared.input_shape)
    values = state.best_values(trained)
    for variable in model.weights:
        variable.assign(values[variable.path])
    if adapter is not None:
        content = adapter_of(trained, prepared.plan.phases[-1].trained, values)
        add_adapter(model, content, adapter.rank)
        record_adapter(model, content)
    return model
