"""Every model of the registry builds, with as many parameters as its source states; without memory, values or files.

The smallest network of each task is always built; the smallest of each family and of those whose configurations differ
by more than numbers, some 280, by `pytest -m slow`, and 300 more before a release.
"""

import hashlib
import json
import re
from pathlib import Path

import keras
import pytest

import zoo
from tests.golden_files import trainable_parameters
from tests.marked_cases import first_of_each
from tests.timm_shapes import timm_shapes
from zoo.architectures import build, tables
from zoo.architectures.tables import layers_of, millions_of
from zoo.catalogue.layers_used import layers_used
from zoo.catalogue.multiply_adds import multiply_adds_millions
from zoo.catalogue.registry import registry
from zoo.weights import filling


def networks():
    """The entries by the network that they share but for the number of its classes."""
    shared = {}
    for entry in registry().entries.values():
        shared.setdefault((entry.architecture, f"{entry.config}", entry.num_classes == 0), []).append(entry)
    return list(shared.values())


def smallest_first():
    return sorted(networks(), key=lambda entries: entries[0].parameters_millions or 0)


def task(entries):
    return entries[0].task


def without_numbers(value):
    """What in a configuration is not a number: its keys, its words and its switches."""
    if isinstance(value, dict):
        return tuple((key, without_numbers(part)) for key, part in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return frozenset(without_numbers(part) for part in value)
    return value if isinstance(value, (str, bool)) else None


def configuration(entries):
    return entries[0].builder, without_numbers(entries[0].config)


TENSORS = json.loads((Path(__file__).parents[1] / "golden" / "timm_tensors.json").read_text())


def digest(shapes):
    """What identifies the names and shapes of a checkpoint; a factor per channel has several names, 1 is not a
    length."""
    renamed = [(re.sub(r"\.(gamma|scale)$", ".weight", name), shape) for name, shape in shapes.items()]
    lines = [[name, [length for length in shape if length != 1]] for name, shape in renamed]
    return hashlib.sha256(json.dumps(sorted(lines)).encode()).hexdigest()[:12]


def parameters(entry, model):
    """Those of the model, and what another number of classes adds to its head."""
    built = model.spec.num_classes
    if entry.num_classes == built:
        return trainable_parameters(model)
    head = trainable_parameters(model.get_layer(entry.classifier))
    return trainable_parameters(model) + (entry.num_classes - built) * head // built


def thin_and_strided(model):
    """Convolutions whose gradient writes beyond its memory on CPUs: `subsample` in zoo/architectures/blocks.py."""
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    strided = [layer for layer in convolutions if layer.kernel_size == (1, 1) and layer.strides != (1, 1)]
    return [layer.name for layer in strided if layer.input.shape[-1] < 16]


def decimals(value):
    return len(str(value).partition(".")[2])


@pytest.fixture(autouse=True)
def clear():
    yield
    keras.utils.clear_session()


@pytest.mark.parametrize(
    "entries", first_of_each(smallest_first(), task, configuration), ids=lambda entries: entries[0].name
)
def test_builds_with_the_parameters_that_its_source_states(entries):
    first = entries[0]
    with filling.abstract():
        model = build(first)
        counted = millions_of(model, first.input.size)
    assert counted == multiply_adds_millions(first.name), (
        f"run: python -m zoo.architectures.tables {first.architecture}"
    )
    assert not thin_and_strided(model)
    if first == registry().find(first.architecture):  # the others differ by their head
        assert layers_of(model) == layers_used(first.architecture), (
            f"run: python -m zoo.architectures.tables {first.architecture}"
        )
    if first.format == "timm" and f"{first.architecture}/{first.num_classes}" in TENSORS:
        assert digest(timm_shapes(model)) == TENSORS[f"{first.architecture}/{first.num_classes}"]
    for entry in entries:
        stated = entry.parameters_millions
        if stated is not None:
            # The sources print two decimals: half a unit of the last, and a hair for halves rounded the other way.
            rounding = 0.5001 * 10 ** -max(2, decimals(stated))
            millions = parameters(entry, model) / 1e6
            assert abs(millions - stated) <= rounding, f"{entry.name}: {millions:.3f}"


def test_the_tables_know_every_architecture():
    assert set(registry().default_names) == {name for name in registry().default_names if layers_used(name)}
    sized = {entry.name for entry in registry().entries.values() if entry.input.size}
    assert sized == {name for name in sized if multiply_adds_millions(name)}


def test_checkpoints_that_share_a_network_state_the_same_size():
    for entries in networks():
        stated = {entry.num_classes: entry.parameters_millions for entry in entries}
        for entry in entries:
            assert entry.parameters_millions == stated[entry.num_classes], entry.name


def test_there_are_over_eight_hundred_checkpoints_of_timm_with_licences():
    names = zoo.list_models(pretrained=True)
    assert sum(zoo.info(name).format == "timm" for name in names) >= 800
    assert all(zoo.info(name).license for name in names)


def test_a_table_of_what_is_not_an_architecture_is_refused():
    with pytest.raises(SystemExit, match=r"--help, resnet5: not an architecture of the registry"):
        tables.main(["--help", "resnet50", "resnet5"])
