"""How the networks for CamVid are trained and measured: one loop for every family.

The run is seeded, and it resumes where it was stopped. Every few epochs it measures on the validation frames, and the
weights that did best there are the ones it writes: `<name>.safetensors` in float16 (names are the Keras variable
paths), and `<name>.json`, what the file scores on the test frames and how it was made.
"""

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import safetensors.numpy

import zoo
from recipes import camvid
from recipes.camvid import CLASSES, Frame
from recipes.training_run import TrainingRun, fast_precision, filled, measuring, parser, run_facts, write_weights
from zoo.layers.fused_batch_normalization import fuse_normalization
from zoo.training.optimizers import warmed_up_cosine

SEED = 0
BATCH_SIZE = 8
EPOCHS_PER_STATE = 5
WEIGHT_DECAY = 0.02
# Of the training frames, in units of [0, 1].
MEAN = (0.411, 0.424, 0.432)
STD = (0.307, 0.311, 0.307)


class Recipe(NamedTuple):
    """How one network is trained.

    `network` is from a normalised image to logits, one for every `label_stride`-th pixel. `balance` is to which power
    the classes' weights by median frequency are taken in the loss: 0 for all classes alike. With `begins_with` the
    network starts from the weights that another recipe wrote; layers that the other does not have start as new ones.
    With `fine_tuning`, arguments of `zoo.finetune`, it is the library that trains it, from that other recipe's weights.
    """

    name: str
    network: Callable[..., Any]
    label_stride: int
    epochs: int
    learning_rate: float
    balance: float
    begins_with: str | None = None
    fine_tuning: Mapping[str, Any] | None = None


def build(recipe: Recipe) -> keras.Model:
    """The network from RGB, 0 to 255, `(batch, height, width, 3)`, to float32 logits; in Keras' present precision."""
    image = keras.Input((None, None, 3), name="image")
    scale, offset = [1 / (255 * s) for s in STD], [-m / s for m, s in zip(MEAN, STD, strict=True)]
    x = keras.layers.Rescaling(scale, offset, name="normalization", dtype="float32")(image)
    logits = recipe.network(x, num_classes=len(CLASSES))
    return keras.Model(image, keras.layers.Activation("linear", dtype="float32", name="logits")(logits))


