"""`zoo.predict`: one record per input, in order, whatever the inputs are."""

import json

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.golden_files import write_golden_checkpoint
from zoo.imaging.tiles import Runner
from zoo.labels import read_labels
from zoo.model import ZooModel
from zoo.tasks import find_task

PIXELS = np.random.default_rng(0).integers(0, 255, (3, 40, 50, 3), dtype="uint8")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return zoo.load("resnet18", weights=write_golden_checkpoint("resnet18", tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="module")
def enlarger():
    return zoo.load("espcn-x2")


@pytest.fixture
def photo(tmp_path):
    Image.fromarray(PIXELS[0]).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_classification_names_classes_best_first(classifier, photo):
    record = zoo.predict(classifier, photo)[0]
    assert (record["input"], record["model"], record["task"]) == (
        str(photo),
        classifier.spec.name,
        "image-classification",
    )
    scores = [item["score"] for item in record["predictions"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    first = record["predictions"][0]
    assert first["label"] == read_labels("imagenet-1k")[first["index"]]


def test_scores_are_the_softmax_of_the_logits(classifier):
    record = zoo.predict(classifier, PIXELS[0], top=1000)[0]
    logits = np.asarray(classifier(classifier.preprocess(PIXELS[0])[None].astype("float32")))[0]
    by_index = {item["index"]: item["score"] for item in record["predictions"]}
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose([by_index[index] for index in range(1000)], expected, atol=2e-6)


def test_paths_images_and_arrays_give_the_same(classifier, photo):
    records = zoo.predict(classifier, [photo, str(photo), Image.open(photo), PIXELS[0]])
    assert len({json.dumps(record["predictions"]) for record in records}) == 1
    assert [record["input"] for record in records] == [str(photo), str(photo), "image 2", "image 3"]


def test_an_array_of_several_images_is_several(classifier):
    assert len(zoo.predict(classifier, PIXELS)) == 3


def test_batches_and_sizes_do_not_change_answers_or_order(enlarger):
    images = [PIXELS[0], PIXELS[1, :30], PIXELS[2], PIXELS[0, :, :20]]
    together = zoo.predict(enlarger, images, batch_size=3)
    for record, image in zip(together, images, strict=True):
        alone = zoo.predict(enlarger, image, batch_size=1)[0].image
        assert record.image.size == (2 * image.shape[1], 2 * image.shape[0])
        assert np.abs(np.asarray(record.image).astype(int) - np.asarray(alone)).max() <= 1


def test_records_are_json(enlarger):
    record = zoo.predict(enlarger, PIXELS[0])[0]
    assert json.loads(json.dumps(record)) == {
        "input": "image 0", "model": enlarger.spec.name, "task": "super-resolution", "width": 100, "height": 80,
    }  # fmt: skip


def test_a_handle_will_do(photo):
    assert zoo.predict("espcn-x2", photo)[0].image.size == (100, 80)


def test_no_inputs_give_no_records(enlarger):
    assert zoo.predict(enlarger, []) == []


def test_without_labels_there_are_indices(classifier, tmp_path):
    model = zoo.load("resnet10t", weights=None, num_classes=3)
    items = zoo.predict(model, PIXELS[0])[0]["predictions"]
    assert [item["label"] for item in items] == [None] * 3
    assert sorted(item["index"] for item in items) == [0, 1, 2]


def test_a_feature_pyramid_is_predicted_with_its_strides(classifier):
    model = zoo.load("resnet10t", weights=None, features=True)
    record, _ = zoo.predict(model, PIXELS[:2], batch_size=2)
    expected = model(model.preprocess(PIXELS[0])[None])
    assert list(record.outputs) == list(expected)
    assert json.loads(json.dumps(record))["outputs"]["32"] == list(expected[32].shape[1:])
    np.testing.assert_allclose(record.outputs[32], expected[32][0], atol=1e-4)


def test_outputs_with_names_are_predicted_by_name(enlarger):
    outputs = {"small": enlarger.input, "large": enlarger.output}
    model = ZooModel(enlarger.input, outputs, name="named")
    model.spec = enlarger.spec
    record, other = zoo.predict(model, [PIXELS[0], PIXELS[1, :30]])
    assert record["outputs"] == {"small": [40, 50, 3], "large": [80, 100, 3]}
    assert other["outputs"] == {"small": [30, 50, 3], "large": [60, 100, 3]}
    np.testing.assert_array_equal(record.outputs["small"], PIXELS[0])
    assert find_task(record["task"]).described(record) == ["small: 40 x 50 x 3", "large: 80 x 100 x 3"]


def test_fewer_labels_than_classes_leave_the_others_without_names():
    for handle, key in (("resnet10t", "predictions"), ("segnet-basic", "classes")):
        model = zoo.load(handle, weights=None, num_classes=3) if key == "predictions" else zoo.load(handle)
        model.spec = model.spec.model_copy(update={"labels": ("first",)})
        record = zoo.predict(model, PIXELS[0])[0]
        for item in record[key]:
            assert item["label"] == ("first" if item["index"] == 0 else None)
        assert find_task(record["task"]).described(record)


def test_of_several_the_one_that_cannot_be_read_is_named(enlarger):
    with pytest.raises(zoo.InputError, match="image 1: An image has values up to"):
        zoo.predict(enlarger, [PIXELS[0], PIXELS[0] / 255])


def test_a_file_is_named_whatever_is_wrong_with_it(enlarger, photo, tmp_path):
    Image.new("I", (2, 2), -1).save(tmp_path / "levels.tiff")
    for model, path in ((enlarger, tmp_path / "levels.tiff"), ("pconv-unet", photo)):
        with pytest.raises(zoo.InputError) as raised:
            zoo.predict(model, path)
        assert str(raised.value).count(str(path)) == 1


def test_an_output_that_is_not_finite_is_one_error(tmp_path):
    model = zoo.load("espcn-x2")
    model.get_layer("feature-conv1").bias.assign(np.full(64, np.nan))
    for spec in (model.spec, model.spec.model_copy(update={"task": "image-features"})):
        model.spec = spec
        with pytest.raises(zoo.InputError, match="The network gave NaN or infinity"):
            zoo.predict(model, PIXELS[0])


def test_an_iterator_is_taken_batch_by_batch(enlarger, monkeypatch):
    taken, ran = [], []
    monkeypatch.setattr(Runner, "__call__", lambda self, batch: ran.append(len(taken)) or iter(np.zeros((2, 2, 2, 3))))
    zoo.predict(enlarger, (taken.append(1) or PIXELS[0] for _ in range(6)), batch_size=2)
    assert ran == [2, 4, 6]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top": 0}, "top=0"),
        ({"top": "5"}, "top='5'"),
        ({"top": 2.5}, "top=2.5"),
        ({"top": True}, "top=True"),
        ({"top": None}, "top=None"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 0.5}, "batch_size=0.5"),
        ({"batch_size": np.ones(2, int)}, "batch_size="),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message, enlarger):
    with pytest.raises(zoo.InputError, match=message):
        zoo.predict(enlarger, PIXELS[0], **arguments)


def test_a_model_from_elsewhere_is_refused():
    import keras

    with pytest.raises(zoo.InputError, match=r"The model is a Sequential. Expected one from zoo\.load"):
        zoo.predict(keras.Sequential(), PIXELS[0])


def test_one_bad_file_is_named(enlarger, photo, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with pytest.raises(zoo.InputError, match=r"bad\.png cannot be read"):
        zoo.predict(enlarger, [photo, tmp_path / "bad.png"])


@pytest.mark.parametrize(
    ("name", "count", "first"), [("imagenet-1k", 1000, "tench, Tinca tinca"), ("pascal-voc", 21, "background")]
)
def test_labels_are_in_the_order_of_the_logits(name, count, first):
    labels = read_labels(name)
    assert len(labels) == count
    assert labels[0] == first


FIXED = {
    "espcn-x2": ((64, 64, 3), np.zeros((50, 40, 3), "uint8"), np.zeros((64, 64, 3), "uint8")),
    "blurnet-textures": ((64, 64, 3), np.zeros((50, 40, 3), "uint8"), np.zeros((64, 64, 3), "uint8")),
    "sparseconvnet": ((64, 64, 1), np.ones((50, 40), "float32"), np.ones((64, 64), "float32")),
    "tcn-co2": ((160, 1), np.linspace(300, 400, 170), np.linspace(300, 400, 160)),
    "unet3d-phantoms": ((16, 16, 16, 1), np.ones((20, 16, 16), "float32"), np.ones((16, 16, 16), "float32")),
}


@pytest.mark.parametrize("name", FIXED)
def test_an_input_that_a_model_of_one_size_does_not_take_is_one_error(name):
    shape, other, fitting = FIXED[name]
    model = zoo.load(name, input_shape=shape)
    assert len(zoo.predict(model, [fitting])) == 1
    with pytest.raises(zoo.InputError, match=r"1: An input has the shape .* takes .* loaded without input_shape"):
        zoo.predict(model, [fitting, other])
