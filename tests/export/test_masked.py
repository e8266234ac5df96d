"""Models that take an image and a mask: every format takes both by name."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
import zoo.export
from tests.export.conftest import run_snippet
from zoo.architectures import build
from zoo.catalogue.entry import Entry, Input

pytestmark = pytest.mark.slow  # exports of a U-Net


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    entry = Entry(
        name="small.test", architecture="small", tag="test", builder="pconv_unet.pconv_unet", task="inpainting",
        config={"filters": [4, 4]}, paper="https://arxiv.org/abs/1804.07723", format="zoo", license="apache-2.0",
        input=Input(), random="all",
    )  # fmt: skip
    return build(entry)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return zoo.export.saved_model(model, tmp_path_factory.mktemp("served"), allow_random=True)


def damaged(height, width):
    generator = np.random.default_rng(0)
    mask = generator.integers(0, 2, (1, height, width, 1)).astype("float32")
    return {"image": generator.integers(0, 255, (1, height, width, 3)).astype("float32") * mask, "mask": mask}


def test_the_signature_takes_both_by_name_in_any_size(model, exported):
    served = tf.saved_model.load(str(exported)).signatures["serving_default"]
    assert set(served.structured_input_signature[1]) == {"image", "mask"}
    for size in ((32, 40), (21, 30)):
        inputs = damaged(*size)
        answer = served(**{name: tf.constant(array) for name, array in inputs.items()})
        expected = np.asarray(model(inputs))
        np.testing.assert_allclose(answer["pixels"], expected, atol=1e-3)
        assert answer["image"].dtype == tf.uint8


def test_a_call_takes_a_dict(model, exported):
    inputs = damaged(16, 16)
    outputs = tf.saved_model.load(str(exported))({name: tf.constant(array) for name, array in inputs.items()})
    np.testing.assert_allclose(outputs, np.asarray(model(inputs)), atol=1e-3)


@pytest.mark.usefixtures("exported")
def test_the_model_has_its_configuration_still(model):
    assert set(model.get_config()["input_layers"]) == {"image", "mask"}


def test_it_is_verified_where_it_lies(exported):
    assert zoo.export.verify(exported)["verified"]["relative_difference"] < 1e-4


RUNTIMES = {"litert": "ai_edge_litert", "onnx": "onnxruntime", "openvino": "openvino"}


@pytest.fixture(params=RUNTIMES)
def name(request):
    """Each format that can be run here."""
    pytest.importorskip(RUNTIMES[request.param], reason=f"layerzoo[{request.param}] is not installed")
    return request.param


def test_every_runtime_gives_the_same_for_both_by_name(name, model, tmp_path):
    if name == "litert":
        model = build(model.spec, input_shape=(32, 40, 3))
    path = getattr(zoo.export, name)(model, tmp_path, allow_random=True)
    opened = zoo.export.load(path)
    for size in ((32, 40), (21, 30))[: 1 if name == "litert" else 2]:
        inputs = damaged(*size)
        np.testing.assert_allclose(opened(inputs), np.asarray(model(inputs)), atol=1e-3)
    assert zoo.export.verify(path)["verified"]["relative_difference"] < 1e-4
    assert zoo.predict(path, damaged(32, 40))[0].image.size == (40, 32)
    assert run_snippet(path, path) == ["(1, 32, 40, 3)" if name == "litert" else "(2, 64, 64, 3)"]


def test_litert_says_that_it_needs_a_size(model, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="layerzoo[litert] is not installed")
    with pytest.raises(zoo.ExportError, match=r"zoo\.load\(\.\.\., input_shape=\(256, 256, 3\)\)"):
        zoo.export.litert(model, tmp_path, allow_random=True)


@pytest.mark.parametrize(
    ("write", "options"),
    [(zoo.export.onnx, {"explain": True}), (zoo.export.litert, {"explain": True})],
)
def test_there_is_no_map_of_a_class(model, write, options, tmp_path):
    with pytest.raises(zoo.ExportError):
        write(model, tmp_path, allow_random=True, **options)


def test_eight_bits_take_images_alone(model, tmp_path):
    with pytest.raises(zoo.InputError, match=r"takes an image and a mask\. Expected a model of images alone"):
        zoo.export.litert(model, tmp_path, allow_random=True, representative=[damaged(8, 8)])
    assert not list(tmp_path.iterdir())
