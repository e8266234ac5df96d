"""Every model of the registry builds, with as many parameters as its source states; without memory, values or files."""

import keras
import pytest

import zoo
from tests.golden_files import trainable_parameters
from zoo import weights
from zoo.architectures import build
from zoo.layers_used import layers_of, layers_used
from zoo.registry import registry


def variants():
    """One entry for each network that differs: most checkpoints share theirs."""
    seen = {}
    for entry in registry().entries.values():
        seen.setdefault((entry.architecture, entry.num_classes), entry)
    return list(seen.values())


def decimals(value):
    return len(str(value).partition(".")[2])


@pytest.fixture(autouse=True)
def clear():
    yield
    keras.utils.clear_session()


@pytest.mark.parametrize("entry", variants(), ids=lambda entry: entry.name)
def test_builds_with_the_parameters_that_its_source_states(entry):
    with weights.abstract():
        model = build(entry)
    if entry == registry().find(entry.architecture):  # the others differ by their head
        assert layers_of(model) == layers_used(entry.architecture), (
            "run: python -m zoo.layers_used > table && mv table zoo/layers_used.json"
        )
    stated = entry.parameters_millions
    if stated is not None:
        millions = trainable_parameters(model) / 1e6
        # The sources print two decimals: half a unit of the last, and a hair for halves rounded the other way.
        assert abs(millions - stated) <= 0.5001 * 10 ** -max(2, decimals(stated)), f"{millions:.3f}"


def test_the_table_of_layers_knows_every_architecture():
    assert set(registry().default_names) == {name for name in registry().default_names if layers_used(name)}


def test_checkpoints_that_share_a_network_state_the_same_size():
    stated = {(entry.architecture, entry.num_classes): entry.parameters_millions for entry in variants()}
    for entry in registry().entries.values():
        assert entry.parameters_millions == stated[entry.architecture, entry.num_classes], entry.name


def test_there_are_over_two_hundred_checkpoints_with_licences():
    names = zoo.list_models(pretrained=True)
    assert len(names) >= 200
    assert all(zoo.info(name).license for name in names)
