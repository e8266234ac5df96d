"""Stochastic depth: which branches are left out, how often, and that it is gone once the model is trained."""

import keras
import numpy as np
import pytest

import zoo
from tests.training.photographs import write_photographs
from zoo import architectures
from zoo.catalogue.registry import registry
from zoo.errors import InputError
from zoo.training.drop_path import FAMILIES, StochasticAdd, with_drop_path
from zoo.training.preparation import prepare
from zoo.training.recipe import completed
from zoo.training.running import train_model
from zoo.training.state import State
from zoo.weights.filling import abstract


def test_a_branch_is_left_out_of_some_examples_and_counts_for_more_of_the_others():
    layer = StochasticAdd(0.25, 1, seed=0)
    shortcut, branch = np.full((4000, 1, 1, 2), 10.0, "float32"), np.full((4000, 1, 1, 2), 3.0, "float32")
    found = keras.ops.convert_to_numpy(layer([shortcut, branch], training=True))
    np.testing.assert_array_equal(found[..., 0], found[..., 1])  # the whole branch
    assert set(np.unique(found).tolist()) == {10.0, 14.0}
    assert found.mean() == pytest.approx(13, abs=0.1)
    np.testing.assert_array_equal(layer([shortcut, branch]), shortcut + branch)
    assert StochasticAdd.from_config(layer.get_config()).get_config() == layer.get_config()


def smallest(family):
    """The smallest network of a family; of EfficientNets the smallest have no residual blocks."""
    if family == "efficientnet":
        return zoo.info("tf_efficientnet_lite0")
    entries = [entry for entry in registry().entries.values() if entry.builder.split(".")[0] == family]
    return min(entries, key=lambda entry: entry.parameters_millions or 1e9)


QUICK = ("convnext", "efficientnet", "resnet")


@pytest.mark.parametrize(
    "family", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES]
)
def test_the_rate_rises_from_the_first_block_to_the_last_and_its_branch_is_the_deeper_summand(family):
    with abstract():
        model = with_drop_path(architectures.build(smallest(family)), 0.2, seed=0)
    rates = [layer.rate for layer in model.layers if isinstance(layer, StochasticAdd)]
    assert rates == sorted(rates)
    assert 0 < rates[0] < rates[-1] <= 0.2
    for layer in model.layers:
        if isinstance(layer, StochasticAdd):
            assert is_branch(*layer.input, layer.branch), layer.name


def is_branch(first, second, branch):
    """Whether the branch goes through more layers than the other summand, back to where both begin."""
    ways = [ancestors(one) for one in (first, second)]
    return len(ways[branch] - ways[1 - branch]) > len(ways[1 - branch] - ways[branch])


def ancestors(tensor):
    found, left = set(), [tensor._keras_history.operation]
    while left:
        operation = left.pop()
        if operation.name not in found:
            found.add(operation.name)
            left += [one._keras_history.operation for node in operation._inbound_nodes for one in node.input_tensors]
    return found


@pytest.mark.parametrize("name", ["blurnet-textures", "lcnet_050"])
def test_a_network_without_such_blocks_is_refused(name):
    with abstract(), pytest.raises(InputError, match=r"has no blocks to leave out.*Expected 0"):
        with_drop_path(architectures.build(zoo.info(name)), 0.1, seed=0)


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow  # three trainings
def test_a_run_resumes_bit_for_bit_and_its_model_has_every_branch(tmp_path):
    photographs = write_photographs(tmp_path / "photographs", {"blue": 6, "green": 6}, side=32)

    def pretrained():
        keras.utils.set_random_seed(0)
        model = zoo.load("test_resnet", weights=None)
        model.spec = model.spec.model_copy(update={"random": "none"})
        return model

    def trained(name, *callbacks):
        options = {"epochs": 2, "batch_size": 4, "drop_path": 0.3, "freeze": 20, "image_size": 32}
        prepared = prepare(pretrained(), photographs, completed(None, options))
        state = State(tmp_path / name, prepared.settings)
        train_model(prepared, state, tmp_path / "logs", callbacks)
        return [keras.ops.convert_to_numpy(variable) for variable in prepared.model.variables]

    whole = trained("whole")
    with pytest.raises(KeyboardInterrupt):
        trained("broken", Interrupt())
    for one, other in zip(whole, trained("broken"), strict=True):
        np.testing.assert_array_equal(one, other)
    options = {"epochs": 1, "batch_size": 4, "drop_path": 0.3, "freeze": "backbone", "image_size": 32}
    run = zoo.finetune(pretrained(), photographs, output_dir=tmp_path / "run", **options)
    assert not any(isinstance(layer, StochasticAdd) for layer in zoo.load(run.folder).layers)
