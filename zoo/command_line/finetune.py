"""The command `zoo finetune`. Imports what it needs when it runs."""

import os
import shlex
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from zoo.catalogue.decoder_names import DECODER_NAMES, DETECTORS
from zoo.catalogue.task_names import PROBLEM_TYPES
from zoo.command_line.quiet import import_keras_quietly
from zoo.printing import as_text, print_json


class AutoOr(click.ParamType):
    """A word of `words`, or a number of the kind `number`."""

    name = "value"

    def __init__(self, number: type, *words: str):
        self.number, self.words = number, words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in self.words:
            return value
        try:
            return self.number(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor {' nor '.join(self.words)}.", param, ctx)


class ImageSize(click.ParamType):
    """Pixels per side, or height and width: `224`, `288x384`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        sides = str(value).lower().split("x")
        if len(sides) > 2 or not all(side.isdecimal() and int(side) for side in sides):
            self.fail(
                f"{value!r} is not a size. Expected pixels per side, or HEIGHTxWIDTH, such as 288x384.", param, ctx
            )
        return tuple(map(int, sides)) if len(sides) == 2 else int(sides[0])


@click.command()
@click.argument("handle", metavar="MODEL")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output-dir", type=click.Path(path_type=Path), help="The folder of the run; by default runs/MODEL."
)
@click.option(
    "--validation-data", type=click.Path(path_type=Path), help="What to evaluate on; by default DATA/val or a fifth."
)
@click.option(
    "--problem-type",
    type=click.Choice(("auto", *PROBLEM_TYPES)),
    default="auto",
    show_default=True,
    help="What the head predicts for an image: one class, several labels, or numbers; by default by the data.",
)
@click.option(
    "--decoder",
    type=click.Choice(DECODER_NAMES),
    help="Put a new decoder above MODEL, to segment images, or, with efficientdet, fcos, retinanet or yolox, to find "
    "objects; DATA or --num-classes says how many classes there are.",
)
@click.option("--num-classes", type=int, help="Number of classes of a new head.")
@click.option(
    "--recipe", type=click.Path(path_type=Path), help="A YAML file with the options below; those typed here come first."
)
@click.option(
    "--epochs", type=AutoOr(int, "auto"), help="Epochs to train at most; by default 10, with small data 2 of 30 steps."
)
@click.option("--steps", type=int, help="Steps to train at least, in place of epochs.")
@click.option(
    "--freeze",
    type=AutoOr(int, "auto", "backbone", "none"),
    help="Layers to freeze: backbone, none, or the first N; by default none, with small data half of them.",
)
@click.option("--learning-rate", type=AutoOr(float, "auto"), help="Peak learning rate; by default fits model and data.")
@click.option("--batch-size", type=AutoOr(int, "auto"), help="Examples per step; by default up to 32.")
@click.option("--lora", type=int, metavar="RANK", help="Train an adapter of this rank, such as 8, over MODEL.")
@click.option("--gradient-accumulation", type=int, help="Batches whose gradients are averaged for one update.")
@click.option("--optimizer", help="The name of a Keras optimizer; by default adamw.")
@click.option("--weight-decay", type=float, help="Of the optimizer, for kernels; by default 0.")
@click.option("--layer-decay", type=float, help="Rate of each twelfth of the layers over that of the next one.")
@click.option("--drop-path", type=float, help="Share of the examples that leave out the last block, such as 0.1.")
@click.option("--ema", type=float, help="Keep the moving average of the weights, with this momentum, such as 0.99.")
@click.option("--loss", help="Of segmentation: cross-entropy, dice, focal, or a sum, cross-entropy+dice.")
@click.option(
    "--class-weight",
    type=click.Choice(["balanced", "none"]),
    help="Weights of the classes in the loss: rare ones more, by default; none: all alike.",
)
@click.option(
    "--augment",
    type=click.Choice(["light", "strong", "none"]),
    help="Views per epoch: light, random crops, mirrored, by default; strong: of other scales, shapes, colours too.",
)
@click.option("--mixup", type=float, help="Strength of MixUp, such as 0.2; of single classes.")
@click.option("--cutmix", type=float, help="Strength of CutMix, such as 1; of single classes.")
@click.option("--label-smoothing", type=float, help="Share of a target that is spread over all classes, such as 0.1.")
@click.option("--image-size", metavar="SIDE|HxW", type=ImageSize(), help="Pixels that are trained on.")
@click.option(
    "--mixed-precision/--full-precision",
    default=None,
    help="Compute in bfloat16; by default on GPUs made for it, where outputs are scores.",
)
@click.option("--seed", type=int, help="Of the new head, the order and the views; by default 0.")
@click.option("--skip-unreadable", is_flag=True, help="Skip unreadable files and name them, instead of stopping.")
@click.option("--resume/--no-resume", default=True, help="Resume the run in OUTPUT_DIR, or start over.")
@click.option(
    "--hosts",
    metavar="HOST:PORT,HOST,...",
    help="Train on several hosts: run the same command on each, with its own index.",
)
@click.option("--host-index", default=0, show_default=True, type=int, help="Index of this host in HOSTS, from 0.")
@click.option("--dry-run", is_flag=True, help="Check everything and print the plan, without training.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def finetune(
    ctx: click.Context,
    handle: str,
    data: Path,
    output_dir: Path | None,
    decoder: str | None,
    num_classes: int | None,
    validation_data: Path | None,
    problem_type: str,
    recipe: Path | None,
    skip_unreadable: bool,
    resume: bool,
    hosts: str | None,
    host_index: int,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Fine-tune MODEL on the folder DATA, and print its metrics. If it is killed, the same command resumes."""
    from zoo.catalogue.resolving import resolve

    resolve(handle)  # a wrong name is an error before anything large is imported
    if hosts is not None:
        os.environ.setdefault("KERAS_BACKEND", "jax")
    import_keras_quietly()
    import keras

    import zoo
    from zoo.datasets.boxes import find_boxes
    from zoo.finetuning import execute, gains
    from zoo.training.hosts import join
    from zoo.training.preparation import prepare
    from zoo.training.recipe import as_yaml, completed
    from zoo.training.trainers.semantic_segmentation import count_of_classes

    if hosts is not None:
        join(hosts, host_index)

    given = {name: value for name, value in options.items() if value is not None}
    given |= {name: None for name in ("augment", "class_weight") if given.get(name) == "none"}
    whole = completed(recipe, given)
    keras.utils.set_random_seed(whole["seed"])  # a new decoder and head begin with the same weights
    if decoder is not None and num_classes is None:
        num_classes = len(find_boxes(data, "train")[0]) if decoder in DETECTORS else count_of_classes(data)
    model = zoo.load(handle, decoder=decoder, num_classes=num_classes)
    about: dict[str, Any] = {"validation_data": validation_data, "problem_type": problem_type}
    about |= {"skip_unreadable": skip_unreadable}
    if dry_run:
        prepared = prepare(model, data, whole, **about)
        plan = prepared.plan.as_dict()
        is_new = prepared.model.spec.random == "head"
        told = [*map(as_text, _told(plan, is_new)), "the recipe, as --recipe reads it:", as_yaml(whole).rstrip()]
        return print_json(plan) if as_json else click.echo("\n".join(told))
    run = execute(model, data, whole, **about, output_dir=output_dir, resume=resume, command=_typed(ctx))
    if as_json:
        return print_json({"folder": str(run.folder), "metrics": run.metrics, "history": run.history})
    click.echo(run.folder)
    for name, value in run.metrics.items():
        click.echo(as_text(f"  {name}: {value}"))
    if added := gains(run.metrics):
        click.echo(as_text(added))


def _typed(ctx: click.Context) -> str:
    """The command as it was typed, options in the order of the help."""
    from zoo.training.call import shown_path

    words = ["zoo", "finetune", *(shown_path(ctx.params[name]) for name in ("handle", "data"))]
    for option in ctx.command.params:
        name = option.name or ""
        if not isinstance(option, click.Option) or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        if name == "image_size":
            value = "x".join(map(str, value)) if isinstance(value, tuple) else value
        if isinstance(value, bool):
            words.append((option.opts if value else option.secondary_opts)[-1])
        else:
            words += [option.opts[-1], shown_path(value) if isinstance(value, Path) else str(value)]
    return shlex.join(words)


def _told(plan: dict[str, Any], has_new_head: bool) -> list[str]:
    lines = [
        f"{plan['model']}, {plan['task']}, {plan['parameters']:,} parameters, computed in {plan['dtype']}",
        f"{plan['training_examples']} training examples, {plan['validation_examples']} validation examples, "
        f"inputs {tuple(plan['input_shape'])}",
    ]
    if plan["classes"]:
        kind = {"image-regression": "quantities", "multi-label-classification": "labels"}.get(plan["task"], "classes")
        lines.append(f"{len(plan['classes'])} {kind}: {', '.join(plan['classes'][:10])}")
    if plan["probe"]:
        fitted = "the head is fitted first, to features that are computed once; no epoch below it is kept"
        lines.append(fitted if has_new_head else "no epoch below the model as it came is kept")
    if (passes := plan.get("passes_per_epoch", 1)) > 1:
        lines.append(f"each epoch sees all training examples {passes} times")
    for phase in plan["phases"]:
        steps = (phase["last"] - phase["first"]) * plan["steps_per_epoch"]
        lines.append(
            f"epochs {phase['first'] + 1} to {phase['last']}: {phase['trained']} layers are trained, "
            f"{phase['trained_parameters']:,} parameters, learning rate at most {phase['learning_rate']:.3g}, "
            f"{steps} steps with batches of {plan['batch_size']}"
        )
    lines.append(f"about {plan['memory_bytes'] / 1e9:.1f} GB of memory")
    if plan["patience"] < plan["epochs"]:
        lines.append(f"stops after {plan['patience']} epochs without improvement")
    return lines


COMMANDS = (finetune,)
