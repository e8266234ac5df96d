"""The call that started a training, as a person can run it again, for `run.json` and the card."""

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def written_call(model: Any, data: Any, options: Mapping[str, Any]) -> str:
    """The call of `zoo.finetune`, with the arguments that are not its defaults.

    What has no name is called what it is: a model that was passed `model`, data in memory `data`.
    """
    from zoo.finetuning import finetune

    defaults = {name: parameter.default for name, parameter in inspect.signature(finetune).parameters.items()}
    given = [f"{name}={_written(value, name)}" for name, value in options.items() if not _is(value, defaults.get(name))]
    return f"zoo.finetune({', '.join([_written(model, 'model'), _written(data, 'data'), *given])})"


def shown_path(path: str | os.PathLike[str]) -> str:
    """A path as it was given, or its last part where it is absolute: a card does not reveal this machine."""
    text = os.fspath(path)
    is_private = Path(text).is_absolute() or text.startswith("~")
    return f".../{Path(text).name}" if is_private else text


def _written(value: Any, name: str) -> str:
    if isinstance(value, str | os.PathLike):
        return repr(shown_path(value))
    return repr(value) if isinstance(value, bool | int | float | None) else name


def _is(value: Any, default: Any) -> bool:
    return type(value) is type(default) and value == default
