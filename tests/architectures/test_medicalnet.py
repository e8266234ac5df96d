"""MedicalNet against the implementation that trained it. Runs on every backend."""

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

import zoo
from tests.golden_files import assert_close, golden_state, read_golden, trainable_parameters
from tests.marked_cases import first_of_each
from zoo import architectures
from zoo.catalogue.registry import registry
from zoo.weights import filling

NAMES = ["medicalnet_resnet10", "medicalnet_resnet18", "medicalnet_resnet50"]


def state_of(name, head):
    """The tensors as published: prefixed, and without the segmentation head, which the files do not have."""
    return {
        f"module.{tensor}": values
        for tensor, values in golden_state(name).items()
        if head or not tensor.startswith("conv_seg.")
    }


def load(name, folder, *, head=False, num_classes=0):
    """The network of `num_classes`, filled from a file with or without its head."""
    path = folder / f"{name}.safetensors"
    save_file(state_of(name, head), path)
    entry = registry().find(name).model_copy(update={"num_classes": num_classes})
    with filling.abstract():
        model = architectures.build(entry)
    filling.fill(model, path, file_format=entry.format)
    return model


@pytest.mark.parametrize("name", first_of_each(NAMES))
def test_reproduces_the_reference(name, tmp_path):
    arrays, meta = read_golden(name)
    model = load(name, tmp_path, head=True, num_classes=2)
    assert trainable_parameters(model) == meta["params"]
    last = [layer.output for layer in model.layers if layer.name.startswith("layer4-")][-1]
    features, logits = keras.Model(model.input, [last, model.output])(arrays["volume"])
    features = keras.ops.convert_to_numpy(features)
    assert_close(features.mean(axis=(1, 2, 3)), arrays["features"])
    assert_close(features.std(axis=(1, 2, 3), ddof=1), arrays["features_std"])
    assert_close(logits, arrays["logits"])


def test_the_published_files_hold_the_backbone_and_give_its_features(tmp_path):
    arrays, _ = read_golden("medicalnet_resnet10")
    path = tmp_path / "resnet_10_23dataset.safetensors"
    save_file(state_of("medicalnet_resnet10", head=False), path)
    model = zoo.load("medicalnet_resnet10", weights=path)
    assert_close(model(arrays["volume"]), arrays["features"])


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before-PyTorch-1.6"])
def test_reads_the_published_pickled_files(zipped, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: MedicalNet's .pth files are not tested")
    arrays, _ = read_golden("medicalnet_resnet10")
    state = state_of("medicalnet_resnet10", head=False)
    state = {name: torch.from_numpy(np.asarray(values)) for name, values in state.items()}
    path = tmp_path / "resnet_10_23dataset.pth"
    torch.save({"state_dict": state}, path, _use_new_zipfile_serialization=zipped)
    assert_close(zoo.load("medicalnet_resnet10", weights=path)(arrays["volume"]), arrays["features"])
    torch.save(state, path)
    with pytest.raises(zoo.WeightsMismatchError, match="no dictionary of tensors under the key 'state_dict'"):
        zoo.load("medicalnet_resnet10", weights=path)


@pytest.mark.slow  # a large network
def test_feature_maps_of_any_size():
    with filling.abstract():
        shapes = {
            stride: output.shape
            for stride, output in zoo.load("medicalnet_resnet50", weights=None, features=True).output.items()
        }
    keras.utils.clear_session()
    channels = {2: 64, 4: 256, 8: 2048}
    assert shapes == {stride: (None, None, None, None, count) for stride, count in channels.items()}
    model = zoo.load("medicalnet_resnet10", weights=None, features=True)
    maps = model(np.zeros((1, 9, 17, 24, 1), "float32"))
    assert {stride: tuple(output.shape) for stride, output in maps.items()} == {
        2: (1, 5, 9, 12, 64),
        4: (1, 3, 5, 6, 64),
        8: (1, 2, 3, 3, 512),
    }


@pytest.mark.slow  # a large network
def test_predict_normalises_volumes_and_gives_their_features(tmp_path):
    volume = np.random.default_rng(0).integers(0, 3, (8, 9, 10)).astype("int16")
    model = zoo.load("medicalnet_resnet10", weights=None)
    prepared = model.preprocess(volume)
    assert (prepared.shape, prepared.dtype) == ((8, 9, 10, 1), np.float32)
    np.save(tmp_path / "volume.npy", volume)
    records = zoo.predict(model, [volume, tmp_path / "volume.npy"])
    expected = keras.ops.convert_to_numpy(model(prepared[None]))[0]
    for record in records:
        assert record["task"] == "volume-features"
        np.testing.assert_allclose(record["features"], expected, rtol=1e-3, atol=1e-5)


@pytest.mark.slow  # a large network; test_loading.py refuses them too
def test_other_weights_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    state = state_of("medicalnet_resnet10", head=False)
    wrong = {
        "missing: module.layer2.0.downsample.0": state_of(
            "medicalnet_resnet18", head=False
        ),  # another depth and shortcut
        "left over: module.conv_seg.0": state_of("medicalnet_resnet10", head=True),
        "missing: module.conv1": {name.removeprefix("module."): values for name, values in state.items()},
    }
    for problem, tensors in wrong.items():
        save_file(tensors, path)
        with pytest.raises(zoo.WeightsMismatchError, match=problem):
            zoo.load("medicalnet_resnet10", weights=path)
    with pytest.raises(zoo.WeightsMismatchError, match=r"missing: module\.conv_seg"):
        load("medicalnet_resnet10", tmp_path, head=False, num_classes=2)
    with pytest.raises(zoo.WeightsMismatchError, match=r"misshapen: module\.conv_seg\.6\.weight"):
        load("medicalnet_resnet10", tmp_path, head=True, num_classes=3)
