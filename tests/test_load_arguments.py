"""Every argument of `zoo.load`: what it cannot be is an InputError that names it, before anything is built."""

import importlib
import inspect
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from tests.marked_cases import first_of_each
from zoo import architectures
from zoo.catalogue.registry import registry
from zoo.weights import filling

BAD: dict[str, list] = {
    "handle": [None, 3, b"espcn-x2", "", ["espcn-x2"], True, object()],
    "weights": [b"file", "", 3, True, False, ["a"], 1.5],
    "num_classes": ["3", True, -1, 10**9, 2.0, float("nan"), (3,), b"3", np.array([3])],
    "new_head": ["yes", 1, None],
    "problem_type": ["classification", "", 3, True, ["regression"]],
    "decoder": ["u-net", "", 3, ["unet"], True],
    "decoder_options": ["filters", 3, ["filters"], True],
    "input_shape": [
        64,
        "64",
        (64, "64", 3),
        (64, 64.0, 3),
        (0, 0, 3),
        (-1, 64, 3),
        (True, 64, 3),
        {64: 3},
        (10**9,) * 3,
    ],
    "in_channels": ["4", True, 0, -1, 10**9, 1.0, [4]],
    "output_stride": ["16", True, 0, 4, 12, 64, 16.0],
    "features": ["yes", 1, 0, None, [], [0], ["8"], (True,), {8: 8}],
    "revision": [3, "", b"v1", True],
    "cache_dir": [3, True, "", b"/tmp", ["/tmp"]],
    "token": [3, True, b"hf_a", ["hf_a"]],
    "offline": ["yes", 1, 0, []],
}


def test_all_arguments_are_covered():
    assert list(inspect.signature(zoo.load).parameters) == [*BAD]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_value_that_no_model_takes_is_answered_by_its_name(name, value):
    arguments = {"handle": "blurnet-textures", "offline": True, name: value}
    with pytest.raises(zoo.InputError, match="Expected " if name == "handle" else f"^{name}=.* Expected "):
        zoo.load(**arguments)


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 1), (64, 64, 64, 3), (None, None, None), ()])
def test_an_input_shape_of_another_rank_or_channels_is_refused(shape):
    with pytest.raises(zoo.InputError, match=r"^input_shape=.*Expected \(None, None, 3\)"):
        zoo.load("blurnet-textures", input_shape=shape)


def test_series_take_their_length_and_coordinates_nothing():
    assert zoo.load("tcn-co2", input_shape=(200, 1)).input_shape == (None, 200, 1)
    for handle in ("tcn-co2", "coordconv-classifier"):
        with pytest.raises(zoo.InputError, match=r"^input_shape=.*does not fit"):
            zoo.load(handle, input_shape=(64, 64, 3))


@pytest.mark.parametrize(("handle", "shape"), [("legacy_xception", (3, 3, 3)), ("tcn-co2", (2, 1))])
def test_an_input_shape_that_is_too_small_is_refused(handle, shape):
    with pytest.raises(zoo.InputError, match=r"^input_shape=.*cannot be built"):
        zoo.load(handle, weights=None, input_shape=shape)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": None},
        {"num_classes": 0},
        {"new_head": True},
        {"input_shape": (8, 8, 3)},
        {"in_channels": 1},
        {"features": True},
    ],
)
def test_arguments_that_would_be_ignored_beside_a_keras_file_are_refused(change):
    with pytest.raises(zoo.InputError, match=f"^mine.keras.*{next(iter(change))}="):
        zoo.load("mine.keras", **change)


def builder_of(family):
    module, function = family.builder.split(".")
    return getattr(importlib.import_module(f"zoo.architectures.{module}"), function)


def test_families_declare_features_where_their_builder_has_them():
    declared = {name: family.features for name, family in registry().families.items()}
    families = registry().families.items()
    assert declared == {name: "features" in inspect.signature(builder_of(f)).parameters for name, f in families}


def smallest(predicate):
    """The smallest architecture of each builder whose family `predicate` holds for."""
    names, seen = [], set()
    for family in registry().families.values():
        if (family.builder, family.first_conv) in seen:
            continue
        seen.add((family.builder, family.first_conv))
        entries = [
            e for e in registry().entries.values() if e.architecture in family.architectures and predicate(family)
        ]
        if entries:
            names.append(min(entries, key=lambda entry: entry.parameters_millions or 1e9).name)
    return names


@pytest.mark.parametrize("name", smallest(lambda family: not family.features))
def test_a_family_without_features_says_so(name):
    with pytest.raises(zoo.InputError, match=rf"^features=True does not fit {name}"):
        zoo.load(name, weights=None, features=True)


@pytest.mark.parametrize("name", smallest(lambda family: not family.first_conv))
def test_a_family_without_a_first_convolution_says_so(name):
    with pytest.raises(zoo.InputError, match=rf"^in_channels=4 does not fit {name}"):
        zoo.load(name, weights=None, in_channels=4)


@pytest.mark.parametrize("name", first_of_each(smallest(lambda family: family.first_conv)))  # each is built: 15 s
def test_the_declared_first_convolutions_are_the_only_layers_that_see_the_channels(name):
    entry, channels = registry().find(name), 5
    images = entry.input.model_copy(update={"mean": (0.0,) * channels, "std": (1.0,) * channels})
    with filling.abstract():
        model = architectures.build(entry.model_copy(update={"input": images}))
    kernels = {layer.name: layer.kernel for layer in model.layers if getattr(layer, "kernel", None) is not None}
    seeing = {layer for layer, kernel in kernels.items() if kernel.shape[-2] == channels}
    assert seeing  # several where the first convolution has branches, as RepVGG's
    assert seeing == kernels.keys() & set(registry().first_conv(entry.builder))


def test_a_pyramid_has_no_classes():
    with pytest.raises(zoo.InputError, match="num_classes=3 with features=True"):
        zoo.load("blurnet-textures", features=True, num_classes=3)


@pytest.mark.parametrize("channels", [1, 4])
def test_channels_change_a_file_of_our_own_format(channels):
    plain, other = zoo.load("blurnet-textures"), zoo.load("blurnet-textures", in_channels=channels)
    kernel, changed = (keras.ops.convert_to_numpy(model.get_layer("conv1").kernel) for model in (plain, other))
    expected = kernel.sum(2, keepdims=True) if channels == 1 else kernel[:, :, [0, 1, 2, 0]] * 3 / 4
    np.testing.assert_allclose(changed, expected, rtol=1e-6)
    assert len(other.spec.input.mean) == channels
    assert not other.spec.metrics


@pytest.mark.parametrize("channels", [1, 4])
def test_a_saved_model_of_other_channels_comes_back_and_changes_again(channels, tmp_path):
    model = zoo.load("blurnet-textures", in_channels=channels)
    folder = zoo.save(model, Path(tmp_path) / "mine")
    assert zoo.load(str(folder)).input_shape == (None, None, None, channels)
    assert zoo.load(str(folder), in_channels=3).input_shape == (None, None, None, 3)


@pytest.mark.parametrize("name", ["blurnet-textures", "fcn8s-small", "segnet-basic"])
@pytest.mark.parametrize("channels", [1, 6])
def test_a_model_of_other_channels_answers_arrays_of_as_many(name, channels):
    image = np.random.default_rng(0).integers(0, 256, (32, 48, channels)).astype("uint8")
    record = zoo.predict(zoo.load(name, in_channels=channels), image)[0]
    assert record["predictions" if name == "blurnet-textures" else "classes"]
