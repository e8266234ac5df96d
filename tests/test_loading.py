"""`zoo.load`: what each argument does, what each wrong one says, and handles of every kind."""

import hashlib
import inspect
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import zoo
from tests.golden_files import golden_state, trainable_parameters

IMAGES = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3)).astype("float32")


def kernel(model, name):
    return keras.ops.convert_to_numpy(model.get_layer(name).kernel)


def logits(model, images=IMAGES):
    return keras.ops.convert_to_numpy(model(images, training=False))


@pytest.fixture(scope="module")
def state():
    return golden_state("resnet18")


@pytest.fixture(scope="module")
def path(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("resnet18") / "model.safetensors"
    save_file(state, path)
    return path


@pytest.fixture(scope="module")
def model(path):
    return zoo.load("resnet18", weights=path)


def test_the_public_face_is_what_is_promised():
    parameters = inspect.signature(zoo.load).parameters
    assert list(parameters) == [
        "handle", "weights", "num_classes", "new_head", "problem_type", "decoder", "decoder_options", "input_shape",
        "in_channels", "output_stride", "features", "revision", "cache_dir", "token", "offline",
    ]  # fmt: skip
    assert all(p.kind is p.KEYWORD_ONLY for p in list(parameters.values())[1:])


def test_an_unknown_keyword_is_an_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'pretrained'"):
        zoo.load("resnet18", pretrained=True)


def test_an_own_file_has_none_of_the_registrys_provenance(model):
    assert model.spec.source is None
    assert not model.spec.metrics
    assert model.spec.random == "none"


def test_takes_uint8_and_floats_alike(model):
    np.testing.assert_allclose(logits(model, IMAGES.astype("uint8")), logits(model), rtol=1e-5)


def test_num_classes_replaces_the_head_and_fills_the_rest(model, path):
    three = zoo.load("resnet18", weights=path, num_classes=3, new_head=True)
    assert three.output_shape == (None, 3)
    assert (three.spec.num_classes, three.spec.labels, three.spec.random) == (3, None, "head")
    np.testing.assert_array_equal(kernel(three, "layer4-1-conv2"), kernel(model, "layer4-1-conv2"))
    assert kernel(three, "fc").std() > 0


def test_a_new_head_is_random_and_not_constant(path):
    kernels = [kernel(zoo.load("resnet18", weights=path, num_classes=3, new_head=True), "fc") for _ in range(2)]
    assert not np.array_equal(*kernels)


def test_an_own_file_with_that_many_classes_keeps_its_head(state, tmp_path):
    own = state | {"fc.weight": np.full((3, 512), 0.5, "float32"), "fc.bias": np.zeros(3, "float32")}
    save_file(own, tmp_path / "own.safetensors")
    model = zoo.load("resnet18", weights=tmp_path / "own.safetensors", num_classes=3)
    assert np.all(kernel(model, "fc") == 0.5)
    assert model.spec.random == "none"


def test_no_classes_gives_pooled_features(model, path):
    pooled = zoo.load("resnet18", weights=path, num_classes=0)
    head = keras.Model(model.inputs, model.get_layer("fc").input)
    np.testing.assert_allclose(logits(pooled), keras.ops.convert_to_numpy(head([IMAGES])), rtol=1e-5)


def test_features_gives_the_pyramid_by_stride(model, path):
    pyramid = zoo.load("resnet18", weights=path, features=True)
    maps = pyramid(IMAGES, training=False)
    assert {stride: tuple(output.shape) for stride, output in maps.items()} == {
        2: (2, 32, 32, 64), 4: (2, 16, 16, 64), 8: (2, 8, 8, 128), 16: (2, 4, 4, 256), 32: (2, 2, 2, 512),
    }  # fmt: skip
    pooled = keras.Model(model.inputs, model.get_layer("fc").input)([IMAGES])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(maps[32]).mean((1, 2)), pooled, rtol=1e-4, atol=1e-5)


def test_features_of_another_architecture_are_refused(state, tmp_path):
    save_file(state | {"layer4.2.conv1.weight": np.zeros((512, 512, 3, 3), "float32")}, tmp_path / "w.safetensors")
    with pytest.raises(zoo.WeightsMismatchError, match=r"left over: layer4\.2\.conv1\.weight"):
        zoo.load("resnet18", weights=tmp_path / "w.safetensors", features=True)


def test_one_channel_sums_the_filters_over_rgb(model, path):
    grey = zoo.load("resnet18", weights=path, in_channels=1)
    summed = kernel(model, "conv1").sum(2, keepdims=True)
    np.testing.assert_allclose(kernel(grey, "conv1"), summed, rtol=1e-6)
    assert len(grey.spec.input.mean) == 1


