"""Models of other shapes than one RGB image to one output: channels, and outputs with names."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import zoo
import zoo.export
from recipes.photographs import photograph
from tests.export.conftest import scattered
from tests.marked_cases import first_of_each
from zoo.export.exportable import named
from zoo.model import ZooModel

BLOCK = {"depths": [1], "stem_kind": "tiered", "stem_filters": 16}


@pytest.mark.parametrize("channels", first_of_each([4, 1, 6]))
def test_models_of_any_number_of_channels_are_exported(channels, tmp_path):
    means, deviations = channels * (0.5,), channels * (0.25,)
    spec = zoo.info("resnet10t")
    changes = {"input": spec.input.model_copy(update={"size": 33, "mean": means, "std": deviations})}
    changes |= {"config": BLOCK, "num_classes": 4, "labels": None, "random": "all", "source": None}
    model = scattered(zoo.architectures.build(spec.model_copy(update=changes)))
    path = zoo.export.saved_model(model, tmp_path, allow_random=True, inference_only=True)
    signatures = tf.saved_model.load(str(path)).signatures
    assert ("encoded" in signatures) == (channels == 1)
    image = np.random.default_rng(0).integers(0, 256, (1, 33, 33, channels)).astype("float32")
    served = signatures["serving_default"](image=tf.constant(image))
    np.testing.assert_allclose(served["probabilities"], tf.nn.softmax(model(image)), atol=1e-5)
    if channels == 1:
        buffer = io.BytesIO()
        photograph("coffee.png").resize((60, 40)).save(buffer, "PNG")
        served = signatures["encoded"](image_bytes=tf.constant([buffer.getvalue()]))
        (record,) = zoo.predict(model, Image.open(buffer), top=4)
        by_index = sorted(record["predictions"], key=lambda item: item["index"])
        np.testing.assert_allclose(served["probabilities"][0], [item["score"] for item in by_index], atol=0.02)


def test_outputs_with_names_are_exported_by_their_names(tmp_path):
    image = keras.Input((16, 16, 3), name="image")
    x = keras.layers.Conv2D(4, 3, name="body")(image)
    outputs = {"boxes": keras.layers.Conv2D(4, 1, name="b")(x), "scores": keras.layers.Conv2D(2, 1, name="s")(x)}
    model = ZooModel(image, outputs)
    model.spec = zoo.info("segnet-basic")
    path = zoo.export.saved_model(model, tmp_path)
    loaded, inputs = tf.saved_model.load(str(path)), np.ones((1, 16, 16, 3), "float32")
    for answers in (loaded(inputs), loaded.signatures["serving_default"](image=tf.constant(inputs))):
        assert set(answers) == set(outputs)
        for name, expected in model(inputs).items():
            np.testing.assert_allclose(answers[name], expected, atol=1e-4)
    assert zoo.export.verify(path)["verified"]["relative_difference"] <= 1e-5


def test_names_are_those_on_the_way_to_an_output():
    assert named({2: 0, 4: 1}) == {"stride_2": 0, "stride_4": 1}
    assert named({"head": {"boxes": 0, "scores": [1, 2]}}) == {"head_boxes": 0, "head_scores_0": 1, "head_scores_1": 2}
    assert named([0, 1]) == {"output_0": 0, "output_1": 1}
    assert named(7) == {"output": 7}
