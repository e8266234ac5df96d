"""LoRA: an adapter over a pinned base: trained, resumed, saved, loaded, merged, refused."""

import inspect
import json

import keras
import numpy as np
import pytest
import safetensors.numpy
from click.testing import CliRunner

import zoo
from tests.training.photographs import write_photographs
from zoo import architectures, layers
from zoo.command_line.main import main
from zoo.errors import InputError, IntegrityError, RegistryError, WeightsMismatchError
from zoo.model import ZooModel
from zoo.training.lora import KINDS, adapter_of, enable_lora, learned_variables
from zoo.weights.adapters import ADAPTER, add_adapter
from zoo.weights.filling import abstract

OPTIONS = {"epochs": 2, "batch_size": 4, "lora": 4, "learning_rate": 0.01}
CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D, keras.layers.Dense)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return write_photographs(tmp_path_factory.mktemp("data") / "photographs", {"blue": 10, "green": 10}, side=16)


@pytest.fixture(scope="module")
def run(photographs, tmp_path_factory):
    return zoo.finetune("blurnet-textures", photographs, output_dir=tmp_path_factory.mktemp("runs") / "run", **OPTIONS)


@pytest.fixture(scope="module")
def adapted(run, tmp_path_factory):
    """Its model, saved; with factors that are not zero, whatever the run has kept."""
    tensors = safetensors.numpy.load((run.folder / ADAPTER).read_bytes())
    generator = np.random.default_rng(0)
    tensors = {name: generator.normal(0, 0.1, one.shape).astype("float32") for name, one in tensors.items()}
    folder = tmp_path_factory.mktemp("models") / "adapted"
    folder.mkdir()
    content = safetensors.numpy.save(tensors)
    (folder / ADAPTER).write_bytes(content)
    (folder / "zoo.json").write_text((run.folder / "zoo.json").read_text())
    return folder


def outputs(model):
    images = np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3)).astype("float32")
    return keras.ops.convert_to_numpy(model(images))


def test_a_run_writes_an_adapter_over_its_pinned_base(run):
    assert {"zoo.json", ADAPTER, "README.md", "run.json"} <= {path.name for path in run.folder.iterdir()}
    assert not (run.folder / "model.safetensors").exists()
    base = zoo.info("blurnet-textures")
    entry = json.loads((run.folder / "zoo.json").read_text())
    assert entry["adapter"] == {"rank": 4, "base": base.name, "revision": None, "sha256": base.sha256}
    names = set(safetensors.numpy.load((run.folder / ADAPTER).read_bytes()))
    assert {name.rpartition("/")[2] for name in names if not run.model.spec.in_head(name.split("/")[0])} == {
        "lora_kernel_a",
        "lora_kernel_b",
    }
    card = (run.folder / "README.md").read_text()
    assert "adapter of rank 4 over blurnet-textures" in card
    assert "base_model_relation" not in card  # the base is on no Hub


def test_info_says_over_what_an_adapter_is(run):
    printed = CliRunner().invoke(main, ["info", str(run.folder)]).output
    assert "of rank 4, over blurnet-textures.grey" in printed


def test_what_is_loaded_is_what_was_trained_and_a_network_as_any_other(run):
    loaded = zoo.load(run.folder)
    np.testing.assert_array_equal(outputs(loaded), outputs(run.model))
    base = zoo.load("blurnet-textures", num_classes=2)
    assert [variable.path for variable in loaded.weights] == [variable.path for variable in base.weights]
    statistics = [weight.path for weight in base.weights if "kernel" not in weight.path and "bias" not in weight.path]
    known = {weight.path: weight for weight in loaded.weights}
    for path in statistics:
        np.testing.assert_array_equal(known[path], next(each for each in base.weights if each.path == path))


def test_merged_outputs_are_those_with_factors(adapted):
    loaded, base = zoo.load(adapted), zoo.load("blurnet-textures", num_classes=2)
    enable_lora(base, 4)
    tensors = safetensors.numpy.load((adapted / ADAPTER).read_bytes())
    for weight in base.weights:
        if weight.path in tensors:
            weight.assign(tensors[weight.path])
    expected = outputs(base)
    np.testing.assert_allclose(outputs(loaded), expected, atol=1e-5 * np.abs(expected).max())


def test_an_adapter_is_saved_as_one_until_its_weights_change(adapted, tmp_path):
    model = zoo.load(adapted)
    again = zoo.save(model, tmp_path / "again")
    assert sorted(path.name for path in again.iterdir()) == ["README.md", ADAPTER, "zoo.json"]
    assert (again / ADAPTER).read_bytes() == (adapted / ADAPTER).read_bytes()
    model.get_layer("fc").bias.assign_add([0.5, 0.0])
    changed = zoo.save(model, tmp_path / "changed")
    assert not (changed / ADAPTER).exists()
    whole = zoo.load(changed)
    assert whole.spec.adapter is None
    np.testing.assert_array_equal(outputs(whole), outputs(model))


def test_an_adapter_takes_another_head_or_none(adapted):
    assert zoo.load(adapted, num_classes=5).output_shape == (None, 5)
    assert len(zoo.load(adapted, num_classes=0).output_shape) == 2
    with pytest.raises(InputError, match="an adapter"):
        zoo.load(adapted, in_channels=1)