def test_five_channels_repeat_the_filters_at_the_same_scale(model, path):
    five = zoo.load("resnet18", weights=path, in_channels=5)
    repeated = kernel(model, "conv1")[:, :, [0, 1, 2, 0, 1]] * 3 / 5
    np.testing.assert_allclose(kernel(five, "conv1"), repeated, rtol=1e-6)
    assert five.input_shape == (None, None, None, 5)


def test_an_own_file_with_five_channels_is_taken_as_it_is(state, tmp_path):
    own = np.random.default_rng(0).standard_normal((64, 5, 7, 7)).astype("float32")
    save_file(state | {"conv1.weight": own}, tmp_path / "five.safetensors")
    five = zoo.load("resnet18", weights=tmp_path / "five.safetensors", in_channels=5)
    np.testing.assert_array_equal(kernel(five, "conv1"), own.transpose(2, 3, 1, 0))


def test_input_shape_is_fixed_when_asked(path):
    assert zoo.load("resnet18", weights=path, input_shape=(64, 96, 3)).input_shape == (None, 64, 96, 3)


def test_no_weights_are_random_on_purpose():
    model = zoo.load("resnet10t", weights=None)
    assert model.spec.random == "all"
    assert kernel(model, "conv1-0").std() > 0


def test_loading_does_not_train_or_freeze(model):
    assert trainable_parameters(model) == 11_689_512


def test_a_loaded_model_trains(path):
    model = zoo.load("resnet18", weights=path, num_classes=2, new_head=True)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    before = kernel(model, "conv1")
    model.fit(IMAGES, np.array([0, 1]), epochs=1, verbose=0)
    assert not np.array_equal(before, kernel(model, "conv1"))


def test_a_saved_model_keeps_its_spec_and_outputs(model, tmp_path):
    model.save(tmp_path / "m.keras")
    back = zoo.load(str(tmp_path / "m.keras"))
    assert back.spec == model.spec
    np.testing.assert_array_equal(back.preprocess(IMAGES[0]), model.preprocess(IMAGES[0]))
    np.testing.assert_allclose(logits(back), logits(model), rtol=1e-6)


@pytest.mark.slow  # as the model before it
def test_a_saved_pyramid_keeps_its_strides(path, tmp_path):
    zoo.load("resnet18", weights=path, features=True).save(tmp_path / "pyramid.keras")
    assert list(zoo.load(str(tmp_path / "pyramid.keras"))(IMAGES)) == [2, 4, 8, 16, 32]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("bn1.bias"), r"missing: bn1\.bias"),
        (lambda state: state.update({"extra.weight": np.zeros(1, "float32")}), r"left over: extra\.weight"),
        (lambda state: state.update({"bn1.bias": np.zeros(3, "float32")}), r"misshapen: bn1\.bias is \[3\].*\[64\]"),
        (lambda state: state.update({"bn1.bias": np.zeros(64, "int32")}), r"not floating point.*: bn1\.bias is I32"),
        (lambda state: state.pop("fc.weight"), r"missing: fc\.weight"),
        (lambda state: state.update({"fc.bias": np.zeros(7, "float32")}), r"misshapen: fc\.bias.*num_classes="),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_lists_what_is_wrong(change, message, state, tmp_path):
    state = dict(state)
    change(state)
    save_file(state, tmp_path / "wrong.safetensors")
    with pytest.raises(zoo.WeightsMismatchError, match=message):
        zoo.load("resnet18", weights=tmp_path / "wrong.safetensors")


def test_a_mismatch_leaves_nothing_behind_for_the_next_model(path, model):
    with pytest.raises(zoo.WeightsMismatchError):
        zoo.load("resnet34", weights=path)
    np.testing.assert_array_equal(logits(zoo.load("resnet18", weights=path)), logits(model))


@pytest.mark.parametrize("architecture", ["resnet34", "resnet50", "resnet18d"])
def test_weights_of_another_architecture_are_refused(architecture, path):
    with pytest.raises(zoo.WeightsMismatchError, match="does not fit the architecture"):
        zoo.load(architecture, weights=path)


