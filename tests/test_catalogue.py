"""Every model of the registry builds, with as many parameters as its source states; without memory, values or files."""

import keras
import pytest

import zoo
from tests.golden_files import trainable_parameters
from zoo import weights
from zoo.architectures import build
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
    stated = entry.parameters_millions
    if stated is not None:
        millions = trainable_parameters(model) / 1e6
        # The sources print two decimals: half a unit of the last, and a hair for halves that were rounded the other way.
        assert abs(millions - stated) <= 0.5001 * 10 ** -max(2, decimals(stated)), f"{millions:.3f}"


def test_checkpoints_that_share_a_network_state_the_same_size():
    for entry in registry().entries.values():
        first = next(
            other
            for other in variants()
            if (other.architecture, other.num_classes) == (entry.architecture, entry.num_classes)
        )
        assert entry.parameters_millions == first.parameters_millions, entry.name


def test_there_are_over_two_hundred_checkpoints_with_licences():
    names = zoo.list_models(pretrained=True)
    assert len(names) >= 200
    assert all(zoo.info(name).license for name in names)
