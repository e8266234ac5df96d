"""The registry: every model as data. Reads `registry.yaml` once into frozen records; imports no TensorFlow.

A file holds families; a family holds architectures; an architecture holds tagged checkpoints. Facts stand at the widest
level that they are true for: `defaults` of the family, then `defaults` of the architecture, then the checkpoint's line.
What comes out is an `Entry`: one architecture with one checkpoint.
"""

import fnmatch
import functools
import json
import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from zoo.arguments import did_you_mean, nearest
from zoo.catalogue.bounds import (
    MOST_CHANNELS,
    Address,
    Builder,
    Classes,
    Config,
    Crop,
    Deviation,
    Filename,
    Labels,
    Line,
    Mean,
    Metrics,
    Name,
    Patterns,
    Side,
    Word,
)
from zoo.catalogue.kept import REGISTRY, keep, read_kept
from zoo.catalogue.source import Source
from zoo.catalogue.task_names import TaskName
from zoo.errors import RegistryError, UnknownModelError
from zoo.labels import read_labels
from zoo.printing import as_text, parameters_text

Format = Literal["zoo", "timm", "pytorch", "medicalnet"]


class Record(BaseModel):
    """A frozen record that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Input(Record):
    """How a picture becomes the model's input.

    `size` is the side in pixels of the square that the model was evaluated at; without it pictures keep their size.
    `crop` is the share of the resized picture that is kept, `mean` and `std` are in units of [0, 1], one a channel.
    """

    size: Side | None = None
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    crop: Crop = 1.0
    crop_mode: Literal["center", "squash", "border"] = "center"
    mean: tuple[Mean, ...] = Field((0.0, 0.0, 0.0), min_length=1, max_length=MOST_CHANNELS)
    std: tuple[Deviation, ...] = Field((1.0, 1.0, 1.0), min_length=1, max_length=MOST_CHANNELS)

    @model_validator(mode="after")
    def _fit(self) -> "Input":
        if len(self.mean) != len(self.std):
            raise PydanticCustomError("description", "mean and std should have a number per channel each")
        return self


class Measured(Record):
    """Where the metrics come from: the data they were measured on, and who says so."""

    dataset: Line
    source: Line


class Checkpoint(Record):
    """One file of weights, where it lies, what it wants and how good it is.

    `source` is `embedded` (shipped in `zoo/checkpoints/`) or `hf://owner/repo`, where `{architecture}` and `{tag}`
    stand for themselves; without it there are no pretrained weights. `revision` is a commit and `sha256` the file's
    hash: where they are missing, the first download records them. `labels` names a list in `zoo/labels/` or is the list
    itself. `task` stands here where it is not the family's. `optional` tensors (patterns) may be missing in the file:
    as in the reference, the network then keeps the constants that it starts with. `random_layers` (patterns) are those
    that a file of the trunk alone does not hold: they begin with random values, and the loaded model's `random` says
    so.
    """

    source: Source | None = None
    revision: Line | None = None
    filename: Filename = "model.safetensors"
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    format: Format
    task: TaskName | None = None
    optional: Patterns = ()
    random_layers: Patterns = ()
    license: Line
    input: Input
    labels: Labels = None
    num_classes: Classes | None = None
    parameters_millions: float | None = Field(None, gt=0, le=1e6)
    metrics: Metrics = {}
    measured: Measured | None = None


class Base(Record):
    """The model with whose weights the training of another one began."""

    name: Line
    source: Line
    revision: Line | None
    license: Line


class Entry(Checkpoint):
    """One architecture with one checkpoint: all that is known about a model before it is built.

    `builder` is `module.function` below `zoo.architectures`, called with `config`. `classifier` names the layer
    that scores, `head` (patterns) all layers that follow the number of classes, where there are more. `unused` are
    the tensors of the file (as patterns) that the architecture knows and does not use. `random` says which weights
    are random, on purpose: none, the new head that `num_classes` asked for, or all; `drawn` holds their
    fingerprints by variable (`zoo/weights/untrained.py`). `features` says that the model gives its feature pyramid.
    `base` is the model with whose weights this one began, where it was saved or published.
    """

    name: Name
    architecture: Word
    tag: Word | None
    builder: Builder
    config: Config = {}
    task: TaskName
    paper: Address
    classifier: Line | None = None
    head: Patterns = ()
    unused: Patterns = ()
    random: Literal["none", "head", "all"] = "none"
    drawn: dict[Line, Word] = Field({}, max_length=100_000)
    features: bool = False
    base: Base | None = None

    @model_validator(mode="after")
    def _fit(self) -> "Entry":
        names = read_labels(self.labels)
        if names is not None and self.num_classes not in (None, len(names)):
            raise PydanticCustomError(
                "description",
                "labels should be as many as the {classes} classes of num_classes, and are {names}",
                {"classes": self.num_classes, "names": len(names)},
            )
        return self

    def __str__(self) -> str:
        """The facts that are stated, a line each, long ones shortened; `repr` has all."""
        facts = self.model_dump(mode="json", exclude_defaults=True)
        facts["parameters_millions"] = parameters_text(self.parameters_millions)
        return "\n".join(
            as_text(f"{name.removesuffix('_millions')}: {value if isinstance(value, str) else _shortened(value)}")
            for name, value in facts.items()
            if value not in (None, "")
        )

    @property
    def pretrained(self) -> bool:
        """Whether there are weights to load."""
        return self.source is not None

    @property
    def is_embedded(self) -> bool:
        """Whether the weights are part of the package."""
        return Source(self.source or "").is_embedded

    @property
    def is_on_hub(self) -> bool:
        """Whether the weights are in a repository on a hub."""
        return Source(self.source or "").is_hub

    @property
    def repo_id(self) -> str:
        """The repository of the weights, `owner/name`; empty where they are on no hub."""
        return Source(self.source or "").repo_id

    @property
    def head_layers(self) -> tuple[str, ...]:
        """Patterns of the layers that another number of classes makes new."""
        return self.head or ((self.classifier,) if self.classifier else ())

    def in_head(self, layer: str) -> bool:
        """Whether the layer of this name belongs to the head."""
        return any(fnmatch.fnmatchcase(layer, pattern) for pattern in self.head_layers)


def _shortened(value: Any) -> str:
    short = reprlib.Repr()
    short.maxdict = short.maxlist = 10
    return short.repr(value)


# Any part of a checkpoint may stand in `defaults`, so no key is required there: the merged `Entry` is what is checked.
Partial = Annotated[dict[str, Any], WithJsonSchema({"$comment": "a checkpoint"})]


class Architecture(Record):
    """One size of a family."""

    config: dict[str, Any] = {}
    defaults: Partial = {}
    checkpoints: dict[str, Partial] = {}


class Family(Record):
    """Architectures that one builder makes, and what it can.

    `features`: whether it gives a feature pyramid. `first_conv`: how the one layer is called that sees the image's
    channels, under all the names that it has in the family; without it the number of channels cannot change.
    """

    builder: str
    task: TaskName
    paper: str
    features: bool = False
    first_conv: tuple[str, ...] = ()
    classifier: str | None = None
    head: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    defaults: Partial = {}
    architectures: dict[str, Architecture]


class RegistryFile(Record):
    """The whole of `registry.yaml`."""

    families: dict[str, Family]


class _Entries(Mapping[str, Entry]):
    """Entries that were checked before; each is made when it is asked for."""

    def __init__(self, facts: dict[str, dict[str, Any]]):
        self._facts = facts
        self._made: dict[str, Entry] = {}

    def __getitem__(self, name: str) -> Entry:
        if name not in self._made:
            self._made[name] = Entry.model_validate(self._facts[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._facts

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


class Registry:
    """The entries of one registry file, by name.

    Args:
        path: The file.
        facts: What `facts` of the same file was before: then it is not read again.
    """

    def __init__(self, path: Path = REGISTRY, facts: dict[str, Any] | None = None):
        self.path = path
        self.entries: Mapping[str, Entry]
        if facts is None:
            self.entries = {entry.name: entry for entry in self._read()}
            facts = self.facts
        else:
            self.entries = _Entries(facts["entries"])
        self._builders: dict[str, dict[str, Any]] = facts["builders"]
        self.default_names: dict[str, str] = {}
        for name, each in facts["entries"].items():
            self.default_names.setdefault(each["architecture"], name)

    @functools.cached_property
    def families(self) -> dict[str, Family]:
        """The families as the file has them."""
        return self._families()

    @property
    def facts(self) -> dict[str, Any]:
        """All that is known, for JSON: the entries by name, and what each builder can."""
        builders: dict[str, dict[str, Any]] = {}
        for family in self.families.values():
            known = builders.setdefault(family.builder, {"features": False, "first_conv": []})
            known["features"] |= family.features
            known["first_conv"] += [name for name in family.first_conv if name not in known["first_conv"]]
        entries = {name: entry.model_dump(mode="json", exclude_unset=True) for name, entry in self.entries.items()}
        return {"builders": builders, "entries": entries}

    def find(self, name: str) -> Entry:
        """Return the entry called `name`, an architecture (its first checkpoint) or `architecture.tag`.

        Raises:
            UnknownModelError: No entry has that name. The message offers the nearest ones.
        """
        entry = self.entries.get(self.default_names.get(name, name))
        if entry is None:
            known = [*self.default_names, *self.entries]
            hint = did_you_mean(name, known) or "`zoo list` shows them all."
            raise UnknownModelError(
                f"No model is named {name!r}. Expected one of the {len(self.entries)} names in {self.path.name}, "
                f"'hf://owner/repo', a folder or a .keras file. {hint}",
                nearest=nearest(name, known),
            )
        return entry

    def has_features(self, builder: str) -> bool:
        """Whether the networks of this builder give a feature pyramid."""
        return self._builders.get(builder, {}).get("features", False)

    def first_conv(self, builder: str) -> tuple[str, ...]:
        """The names of the layer that sees the image's channels; none where their number cannot change."""
        return tuple(self._builders.get(builder, {}).get("first_conv", ()))

    def _read(self) -> Iterator[Entry]:
        seen: dict[str, str] = {}
        for family_name, family in self.families.items():
            for name, architecture in family.architectures.items():
                checkpoints: dict[Any, dict[str, Any]] = dict(architecture.checkpoints) or {None: {}}
                path = ("families", family_name, "architectures", name)
                if name in seen:
                    raise self._error(path, f"architecture {name!r} stands in {seen[name]!r} too, expected it once")
                seen[name] = family_name
                for tag, checkpoint in checkpoints.items():
                    yield self._entry(path, family, architecture, tag, checkpoint)

    def _families(self) -> dict[str, Family]:
        try:
            data = yaml.load(self.path.read_bytes(), Loader=_UniqueKeyLoader)  # noqa: S506 (a safe loader)
            return RegistryFile.model_validate(data).families
        except OSError as error:
            raise RegistryError(f"{self.path} cannot be read ({error}). Expected the list of models.") from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = f":{mark.line + 1}" if mark else ""
            raise RegistryError(f"{self.path}{line}: expected YAML, but {error.problem}.") from error
        except ValidationError as error:
            raise self._invalid(error, [()]) from error
        except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
            # no UTF-8, a date that is none, a list as a key, too many levels: the parser has no line for these
            raise RegistryError(f"{self.path}: expected YAML in UTF-8, but {error!s:.200}.") from error

    def _entry(
        self, path: tuple[str, ...], family: Family, architecture: Architecture, tag: str | None, checkpoint: dict
    ) -> Entry:
        merged = _merge(_merge(family.defaults, architecture.defaults), checkpoint)
        name = path[-1]
        if isinstance(merged.get("source"), str):
            merged["source"] = merged["source"].replace("{architecture}", name).replace("{tag}", tag or "")
        if tag is None:
            merged["source"] = None
        facts = family.model_dump(include={"builder", "task", "paper", "classifier", "head", "unused"})
        full_name = name if tag is None else f"{name}.{tag}"
        try:
            return Entry(name=full_name, architecture=name, tag=tag, config=architecture.config, **{**facts, **merged})
        except ValidationError as error:
            levels = [path[:2], (*path[:2], "defaults"), (*path, "defaults")]
            levels += [(*path, "checkpoints", tag)] if tag else []
            raise self._invalid(error, levels[::-1]) from error
        except TypeError as error:  # a key of the entry itself, such as `name`, stands in a checkpoint
            raise self._error(path, f"{error}, expected only the keys of a checkpoint") from error

    def _invalid(self, error: ValidationError, levels: list[tuple[str, ...]]) -> RegistryError:
        first = error.errors(include_url=False)[0]
        key = tuple(str(part) for part in first["loc"])
        lines = self._lines()
        path = next((level + key for level in levels if level + key in lines), levels[0] + key)
        got = "" if first["type"] == "missing" else f", got {reprlib.repr(first['input'])}"
        expected = "expected no such key" if first["type"] == "extra_forbidden" else f"expected: {first['msg']}"
        return self._error(path, f"{expected}{got}")

    def _error(self, path: tuple[str, ...], problem: str) -> RegistryError:
        lines = self._lines()
        known = path
        while known not in lines:
            known = known[:-1]
        return RegistryError(f"{self.path}:{lines[known]}: {'.'.join(path)}: {problem}.")

    def _lines(self) -> dict[tuple[str, ...], int]:
        """The line of each key. Costs a second reading, so only errors ask for it."""

        def walk(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    yield (*path, key.value), key.start_mark.line + 1
                    yield from walk(value, (*path, key.value))

        return {(): 1, **dict(walk(yaml.compose(self.path.read_bytes(), _UniqueKeyLoader), ()))}


@functools.cache
def registry() -> Registry:
    """The registry that ships with the library, read once; what was found is kept for the next process."""
    if (facts := read_kept()) is not None:
        return Registry(facts=facts)
    read = Registry()
    keep(read.facts)
    return read


def json_schema() -> dict[str, Any]:
    """The JSON schema of `registry.yaml`, for editors: `zoo/catalogue/registry.schema.json` is this, written out."""
    text = json.dumps(RegistryFile.model_json_schema())
    schema = json.loads(text.replace('"$comment": "a checkpoint"', '"$ref": "#/$defs/Checkpoint"'))
    checkpoint = Checkpoint.model_json_schema(ref_template="#/$defs/{model}")
    schema["$defs"] |= checkpoint.pop("$defs")
    checkpoint.pop("required")
    schema["$defs"]["Checkpoint"] = checkpoint
    return schema


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` on top of `base`; where both hold a mapping, their keys are merged."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


class _UniqueKeyLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader for which a key that stands twice in one mapping is an error, not an overwriting.

    Mappings and lists are made without PyYAML's second pass, and a word or number that occurs again, as most do, is
    resolved and made once: that halves the time.
    """

    MAPPING, LIST, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "merge"))

    def __init__(self, stream):
        super().__init__(stream)
        self._tags: dict[tuple, str] = {}
        self._words: dict[tuple[str, str], Any] = {}
        self._made: dict[int, Any] = {}  # by the node's identity: an alias is the same node

    def resolve(self, kind, value, implicit):
        if kind is not yaml.ScalarNode:
            return super().resolve(kind, value, implicit)
        key = (value, implicit)
        if key not in self._tags:
            self._tags[key] = super().resolve(kind, value, implicit)
        return self._tags[key]

    def construct_object(self, node, deep=False):
        if isinstance(node, yaml.ScalarNode):
            key = (node.tag, node.value)
            if key not in self._words:
                self._words[key] = super().construct_object(node, deep)
            return self._words[key]
        if id(node) not in self._made:
            if node.tag == self.MAPPING:
                self._made[id(node)] = self.construct_mapping(node)
            elif node.tag == self.LIST:
                self._made[id(node)] = [self.construct_object(item) for item in node.value]
            else:
                self._made[id(node)] = super().construct_object(node, deep=True)
        return self._made[id(node)]

    def construct_mapping(self, node, deep=False):
        own: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        for key, value in node.value:
            if isinstance(key.value, list):
                raise yaml.constructor.ConstructorError(None, None, "a key is a list or mapping", key.start_mark)
            if key.tag == self.MERGE:
                merged = {**self._merged(value), **merged}
                continue
            name = self.construct_object(key)
            if name in own:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            own[name] = self.construct_object(value)
        return {**merged, **own}

    def _merged(self, node) -> dict:
        """What `<<` brings in: one mapping, or several of which the first wins."""
        value = self.construct_object(node)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            raise yaml.constructor.ConstructorError(None, None, "<< takes a mapping or several", node.start_mark)
        return {key: item for part in reversed(parts) for key, item in part.items()}


if __name__ == "__main__":  # python -m zoo.catalogue.registry > zoo/catalogue/registry.schema.json
    print(json.dumps(json_schema(), indent=2))
