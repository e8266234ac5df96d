"""What models look at: known by construction, or an image of which one half is a cat."""

import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import ops
from PIL import Image
from skimage import data

import zoo
from tests import evaluation_models as models
from zoo.architectures.activation_maps import activation_map, explained, last_map, linear_head, mean_gradients
from zoo.command_line.main import main
from zoo.errors import InputError
from zoo.explanation import label_index


def cat_and_cup(side):
    """scikit-image's chelsea.png, a cat's head, and beside it coffee.png; the cat left (0) or right (1): 512 x 512."""
    cat = Image.fromarray(data.chelsea()).crop((75, 0, 375, 300)).resize((256, 256))
    cup = Image.fromarray(data.coffee()).resize((256, 256))
    both = Image.new("RGB", (512, 512))
    both.paste(cat, (256 * side, 128))
    both.paste(cup, (256 * (1 - side), 128))
    return both


def share(found, side):
    """How much of a map lies in the left half (0) or the right one."""
    middle = found.shape[-1] // 2
    part = found[..., middle:] if side else found[..., :middle]
    return float(part.sum() / found.sum())


@pytest.fixture(scope="module")
def network():
    return zoo.load("tf_efficientnet_lite0")


@pytest.mark.parametrize("side", [0, 1])
def test_a_cat_is_seen_where_it_is_and_a_cup_where_that_is(side, network):
    record = zoo.explain(network, cat_and_cup(side))
    assert record["method"] == "cam"
    assert "cat" in record["label"]
    assert record.map.shape == (224, 224)
    assert record.map.dtype == np.float32
    assert record.image.size == (224, 224)
    assert share(record.map, side) >= 0.8
    assert share(zoo.explain(network, cat_and_cup(side), label="espresso").map, 1 - side) >= 0.8


def test_a_map_is_that_of_the_logit_by_hand():
    """The features are two channels; the logit of a class is their mean by the weights of its own."""
    pixels = models.image()
    of_map = keras.layers.Conv2D(2, 1, use_bias=False, name="channels")(pixels)
    pooled = keras.layers.GlobalAveragePooling2D()(of_map)
    logits = keras.layers.Dense(2, name="fc")(keras.layers.Dropout(0.5)(pooled))
    model = models.made(pixels, logits, "image-classification", labels=("red", "green"), num_classes=2, classifier="fc")
    model.get_layer("channels").set_weights([np.eye(3, 2)[None, None]])
    model.get_layer("fc").set_weights([np.array([[1.0, -1], [-1, 1]]), np.zeros(2)])
    image = np.zeros((4, 6, 3), "uint8")
    image[:, :2, 0], image[1, 5, 1], image[2, 4] = 200, 250, (100, 200, 0)
    red, green = (zoo.explain(model, image, label=label) for label in ("red", "green"))
    np.testing.assert_allclose(red.map, np.pad(np.ones((4, 2)), ((0, 0), (0, 4))), atol=1e-6)
    expected = np.zeros((4, 6))
    expected[1, 5], expected[2, 4] = 1, (200 - 100) / 250
    np.testing.assert_allclose(green.map, expected, atol=1e-6)
    assert (green["index"], green["label"]) == (1, "green")
    outputs, maps = explained(model, 4, 6)(image[None])
    np.testing.assert_allclose(maps[0], red.map, atol=1e-6)
    np.testing.assert_array_equal(outputs, model(image[None]))


def test_gradients_say_the_same_where_the_head_is_linear(network):
    prepared = network.preprocess(cat_and_cup(0))[None]
    of_map = last_map(network, 224, 224)
    values = keras.Model(network.input, of_map)(prepared)
    gradients = mean_gradients(keras.Model(of_map, network.output), values, 282)
    weights = np.asarray(linear_head(network, of_map).kernel)[None, :, 282]
    np.testing.assert_allclose(gradients * np.prod(values.shape[1:3]), weights, atol=1e-5)
    np.testing.assert_allclose(activation_map(values, gradients), activation_map(values, weights), atol=1e-4)


