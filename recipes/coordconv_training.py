"""How the networks of Not-so-Clevr are trained: one loop for every task, seeded, that resumes where it was stopped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from recipes.not_so_clevr import SEED, Split, split_centres
from recipes.training_run import TrainingRun
from zoo.training.optimizers import warmed_up_cosine

BATCH_SIZE = 32
ROUNDS_PER_STATE = 5  # a round sees each training centre once

Pair = tuple[np.ndarray, np.ndarray]


class Network(NamedTuple):
    """How one network is trained.

    `whole` is the network; `learning` the part that is fitted, its variables called as the whole's. `draw` gives the
    inputs and the targets of a round. `loss` makes the loss.
    """

    whole: Callable[[], keras.Model]
    learning: Callable[[], keras.Model]
    draw: Callable[[np.ndarray, np.random.Generator], Pair]
    loss: Callable[[], Any]
    rounds: int
    learning_rate: float = 1e-2
    weight_decay: float = 0.0
    jit_compile: bool = True  # the faster way on two cores for some, and the slower one for others


def from_coordinates(builder: Callable) -> keras.Model:
    """A network from pixels (x, y), `(batch, 2)`."""
    coordinates = keras.Input((2,), name="coordinates")
    return keras.Model(coordinates, builder(coordinates))


def untrained(network: Network, steps: int) -> keras.Model:
    """The part that learns, with a warm-up over a twentieth of the steps and a cosine decay over the others."""
    keras.utils.set_random_seed(SEED)
    model = network.learning()
    rate = warmed_up_cosine(network.learning_rate, steps, steps // 20)
    optimizer = keras.optimizers.Adam(rate, weight_decay=network.weight_decay)
    model.compile(optimizer, network.loss(), jit_compile=network.jit_compile)
    return model


def steps_per_round(split: Split) -> int:
    """How many batches the training centres of a split make."""
    return -(-len(split_centres(split)[0]) // BATCH_SIZE)


def train(network: Network, split: Split, state: Path) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`. Returns the model and the seconds it took."""
    places, _ = split_centres(split)
    steps = steps_per_round(split)
    run = TrainingRun(state, lambda: untrained(network, network.rounds * steps))
    for index in run.rounds(network.rounds, steps, ROUNDS_PER_STATE):
        inputs, targets = network.draw(places, np.random.default_rng([SEED, index]))
        loss = run.model.fit(inputs, targets, BATCH_SIZE, shuffle=False, verbose=0).history["loss"][0]
        print(f"{state.stem}, round {index + 1}/{network.rounds}: loss {loss:.6f}, {run.seconds:.0f} s", flush=True)
    return run.model, run.seconds
