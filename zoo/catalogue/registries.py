"""Which registries there are: `registry.yaml` of this library, and those of installed packages beside it.

A package says in its `pyproject.toml` that it has one:

    [project.entry-points."zoo.registries"]
    acme = "acme_models"

`acme_models/registry.yaml` then has the schema of ours, its `builder` may be `acme_models.networks:acme_net`, a
function of the same package, and `embedded` files are in `acme_models/checkpoints/`. Only what somebody has installed
is read, so a description from elsewhere cannot name code. No TensorFlow here, and no pydantic: `zoo list` reads what
was kept.
"""

import functools
import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

from zoo.catalogue.kept import REGISTRY, keep, read_kept
from zoo.errors import RegistryError

GROUP = "zoo.registries"
OURS = "zoo"


class Place(NamedTuple):
    """A registry file, the package that contains it, and the distribution that installs that."""

    path: Path
    package: str
    distribution: str

    @property
    def checkpoints(self) -> Path:
        """The folder of its `embedded` files."""
        return self.path.parent / "checkpoints"


@functools.cache
def places() -> tuple[Place, ...]:
    """Every registry, this library's first and the others by name.

    Raises:
        RegistryError: A package that is registered is not there, or has no `registry.yaml`.
    """
    found = {point.value: point for point in importlib.metadata.entry_points(group=GROUP)}
    return (Place(REGISTRY, OURS, "layerzoo"), *(_place(found[package]) for package in sorted(found)))


@functools.cache
def known_facts() -> dict[str, Any]:
    """`Registry.facts` of all registries together, and in `packages` which model is of which package.

    Raises:
        RegistryError: A registry is not as it should be, or two have a model of the same name.
    """
    together: dict[str, Any] = {"builders": {}, "defaults": {}, "entries": {}, "packages": {}}
    owners: dict[str, str] = {}
    for place in places():
        facts = _facts(place)
        for name, entry in facts["entries"].items():
            for each in (entry["architecture"], name):
                if (owner := owners.setdefault(each, place.package)) != place.package:
                    raise RegistryError(
                        f"{place.path}: {each!r} is a name of {_named(owner)} too. Choose one that is not, such "
                        f"as '{place.package}-{each}', or remove the package: pip uninstall {place.distribution}."
                    )
            together["packages"][name] = place.package
        together["entries"] |= facts["entries"]
        together["defaults"] = facts["defaults"]
        for builder, known in facts["builders"].items():
            ours = together["builders"].setdefault(builder, {"features": False, "first_conv": []})
            ours["features"] |= known["features"]
            ours["first_conv"] += [name for name in known["first_conv"] if name not in ours["first_conv"]]
    return together


def place_of(name: str) -> Place:
    """Where the model of this name is registered; this library, where it is registered nowhere."""
    package = known_facts()["packages"].get(name, OURS)
    return next(place for place in places() if place.package == package)


def package_of_builder(builder: str) -> str:
    """How what is installed is called that has the builder's code, with its version; empty for this library's own.

    Of a package that is not registered here, it is the name that it is imported by.
    """
    module, colon, _ = builder.partition(":")
    if not colon:
        return ""
    for place in places():
        if f"{module}.".startswith(f"{place.package}."):
            return f"{place.distribution}=={importlib.metadata.version(place.distribution)}"
    return module.partition(".")[0]


def _named(package: str) -> str:
    return "layerzoo" if package == OURS else f"the package {package}"


def _facts(place: Place) -> dict[str, Any]:
    if (facts := read_kept(place.path)) is None:
        from zoo.catalogue.registry import Registry  # imports pydantic, which takes longer than a whole list

        facts = Registry(place.path, package=place.package).facts
        keep(facts, place.path)
    return facts


def _place(point: importlib.metadata.EntryPoint) -> Place:
    distribution = point.dist.name if point.dist else point.name
    for folder in package_folders(point.value):
        if (folder / "registry.yaml").is_file():
            return Place(folder / "registry.yaml", point.value, distribution)
    raise RegistryError(
        f"{distribution} registers {point.value!r} in the entry point {GROUP!r}, and there is no such package with a "
        f"registry.yaml. Expected a package that contains one; install it again, or pip uninstall {distribution}."
    )


def package_folders(package: str) -> list[Path]:
    """The folders of an installed package, without importing it; none where it is not there."""
    top, *rest = package.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return []
    return [Path(folder, *rest) for folder in (spec and spec.submodule_search_locations) or ()]