@pytest.mark.parametrize("content", [b"", b"\x08\x00\x00\x00\x00\x00\x00\x00{}", b"not safetensors" * 100])
def test_a_file_that_is_not_safetensors_is_refused(content, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises((zoo.IntegrityError, zoo.WeightsMismatchError), match=r"w\.safetensors"):
        zoo.load("resnet10t", weights=tmp_path / "w.safetensors")


def test_a_file_cut_short_is_refused(path, tmp_path):
    (tmp_path / "short.safetensors").write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(zoo.IntegrityError, match=r"short\.safetensors is not a whole safetensors file"):
        zoo.load("resnet18", weights=tmp_path / "short.safetensors")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"handle": "resnet18", "num_classes": -1, "weights": None}, zoo.InputError, "num_classes=-1"),
        ({"handle": "espcn-x2", "num_classes": 3}, zoo.InputError, "num_classes=3 does not fit espcn-x2"),
        ({"handle": "resnet18", "in_channels": 0, "weights": None}, zoo.InputError, "in_channels=0"),
        ({"handle": "espcn-x2", "in_channels": 1}, zoo.InputError, "in_channels=1 does not fit"),
        ({"handle": "resnet18", "weights": "nowhere.safetensors"}, zoo.InputError, "no file nowhere.safetensors"),
        ({"handle": "resnetblur18"}, zoo.UnknownModelError, "resnetblur18 has no pretrained weights"),
        ({"handle": "resnet19"}, zoo.UnknownModelError, "Did you mean"),
        ({"handle": "hf://a/b@main", "revision": "v1"}, zoo.InputError, "revision is stated twice"),
        ({"handle": "resnet18@main", "revision": "v1"}, zoo.InputError, "revision is stated twice"),
        ({"handle": "espcn-x2", "revision": "v1"}, zoo.InputError, "has no revisions"),
        ({"handle": "nowhere.keras"}, zoo.UnknownModelError, r"no file nowhere\.keras"),
        ({"handle": "./nowhere"}, zoo.UnknownModelError, "no folder nowhere"),
        ({"handle": "hf://noowner"}, zoo.InputError, "noowner"),
    ],
)
def test_a_wrong_argument_is_answered_in_a_sentence(arguments, error, message):
    with pytest.raises(error, match=message):
        zoo.load(**arguments)


def timm_config(**changes):
    pretrained = {
        "tag": "mine_in1k", "input_size": [3, 96, 96], "interpolation": "bilinear", "crop_pct": 0.9,
        "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "num_classes": 1000, "license": "mit",
    }  # fmt: skip
    return {"architecture": "resnet18", "num_classes": 1000, "pretrained_cfg": pretrained} | changes


@pytest.fixture
def folder(path, tmp_path):
    (tmp_path / "model.safetensors").hardlink_to(path)
    (tmp_path / "config.json").write_text(json.dumps(timm_config()))
    return tmp_path


def test_a_folder_with_timms_config_is_loaded(folder, model):
    mine = zoo.load(str(folder))
    assert mine.preprocess(IMAGES[0]).shape == (96, 96, 3)
    assert (mine.spec.license, mine.spec.labels, mine.spec.input.mean) == ("mit", "imagenet-1k", (0.5, 0.5, 0.5))
    np.testing.assert_array_equal(kernel(mine, "conv1"), kernel(model, "conv1"))


def test_timms_flat_config_is_loaded_too(folder):
    flat = {"architecture": "resnet18", **timm_config()["pretrained_cfg"]}
    (folder / "config.json").write_text(json.dumps(flat))
    assert zoo.load(str(folder)).spec.input.size == 96


def test_timms_newer_config_with_model_args_is_loaded(folder):
    (folder / "config.json").write_text(json.dumps(timm_config(model_args={"num_classes": 1000}, global_pool="avg")))
    assert zoo.load(str(folder)).spec.num_classes == 1000


@pytest.mark.parametrize(
    ("tag", "num_classes", "labels"),
    [("fb_in22k", 21_841, "imagenet-22k"), ("sw_in12k_384", 11_821, "imagenet-12k"), ("mine", 1000, None)],
)
def test_timms_tag_says_which_list_of_classes(tag, num_classes, labels, folder):
    config = timm_config(num_classes=num_classes)
    config["pretrained_cfg"] |= {"tag": tag, "num_classes": num_classes}
    (folder / "config.json").write_text(json.dumps(config))
    assert zoo.info(str(folder)).labels == labels


def test_timms_own_labels_come_along(folder, state):
    save_file(
        state | {"fc.weight": np.zeros((2, 512), "float32"), "fc.bias": np.zeros(2, "float32")},
        folder / "new.safetensors",
    )
    (folder / "new.safetensors").replace(folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(timm_config(num_classes=2, label_names=["cat", "dog"])))
    assert zoo.load(str(folder)).spec.labels == ("cat", "dog")


