"""What the arguments of `zoo.load` may be, and the entry that they make of a model's own."""

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from numbers import Integral
from pathlib import Path
from typing import Any

from zoo.catalogue.decoder_names import BOXES_PER_PLACE, DECODER_NAMES
from zoo.catalogue.entry import Entry, Input
from zoo.catalogue.registry import registry
from zoo.catalogue.task_names import ONE_HEAD, PROBLEM_TYPES, ProblemType
from zoo.errors import InputError
from zoo.tasks import find_task
from zoo.weights import filling as weight_files

MOST_CLASSES = 100_000  # a head of 2,048 features and so many classes is 0.8 GB
MOST_CHANNELS = 1_000
LONGEST_SIDE = 100_000


def check(**arguments: Any) -> None:
    """Refuse what no model could take.

    Raises:
        InputError: The first argument that is of a wrong type or out of range, by name.
    """
    for name, value in arguments.items():
        is_allowed, expected = _ALLOWED[name]
        if not is_allowed(value):
            raise InputError(f"{name}={value!r:.100} is not an argument of zoo.load. Expected {expected}.")


def _is_int(value: Any, least: int, most: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most


def _is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike) and isinstance(path := os.fspath(value), str) and bool(path)


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(side is None or _is_int(side, 1, LONGEST_SIDE) for side in value)


def _are_strides(value: Any) -> bool:
    return isinstance(value, tuple | list) and bool(value) and all(_is_int(stride, 1, 1024) for stride in value)


def _or_none(is_allowed: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or is_allowed(value)


_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "weights": (_or_none(_is_path), "'pretrained', None for random weights, or the path of a file of weights"),
    "num_classes": (
        _or_none(lambda value: _is_int(value, 0, MOST_CLASSES)),
        f"None, or an int from 0 (no head) to {MOST_CLASSES:,}",
    ),
    "new_head": (lambda value: isinstance(value, bool), "True or False"),
    "problem_type": (
        _or_none(lambda value: isinstance(value, str) and value in PROBLEM_TYPES),
        f"None, {', '.join(map(repr, PROBLEM_TYPES))}",
    ),
    "decoder": (
        _or_none(lambda value: isinstance(value, str) and value in DECODER_NAMES),
        f"None, or one of {', '.join(DECODER_NAMES)}",
    ),
    "decoder_options": (
        _or_none(lambda value: isinstance(value, Mapping)),
        "None, or a dict of the decoder's options by name",
    ),
    "input_shape": (_or_none(_is_shape), "None, or sizes and channels such as (224, 224, 3), where a size may be None"),
    "in_channels": (
        _or_none(lambda value: _is_int(value, 1, MOST_CHANNELS)),
        f"None, or an int of at least 1 channel and at most {MOST_CHANNELS:,}",
    ),
    "output_stride": (
        _or_none(lambda value: _is_int(value, 8, 32) and int(value) in (8, 16, 32)),
        "None, 8, 16 or 32 pixels",
    ),
    "features": (
        lambda value: isinstance(value, bool) or _are_strides(value),
        "True, False, or the strides of maps, such as (8, 16, 32)",
    ),
}


def with_features(entry: Entry, features: bool | Sequence[int] = True) -> Entry:
    """The entry whose model gives its feature pyramid, or maps of these strides.

    Raises:
        InputError: Its family has none.
    """
    if not registry().has_features(entry.builder):
        raise InputError(
            f"features={features} does not fit {entry.name} ({entry.task}): its network has no feature pyramid. "
            "Expected a model with a trunk of several sizes, such as a classifier; or take its layers: "
            "keras.Model(model.input, model.get_layer(name).output)."
        )
    strides = features if isinstance(features, bool) else tuple(map(int, features))
    return entry.model_copy(update={"features": strides})


def with_output_stride(entry: Entry, output_stride: int) -> Entry:
    """The entry whose network is dilated in place of being strided beyond `output_stride`.

    Raises:
        InputError: Its family cannot be dilated.
    """
    if not registry().dilates(entry.builder):
        known = sorted(
            {each.builder.partition(".")[0] for each in registry().entries.values() if registry().dilates(each.builder)}
        )
        raise InputError(
            f"output_stride={output_stride} does not fit {entry.name}: its family cannot be dilated. Expected a "
            f"network of zoo.architectures.{' or '.join(known)}, such as resnet50, or no output_stride."
        )
    changes = {"config": {**entry.config, "output_stride": int(output_stride)}, "metrics": {}, "measured": None}
    return entry.model_copy(update=changes)


