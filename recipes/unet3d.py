"""Train a 3-D U-Net to find faint lesions in generated phantoms; nothing is downloaded.

    python recipes/unet3d.py [--output zoo/checkpoints] [--measure]

The package needs its extra `train`. The run is seeded, and it resumes where it was stopped. It writes the weights,
`unet3d-phantoms.safetensors` (names are the Keras variable paths, values float16), and `unet3d-phantoms.json`: what was
measured and how, beside the best threshold.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes import training_run
from recipes.phantoms import best_threshold, dice, phantoms, smoothed
from recipes.training_run import TrainingRun, fast_precision, filled
from zoo.architectures.unet3d import unet3d

NAME = "unet3d-phantoms"
SEED = 0
TEST_SEED = 1
TEST_PHANTOMS = 32
ROUNDS = 40
STEPS_PER_ROUND = 40
BATCH_SIZE = 2
LEARNING_RATE = 3e-3
SMOOTHINGS = (0.0, 0.5, 1.0, 1.5)  # voxels, of the Gaussian before the threshold


def network() -> keras.Model:
    """From counts, `(batch, depth, height, width, 1)`, to a logit for each voxel."""
    counts = keras.Input((None, None, None, 1), name="volume")
    return keras.Model(counts, unet3d(counts))


def entropy_and_overlap(target, logits):
    """Binary cross-entropy, mean of all voxels, plus 1 minus a soft Dice of the batch, which counts lesions only."""
    scores = keras.ops.sigmoid(logits)
    overlap = 2 * keras.ops.sum(target * scores) / (keras.ops.sum(target) + keras.ops.sum(scores))
    entropy = keras.ops.softplus(logits) - target * logits
    return keras.ops.mean(entropy) + 1 - overlap


def untrained() -> keras.Model:
    """The network, with a cosine decay over all steps."""
    keras.utils.set_random_seed(SEED)
    model = network()
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, ROUNDS * STEPS_PER_ROUND)
    model.compile(keras.optimizers.Adam(rate), entropy_and_overlap)
    return model


def train(state: Path) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`, written after each round. Returns the model and the seconds it took."""
    run = TrainingRun(state, untrained)
    for index in run.rounds(ROUNDS, STEPS_PER_ROUND):
        counts, lesions = phantoms(STEPS_PER_ROUND * BATCH_SIZE, np.random.default_rng([SEED, index]))
        loss = run.model.fit(counts, lesions, BATCH_SIZE, shuffle=False, verbose=0).history["loss"][0]
        print(f"round {index + 1}/{ROUNDS}: loss {loss:.4f}, {run.seconds:.0f} s", flush=True)
    return run.model, run.seconds


def quickly(state: Path) -> tuple[keras.Model, float]:
    """The same in bfloat16 where that is faster; the weights stay float32."""
    with fast_precision():
        return train(state)


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """Counts and lesions, `(32, 32, 48, 48, 1)`, float32; the same each time."""
    return phantoms(TEST_PHANTOMS, np.random.default_rng(TEST_SEED))


def to_be_thresholded(counts: np.ndarray) -> dict[str, np.ndarray]:
    """The counts and their multiples of each phantom's mean, smoothed or not, by what they are called."""
    values = {}
    for voxels in SMOOTHINGS:
        smooth = smoothed(counts, voxels)
        how = f"smoothed by {voxels:g} voxels" if voxels else "as they are"
        values[f"counts {how}"] = smooth
        values[f"counts {how}, over their mean"] = smooth / smooth.mean(axis=(1, 2, 3, 4), keepdims=True)
    return values


def thresholds(counts: np.ndarray, lesions: np.ndarray) -> dict[str, dict[str, float]]:
    """What the best threshold reaches on each of them."""
    values = to_be_thresholded(counts)
    return {
        f"best threshold, {name}": {"dice_percent": round(100 * best_threshold(value, lesions)[1], 2)}
        for name, value in values.items()
    }


def measure(weights: Path) -> dict[str, Any]:
    """Dice of the network and of the best thresholds on the test phantoms."""
    model = filled(network(), weights)
    counts, lesions = held_out()
    found = model.predict(counts, BATCH_SIZE, verbose=0) > 0
    ours = round(100 * dice(found, lesions), 2)
    rows = thresholds(counts, lesions)
    return {
        "command": "python recipes/unet3d.py",
        "metric": f"Dice in % over all voxels of {TEST_PHANTOMS} phantoms; a threshold is the best for these very ones",
        "dice_percent": ours,
        "threshold_dice_percent": max(row["dice_percent"] for row in rows.values()),
        "comparison": {**rows, NAME: {"dice_percent": ours}},
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
    }


def facts(seconds: float) -> dict[str, Any]:
    """How the checkpoint was made."""
    steps = ROUNDS * STEPS_PER_ROUND
    run = training_run.run_facts(steps=steps, seed=SEED, seconds=seconds, packages=("scipy",))
    return {"training_phantoms": steps * BATCH_SIZE, **run}


if __name__ == "__main__":
    options = training_run.measuring(training_run.parser(__doc__)).parse_args()
    training_run.main(NAME, options, train=quickly, facts=facts, measure=measure, dtype="float16")
