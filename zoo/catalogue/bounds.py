"""What each fact of a description may be. Descriptions come from strangers: every text and number has its bounds."""

import functools
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import PureWindowsPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

LARGEST_SIDE = 2048  # pixels that a model is evaluated at; today's largest takes 800
MOST_CHANNELS = 1024  # of one input; hyperspectral cameras give some 200
MOST_CLASSES = 100_000
_DEEPEST_CONFIG, _MOST_VALUES = 10, 10_000


def _invalid(expected: str) -> PydanticCustomError:
    return PydanticCustomError("description", "Input should be {expected}", {"expected": expected})


def _one_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise _invalid("one line of printable characters")
    return text


# Patterns are Python's: pydantic's own take a quarter of a second to compile, each time that models are listed.
def _word(text: str) -> str:
    if not re.fullmatch(r"[\w.+-]+", text):
        raise _invalid("a word of letters, digits, '.', '+', '-' and '_'")
    return text


def _builder(text: str) -> str:
    if not re.fullmatch(r"\w+\.\w+|\w+(\.\w+)*:\w+", text):
        raise _invalid("module.function below zoo.architectures, or package.module:function of a private registry")
    return text


def _address(text: str) -> str:
    if not re.fullmatch(r"(https?://[^\s<>\"'\\]+)?", text):
        raise _invalid("an address of the web, https://...")
    return text


def _name(text: str) -> str:
    """A name becomes the name of folders, so it must not lead anywhere else."""
    parts = text.split("/")
    if len(parts) > 2 or any(part in ("", ".", "..") for part in parts) or "\\" in text or ":" in text:
        raise _invalid("a name, or owner/name, and no path")
    return text


def _filename(text: str) -> str:
    path = PureWindowsPath(text)  # knows drives and both slashes
    if not path.parts or path.anchor or ".." in path.parts or "\\" in text:
        raise _invalid("a file inside the repository or folder")
    return text


def _config(config: dict[str, Any]) -> dict[str, Any]:
    for count, (path, value) in enumerate(leaves(config), start=1):
        if count > _MOST_VALUES or len(path) > _DEEPEST_CONFIG:
            raise _invalid(f"at most {_MOST_VALUES} values, at most {_DEEPEST_CONFIG} levels deep")
        is_number = isinstance(value, int | float) and abs(value) <= 1e6  # NaN is not
        is_text = isinstance(value, str) and len(value) <= 100 and value.isprintable()
        if not (value is None or is_number or is_text):
            raise PydanticCustomError(
                "description", "{key} should be a number, a word, true, false or null", {"key": ".".join(path)}
            )
    return config


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values in nested mappings and lists, each with its path; `*` stands for any place in a list."""
    if len(path) > _DEEPEST_CONFIG or not isinstance(value, dict | list | tuple):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    else:
        for item in value:
            yield from leaves(item, (*path, "*"))


def _labels(labels: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
    if isinstance(labels, str) and labels not in _lists():
        raise _invalid(f"a list of names, or one of {', '.join(_lists())}")
    return labels


@functools.cache
def _lists() -> tuple[str, ...]:
    """The lists of names that ship: nothing else is ever opened for `labels`."""
    names = (resource.name for resource in resources.files("zoo.labels").iterdir())
    return tuple(sorted(name.removesuffix(".txt") for name in names if name.endswith(".txt")))


Line = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_one_line)]
Word = Annotated[str, StringConstraints(max_length=100), AfterValidator(_word)]
Builder = Annotated[str, StringConstraints(max_length=100), AfterValidator(_builder)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line), AfterValidator(_name)]
Filename = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line), AfterValidator(_filename)]
Patterns = Annotated[tuple[Annotated[Line, Field(min_length=1)], ...], Field(max_length=1000)]
Address = Annotated[str, StringConstraints(max_length=500), AfterValidator(_address)]
# A label may be anything that a folder can be called; it is shown as text.
Label = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Labels = Annotated[str | Annotated[tuple[Label, ...], Field(max_length=MOST_CLASSES)] | None, AfterValidator(_labels)]
Classes = Annotated[int, Field(ge=0, le=MOST_CLASSES)]
Side = Annotated[int, Field(gt=0, le=LARGEST_SIDE)]
Strides = Annotated[tuple[Annotated[int, Field(ge=1, le=1024)], ...], Field(min_length=1, max_length=11)]
Crop = Annotated[float, Field(ge=0.2, le=1)]
Mean = Annotated[float, Field(ge=-1e6, le=1e6)]
Deviation = Annotated[float, Field(ge=1e-6, le=1e6)]
Finite = Annotated[float, Field(ge=-1e12, le=1e12)]
Scale = Annotated[float, Field(ge=1e-6, le=1e12)]
Metrics = Annotated[dict[Line, Annotated[float, Field(allow_inf_nan=False)]], Field(max_length=100)]
Config = Annotated[dict[str, Any], AfterValidator(_config)]
