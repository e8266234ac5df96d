"""The recipe of a run: the options of `zoo.finetune` that decide what is learned, checked, and written as YAML."""

import math
import os
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, Literal, NamedTuple, TypedDict

import yaml

from zoo.arguments import did_you_mean
from zoo.catalogue.handles import path_of
from zoo.errors import InputError

Auto = Literal["auto"]
Augment = Literal["light", "strong"] | Any | None  # or a layer of Keras
Freeze = Literal["auto", "backbone", "none"] | int

LARGEST_SEED = 2**32 - 1  # of NumPy's generators
EARLIER = ("epochs", "freeze", "learning_rate", "batch_size", "augment", "seed")  # that every run has recorded


class Recipe(TypedDict, total=False):
    """The options by name. What each means stands in `zoo.finetune`."""

    epochs: int | Auto
    steps: int | None
    freeze: Freeze
    learning_rate: float | Auto
    batch_size: int | Auto
    gradient_accumulation: int
    lora: int | None
    optimizer: Any
    weight_decay: float
    layer_decay: float
    drop_path: float
    ema: float | None
    loss: str | Callable[[Any, Any], Any] | None
    class_weight: Literal["balanced"] | None
    label_smoothing: float
    augment: Augment
    mixup: float
    cutmix: float
    image_size: int | tuple[int, int] | None
    mixed_precision: bool | Auto
    seed: int


class Option(NamedTuple):
    """What an option is by default, whether a value fits it, and what fits, in words."""

    default: Any
    fits: Callable[[Any], bool]
    expected: str


def _is_word(value: Any, *words: str) -> bool:
    return isinstance(value, str) and value in words


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any, smallest: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= smallest


def _is_size(value: Any) -> bool:
    is_pair = isinstance(value, tuple | list) and len(value) == 2
    return all(_is_whole(side, 1) for side in value) if is_pair else _is_whole(value, 1)


def _is_augment(value: Any) -> bool:
    import keras

    return value is None or _is_word(value, "light", "strong") or isinstance(value, keras.layers.Layer)


def _is_optimizer(value: Any) -> bool:
    import keras

    if not isinstance(value, str):
        return isinstance(value, keras.optimizers.Optimizer)
    try:
        return keras.optimizers.get(value) is not None
    except ValueError:
        return False


OPTIONS: dict[str, Option] = {
    "epochs": Option(
        "auto", lambda x: _is_word(x, "auto") or _is_whole(x, 1), "'auto' or a whole number of at least 1"
    ),
    "steps": Option(None, lambda x: x is None or _is_whole(x, 1), "a whole number of at least 1, or None"),
    "freeze": Option(
        "auto",
        lambda x: _is_word(x, "auto", "backbone", "none") or _is_whole(x, 0),
        "'auto', 'backbone', 'none' or a number of layers",
    ),
    "learning_rate": Option(
        "auto", lambda x: _is_word(x, "auto") or (_is_number(x) and x > 0), "'auto' or a finite number above 0"
    ),
    "batch_size": Option(
        "auto", lambda x: _is_word(x, "auto") or _is_whole(x, 1), "'auto' or a whole number of at least 1"
    ),
    "gradient_accumulation": Option(1, lambda x: _is_whole(x, 1), "a whole number of batches of at least 1"),
    "lora": Option(None, lambda x: x is None or _is_whole(x, 1), "a rank of at least 1, such as 8, or None"),
    "optimizer": Option("adamw", _is_optimizer, "the name of a Keras optimizer, such as 'adamw', or an optimizer"),
    "weight_decay": Option(0.0, lambda x: _is_number(x) and 0 <= x < 1, "a number from 0 to below 1"),
    "layer_decay": Option(1.0, lambda x: _is_number(x) and 0 < x <= 1, "a number above 0, at most 1"),
    "drop_path": Option(0.0, lambda x: _is_number(x) and 0 <= x < 1, "a number from 0 to below 1"),
    "ema": Option(None, lambda x: x is None or (_is_number(x) and 0 < x < 1), "a momentum between 0 and 1, or None"),
    "loss": Option(
        None,
        lambda x: x is None or isinstance(x, str) or callable(x),
        "the name of a loss, a loss of Keras, a function of targets and outputs, or None for the task's own",
    ),
    "class_weight": Option("balanced", lambda x: x is None or _is_word(x, "balanced"), "'balanced' or None"),
    "label_smoothing": Option(0.0, lambda x: _is_number(x) and 0 <= x < 1, "a number from 0 to below 1"),
    "augment": Option("light", _is_augment, "'light', 'strong', a layer of Keras, or None"),
    "mixup": Option(0.0, lambda x: _is_number(x) and 0 <= x <= 1, "a number from 0 to 1"),
    "cutmix": Option(0.0, lambda x: _is_number(x) and 0 <= x <= 1, "a number from 0 to 1"),
    "image_size": Option(
        None, lambda x: x is None or _is_size(x), "pixels per side, (height, width), or None for the data's"
    ),
    "mixed_precision": Option("auto", lambda x: _is_word(x, "auto") or isinstance(x, bool), "True, False or 'auto'"),
    "seed": Option(0, lambda x: _is_whole(x, 0) and x <= LARGEST_SEED, f"a whole number from 0 to {LARGEST_SEED}"),
}


