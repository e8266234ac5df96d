"""The registry: every model as data. Reads a `registry.yaml` once into frozen records; imports no TensorFlow.

A file contains families; a family contains architectures; an architecture contains tagged checkpoints. Facts are at the
widest level that they are true for: `defaults` of the family, then `defaults` of the architecture, then the
checkpoint's line. What comes out is an `Entry`: one architecture with one checkpoint.
"""

import functools
import json
import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, WithJsonSchema

from zoo.arguments import did_you_mean, nearest
from zoo.catalogue.builder_defaults import builder_defaults
from zoo.catalogue.decoder_names import DecoderName
from zoo.catalogue.entry import Checkpoint, Entry, Input, Record
from zoo.catalogue.kept import REGISTRY
from zoo.catalogue.merging import merge
from zoo.catalogue.registries import GROUP, OURS, known_facts
from zoo.catalogue.task_names import TaskName
from zoo.catalogue.yaml_loader import UniqueKeyLoader
from zoo.errors import RegistryError, UnknownModelError

# Any part of a checkpoint may stand in `defaults`, so no key is required there: the merged `Entry` is what is checked.
Partial = Annotated[dict[str, Any], WithJsonSchema({"$comment": "a checkpoint"})]


class Architecture(Record):
    """One size of a family."""

    config: dict[str, Any] = Field({})
    decoder_config: dict[str, Any] = Field({})
    defaults: Partial = Field({})
    checkpoints: dict[str, Partial] = Field({})


class Family(Record):
    """Architectures that one builder makes, and what it can.

    `features`: whether it gives a feature pyramid. `first_conv`: how the one layer is called that sees the image's
    channels, under all the names that it has in the family; without it the number of channels cannot change. `decoder`
    is what stands above the builder's network.
    """

    builder: str
    decoder: DecoderName | None = None
    task: TaskName
    paper: str
    features: bool = False
    first_conv: tuple[str, ...] = ()
    classifier: str | None = None
    head: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    defaults: Partial = Field({})
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
        package: The package that contains the file, the only one beside this library whose functions it may name.
    """

    def __init__(self, path: Path = REGISTRY, facts: dict[str, Any] | None = None, package: str = OURS):
        self.path, self.package = path, package
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
        """All that is known, for JSON: what is stated of each entry, what holds where nothing is, what builders can."""
        builders: dict[str, dict[str, Any]] = {}
        for family in self.families.values():
            known = builders.setdefault(family.builder, {"features": False, "first_conv": []})
            known["features"] |= family.features
            known["first_conv"] += [name for name in family.first_conv if name not in known["first_conv"]]
        entries = {name: entry.model_dump(mode="json", exclude_unset=True) for name, entry in self.entries.items()}
        defaults = Entry.model_construct(input=Input.model_validate({})).model_dump(mode="json")
        return {"builders": builders, "defaults": defaults, "entries": entries}

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

    def knows(self, builder: str) -> bool:
        """Whether a network of the registry is made by this builder."""
        return builder in self._builders

    def has_features(self, builder: str) -> bool:
        """Whether the networks of this builder give a feature pyramid."""
        return self._builders.get(builder, {}).get("features", False)

    def dilates(self, builder: str) -> bool:
        """Whether the networks of this builder can be dilated in place of being strided: `output_stride`."""
        return any("output_stride" in defaults for defaults in builder_defaults(builder))

    def first_conv(self, builder: str) -> tuple[str, ...]:
        """The names of the layer that sees the image's channels; none where their number cannot change."""
        return tuple(self._builders.get(builder, {}).get("first_conv", ()))

    def _read(self) -> Iterator[Entry]:
        seen: dict[str, str] = {}
        for family_name, family in self.families.items():
            self._check_builder(("families", family_name, "builder"), family.builder)
            for name, architecture in family.architectures.items():
                checkpoints: dict[Any, dict[str, Any]] = dict(architecture.checkpoints) or {None: {}}
                path = ("families", family_name, "architectures", name)
                if name in seen:
                    raise self._error(path, f"architecture {name!r} stands in {seen[name]!r} too, expected it once")
                seen[name] = family_name
                for tag, checkpoint in checkpoints.items():
                    yield self._entry(path, family, architecture, tag, checkpoint)

    def _check_builder(self, path: tuple[str, ...], builder: str) -> None:
        """Refuse code that did not come with this file."""
        module, colon, _ = builder.partition(":")
        if colon and (self.package == OURS or not f"{module}.".startswith(f"{self.package}.")):
            own = "" if self.package == OURS else f", or {self.package}.MODULE:FUNCTION"
            raise self._error(
                path,
                f"{builder!r} is not a function of this package, expected module.function below zoo.architectures{own}",
            )

    def _families(self) -> dict[str, Family]:
        try:
            data = yaml.load(self.path.read_bytes(), Loader=UniqueKeyLoader)  # noqa: S506 (a safe loader)
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
        merged = merge(merge(family.defaults, architecture.defaults), checkpoint)
        name = path[-1]
        if isinstance(merged.get("source"), str):
            merged["source"] = merged["source"].replace("{architecture}", name).replace("{tag}", tag or "")
        if tag is None:
            merged["source"] = None
        facts = family.model_dump(include={"builder", "decoder", "task", "paper", "classifier", "head", "unused"})
        full_name = name if tag is None else f"{name}.{tag}"
        try:
            configs = architecture.model_dump(include={"config", "decoder_config"})
            return Entry(name=full_name, architecture=name, tag=tag, **merge({**facts, **configs}, merged))
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

        return {(): 1, **dict(walk(yaml.compose(self.path.read_bytes(), UniqueKeyLoader), ()))}


@functools.cache
def registry() -> Registry:
    """The registry that ships with the library and those of installed packages, read once."""
    return Registry(facts=known_facts())


def not_registered(what: str, builder: str) -> RegistryError:
    """The error for a model whose network is code of a package that is not registered here."""
    return RegistryError(
        f"{what} needs {builder!r}, code of the package {builder.partition('.')[0].partition(':')[0]}, which has no "
        f"registry here. Expected the package installed, with an entry point {GROUP!r}; whoever made the model has it."
    )


def json_schema() -> dict[str, Any]:
    """The JSON schema of `registry.yaml`, for editors: `zoo/catalogue/registry.schema.json` is this, written out."""
    text = json.dumps(RegistryFile.model_json_schema())
    schema = json.loads(text.replace('"$comment": "a checkpoint"', '"$ref": "#/$defs/Checkpoint"'))
    checkpoint = Checkpoint.model_json_schema(ref_template="#/$defs/{model}")
    schema["$defs"] |= checkpoint.pop("$defs")
    checkpoint.pop("required")
    schema["$defs"]["Checkpoint"] = checkpoint
    return schema


if __name__ == "__main__":  # python -m zoo.catalogue.registry > zoo/catalogue/registry.schema.json
    print(json.dumps(json_schema(), indent=2))
