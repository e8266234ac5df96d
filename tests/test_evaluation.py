"""`zoo.evaluate`: against answers counted by hand, and the sentences for data that are laid out otherwise."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
from zoo.command_line.main import main
from zoo.imaging.label_maps import label_map
from zoo.labels import read_labels


@pytest.fixture(scope="module")
def classifier():
    return zoo.load("resnet10t", weights=None, num_classes=3)


@pytest.fixture(scope="module")
def segmenter():
    return zoo.load("deeplabv3_mobilenet_v2", weights=None)


def photographs(count, side=40):
    return np.random.default_rng(0).integers(0, 255, (count, side, side, 3), dtype="uint8")


def test_a_classifier_on_class_folders(classifier, tmp_path):
    images, hits = photographs(6), []
    for index, image in enumerate(images):
        folder = tmp_path / str(index % 3)
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{index}.png")
        best = zoo.predict(classifier, image, top=1)[0]["predictions"][0]["index"]
        hits.append(best == index % 3)
    record = zoo.evaluate(classifier, tmp_path)
    assert record["count"] == 6
    assert record["top1_percent"] == round(100 * np.mean(hits), 2)
    assert record["class_percent"] == {str(label): round(100 * np.mean(hits[label::3]), 2) for label in range(3)}
    (tmp_path / "whole" / "test").mkdir(parents=True)
    for label in "012":
        (tmp_path / label).rename(tmp_path / "whole" / "test" / label)
    assert zoo.evaluate(classifier, tmp_path / "whole")["top1_percent"] == record["top1_percent"]
    assert json.loads(json.dumps(record)) == record


def write_segmented(folder, images, masks):
    folder.mkdir(parents=True)
    for index, (image, mask) in enumerate(zip(images, masks, strict=True)):
        Image.fromarray(image).save(folder / f"{index}.jpg", quality=95)
        Image.fromarray(mask).save(folder / f"{index}.png")


def test_a_segmentation_that_is_right_but_for_a_counted_part(segmenter, tmp_path):
    write_segmented(tmp_path / "test", photographs(2), np.zeros((2, 40, 40), "uint8"))
    read = [np.asarray(Image.open(path))[None] for path in sorted(tmp_path.glob("test/*.jpg"))]
    answers = [label_map(np.asarray(segmenter(image))[0], 40, 40) for image in read]
    for index, answer in enumerate(answers):
        target = answer.copy()
        target[:10] = 255  # void
        if index == 0:
            target[10] = (answer[10] + 1) % 21
        Image.fromarray(target).save(tmp_path / "test" / f"{index}.png")
    record = zoo.evaluate(segmenter, tmp_path)
    assert record["count"] == 2
    assert record["global_accuracy_percent"] == round(100 * (1 - 40 / (2 * 30 * 40)), 2)
    assert 0 < record["mean_iou_percent"] < 100
    assert set(record["class_iou_percent"]) <= set(read_labels("pascal-voc"))


@pytest.mark.parametrize(
    ("fixture", "sentence"),
    [("classifier", "There is no folder .*nowhere. Expected FOLDER/CLASS"), ("segmenter", "There is no folder .*test")],
)
def test_a_missing_folder_says_what_to_put_where(fixture, sentence, request, tmp_path):
    with pytest.raises(zoo.InputError, match=sentence):
        zoo.evaluate(request.getfixturevalue(fixture), tmp_path / "nowhere")


def test_classes_that_the_model_does_not_know_are_named(classifier, tmp_path):
    (tmp_path / "cat").mkdir()
    Image.fromarray(photographs(1)[0]).save(tmp_path / "cat" / "tom.png")
    with pytest.raises(zoo.InputError, match=r"have the class 'cat', which .* does not know\. Expected its 3 classes"):
        zoo.evaluate(classifier, tmp_path)


def test_an_empty_class_is_refused(classifier, tmp_path):
    (tmp_path / "0").mkdir()
    with pytest.raises(zoo.InputError, match=r"The class .*0 contains no image"):
        zoo.evaluate(classifier, tmp_path)


def test_the_command_line_says_what_is_missing(tmp_path):
    result = CliRunner().invoke(main, ["evaluate", "deeplabv3_mobilenet_v3", str(tmp_path)])
    assert result.exit_code == 1
    assert "No model is named" in result.stderr
