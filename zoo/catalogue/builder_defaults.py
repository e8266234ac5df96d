"""What the builders of networks take when a description leaves it out, read from their source: imports no Keras."""

import ast
import functools
from pathlib import Path
from typing import Any

from zoo.catalogue.registries import package_folders

ARCHITECTURES = Path(__file__).parents[1] / "architectures"


@functools.cache
def builder_defaults(builder: str) -> list[dict[str, Any]]:
    """The defaults of the keyword arguments of each function in a builder's file: `[{"filters": 16}, ...]`.

    Args:
        builder: `module.function` below `zoo.architectures`, or `package.module:function` of a private registry.

    Example:
        >>> from zoo.catalogue.builder_defaults import builder_defaults
        >>> builder_defaults("sparseconvnet.sparseconvnet")[0]
        {'filters': 16, 'kernel_sizes': (11, 7, 5, 3, 3), 'diffusion': False}
    """
    path = _source(builder)
    if path is None:
        return []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants: dict[str, Any] = {}
    for line in tree.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            constants[line.targets[0].id] = line.value
    functions = [_defaults(each, constants) for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
    return [defaults for defaults in functions if defaults]


def _source(builder: str) -> Path | None:
    """The file that the builder is in."""
    module, colon, _ = builder.partition(":")
    if colon:
        places = [folder.with_suffix(".py") for folder in package_folders(module)]
        places += [folder / "__init__.py" for folder in package_folders(module)]
    else:
        places = [ARCHITECTURES / f"{builder.partition('.')[0]}.py"]
    return next((path for path in places if path.is_file()), None)


def _defaults(function: ast.FunctionDef, constants: dict[str, Any]) -> dict[str, Any]:
    defaults = {}
    for argument, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        node = constants.get(value.id, value) if isinstance(value, ast.Name) else value
        try:
            defaults[argument.arg] = ast.literal_eval(node) if node is not None else None
        except ValueError:  # not written out
            continue
    return {name: value for name, value in defaults.items() if value is not None}
