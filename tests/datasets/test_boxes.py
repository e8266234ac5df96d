"""Boxes in the layouts of COCO, YOLO and Pascal VOC are the same boxes; what is wrong with one is a sentence."""

import json

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.evaluation_models import detector
from zoo.datasets.boxes import checked_boxes, find_boxes, has_split
from zoo.errors import InputError, UnreadableError

BOX = (5.0, 6.0, 25.0, 16.0)
NAMES = ["green", "red"]


def image(path, box=BOX, color=(200, 0, 0), size=(40, 20)):
    pixels = np.zeros((size[1], size[0], 3), "uint8")
    left, top, right, bottom = map(int, box)
    pixels[top:bottom, left:right] = color
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def coco(root, split="val", **changes):
    image(root / split / "a.png"), image(root / split / "b.png", color=(0, 0, 0))
    content = {
        "images": [{"id": 7, "file_name": "a.png", "width": 40, "height": 20}, {"id": 8, "file_name": "b.png"}],
        "annotations": [{"image_id": 7, "category_id": 18, "bbox": [5, 6, 20, 10], "iscrowd": 0, "area": 150}],
        "categories": [{"id": 1, "name": "green"}, {"id": 18, "name": "red"}],
    }
    (root / split / "_annotations.coco.json").write_text(json.dumps({**content, **changes}))
    return root


def coco_own(root):
    coco(root, "val2017")
    (root / "annotations").mkdir()
    (root / "val2017" / "_annotations.coco.json").rename(root / "annotations" / "instances_val2017.json")
    return root


def yolo(root, line="1 0.375 0.55 0.5 0.5"):
    image(root / "images" / "val" / "a.png"), image(root / "images" / "val" / "b.png", color=(0, 0, 0))
    (root / "labels" / "val").mkdir(parents=True)
    (root / "labels" / "val" / "a.txt").write_text(f"{line}\n\n")
    (root / "data.yaml").write_text("names: {0: green, 1: red}\n")
    return root


def voc(root, xmin="6"):
    image(root / "JPEGImages" / "a.png"), image(root / "JPEGImages" / "b.png", color=(0, 0, 0))
    (root / "Annotations").mkdir(), (root / "ImageSets" / "Main").mkdir(parents=True)
    box = f"<bndbox><xmin>{xmin}</xmin><ymin>7</ymin><xmax>25</xmax><ymax>16</ymax></bndbox>"
    xml = f"<annotation><object><name>red</name><difficult>0</difficult>{box}</object></annotation>"
    (root / "Annotations" / "a.xml").write_text(xml), (root / "Annotations" / "b.xml").write_text("<annotation/>")
    (root / "ImageSets" / "Main" / "val.txt").write_text("a\nb\n")
    return root