def with_channels(entry: Entry, in_channels: int) -> Entry:
    """The entry for images of so many channels: mean and deviation are averaged for one, and else repeated.

    Raises:
        InputError: The number of channels of its model cannot change.
    """
    if not registry().first_conv(entry.builder):
        raise InputError(
            f"in_channels={in_channels} does not fit {entry.name} ({entry.task}): its input is what it is. Expected a "
            "network for images such as resnet50, or no in_channels."
        )
    if in_channels == len(entry.input.mean):
        return entry
    changed = entry.input.model_copy(
        update={"mean": _spread(entry.input.mean, in_channels), "std": _spread(entry.input.std, in_channels)}
    )
    return entry.model_copy(update={"input": Input.model_validate(changed), "metrics": {}, "measured": None})


def _spread(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    return (sum(values) / len(values),) if count == 1 else tuple(islice(cycle(values), count))


def with_classes(
    entry: Entry, num_classes: int, own_file: Path | None, new_head: bool, problem_type: ProblemType | None
) -> tuple[Entry, tuple[str, ...]]:
    """The entry for `num_classes`, and the layers of the head that are not to be filled.

    Raises:
        InputError: The model has no classes, or a head in a file of one's own would be thrown away by mistake.
    """
    smallest = 0 if entry.task in ONE_HEAD else 1
    if num_classes < smallest or entry.classifier is None:
        raise InputError(
            f"num_classes={num_classes} does not fit {entry.name} ({entry.task}). "
            f"Expected a model with classes and at least {smallest}."
        )
    if problem_type is not None and (num_classes == 0 or entry.task not in ONE_HEAD):
        raise InputError(
            f"problem_type={problem_type!r} does not fit {entry.name} ({entry.task}) with num_classes={num_classes}. "
            "Expected a model that classifies images, and at least one output."
        )
    size = entry.num_classes
    if own_file is not None:
        size = weight_files.head_size(own_file, entry.classifier, entry.format)
        size = size and size // BOXES_PER_PLACE.get(entry.decoder or entry.builder, 1)
        if num_classes and not new_head and size is not None and size != num_classes:
            raise InputError(
                f"num_classes={num_classes}, but the head in {own_file} ({entry.classifier}) has {size} classes. "
                f"Expected num_classes={size}; or pass new_head=True for a new head, which begins with random weights."
            )
    update: dict[str, Any] = {"num_classes": int(num_classes)}
    if entry.task in ONE_HEAD:
        own = entry.problem_type or "single_label_classification"
        update["task"] = PROBLEM_TYPES[problem_type or own] if num_classes else "image-features"
    is_other = num_classes != entry.num_classes or update.get("task", entry.task) != entry.task
    unnamed: dict[str, Any] = {"labels": None, "quantities": ()}
    if is_other:
        update |= unnamed
    if num_classes == size and not new_head and (own_file is not None or not is_other):
        return entry.model_copy(update=update), ()
    return entry.model_copy(update={**update, **unnamed, "random": "head" if num_classes else entry.random}), (
        entry.head_layers
    )


def check_problem_type(entry: Entry, problem_type: ProblemType) -> None:
    """Compare a wanted problem type with that of a head which stays.

    Raises:
        InputError: It is another.
    """
    if entry.problem_type != problem_type:
        raise InputError(
            f"problem_type={problem_type!r} without num_classes=, and the head of {entry.name} is for {entry.task}. "
            "Expected both: problem_type= with a num_classes= gives it a new head."
        )


def check_shape(entry: Entry, input_shape: tuple[int | None, ...]) -> None:
    """Compare a wanted input with what the entry's model takes.

    Raises:
        InputError: It has another rank, other channels, or sizes that cannot be chosen.
    """
    import keras

    inputs, _ = find_task(entry.task).inputs(entry, None)
    shape = tuple(keras.tree.flatten(inputs)[0].shape[1:])
    if len(shape) != len(input_shape) or any(
        size is not None and size != wanted for size, wanted in zip(shape, input_shape, strict=True)
    ):
        raise InputError(
            f"input_shape={input_shape} does not fit {entry.name} ({entry.task}). Expected {shape}, with any sizes in "
            "place of None; in_channels= changes the channels of an image."
        )
