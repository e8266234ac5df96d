"""`zoo.evaluate`: against answers counted by hand, and the sentences for data that are laid out otherwise."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import zoo
from zoo.command_line.main import main
from zoo.errors import InputError
from zoo.imaging.corruptions import CORRUPTIONS, corrupted
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


def test_spoiled_images_are_measured_too_and_the_confusion_matrix_is_drawn(classifier, tmp_path):
    images, labels = photographs(4), np.array([0, 1, 2, 0])
    alone = zoo.evaluate(classifier, (images, labels))
    record = zoo.evaluate(classifier, (images, labels), corruptions=True, output_dir=tmp_path / "results")
    spoiled = record.pop("corruptions")
    assert list(spoiled) == list(CORRUPTIONS)
    assert record == alone
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["confusion.png"]
    dull = np.stack([corrupted(image, "contrast", place) for place, image in enumerate(images)])
    assert spoiled["contrast"] == {"top1_percent": zoo.evaluate(classifier, (dull, labels))["top1_percent"]}


def test_corruptions_and_images_of_results_are_refused_where_there_are_none(tmp_path):
    places = np.array([[3.0, 4.0]])
    with pytest.raises(InputError, match="corruptions=True does not apply to coordconv-classifier"):
        zoo.evaluate("coordconv-classifier", (places, places), corruptions=True)
    with pytest.raises(InputError, match="output_dir does not apply to coordinate-classification"):
        zoo.evaluate("coordconv-classifier", (places, places), output_dir=tmp_path / "results")


def test_the_command_prints_each_corruption_with_its_change(tmp_path):
    for label, image in zip(zoo.info("blurnet-textures").labels, photographs(2), strict=False):
        (tmp_path / "data" / label).mkdir(parents=True)
        Image.fromarray(image).save(tmp_path / "data" / label / "0.png")
    arguments = ["evaluate", "blurnet-textures", str(tmp_path / "data"), "--corruptions", "-o", str(tmp_path / "made")]
    answer = CliRunner().invoke(main, arguments, catch_exceptions=False)
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert ["corruption", "top1_percent", "top5_percent"] in lines
    assert {line[0] for line in lines if line and line[0] in (*CORRUPTIONS, "mean")} == {*CORRUPTIONS, "mean"}
    assert (tmp_path / "made" / "confusion.png").exists()


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


def test_images_of_the_results_are_not_written_into_the_data(tmp_path):
    with pytest.raises(InputError, match="is the data, which images would change"):
        zoo.evaluate("espcn-x2", tmp_path, output_dir=tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"is a file\. Expected a folder"):
        zoo.evaluate("espcn-x2", tmp_path, output_dir=tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