def untrained(recipe: Recipe, steps: int, folder: Path) -> keras.Model:
    """Ready for `fit`, with a warm-up over a fiftieth of the steps and a cosine decay over the others."""
    keras.utils.set_random_seed(SEED)
    with fast_precision():
        model = build(recipe)
    fuse_normalization(model)
    if recipe.begins_with is not None:
        begin_with(model, folder / f"{recipe.begins_with}.safetensors")
    rate = warmed_up_cosine(recipe.learning_rate, steps, max(1, steps // 50))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    model.compile(keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY), loss)
    return model


def begin_with(model: keras.Model, path: Path) -> None:
    """Copy the weights of a file into the variables of the same paths."""
    if not path.is_file():
        raise SystemExit(f"There is no {path}. This network begins with its weights; train that one first.")
    weights = safetensors.numpy.load_file(path)
    for variable in model.variables:
        if variable.path in weights:
            variable.assign(weights[variable.path])


def train(recipe: Recipe, data: Path, state: Path, folder: Path) -> dict[str, Any]:
    """Train, or go on from the file `state`; `folder` is where the weights lie that the network begins with.

    Writes the weights that did best on the validation frames beside `state`, and returns how it went: `seconds`,
    `steps`, and `validation`, the mean IoU in percent by epoch.
    """
    frames, validation = camvid.read_split(data, "train"), camvid.read_split(data, "val")
    steps_per_epoch = -(-len(frames) // BATCH_SIZE)
    steps = recipe.epochs * steps_per_epoch
    run = TrainingRun(state, lambda: untrained(recipe, steps, folder))
    weights = camvid.class_weights([mask for _, mask in frames], len(CLASSES)) ** recipe.balance
    weights = np.append(weights, np.float32(0))  # the last is what VOID, -1, selects
    for epoch in run.rounds(recipe.epochs, steps_per_epoch, EPOCHS_PER_STATE):
        images, labels = camvid.draw(frames, recipe.label_stride, np.random.default_rng([SEED, epoch]))
        classes, importance = np.maximum(labels, 0), weights[labels]
        fitted = run.model.fit(images, classes, BATCH_SIZE, sample_weight=importance, shuffle=False, verbose=0)
        if (epoch + 1) % EPOCHS_PER_STATE == 0 or epoch + 1 == recipe.epochs:
            score = round(camvid.measure(run.model, validation).mean_iou, 3)
            keep_best(run, epoch + 1, score)
            print(
                f"{recipe.name}, epoch {epoch + 1}/{recipe.epochs}: loss {fitted.history['loss'][0]:.4f}, "
                f"validation {score:.2f} % mean IoU, {run.seconds:.0f} s",
                flush=True,
            )
    return {"seconds": run.seconds, "steps": steps, **run.notes}


def fine_tune(recipe: Recipe, data: Path, state: Path, folder: Path) -> None:
    """Let the library fine-tune what another recipe wrote, or resume its run in `state`; the weights go to `folder`."""
    model = zoo.load(recipe.name, weights=folder / f"{recipe.begins_with}.safetensors")
    zoo.finetune(model, data, output_dir=state, **(recipe.fine_tuning or {}))
    write_halves(state / "model.safetensors", folder / f"{recipe.name}.safetensors")


def write_halves(source: Path, target: Path) -> None:
    """Copy a file of weights, its floats in 16 bits."""
    tensors = safetensors.numpy.load_file(source)
    halves = {name: x.astype("float16") if x.dtype == np.float32 else x for name, x in tensors.items()}
    target.write_bytes(safetensors.numpy.save(halves))


def keep_best(run: TrainingRun, epoch: int, score: float) -> None:
    """Note what an epoch scores, and write its weights if none was better. Stopped before the state, it comes again."""
    validation = run.notes.setdefault("validation", {})
    if score > max(validation.values(), default=-1.0):
        write_weights(run.model, best_weights(run.state), "float16")
    validation[str(epoch)] = score


def best_weights(state: Path) -> Path:
    """Where the weights lie that did best on the validation frames."""
    return state.with_name(f"{state.stem}-best.safetensors")


def measure(recipe: Recipe, weights: Path, test: list[Frame]) -> dict[str, Any]:
    """What the file scores on the test frames: the three measures, and the IoU of each class."""
    model = filled(build(recipe), weights)
    scores = camvid.measure(model, test)
    return {
        "scores": {
            "global_accuracy_percent": round(scores.global_accuracy, 2),
            "mean_class_accuracy_percent": round(scores.mean_class_accuracy, 2),
            "mean_iou_percent": round(scores.mean_iou, 2),
        },
        "classes": {name: {"iou_percent": round(iou, 2)} for name, iou in zip(CLASSES, scores.class_iou, strict=True)},
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
    }


def facts_of(recipe: Recipe, progress: dict[str, Any]) -> dict[str, Any]:
    """How the checkpoint was made."""
    validation = progress["validation"]
    return {
        "begins_with": recipe.begins_with,
        "epochs": recipe.epochs,
        "chosen_epoch": int(max(validation, key=validation.get)),
        "validation_mean_iou_percent": validation,
        **run_facts(steps=progress["steps"], seed=SEED, seconds=progress["seconds"], packages=("pillow",)),
    }


def facts_of_runs(folders: Sequence[Path], seed: int) -> dict[str, Any]:
    """How the library's runs in these folders went, one after the other."""
    records = [json.loads((folder / "run.json").read_text()) for folder in folders]
    epochs = [len(record["history"]["loss"]) for record in records]
    lengths = [record["settings"]["plan"]["steps_per_epoch"] for record in records]
    steps = sum(count * length for count, length in zip(epochs, lengths, strict=True))
    facts = run_facts(steps=steps, seed=seed, seconds=0, packages=("pillow",))
    del facts["seconds"], facts["processor"]  # runs that were resumed do not know
    return {"epochs": epochs, "chosen_epochs": [record["kept"] for record in records], **facts}


def report(
    recipe: Recipe, weights: Path, test: list[Frame], paper: Mapping[str, dict[str, float]], facts: dict[str, Any]
) -> dict[str, Any]:
    """The measurements, beside those of the paper or of the networks that it began with, and then the facts."""
    rows = dict(paper)
    if recipe.begins_with is not None:
        rows = json.loads(weights.with_name(f"{recipe.begins_with}.json").read_text())["comparison"]
    measured = {
        "command": f"python recipes/{Path(sys.argv[0]).name} DATA --model {recipe.name}",
        "metric": "global accuracy, mean class accuracy and mean IoU of 11 classes, in %, void pixels not counted",
        "data": "CamVid in SegNet's split: 367 frames to train, 101 to validate, 233 to test, 360 x 480 pixels",
        **measure(recipe, weights, test),
    }
    measured["comparison"] = {**rows, recipe.name: measured.pop("scores")}
    return measured | {key: fact for key, fact in facts.items() if key not in measured}


def main(recipes: Sequence[Recipe], paper: Mapping[str, dict[str, float]], description: str) -> None:
    """Train each network in turn, write the weights, load them afresh, measure.

    `paper` is what the paper reports on the same frames, by the name of the network there.
    """
    options = measuring(parser(description))
    options.add_argument("data", type=Path, help="folder of CamVid, with train, val and test")
    options.add_argument("--model", choices=[recipe.name for recipe in recipes], help="only this one; by default all")
    arguments = options.parse_args()
    test = camvid.read_split(arguments.data, "test")
    for recipe in recipes:
        if arguments.model not in (None, recipe.name):
            continue
        weights, state = arguments.output / f"{recipe.name}.safetensors", arguments.state / f"{recipe.name}.state"
        record = weights.with_suffix(".json")
        if arguments.measure:
            facts = json.loads(record.read_text())
        elif recipe.fine_tuning is not None:
            fine_tune(recipe, arguments.data, state, arguments.output)
            facts = {"fine_tuning": recipe.fine_tuning, **facts_of_runs([state], SEED)}
        else:
            facts = facts_of(recipe, train(recipe, arguments.data, state, arguments.output))
            weights.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(best_weights(state), weights)
        text = json.dumps(report(recipe, weights, test, paper, facts), indent=2)
        record.write_text(text + "\n")
        if not arguments.measure:  # the next run starts anew
            if recipe.fine_tuning is not None:
                shutil.rmtree(state)
            else:
                state.unlink()
                best_weights(state).unlink()
        print(text, flush=True)
