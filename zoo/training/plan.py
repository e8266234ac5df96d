"""The plan of a run: which layers are trained when, at which learning rate, and how much memory that takes."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from zoo.errors import InputError
from zoo.model import ZooModel
from zoo.training.linear_head import Kind
from zoo.training.lora import learned_variables
from zoo.training.recipe import Freeze

HEAD_LEARNING_RATE = 1e-3  # peak learning rates: of random weights, and of trained ones
FINETUNE_LEARNING_RATE = 1e-4
SMALL_DATA_LEARNING_RATE = 2e-5  # of trained weights after a fitted head: it is right on nearly all of few examples
LORA_RATE = 10.0  # of what it is else: the product of two small factors moves by less than a kernel would
SMALL_DATA = 2000  # examples, up to which few passes do, and what the first layers know is better than what they learn
EPOCHS = 10  # by default, and of small data after a fitted head:
EPOCHS_AFTER_PROBE = 2
STEPS_AFTER_PROBE = 60  # at least, however small the data are
LARGEST_BATCH_SHARE = 30  # of the examples after a fitted head: so many steps per pass, where there are examples enough
SMALLEST_BATCH = 4
HEAD_FRACTION, HEAD_RATE = (
    0.25,
    0.1,
)  # of the epochs, in which only the new head learns; of its rate, what all layers get
DECODER_FRACTION, DECODER_RATE = 0.1, 0.5  # the same of a new decoder, which is most of what there is to learn
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
    """All that was decided. `probe` is the kind of the head that is fitted first, or already. `memory_bytes` is an
    estimate: weights, gradients, the optimizer's two averages, and what the layers give for one batch."""

    model: str
    task: str
    classes: tuple[str, ...] | None
    training_examples: int | None
    validation_examples: int | None
    input_shape: tuple[int | None, ...]
    epochs: int
    batch_size: int | None
    passes_per_epoch: int
    steps_per_epoch: int | None
    probe: Kind | None
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
        if self.passes_per_epoch == 1:
            del facts["passes_per_epoch"]  # runs of earlier versions do not have it
        return {**facts, "trained_layers": len(layers)}


def phases(
    model: ZooModel,
    *,
    freeze: Freeze,
    epochs: int,
    learning_rate: float | Literal["auto"],
    has_probe: bool = False,
    batch_size: int | None = None,
    is_small: bool = False,
    keeps_normalization: bool = False,
    adapted: tuple[str, ...] = (),
) -> tuple[Phase, ...]:
    """The phases in which the layers of a model with its new head are trained.

    A new head is trained first and alone, a decoder with it: its first gradients would spoil the pretrained layers.
    Then all layers that are not frozen are trained, at a tenth of the rate; at half of it where there is a decoder,
    which is not done yet. Where the head was fitted, or there is no new one, or all weights are random, there is one
    phase.

    Args:
        model: The model to train.
        freeze: As `zoo.finetune` takes it.
        epochs: Epochs of all phases together.
        learning_rate: Peak learning rate, of the head where it is trained by steps.
        has_probe: The head is fitted before.
        batch_size: Examples per step, where it is known.
        is_small: The data are few: leave batch normalisation as it is, and by default the first half of the layers.
        keeps_normalization: Leave trained batch normalisation as it is, unless `freeze` is "none". A new
            decoder's learns.
        adapted: The layers with factors of LoRA, which alone learn below the head.

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
    halves = freeze == "auto" and is_small and not adapted
    frozen = freeze if isinstance(freeze, int) else len(names) // 2 if halves else 0
    if frozen and random == "all":
        raise InputError(f"freeze={freeze} would leave random weights random. Expected freeze='none'.")
    automatic = FINETUNE_LEARNING_RATE if random == "none" else HEAD_LEARNING_RATE
    if has_probe:
        automatic = SMALL_DATA_LEARNING_RATE if is_small else FINETUNE_LEARNING_RATE
        automatic *= min(1.0, (batch_size or LARGEST_BATCH) / LARGEST_BATCH) ** 0.5
    if adapted:
        automatic *= LORA_RATE
    rate = automatic if learning_rate == "auto" else learning_rate
    rest = tuple(name for name in names[frozen:] if not adapted or name in (*adapted, *only_head))
    if is_small or (keeps_normalization and freeze != "none" and random != "all"):
        new = only_head if random == "head" else ()
        rest = tuple(name for name in rest if name in new or not _is_normalization(model.get_layer(name)))
    if freeze == "backbone":
        return (_phase(model, "head", 0, epochs, rate, only_head),)
    if random != "head" or not has_head or has_probe:
        return (_phase(model, "all", 0, epochs, rate, rest),)
    fraction, share = (DECODER_FRACTION, DECODER_RATE) if model.spec.decoder else (HEAD_FRACTION, HEAD_RATE)
    first = min(epochs, max(1, round(fraction * epochs)))
    parts = (_phase(model, "head", 0, first, rate, only_head), _phase(model, "all", first, epochs, share * rate, rest))
    return parts if first < epochs else parts[:1]


def _is_normalization(layer: Any) -> bool:
    import keras

    return isinstance(layer, keras.layers.BatchNormalization)


def _phase(model: ZooModel, name: str, first: int, last: int, rate: float, trained: tuple[str | None, ...]) -> Phase:
    layers = [layer for layer in model.layers if layer.name in trained]
    count = sum(math.prod(weight.shape) for layer in layers for weight in learned_variables(layer))
    return Phase(name, first, last, rate, tuple(layer.name for layer in layers), count)


def patience(epochs: int) -> int:
    """Epochs without improvement after which a run stops."""
    return max(3, math.ceil(PATIENCE_FRACTION * epochs))


def automatic_batch_size(model: ZooModel, count: int, *, has_probe: bool, largest: int = LARGEST_BATCH) -> int:
    """The largest power of two that leaves enough steps per pass and fits into the memory budget."""
    fits = max(1, ACTIVATION_BUDGET_BYTES // max(1, activation_bytes(model)))
    most = max(min(SMALLEST_BATCH, count), count // LARGEST_BATCH_SHARE) if has_probe else count // 4
    return 1 << int(math.log2(max(1, min(largest, most, fits))))


def automatic_epochs(
    count: int | None, batch_size: int | None, *, has_probe: bool, least_steps: int = 0
) -> tuple[int, int]:
    """How many epochs, and how often each sees all examples; without a fitted head they have `least_steps` at least.

    Small data need few passes after a fitted head, but a number of steps; an epoch of very few examples sees them
    several times, so that writing and evaluating take less time than training.
    """
    if count is None or batch_size is None or (has_probe and count > SMALL_DATA):
        return EPOCHS, 1
    per_pass = max(1, count // batch_size)
    if not has_probe:
        return EPOCHS, max(1, -(-least_steps // (EPOCHS * per_pass)))
    return EPOCHS_AFTER_PROBE, -(-STEPS_AFTER_PROBE // (EPOCHS_AFTER_PROBE * per_pass))


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
