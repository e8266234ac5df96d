"""Train BlurNet and its twin with ordinary max pooling on patches of textures; nothing is downloaded.

    python recipes/blurnet.py [--output zoo/checkpoints]

The package needs its extra `train`. The runs are seeded, five a network, and they go on where they were stopped. It
writes the weights of the first seed, `blurnet-textures.safetensors` and `maxpool-textures.safetensors` (names are the
Keras variable paths, values float16), and beside them a `.json`: what was measured and how, for all seeds of both.
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.textures import LABELS, planes, shifted, windows
from recipes.training_run import TrainingRun, filled, parser, run_facts, write_weights
from zoo.architectures.blurnet import blurnet

BLURS = {"blurnet-textures": 3, "maxpool-textures": 1}  # pixels; 1 is none
SEEDS = (0, 1, 2, 3, 4)
ROUNDS = 12
STEPS_PER_ROUND = 50
BATCH_SIZE = 64
LEARNING_RATE = 3e-3
CONTRASTS = (0.6, 1.4)  # the range of the factor, about the patch's mean,
BRIGHTNESS = 40  # and how many grey levels are added or taken away at most
TEST_WINDOWS = 4000
PACKAGES = ("pillow", "scikit-image", "scikit-learn")

Pair = tuple[np.ndarray, np.ndarray]


def network(name: str) -> keras.Model:
    """From grey levels as RGB, 0 to 255, `(batch, height, width, 3)`, to logits, `(batch, 10)`."""
    image = keras.Input((None, None, 3), name="image")
    x = keras.layers.Rescaling(1 / 255, name="normalization")(image)
    return keras.Model(image, blurnet(x, num_classes=len(LABELS), blur=BLURS[name]))


def draw(textures: list[list[np.ndarray]], generator: np.random.Generator) -> Pair:
    """The patches of a round, in one of eight orientations each, other in contrast and brightness; and their labels."""
    pixels, labels = windows(textures, STEPS_PER_ROUND * BATCH_SIZE, generator)
    turns, mirrors = generator.integers(4, size=len(pixels)), generator.choice([-1, 1], len(pixels))
    oriented = [
        np.rot90(window, turn)[:, ::mirror] for window, turn, mirror in zip(pixels, turns, mirrors, strict=True)
    ]
    patches = shifted(np.stack(oriented), generator).astype("float32")
    means = patches.mean(axis=(1, 2, 3), keepdims=True)
    contrasts = generator.uniform(*CONTRASTS, means.shape)
    patches = means + contrasts * (patches - means) + generator.uniform(-BRIGHTNESS, BRIGHTNESS, means.shape)
    return np.clip(patches, 0, 255).astype("float32"), labels


def untrained(name: str, seed: int) -> keras.Model:
    """The network, with a cosine decay over all steps."""
    keras.utils.set_random_seed(seed)
    model = network(name)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, ROUNDS * STEPS_PER_ROUND)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def train(name: str, seed: int, state: Path) -> tuple[keras.Model, float]:
    """Train, or go on from the file `state`, written after each round. Returns the model and the seconds it took."""
    run, textures = TrainingRun(state, lambda: untrained(name, seed)), planes("train")
    for index in run.rounds(ROUNDS, STEPS_PER_ROUND):
        patches, labels = draw(textures, np.random.default_rng([seed, index]))
        history = run.model.fit(patches, labels, BATCH_SIZE, shuffle=False, verbose=0).history
        share = 100 * history["accuracy"][0]
        print(f"{state.stem}, round {index + 1}/{ROUNDS}: {share:.1f} % in training, {run.seconds:.0f} s", flush=True)
    return run.model, run.seconds


def pairs_of_patches() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two patches from each test window, each at a random shift: `(4000, 32, 32, 3)` twice; and their labels."""
    pixels, labels = windows(planes("test"), TEST_WINDOWS, np.random.default_rng(0))
    return shifted(pixels, np.random.default_rng(1)), shifted(pixels, np.random.default_rng(2)), labels


def measure(name: str, weights: Path) -> dict[str, float]:
    """The share of right answers, and of windows whose two patches get the same answer, in %."""
    model, (*patches, labels) = filled(network(name), weights), pairs_of_patches()
    first, second = (model.predict(pixels, 256, verbose=0).argmax(axis=-1) for pixels in patches)
    return {
        "accuracy_percent": round(50 * float(np.mean(first == labels) + np.mean(second == labels)), 2),
        "consistency_percent": round(100 * float(np.mean(first == second)), 2),
    }


def report(name: str, scores: dict[tuple[str, int], dict[str, float]], seconds: float) -> dict[str, Any]:
    """What the checkpoint scores, what all seeds of it and of its twin score, and how they were made."""
    rows = {
        f"seed {seed}": {
            f"{twin.split('-')[0]}_{key}": value for twin in BLURS for key, value in scores[twin, seed].items()
        }
        for seed in SEEDS
    }
    return {
        "command": "python recipes/blurnet.py",
        "metric": "share in % of 4,000 windows: right predictions, and the same prediction for two shifts",
        **scores[name, SEEDS[0]],
        "seeds": rows,
        "mean": {key: round(float(np.mean([row[key] for row in rows.values()])), 2) for key in rows["seed 0"]},
        "network": name,
        "parameters": sum(int(np.prod(variable.shape)) for variable in network(name).trainable_variables),
        **run_facts(steps=ROUNDS * STEPS_PER_ROUND, seed=SEEDS[0], seconds=seconds, packages=PACKAGES),
    }


def main() -> None:
    """Train both networks with each seed, write the weights, load them afresh, measure."""
    arguments = parser(__doc__).parse_args()
    states = {(name, seed): arguments.state / f"{name}-{seed}.state" for name in BLURS for seed in SEEDS}
    seconds, scores = {}, {}
    for (name, seed), state in states.items():
        trained, seconds[name, seed] = train(name, seed, state)
        # Only the first seed's weights are kept; those of the others are measured in the same precision.
        weights = (arguments.output if seed == SEEDS[0] else arguments.state) / f"{name}.safetensors"
        write_weights(trained, weights, "float16")
        scores[name, seed] = measure(name, weights)
        print(name, seed, scores[name, seed], flush=True)
    for name in BLURS:
        text = json.dumps(report(name, scores, seconds[name, SEEDS[0]]), indent=2)
        (arguments.output / f"{name}.json").write_text(text + "\n")
    for state in states.values():
        state.unlink()  # the next run starts anew
    print(text)


if __name__ == "__main__":
    main()