def test_a_head_that_is_not_linear_needs_gradients():
    """The square of the mean: its gradient is twice the mean."""
    pixels = models.image()
    of_map = keras.layers.AveragePooling2D(2)(pixels)
    logits = ops.square(keras.layers.GlobalAveragePooling2D()(of_map))
    model = models.made(
        pixels, logits, "image-classification", labels=("red", "green", "blue"), num_classes=3, classifier="fc"
    )
    image = np.zeros((8, 8, 3), "uint8")
    image[:4, :4, 0], image[6:, 6:, 2] = 100, 250
    record = zoo.explain(model, image)
    assert (record["method"], record["label"]) == ("grad-cam", "red")
    assert share(record.map, 0) > 0.9
    assert explained(model, 8, 8) is None
    blue = zoo.explain(model, image, label=2).map
    assert np.unravel_index(blue.argmax(), blue.shape) == (7, 7)


def test_labels_and_quantities_are_explained_too():
    pixels = models.image()
    outputs = keras.layers.Dense(2, name="fc")(keras.layers.GlobalAveragePooling2D()(pixels * 1.0))
    facts = {"labels": ("red", "green"), "num_classes": 2, "classifier": "fc"}
    image = np.zeros((4, 4, 3), "uint8")
    image[0, 0, 0], image[3, 3, 1] = 100, 200
    for task in ("multi-label-classification", "image-regression"):
        model = models.made(pixels, outputs, task, **facts)
        model.get_layer("fc").set_weights([np.eye(3, 2), np.array([0, -20.0])])
        record = zoo.explain(model, image)
        assert (record["label"], record.map.argmax()) == ("red", 0)
        assert record["score"] == pytest.approx(1 / (1 + np.exp(-6.25)) if "label" in task else 6.25, abs=1e-6)
        assert zoo.explain(model, image, label="Green").map.argmax() == 15


def test_a_segmentation_says_how_sure_it_is():
    image = np.zeros((2, 2, 3), "uint8")
    image[0, 0], image[1, 1] = (200, 0, 0), (0, 1, 1)
    record = zoo.explain(models.segmenter(), image)
    assert record["method"] == "confidence"
    assert "index" not in record
    np.testing.assert_allclose(record.map, [[1, 1 / 3], [1 / 3, np.e / (1 + 2 * np.e)]], atol=1e-6)
    np.testing.assert_allclose(zoo.explain(models.segmenter(), image, label="red").map[0], [1, 1 / 3], atol=1e-6)


def test_labels_go_by_name_synset_and_number(network):
    image = np.zeros((8, 8, 3), "uint8")
    found = {
        zoo.explain(network, image, label=label)["index"] for label in ("tabby", "Tabby Cat", "n02123045", 281, "281")
    }
    assert found == {281}
    for label in ("tabbyy cat", 1000, ""):
        with pytest.raises(InputError, match=r"is not a label of tf_efficientnet_lite0\S* Expected one of its 1000"):
            zoo.explain(network, image, label=label)


def test_a_number_is_a_place_and_its_text_a_name():
    model = models.classifier(labels=("1", "0", "2"))
    assert [label_index(model.spec, label) for label in (0, 1, "0", "1")] == [0, 1, 1, 0]


def test_other_tasks_and_several_images_are_refused():
    image = np.zeros((8, 8, 3), "uint8")
    with pytest.raises(InputError, match=r"does not fit image-features .*Expected a model of image-classification"):
        zoo.explain(models.features(), image)
    with pytest.raises(InputError, match=r"There are 2 images\. Expected one"):
        zoo.explain(models.segmenter(), [image, image])


def test_the_command_writes_an_image(tmp_path):
    cat_and_cup(0).save(tmp_path / "photo.png")
    typed = ["explain", "tf_efficientnet_lite0", str(tmp_path / "photo.png"), "-o", str(tmp_path / "cam.png")]
    done = CliRunner().invoke(main, typed, catch_exceptions=False)
    assert "cat, cam -> " in done.stdout.splitlines()[1]
    with Image.open(tmp_path / "cam.png") as written:
        assert written.size == (224, 224)
    done = CliRunner().invoke(main, [*typed, "--label", "espresso", "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["label"] == "espresso"
    assert "cannot be written" in CliRunner().invoke(main, [*typed[:-1], str(tmp_path / "cam.txt")]).output
