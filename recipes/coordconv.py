"""Train CoordConv and its plain twins on Not-so-Clevr, on both splits; the data are generated, nothing is downloaded.

    python recipes/coordconv.py --model classifier [--output zoo/checkpoints]

The run is seeded, and it resumes where it was stopped. For each network and split it writes the weights,
`coordconv-classifier-quadrant.safetensors` (names are the Keras variable paths), and beside them a `.json`: what was
measured and how, the twins (and the paper, where it gives numbers) side by side.
"""

import json
from pathlib import Path

import numpy as np

from recipes import coordconv_classifier, coordconv_regressor, coordconv_renderer
from recipes.coordconv_training import steps_per_round, train
from recipes.not_so_clevr import SEED, SPLITS, Split, split_centres
from recipes.training_run import filled, parser, run_facts, write_weights

TASKS = {"classifier": coordconv_classifier, "regressor": coordconv_regressor, "renderer": coordconv_renderer}


def measure(task: str, name: str, split: Split, weights: Path) -> dict[str, float]:
    """The row of one checkpoint: the paper's figure where there is one, ours, and the size."""
    module = TASKS[task]
    model = filled(module.NETWORKS[name].whole(), weights)
    row = dict(module.PAPER_TEST.get((name, split), {}))
    for places, label in zip(reversed(split_centres(split)), ("test", "train"), strict=True):
        row |= {f"{label}_{key}": value for key, value in module.score(model, places).items()}
    return row | {"parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)}


def report(task: str, name: str, split: Split, comparison: dict, seconds: float) -> dict:
    """What the checkpoint is, what it and its twin score, and how it was made."""
    steps = TASKS[task].NETWORKS[name].rounds * steps_per_round(split)
    return {
        "command": f"python recipes/coordconv.py --model {task}",
        "metric": TASKS[task].METRIC,
        "comparison": comparison,
        "network": name,
        "split": split,
        **run_facts(steps=steps, seed=SEED, seconds=seconds),
    }


def main() -> None:
    """Train each network on each split, write the weights, load them afresh, measure."""
    options = parser(__doc__)
    options.add_argument("--model", choices=TASKS, default="classifier", help="which task, both twins of it")
    arguments = options.parse_args()
    task = arguments.model
    networks, seconds, comparison = TASKS[task].NETWORKS, {}, {}
    runs = [(name, split) for name in networks for split in SPLITS]
    for name, split in runs:
        state = arguments.state / f"{name}-{split}.state"
        trained, seconds[name, split] = train(networks[name], split, state)
        weights = arguments.output / f"{name}-{split}.safetensors"
        write_weights(trained, weights)
        comparison[f"{name}.{split}"] = measure(task, name, split, weights)
    for name, split in runs:
        text = json.dumps(report(task, name, split, comparison, seconds[name, split]), indent=2)
        (arguments.output / f"{name}-{split}.json").write_text(text + "\n")
        (arguments.state / f"{name}-{split}.state").unlink()  # the next run starts anew
    print(json.dumps(comparison, indent=2))


if __name__ == "__main__":
    main()
