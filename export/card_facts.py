"""What a card states beyond the registry: written by hand in `cards.yaml`, measured in
`zoo/checkpoints/<file>.json`."""

import functools
import json
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from zoo.catalogue.entry import Entry, Record
from zoo.catalogue.registries import OURS, place_of
from zoo.catalogue.registry import registry
from zoo.errors import RegistryError


class Work(Record):
    """Something that the model was trained or measured on, and what its author allows."""

    name: str
    origin: str
    license: str


class Table(Record):
    """A table of results: which key of the measurements contains `{row: {column: number}}`, and what the columns are.

    `mean` adds a row of the columns' means.
    """

    key: str
    row: str
    columns: dict[str, str]
    mean: bool = True
    note: str = ""


class PaperTable(Record):
    """What the paper reports, to compare with our metrics."""

    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


class Image(Record):
    """An image in `MODEL_CARDS/`, and the command that made it."""

    file: str
    caption: str
    command: str


class Facts(Record):
    """The prose of one card. Every part may be missing: the card then leaves it out or states what is true for the
    task. `license_note` says what is to be known of the weights' licence beside its name."""

    summary: str = ""
    uses: tuple[str, ...] = ()
    misuses: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    training: str = ""
    license_note: str = ""
    trained_on: tuple[Work, ...] = ()
    measured_on: tuple[Work, ...] = ()
    results: tuple[Table, ...] = ()
    paper: PaperTable | None = None
    image: Image | None = None
    citation: str = ""


def facts_of(entry: Entry) -> Facts:
    """The facts that `cards.yaml` holds for the entry, or none: they hold for the registry's own model alone."""
    return _all_facts().get(card_name(entry), Facts()) if is_of_the_registry(entry) else Facts()


def measurements_of(entry: Entry) -> dict[str, Any]:
    """What the recipe wrote beside an embedded checkpoint; empty for every other."""
    if not is_shipped(entry) or not is_of_the_registry(entry):
        return {}
    path = resources.files("zoo") / "checkpoints" / Path(entry.filename).with_suffix(".json").name
    return json.loads(path.read_text(encoding="utf-8"))


def is_shipped(entry: Entry) -> bool:
    """Whether its weights are part of this library, and not of a package with a registry of its own."""
    return entry.is_embedded and place_of(entry.name).package == OURS


def is_of_the_registry(entry: Entry) -> bool:
    """Whether it is the registry's model of that name, and not one that was trained, changed or saved since."""
    known = registry().entries.get(entry.name)
    # What a download found out about the file does not make it another model.
    return known is not None and entry.model_copy(update={"revision": known.revision, "sha256": known.sha256}) == known


def card_name(entry: Entry) -> str:
    """How a person calls the model: the architecture where its default checkpoint is meant."""
    is_default = registry().default_names.get(entry.architecture) == entry.name and entry.source is not None
    return entry.architecture if is_default else entry.name


@functools.cache
def _all_facts() -> dict[str, Facts]:
    path = resources.files("zoo") / "export" / "cards.yaml"
    content = yaml.safe_load(path.read_bytes())
    try:
        return {name: Facts.model_validate(facts) for name, facts in content.items()}
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise RegistryError(f"export/cards.yaml: {key}: {first['msg']}, got {first['input']!r}.") from error
