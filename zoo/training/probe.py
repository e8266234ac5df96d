"""The head first: fitted to convergence on the features of the frozen backbone, which are computed once.

Linear probing, then fine-tuning: Kumar et al., 2022, https://arxiv.org/abs/2202.10054. A random head would spoil with
its first gradients what the other layers know; and a run that ends below its probe has trained for nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from zoo.architectures import QUANTITIES
from zoo.backend import jit_compile
from zoo.measures.measure import Measure
from zoo.model import ZooModel
from zoo.training.batches import Batches
from zoo.training.linear_head import Kind, fit_linear_head

MOST_NUMBERS = 1 << 28  # in the features of all examples; of more examples a sample is taken
MOST_PRODUCTS = 20_000_000_000  # of all features with the whole kernel


@dataclass(frozen=True)
class Features:
    """What the backbone gives, `(n, features)`, float32, and the targets of the same examples, `(n, ...)`."""

    values: np.ndarray
    targets: np.ndarray


def linear_layer(model: ZooModel) -> Any:
    """The `Dense` layer that is a linear head on pooled features: alone in the head, and the last of the network.

    None where the head is another.
    """
    heads = [layer for layer in model.layers if layer.weights and model.spec.in_head(layer.name)]
    if len(heads) != 1 or type(heads[0]) is not keras.layers.Dense or isinstance(model.output, dict):
        return None
    head = heads[0]
    last = model.output._keras_history.operation
    is_last = (_before(last) if last.name == QUANTITIES else last) is head
    is_linear = head.activation is keras.activations.linear and head.use_bias
    return head if is_last and is_linear and len(head.input.shape) == 2 else None


def _before(operation: Any) -> Any:
    return operation.input._keras_history.operation


def backbone(model: ZooModel) -> keras.Model:
    """From the input of a model with a `linear_layer` to what that layer takes."""
    network = keras.Model(model.input, linear_layer(model).input)
    network.compile(jit_compile=jit_compile())
    return network


def fit_probe(
    model: ZooModel, network: keras.Model, training: Any, kind: Kind, class_weight: dict[int, float] | None, seed: int
) -> None:
    """Give the model the head that is fitted to the features of its other layers.

    Args:
        model: With a `linear_layer`; its other layers stay as they are.
        network: Its `backbone`.
        training: The training data: `Batches`, read as they are evaluated, and mirrored too where the training mirrors
            them by chance; or a `tf.data.Dataset` of batches.
        kind: Of the head.
        class_weight: What an example of each class counts.
        seed: Of the folds, and of the sample where there are too many examples.
    """
    head = linear_layer(model)
    width, outputs = head.kernel.shape
    mirrored = isinstance(training, Batches) and training.augment is not None and training.trainer.mirrors
    if isinstance(training, Batches):
        most = min(MOST_NUMBERS // width, MOST_PRODUCTS // (width * outputs)) // (1 + mirrored)
        training = training.unshuffled(most, seed)
    found = features(network, training, mirrored=mirrored)
    targets, weights = found.targets, None
    if kind == "softmax":
        numbers = targets.astype(int).ravel()
        targets = np.eye(outputs)[numbers]
        weights = None if class_weight is None else np.array([class_weight[number] for number in numbers.tolist()])
    if quantities := model.spec.quantities:
        mean, std = (np.array([getattr(quantity, name) for quantity in quantities]) for name in ("mean", "std"))
        targets = (targets - mean) / std
    fitted = fit_linear_head(kind, found.values, targets, weights=weights, views=1 + mirrored, seed=seed)
    head.kernel.assign(fitted.kernel.astype(np.float32))
    head.bias.assign(fitted.bias.astype(np.float32))


def probe_metrics(
    model: ZooModel, network: keras.Model, validation: Any, loss: Any, metrics: Sequence[Any], measure: Measure
) -> tuple[dict[str, float], dict[str, float]]:
    """What the model with its fitted head scores, from features alone.

    Args:
        model: With a `linear_layer`.
        network: Its `backbone`.
        validation: Batches.
        loss: As `compile` takes it.
        metrics: As `compile` takes them.
        measure: Of the task.

    Returns:
        The losses and metrics that Keras logs after an epoch, `val_loss` and so on; and the numbers of the measure.
    """
    head, found = linear_layer(model), features(network, validation)
    outputs = found.values @ np.asarray(head.kernel) + np.asarray(head.bias)
    if model.spec.quantities:
        outputs = np.asarray(model.get_layer(QUANTITIES)(outputs))
    logs = {"val_loss": float(keras.ops.mean(keras.losses.get(loss)(found.targets, outputs)))}
    for metric in metrics:
        metric.update_state(found.targets, outputs)
        logs[f"val_{metric.name}"] = float(metric.result())
    measure.add(outputs, found.targets)
    return logs, {name: value for name, value in measure.results().items() if not isinstance(value, dict)}


def features(network: keras.Model, batches: Iterable[tuple[Any, ...]], *, mirrored: bool = False) -> Features:
    """What a `backbone` gives for all examples, and then, where `mirrored`, for all of them mirrored.

    The batches have one size, the last one is filled up: each other size would be compiled anew.
    """
    found: list[list[np.ndarray]] = [[] for _ in range(1 + mirrored)]
    targets, size = [], 0
    for inputs, right, *_ in batches:
        size = max(size, len(right))
        for values, view in zip(found, (slice(None), slice(None, None, -1)), strict=False):
            filled = _filled(np.asarray(inputs)[:, :, view], size) if mirrored else _filled(np.asarray(inputs), size)
            # Each device of a strategy computes all of it: the first rows are those of the first device.
            values.append(np.asarray(network.predict_on_batch(filled), np.float32)[: len(right)])
        targets.append(np.asarray(right))
    together = np.concatenate([values for view in found for values in view])
    return Features(together, np.concatenate(targets * (1 + mirrored)))


def _filled(array: np.ndarray, size: int) -> np.ndarray:
    return array if len(array) == size else array[np.arange(size) % len(array)]
