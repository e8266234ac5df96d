"""Writes what is known of a network only once it is built, so that `zoo list` need not build any.

`python -m zoo.architectures.tables` writes `layers_used.json`, the layers of each architecture of the registry, and
`multiply_adds.json`, the millions of multiply-adds of each model; with names of architectures after it only theirs.
"""

import json
import sys
from pathlib import Path
from typing import Any

import keras

from zoo.architectures import build
from zoo.architectures.multiply_adds import count_multiply_adds
from zoo.catalogue.entry import Entry
from zoo.catalogue.registry import registry
from zoo.weights.filling import abstract

FOLDER = Path(__file__).parents[1] / "catalogue"


def layers_of(model: Any) -> list[str]:
    """Names of the layer classes in a built model, sorted, its input left out."""
    return sorted({type(layer).__name__ for layer in model.layers} - {"InputLayer"})


def millions_of(model: Any, size: int | None) -> float | None:
    """Its millions of multiply-adds at that size, to four digits; None where no size is known."""
    count = count_multiply_adds(model, size)
    return None if count is None else float(f"{count / 1e6:.4g}")


def rows_of(entries: list[Entry]) -> tuple[list[str], dict[str, float | None]]:
    """The layers of the first of an architecture's models, and the millions of multiply-adds of each of them."""
    layers: list[str] = []
    millions: dict[str, float | None] = {}
    built: dict[str, Any] = {}
    for entry in sorted(entries, key=lambda entry: entry.num_classes or 0, reverse=True):
        network = f"{entry.config} {entry.num_classes}"
        if network not in built:
            built.clear()
            keras.utils.clear_session()
        with abstract():
            if network not in built:
                built[network] = build(entry)
            millions[entry.name] = millions_of(built[network], entry.input.size)
        layers = layers_of(built[network]) if entry == entries[0] else layers
    return layers, millions


def _write(table: dict[str, Any], path: Path) -> None:
    lines = [f"{json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table)]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in registry().default_names]
    if unknown:
        raise SystemExit(f"{', '.join(unknown)}: not an architecture of the registry. `zoo list` shows them all.")
    paths = [FOLDER / "layers_used.json", FOLDER / "multiply_adds.json"]
    layers, millions = (json.loads(path.read_text()) if names else {} for path in paths)
    for name in names or registry().default_names:
        layers[name], counted = rows_of([entry for entry in registry().entries.values() if entry.architecture == name])
        millions |= {model: count for model, count in counted.items() if count is not None}
        print(name, file=sys.stderr)
    for table, path in zip((layers, millions), paths, strict=True):
        _write(table, path)


if __name__ == "__main__":
    main(sys.argv[1:])