@pytest.mark.slow  # trains twice
def test_an_adapter_is_trained_further_as_a_whole(adapted, photographs, tmp_path):
    options = {"epochs": 1, "batch_size": 4, "freeze": "backbone"}
    run = zoo.finetune(str(adapted), photographs, output_dir=tmp_path / "run", **options)
    assert run.model.spec.adapter is None
    assert (run.folder / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"sha256": "0" * 64}, IntegrityError, "now is another file.*Expected the one that it was trained on"),
        ({"base": "./elsewhere"}, RegistryError, "which is not a model of the registry or the Hub"),
        ({"rank": 3}, WeightsMismatchError, "Expected two factors of rank 3"),
        ({"rank": 0}, RegistryError, "adapter.rank"),
    ],
)
def test_an_adapter_that_does_not_fit_its_base_is_an_error(change, error, message, adapted, tmp_path):
    (tmp_path / ADAPTER).write_bytes((adapted / ADAPTER).read_bytes())
    entry = json.loads((adapted / "zoo.json").read_text())
    entry["adapter"] |= change
    (tmp_path / "zoo.json").write_text(json.dumps(entry))
    with pytest.raises(error, match=message):
        zoo.load(tmp_path)


@pytest.mark.parametrize("damage", ["lora_kernel_a", "lora_kernel_b", "bias", "cut"])
def test_a_damaged_adapter_is_an_error(damage, adapted, tmp_path):
    content = (adapted / ADAPTER).read_bytes()
    tensors = safetensors.numpy.load(content)
    del tensors[next(name for name in tensors if name.endswith(damage) or damage == "cut")]
    (tmp_path / ADAPTER).write_bytes(content[:-100] if damage == "cut" else safetensors.numpy.save(tensors))
    (tmp_path / "zoo.json").write_text((adapted / "zoo.json").read_text())
    with pytest.raises(IntegrityError if damage == "cut" else WeightsMismatchError):
        zoo.load(tmp_path)


def shifted(model):
    model.layers[3].weights[0].assign_add(np.full(model.layers[3].weights[0].shape, 0.1))
    return model


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (lambda folder, _: folder, {}, "is an adapter itself"),
        (lambda _, tmp: zoo.save(zoo.load("blurnet-textures"), tmp / "mine"), {}, "is in no repository"),
        (lambda _, tmp: zoo.load("blurnet-textures", weights=None), {}, "is in no repository"),
        (lambda _, tmp: shifted(zoo.load("blurnet-textures")), {}, "as they are, and .* differs"),
        (lambda _, tmp: "blurnet-textures", {"lora": 4000}, "no convolution or dense layer with a kernel larger"),
        (lambda _, tmp: "blurnet-textures", {"lora": 100_000}, "no convolution or dense layer with a kernel larger"),
        (lambda _, tmp: "blurnet-textures", {"freeze": 3}, "Expected one of the two"),
        (lambda _, tmp: "blurnet-textures", {"lora": 0}, "a rank of at least 1"),
    ],
)
def test_lora_is_refused_where_it_does_not_apply(model, options, message, adapted, photographs, tmp_path):
    with pytest.raises(InputError, match=message):
        zoo.finetune(model(adapted, tmp_path), photographs, output_dir=tmp_path / "run", **{**OPTIONS, **options})
    assert not (tmp_path / "run").exists()


def network(layer, shape):
    inputs = keras.Input(shape)
    found = layer(inputs)
    model = ZooModel(inputs, found[0] if isinstance(found, list | tuple) else found)
    model.spec = zoo.info("espcn-x2")  # without a head
    return model


LAYERS = {
    "Conv1D": (lambda kind: kind(8, 3, name="one"), (9, 8)),
    "Conv3D": (lambda kind: kind(8, 3, name="one"), (5, 5, 5, 8)),
    "Dense": (lambda kind: kind(8, name="one"), (8,)),
    "grouped": (lambda kind: keras.layers.Conv2D(8, 3, groups=2, name="one"), (9, 9, 8)),
}


@pytest.mark.parametrize("name", [*{kind.__name__: 0 for kind in KINDS}, "grouped"])
def test_the_merged_kernel_of_each_kind_gives_what_the_factors_give(name):
    kind = {kind.__name__: kind for kind in KINDS}.get(name)
    make, shape = LAYERS.get(name, (lambda kind: kind(8, 3, name="one"), (9, 9, 8)))
    plain, factored = network(make(kind), shape), network(make(kind), shape)
    for one, other in zip(plain.weights, factored.weights, strict=True):
        other.assign(one)
    assert enable_lora(factored, 2) == ("one",)
    layer = factored.get_layer("one")
    layer.lora_kernel_b.assign(np.random.default_rng(0).normal(size=layer.lora_kernel_b.shape))
    assert [one.name for one in learned_variables(layer)] == ["lora_kernel_a", "lora_kernel_b"]
    values = {variable.path: np.array(variable) for variable in factored.variables}
    assert add_adapter(plain, adapter_of(factored, ["one"], values), 2) == set()
    inputs = np.random.default_rng(1).normal(size=(2, *shape)).astype("float32")
    expected = keras.ops.convert_to_numpy(factored(inputs))
    np.testing.assert_allclose(plain(inputs), expected, atol=1e-5 * np.abs(expected).max())


OWN = [kind for _, kind in inspect.getmembers(layers, inspect.isclass) if issubclass(kind, CONVOLUTIONS)]


@pytest.mark.parametrize("kind", [kind for kind in OWN if kind not in KINDS])
def test_convolutions_with_masks_are_left_as_they_are(kind):
    shape = (*(5,) * int(kind.__name__[-2]), 8)
    with pytest.raises(InputError, match="no convolution"):
        enable_lora(network(kind(8, 3), shape), 2)


def test_the_adapter_of_a_resnet50_is_less_than_three_percent_of_it():
    with abstract():
        model = architectures.build(zoo.info("resnet50"))
        names = enable_lora(model, 8)
    parts = [variable for name in names for variable in learned_variables(model.get_layer(name))]
    share = sum(int(np.prod(one.shape)) for one in parts) / zoo.info("resnet50").parameters_millions / 1e6
    assert len(names) == 53
    assert 0.02 < share < 0.03