@pytest.mark.parametrize("layout", [coco, coco_own, yolo, voc])
def test_the_layouts_have_the_same_boxes(layout, tmp_path):
    root = layout(tmp_path)
    names, found = find_boxes(root, "val")
    assert names == (("red",) if layout is voc else tuple(NAMES))
    assert [item.image.name for item in found] == ["a.png", "b.png"]
    [box] = checked_boxes(found[0], (40, 20), "a.png", len(names))
    np.testing.assert_allclose(box.sides, BOX)
    assert names[box.label] == "red"
    assert found[1].boxes == ()
    assert has_split(root, "val")
    assert not has_split(root, "test")
    record = zoo.evaluate(detector(), root, split="val")
    assert (record["count"], record["split"], record["ap_percent"]) == (2, "val", 100.0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda root: coco(root, images=[{"id": 7, "file_name": "c.png"}]), InputError, "c.png, which is not in"),
        (lambda root: coco(root, images=[]), InputError, "objects of image 7, which is not in its list"),
        (lambda root: coco(root, annotations=None), InputError, "no list of annotations"),
        (
            lambda root: coco(root, categories=[{"id": 1, "name": "green"}]),
            InputError,
            "category 18, which it does not name",
        ),
        (lambda root: coco(root, images=[{"file_name": "a.png"}]), InputError, "is not COCO's"),
        (lambda root: coco(root, images=[{"id": 7, "file_name": "../a.png"}]), InputError, "below its folder"),
        (
            lambda root: (coco(root) / "val" / "_annotations.coco.json").write_text("{"),
            UnreadableError,
            "cannot be read",
        ),
        (
            lambda root: yolo(root, "2 0.5 0.5 0.1 0.1"),
            InputError,
            "a.txt:1: class 2. Expected a whole number from 0 to 1",
        ),
        (lambda root: yolo(root, "1 0.5 0.5 0.1"), InputError, "Expected class, x, y, width and height"),
        (lambda root: (yolo(root) / "labels" / "val" / "c.txt").write_text(""), InputError, "c.txt has no image"),
        (lambda root: (yolo(root) / "data.yaml").unlink(), InputError, "does not name its classes"),
        (
            lambda root: (yolo(root) / "data.yaml").write_text("names: {0: green, 5: red}"),
            InputError,
            "numbers its classes 0, 5. Expected 0, 1, 2",
        ),
        (lambda root: (yolo(root) / "data.yaml").write_text("names: {a: red}"), InputError, "numbers its classes a"),
        (
            lambda root: ((yolo(root) / "data.yaml").unlink(), (root / "classes.txt").write_bytes(b"\xff\xfe")),
            UnreadableError,
            "classes.txt cannot be read",
        ),
        (
            lambda root: (voc(root) / "ImageSets" / "Main" / "val.txt").write_bytes(b"\xff"),
            UnreadableError,
            "val.txt cannot be read",
        ),
        *(
            (lambda root, changes=changes: coco(root, **changes), InputError, message)
            for changes, message in (
                ({"images": [{"id": 7, "file_name": "c.png"}]}, r"^\S+ names the image c\.png"),  # not as a cause
                ({"images": [{"id": 7, "file_name": "a.png", "width": float("inf"), "height": 1}]}, "is not COCO's"),
                ({"images": 2 * [{"id": 7, "file_name": "a.png"}]}, "has 2 images with the id 7"),
                ({"categories": 2 * [{"id": 18, "name": "red"}]}, "has 2 categories with the id 18"),
                ({"annotations": [{"image_id": 7, "category_id": 18, "bbox": [10**400, 1, 1, 1]}]}, "is not COCO's"),
            )
        ),
        (lambda root: (voc(root) / "Annotations" / "a.xml").write_text("<a"), UnreadableError, "a.xml cannot be read"),
        (lambda root: (voc(root) / "ImageSets" / "Main" / "val.txt").write_text("c"), InputError, "names the image c"),
        (lambda root: None, InputError, "has no boxes of the split 'val'. Expected COCO"),
    ],
)
def test_what_is_wrong_is_one_sentence(make, error, message, tmp_path):
    make(tmp_path)
    with pytest.raises(error, match=message):
        find_boxes(tmp_path, "val")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: yolo(root, "1 0.5 0.5 1.5 0.5"), r"outside of the image, which has 40 x 20 pixels"),
        (lambda root: yolo(root, "1 0.5 0.5 0 0.5"), "of no area"),
        (lambda root: yolo(root, "1 nan 0.5 0.1 0.5"), "Expected numbers"),
        (lambda root: voc(root, "x"), "cannot be read"),
        *(
            (
                lambda root, area=area: coco(
                    root, annotations=[{"image_id": 7, "category_id": 18, "bbox": [5, 6, 20, 10], "area": area}]
                ),
                rf"area {area}\. Expected a number of pixels",
            )
            for area in (-5, float("nan"))
        ),
        (
            lambda root: coco(root, images=[{"id": 7, "file_name": "a.png", "width": 20, "height": 40}]),
            "lies on its side",
        ),
        (
            lambda root: coco(root, categories=[{"id": 1, "name": "green"}, {"id": 18, "name": "cat"}]),
            "the class 'cat', which the model does not know",
        ),
    ],
)
def test_boxes_that_make_no_sense_are_reported_before_anything_is_computed(make, message, tmp_path):
    make(tmp_path)
    with pytest.raises(InputError, match=message):
        zoo.evaluate(detector(), tmp_path, split="val")


@pytest.mark.parametrize("layout", [coco, coco_own, yolo, voc])
def test_of_a_split_that_is_not_there_those_that_are_are_named(layout, tmp_path):
    with pytest.raises(InputError, match=r"test.* The data have 'val'\. Expected one of them as split"):
        find_boxes(layout(tmp_path), "test")


def test_detectors_are_measured_on_spoiled_images_too(tmp_path):
    found = zoo.evaluate(detector(), yolo(tmp_path), split="val", corruptions=True)["corruptions"]
    assert len(found) == 8
    assert {"ap_percent", "ap50_percent"} <= set(found["jpeg"])
    assert "count" not in found["jpeg"]
