"""The plan of a run: which layers are trained when, at which learning rate, and how much memory that takes."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from zoo.errors import InputError
from zoo.model import ZooModel

Freeze = Literal["backbone", "none"] | int

HEAD_LEARNING_RATE = 1e-3  # peak learning rates: of random weights, and of trained ones
FINETUNE_LEARNING_RATE = 1e-4
HEAD_FRACTION = 0.25  # of the epochs, in which only the new head learns
PATIENCE_FRACTION = 0.34  # of the epochs, without improvement, after which a run stops
LARGEST_BATCH = 32
ACTIVATION_BUDGET_BYTES = 4 << 30  # activations that an automatic batch size may take


@dataclass(frozen=True)
class Phase:
    """Epochs from `first` to `last - 1` in which the layers `trained` learn, at most at `learning_rate`."""

    name: str
    first: int
    last: int
    learning_rate: float
    trained: tuple[str, ...]
    trained_parameters: int


@dataclass(frozen=True)
class Plan:
    """All that was decided. `memory_bytes` is an estimate: weights, gradients, the optimizer's two averages, and what
    the layers give for one batch."""

    model: str
    task: str
    classes: tuple[str, ...] | None
    training_examples: int | None
    validation_examples: int | None
    input_shape: tuple[int | None, ...]
    epochs: int
    batch_size: int | None
    steps_per_epoch: int | None
    phases: tuple[Phase, ...]
    patience: int
    parameters: int
    dtype: str
    memory_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """For `json.dumps`; layers by their number."""
        facts = asdict(self)
        layers = {name for phase in self.phases for name in phase.trained}
        facts["phases"] = [{**phase, "trained": len(phase["trained"])} for phase in facts["phases"]]
        return {**facts, "trained_layers": len(layers)}


def phases(
    model: ZooModel, *, freeze: Freeze, epochs: int, learning_rate: float | Literal["auto"]
) -> tuple[Phase, ...]:
    """The phases in which the layers of a model with its new head are trained.

    A new head is trained first and alone, a decoder with it: its first gradients would spoil the pretrained layers.
    Then all layers that are not frozen are trained, at a tenth of the rate. Without a new head, or with random weights
    throughout, there is one phase.

    Raises:
        InputError: `freeze` names more layers than there are, or would leave random weights random.
    """
    names = [layer.name for layer in model.layers if layer.weights]
    only_head = tuple(name for name in names if not model.spec.in_backbone(name))
    random = model.spec.random
    has_head = bool(only_head)
    if freeze == "backbone" and (not has_head or random == "all"):
        why = "all its weights are random" if random == "all" else "it has no head"
        raise InputError(f"freeze='backbone' does not fit {model.spec.name}: {why}. Expected freeze='none'.")
    if isinstance(freeze, int) and not 0 <= freeze < len(names):
        raise InputError(f"freeze={freeze}. Expected 0 to {len(names) - 1}: {model.spec.name} has {len(names)} layers.")
    frozen = freeze if isinstance(freeze, int) else 0
    if frozen and random == "all":
        raise InputError(f"freeze={freeze} would leave random weights random. Expected freeze='none'.")
    rate = (
        learning_rate if learning_rate != "auto" else FINETUNE_LEARNING_RATE if random == "none" else HEAD_LEARNING_RATE
    )
    rest = tuple(names[frozen:])
    if freeze == "backbone":
        return (_phase(model, "head", 0, epochs, rate, only_head),)
    if random != "head" or not has_head:
        return (_phase(model, "all", 0, epochs, rate, rest),)
    first = min(epochs, max(1, round(HEAD_FRACTION * epochs)))
    parts = (_phase(model, "head", 0, first, rate, only_head), _phase(model, "all", first, epochs, rate / 10, rest))
    return parts if first < epochs else parts[:1]


def _phase(model: ZooModel, name: str, first: int, last: int, rate: float, trained: tuple[str | None, ...]) -> Phase:
    layers = [layer for layer in model.layers if layer.name in trained]
    count = sum(math.prod(weight.shape) for layer in layers for weight in layer._trainable_variables)
    return Phase(name, first, last, rate, tuple(layer.name for layer in layers), count)


def patience(epochs: int) -> int:
    """Epochs without improvement after which a run stops."""
    return max(3, math.ceil(PATIENCE_FRACTION * epochs))


def automatic_batch_size(model: ZooModel, count: int) -> int:
    """The largest power of two that leaves four batches per epoch and fits into the memory budget."""
    fits = max(1, ACTIVATION_BUDGET_BYTES // max(1, activation_bytes(model)))
    return 1 << int(math.log2(max(1, min(LARGEST_BATCH, count // 4, fits))))


def activation_bytes(model: ZooModel) -> int:
    """Bytes of all layers' outputs for one example."""
    import keras

    total = 0
    for layer in model.layers:
        for tensor in keras.tree.flatten(layer.output):
            size = np.dtype("uint16" if tensor.dtype == "bfloat16" else tensor.dtype).itemsize
            total += size * math.prod(side or 1 for side in tensor.shape[1:])
    return total


def memory_bytes(model: ZooModel, plan_phases: tuple[Phase, ...], batch_size: int) -> int:
    """An upper estimate of what training takes."""
    trained = max(phase.trained_parameters for phase in plan_phases)
    return 4 * (model.count_params() + 3 * trained) + batch_size * activation_bytes(model)