@pytest.mark.parametrize("wrapper", ["timm_model.", "module."])
def test_what_a_wrapper_puts_before_all_names_is_left_out(wrapper, folder, state, model):
    (folder / "model.safetensors").unlink()
    save_file({f"{wrapper}{name}": values for name, values in state.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(timm_config(model_type="timm_wrapper")))
    np.testing.assert_array_equal(kernel(zoo.load(folder), "fc"), kernel(model, "fc"))
    assert zoo.load(folder, num_classes=2).output_shape == (None, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": {}}, "config {}"),
        ({"config": {"depths": [2, 2, 2, 2], "groups": 3}}, "config"),
        ({"config": {"depths": [2, 2, 2, "a"]}}, "config"),
    ],
)
def test_a_description_that_no_builder_takes_is_told(changes, message, folder, model):
    (folder / "zoo.json").write_text(json.dumps(model.spec.model_dump(mode="json") | changes))
    with pytest.raises(zoo.RegistryError, match=message):
        zoo.load(folder)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (
            timm_config(architecture="vit_base_patch16_224"),
            zoo.UnknownModelError,
            "architecture 'vit_base_patch16_224'",
        ),
        (
            timm_config(model_args={"drop_rate": 0.1, "output_stride": 8}),
            zoo.RegistryError,
            "model_args.*output_stride",
        ),
        (timm_config(pretrained_cfg={"input_size": [3, -1, -1]}), zoo.RegistryError, "size"),
        ("{", zoo.RegistryError, "is not JSON"),
    ],
)
def test_a_config_that_cannot_be_built_says_why(config, error, message, folder):
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    with pytest.raises(error, match=message):
        zoo.load(str(folder))


def test_our_own_description_is_loaded(folder, model):
    (folder / "zoo.json").write_text(model.spec.model_dump_json())
    assert zoo.load(str(folder)).spec == model.spec


def test_a_broken_description_names_the_key(folder, model):
    (folder / "zoo.json").write_text(json.dumps(model.spec.model_dump(mode="json") | {"task": "dancing"}))
    with pytest.raises(zoo.RegistryError, match=r"zoo\.json of .*: task: .*'dancing'"):
        zoo.load(str(folder))


LOAD = """
import zoo
for handle in ("resnet18", "hf://me/mine"):
    for offline in (None, True):
        spec = zoo.load(handle, offline=offline).spec
        print(spec.revision, spec.sha256)
    spec = zoo.info(handle, offline=True)
    print(spec.revision, spec.sha256)
    spec = zoo.load(f"{handle}@{spec.revision}", offline=True).spec
    print(spec.revision, spec.sha256)
"""


@pytest.mark.slow  # processes of their own; tests/hub has it in one
def test_what_was_downloaded_is_recorded_and_loaded_again_without_network(hub, folder):
    files = {name: (folder / name).read_bytes() for name in ("config.json", "model.safetensors")}
    name = hub.repository("timm/resnet18.a1_in1k").commit({"model.safetensors": files["model.safetensors"]})
    handle = hub.repository("me/mine").commit(files)  # timm's layout
    digest = hashlib.sha256(files["model.safetensors"]).hexdigest()
    done = hub.run(LOAD, keras=True)
    assert done.stdout.splitlines() == 4 * [f"{name} {digest}"] + 4 * [f"{handle} {digest}"], done.stderr


@pytest.mark.slow  # processes of their own
def test_two_processes_at_once_download_once_and_both_succeed(hub, path):
    commit = hub.repository("timm/resnet18.a1_in1k").commit({"model.safetensors": path.read_bytes()})
    load = "import zoo; print(zoo.load('resnet18').spec.revision)"
    both = [hub.start(load, keras=True) for _ in range(2)]
    assert all(commit in process.communicate()[0] for process in both)
    assert hub.bodies("model.safetensors") == 1


@pytest.mark.slow  # a copy of the package in a Python of its own; tests/hub has damaged files
def test_embedded_weights_that_were_changed_are_refused(tmp_path):
    code = """
import shutil, sys, zoo
from pathlib import Path
shutil.copytree(Path(zoo.__file__).parent, sys.argv[1] + "/zoo", symlinks=False)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    file = tmp_path / "zoo" / "checkpoints" / "espcn-x2.safetensors"
    weights = {name: values + 1 for name, values in load_file(file).items()}
    save_file(weights, file)
    done = subprocess.run(
        [sys.executable, "-c", "import zoo; zoo.load('espcn-x2')"],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
    )
    assert "IntegrityError" in done.stderr
    assert "install layerzoo again" in done.stderr
