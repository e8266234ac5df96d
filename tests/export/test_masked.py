"""Models that take an image and a mask: the SavedModel takes both by name; the other formats say that they cannot."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
import zoo.export
from zoo.architectures import build
from zoo.catalogue.entry import Entry, Input


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


def test_it_is_verified_where_it_lies(exported):
    assert zoo.export.verify(exported)["verified"]["relative_difference"] < 1e-4


@pytest.mark.parametrize("write", [zoo.export.litert, zoo.export.onnx])
def test_the_other_formats_say_that_they_write_one_input_only(model, write, tmp_path):
    with pytest.raises(zoo.ExportError, match=r"takes an image and a mask. Expected one input; saved_model"):
        write(model, tmp_path, allow_random=True)
    assert not list(tmp_path.iterdir())
