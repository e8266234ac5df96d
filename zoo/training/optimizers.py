"""The optimizer of a phase: its learning rate over the steps, weight decay, averages, lower rates of first layers."""

from typing import Any

import keras

from zoo.training.plan import Phase
from zoo.training.recipe import Recipe

WARM_UP_FRACTION = 0.05  # of a phase's steps
KEEP_THEIR_SIZE = ["bias", "gamma", "beta", "alpha"]  # variables without weight decay
PARTS = 12  # of the layers that learn, each with a rate of its own where rates decay: as many as BEiT has layers


def phase_optimizer(recipe: Recipe, phase: Phase, steps_per_epoch: int | None) -> keras.optimizers.Optimizer:
    """The optimizer of a phase.

    Its rate rises from a tenth for a twentieth of the phase's steps, then falls to zero as a cosine; where nobody knows
    how many steps there are, it stays. With `layer_decay` the layers are split in twelve parts from the output to the
    input, and the rate of each is that of the part before, times it: Clark et al., 2020,
    https://arxiv.org/abs/2003.10555, appendix A.
    """
    # Batches, as Keras counts for a schedule, also where several make an update.
    steps = None if steps_per_epoch is None else (phase.last - phase.first) * steps_per_epoch
    if recipe["layer_decay"] == 1:
        return _optimizer(recipe, _rate(phase.learning_rate, steps))
    size = -(-len(phase.trained) // PARTS)
    part_of = {name: place // size for place, name in enumerate(reversed(phase.trained))}
    parts = [
        _optimizer(recipe, _rate(phase.learning_rate * recipe["layer_decay"] ** part, steps))
        for part in range(max(part_of.values()) + 1)
    ]
    return keras.optimizers.MultiOptimizer(lambda variable: parts[part_of[variable.path.split("/")[0]]])


def _rate(peak: float, steps: int | None) -> Any:
    if steps is None:
        return peak
    warm_up = max(1, round(WARM_UP_FRACTION * steps))
    return warmed_up_cosine(peak, max(steps, warm_up + 1), warm_up)


def warmed_up_cosine(peak: float, steps: int, warm_up: int) -> keras.optimizers.schedules.CosineDecay:
    """A rate that rises from a tenth of `peak` for `warm_up` of the `steps`, then falls to zero as a cosine."""
    return keras.optimizers.schedules.CosineDecay(peak / 10, steps - warm_up, warmup_target=peak, warmup_steps=warm_up)


def _optimizer(recipe: Recipe, rate: Any) -> keras.optimizers.Optimizer:
    changes: dict[str, Any] = {"learning_rate": rate}
    if recipe["weight_decay"]:
        changes["weight_decay"] = recipe["weight_decay"]
    if recipe["ema"] is not None:
        changes |= {"use_ema": True, "ema_momentum": recipe["ema"]}
    if recipe["gradient_accumulation"] > 1:
        changes["gradient_accumulation_steps"] = recipe["gradient_accumulation"]
    wanted = recipe["optimizer"]
    given = keras.optimizers.get(wanted)
    config = given.get_config()
    if wanted == "adamw" and not recipe["weight_decay"]:
        changes["weight_decay"] = 0.0  # Keras' default is 0.004
    optimizer = type(given).from_config({**config, **changes})
    optimizer.exclude_from_weight_decay(var_names=KEEP_THEIR_SIZE)
    return optimizer