def completed(recipe: str | os.PathLike[str] | Mapping[str, Any] | None, given: Mapping[str, Any]) -> Recipe:
    """All options: those `given`, else those of the `recipe`, else their defaults; numbers as Python's.

    Args:
        recipe: A YAML file, or options by name.
        given: Options by name.

    Raises:
        InputError: There is no such option, a value does not fit, or the file cannot be read; names it.

    Example:
        >>> from zoo.training.recipe import completed
        >>> recipe = completed({"epochs": 5, "ema": 0.99}, {"epochs": 3})
        >>> recipe["epochs"], recipe["ema"], recipe["augment"]
        (3, 0.99, 'light')
    """
    where = f" in {os.fspath(recipe)}" if isinstance(recipe, str | os.PathLike) else ""
    read = _read(recipe) if isinstance(recipe, str | os.PathLike) else recipe or {}
    if not isinstance(read, Mapping):
        raise InputError(f"recipe={read!r:.100}. Expected a YAML file, options by name, or None.")
    for options, place in ((read, where), (given, "")):
        for name, value in options.items():
            _check(name, value, place)
    values = {name: option.default for name, option in OPTIONS.items()} | dict(read) | dict(given)
    return Recipe(**{name: _plain(value) for name, value in values.items()})


def changed(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are not their defaults."""
    return {name: value for name, value in recipe.items() if not _is(value, OPTIONS[name].default)}


def recorded(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The options as a run records them, for JSON: those of the first version always, others where not the default."""
    views: dict[Any, Any] = {"light": True, None: False}  # what the first version called them
    new = {name: value for name, value in changed(recipe).items() if name not in (*EARLIER, "mixed_precision")}
    for name in new.keys() & {"optimizer", "loss"}:
        new[name] = _written(new[name])
    augment = recipe["augment"]
    seen = views.get(augment, augment) if augment is None or isinstance(augment, str) else _written(augment)
    return {name: recipe[name] for name in EARLIER} | {"augment": seen} | new


def as_yaml(recipe: Mapping[str, Any]) -> str:
    """The whole of it as a file that `completed` reads; an optimizer, a layer or a loss by its name."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in recipe.items()}
    for name in ("optimizer", "augment", "loss"):
        value: Any = plain[name]
        plain[name] = value if value is None or isinstance(value, str) else getattr(value, "name", None) or _name(value)
    return yaml.safe_dump(plain, sort_keys=False)


def _read(path: str | os.PathLike[str]) -> Any:
    file = path_of(path)
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"The recipe {file} cannot be read: {reason}. Expected YAML, one `option: value` per line."
        ) from error
    if not isinstance(found, dict):
        raise InputError(f"The recipe {file} contains no options. Expected YAML, one `option: value` per line.")
    return found


def _check(name: Any, value: Any, where: str) -> None:
    if name not in OPTIONS:
        hint = did_you_mean(str(name), OPTIONS)
        raise InputError(f"There is no option {name!r}{where}. Expected one of {', '.join(OPTIONS)}. {hint}".rstrip())
    if not OPTIONS[name].fits(value):
        raise InputError(f"{name}={value!r}{where}. Expected {OPTIONS[name].expected}.")


def _plain(value: Any) -> Any:
    """NumPy's numbers are not JSON; a list of YAML is a tuple."""
    if isinstance(value, tuple | list):
        return tuple(map(_plain, value))
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else value


def _is(value: Any, default: Any) -> bool:
    return type(value) is type(default) and value == default


def _written(given: Any) -> Any:
    """A name as it is, an object of Keras by its configuration, a function by where it is."""
    import keras

    if isinstance(given, str):
        return given
    return keras.saving.serialize_keras_object(given) if hasattr(given, "get_config") else _name(given)


def _name(function: Any) -> str:
    """Of a function, or of an object that is called as one."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"
