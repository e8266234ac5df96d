"""`zoo.evaluate` on all tasks and all forms of data: metrics counted by hand, of models simple enough for that."""

import os

import numpy as np
import pytest
from PIL import Image

import zoo
from tests import evaluation_models as models
from zoo.catalogue.task_names import TaskName
from zoo.training.trainers import find_trainer

RED, GREEN, BLUE = np.eye(3, dtype="uint8") * 200
PLACES = np.array([[3, 4], [40, 12], [63, 0]], "float32")


def flat(color, height=8, width=8):
    return np.broadcast_to(np.asarray(color, "uint8"), (height, width, 3)).copy()


def depth_pair():
    """Right where it was measured, wrong by 3 and by 6 elsewhere; one pixel has no target."""
    target = np.array([[2.0, 3.0], [6.0, 0.0]], "float32")
    return np.array([[2.0, 0.0], [0.0, 1.0]], "float32"), target


def striped_mask():
    """On a green image: half is right, a quarter wrong, a quarter void."""
    mask = np.full((8, 8), 1)
    mask[:, :2], mask[:, 2:4] = 2, 255
    return mask


def canvas():
    """The lower half: a quarter of the canvas is drawn and sought, three quarters are either."""
    return (models.ROWS >= 32).astype("float32")


def spot(color, left, top, right, bottom):
    """A bright rectangle in the dark."""
    pixels = np.zeros((64, 64, 3), "uint8")
    pixels[top:bottom, left:right] = color
    return pixels


NO_INTERVALS = ("object-detection",)  # whose tool takes too long for a thousand choices
HAND_COUNTED = {
    "image-classification": (
        models.classifier,
        ([flat(RED), flat(RED, 9, 5), flat(GREEN), flat(BLUE)], [0, 1, 1, 2]),
        {"count": 4, "top1_percent": 75.0, "class_percent": {"red": 100.0, "green": 50.0, "blue": 100.0}},
    ),
    "image-features": (
        models.features,
        ([flat(RED), flat(RED // 2, 9, 5), flat(GREEN), flat(GREEN), flat(GREEN // 2)], [0, 0, 1, 1, 0]),
        {"count": 5, "neighbor_percent": 80.0},
    ),
    "multi-label-classification": (
        models.labels,
        ([flat(RED), flat(RED + GREEN), flat(GREEN // 2), flat(BLUE)], [[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]]),
        {
            "count": 4,
            "map_percent": round(100 * ((1 + 1 + 3 / 4) / 3 + 1 / 2) / 2, 2),
            "f1_percent": round(100 * 6 / 9, 2),
            "macro_f1_percent": round(100 * (4 / 5 + 2 / 3) / 2, 2),
            "class_ap_percent": {"red": 91.67, "green": 50.0},
        },
    ),
    "image-regression": (
        models.quantities,
        ([flat([10, 0, 0]), flat([20, 10, 0]), flat([30, 20, 0])], [[10.0, 0.0], [20.0, 10.0], [33.0, 26.0]]),
        {
            "count": 3,
            "r2": round((1 - 9 / 266 + 1 - 36 / 344) / 2, 6),
            "quantity_mae": {"red": 1.0, "green": 2.0},
            "quantity_r2": {"red": round(1 - 9 / 266, 6), "green": round(1 - 36 / 344, 6)},
        },
    ),
    "semantic-segmentation": (
        models.segmenter,
        ([flat(GREEN), flat(BLUE, 4, 6)], [striped_mask(), np.full((4, 6), 2)]),
        {
            "count": 2,
            "global_accuracy_percent": round(100 * (32 + 24) / (48 + 24), 2),
            "mean_class_accuracy_percent": round((100 + 100 * 24 / 40) / 2, 2),
            "mean_iou_percent": round((100 * 32 / 48 + 100 * 24 / 40) / 2, 2),
            "class_iou_percent": {"green": 66.67, "blue": 60.0},
        },
    ),
    "object-detection": (
        models.detector,
        (
            [spot(RED, 5, 5, 25, 25), spot(GREEN, 10, 10, 50, 50)],
            [{"boxes": [[5, 5, 25, 25]], "classes": [0]}, {"boxes": [[10, 10, 50, 41]], "classes": [1]}],
        ),
        {  # the green box overlaps by 31 / 40, enough for six of the ten thresholds
            "count": 2,
            "ap_percent": 80.0,
            "ap50_percent": 100.0,
            "ap75_percent": 100.0,
            "ap_small_percent": 100.0,
            "ap_medium_percent": 60.0,
            "class_ap_percent": {"red": 100.0, "green": 60.0},
        },
    ),
    "depth-completion": (
        models.depth,
        tuple([one, one * 2] for one in depth_pair()),
        {"count": 2, "mae_metres": (3 + 6) / 2, "rmse_metres": round((15**0.5 + 60**0.5) / 2, 6)},
    ),
    "inpainting": (models.inpainting, [flat([100] * 3, 32, 40), flat([50] * 3)], {"count": 2, "hole_mae": 75.0}),
    "super-resolution": (
        models.super_resolution,
        [flat(RED, 18, 21), flat(BLUE, 16, 16)],
        {"count": 2, "rgb_psnr_db": 78.131, "bicubic_rgb_psnr_db": 78.131},
    ),
    "forecasting": (models.forecaster, np.arange(30.0), {"count": 14, "mae": 4.0, "seasonal_naive_mae": 6.0}),
    "coordinate-classification": (
        models.named_pixel,
        (PLACES, PLACES + np.array([[0, 0], [0, 0], [0, 1]])),
        {"count": 3, "accuracy_percent": 66.67},
    ),
    "coordinate-rendering": (models.half_canvas, (PLACES, [canvas()] * 3), {"count": 3, "iou_percent": 33.33}),
    "coordinate-regression": (
        models.place,
        ([flat([10, 20, 0]), flat([10, 20, 0], 4, 6)], [[10, 20], [13, 24]]),
        {"count": 2, "mean_distance_pixels": 2.5},
    ),
    "volume-segmentation": (
        models.volumes,
        ([np.full((2, 3, 4), 3.0), np.full((4, 3, 2), 1.0)], [np.ones((2, 3, 4)), np.ones((4, 3, 2))]),
        {"count": 2, "iou_percent": 50.0},
    ),
    "volume-features": (
        models.volume_features,
        (np.random.default_rng(0).normal(size=(2, 3, 4, 5)), [[3.0], [1.0]]),
        {"count": 2, "mse": 5.0},
    ),
}


def test_no_task_is_missing():
    assert set(HAND_COUNTED) == set(TaskName.__args__)


@pytest.mark.parametrize("task", HAND_COUNTED)
def test_metrics_are_those_counted_by_hand(task):
    build, data, metrics = HAND_COUNTED[task]
    record = zoo.evaluate(build(), data)
    numbers = {name for name, value in metrics.items() if not isinstance(value, dict)} - {"count"}
    assert set(record.pop("intervals", {})) == (set() if task in NO_INTERVALS else numbers)
    facts = {"model": task, "task": task, "data": "data in memory", "split": None}
    has_parts = any(isinstance(value, dict) for value in metrics.values())
    assert record == (facts | metrics if has_parts else pytest.approx({**facts, **metrics}))


@pytest.mark.parametrize("task", HAND_COUNTED)
def test_batches_give_the_same_metrics(task):
    import tensorflow as tf

    build, data, metrics = HAND_COUNTED[task]
    model = build()
    trainer = find_trainer(task)
    examples = trainer.find(data, "test", model.spec, model.spec.labels)
    rows = [trainer.read(item, model.spec, None, None) for item in examples.items]
    one_by_one = [tf.data.Dataset.from_tensors(row).batch(1) for row in rows]
    dataset = one_by_one[0]
    if task == "image-features":
        with pytest.raises(zoo.InputError, match="nothing to evaluate image-features on"):
            zoo.evaluate(model, dataset)  # one example has no neighbour
        return
    if len({str(part.element_spec) for part in one_by_one}) > 1:  # sizes differ: the first example alone
        assert zoo.evaluate(model, dataset)["count"] == 1
        return
    for part in one_by_one[1:]:
        dataset = dataset.concatenate(part)
    record = zoo.evaluate(model, dataset)
    assert record["count"] == metrics["count"]
    for name, value in metrics.items():
        assert record[name] == pytest.approx(value)
    with pytest.raises(zoo.InputError, match=r"never ends\. Expected one without repeat"):
        zoo.evaluate(model, dataset.repeat())


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def colors(tmp_path):
    for name, color in {"red": RED, "green": GREEN, "blue": BLUE}.items():
        write(tmp_path / "data" / "val" / name / "1.png", flat(color))
        write(tmp_path / "data" / "val" / name / "2.png", flat(color if name == "red" else RED, 9, 5))
    return tmp_path / "data"


HALF = {"red": 100.0, "green": 50.0, "blue": 50.0}


@pytest.mark.parametrize("split", ["val", "valid", "Validation", "dev"])
def test_a_split_is_found_by_what_people_call_it(split, colors):
    (colors / "val").rename(colors / "valid")
    record = zoo.evaluate(models.classifier(), colors, split=split)
    assert (record["count"], record["split"], record["class_percent"]) == (6, split, HALF)


def test_home_is_a_folder(colors, monkeypatch):
    monkeypatch.setenv("HOME", str(colors.parent))
    assert zoo.evaluate(models.classifier(), "~/data", split="val")["count"] == 6


@pytest.mark.parametrize("split", ["", "..", ".", "val/red", None, 3])
def test_what_is_not_a_split_is_reported(split, colors):
    with pytest.raises(zoo.InputError, match=r"There is no split .* in .*data\. Expected 'val'\."):
        zoo.evaluate(models.classifier(), colors, split=split)


@pytest.mark.parametrize("split", ["tset", "test", "train"])
def test_a_split_that_is_not_there_names_those_that_are(split, colors):
    with pytest.raises(zoo.InputError, match=r"'val'|the splits val\."):
        zoo.evaluate(models.classifier(), colors, split=split)
    with pytest.raises(zoo.InputError, match=r"no split 'tset'.* Expected 'train' or 'val' or 'test'"):
        zoo.evaluate(models.classifier(), colors / "val", split="tset")


@pytest.mark.parametrize("names", [("RED", "Green", "blue"), ("0", "1", "2"), ("00", "01", "02")])
def test_classes_are_called_otherwise(names, colors):
    for name, other in zip(("red", "green", "blue"), names, strict=True):
        (colors / "val" / name).rename(colors / "val" / other)
    record = zoo.evaluate(models.classifier(), colors, split="val")
    assert record["class_percent"] == dict(zip(names, HALF.values(), strict=True))


def test_some_of_the_classes_will_do(colors):
    record = zoo.evaluate(models.classifier(), _without(colors / "val", "blue"))
    assert record["class_percent"] == {"red": 100.0, "green": 50.0}


def _without(folder, name):
    for path in (folder / name).iterdir():
        path.unlink()
    (folder / name).rmdir()
    return folder


def test_two_classes_of_one_name(colors):
    """Either counts by name; by number each for itself, and they are told apart in what is reported."""
    model, folder = models.classifier(("crane", "tench, Tinca tinca", "crane")), _without(colors / "val", "green")
    for name, other in {"red": "tench", "blue": "crane"}.items():
        (folder / name).rename(folder / other)
    assert zoo.evaluate(model, folder)["class_percent"] == {"tench": 0.0, "crane": 100.0}
    for name, other in {"tench": "0", "crane": "2"}.items():
        (folder / name).rename(folder / other)
    assert zoo.evaluate(model, folder)["class_percent"] == {"0": 100.0, "2": 50.0}
    record = zoo.evaluate(model, ([flat(RED), flat(BLUE), flat(RED)], [0, 2, 2]))
    assert record["class_percent"] == {"crane (0)": 100.0, "crane (2)": 50.0}


def test_a_split_of_datasets(colors):
    import datasets

    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["Blue", "red"])})
    images = [Image.fromarray(flat(color)) for color in (BLUE, RED, RED)]
    split = datasets.Dataset.from_dict({"image": images, "label": [0, 1, 0]}, features=features)
    assert zoo.evaluate(models.classifier(), split)["class_percent"] == {"red": 100.0, "Blue": 50.0}


@pytest.mark.parametrize("task", ["inpainting", "super-resolution"])
@pytest.mark.parametrize("parts", [True, False])
def test_folders_of_images(task, parts, tmp_path):
    build, data, metrics = HAND_COUNTED[task]
    for number, pixels in enumerate(data):
        write(tmp_path / ("test" if parts else "") / f"{number}.png", pixels)
        write(tmp_path / ("test" if parts else "") / f"._{number}.png", pixels)
    record = zoo.evaluate(build(), tmp_path)
    assert {name: record[name] for name in metrics} == metrics


def test_files_of_arrays(tmp_path):
    np.save(tmp_path / "series.npy", np.arange(30.0))
    assert zoo.evaluate(models.forecaster(), tmp_path / "series.npy")["mae"] == 4
    np.savez(tmp_path / "places.npz", inputs=PLACES, targets=PLACES)
    record = zoo.evaluate(models.named_pixel(), str(tmp_path / "places.npz"))
    assert (record["accuracy_percent"], record["split"]) == (100, None)


def test_logits_that_are_all_equal_are_not_all_right():
    pixels = [flat([9, 9, 9])] * 3
    record = zoo.evaluate(models.classifier(), (pixels, [0, 1, 2]))
    assert record["class_percent"] == {"red": 100.0, "green": 0.0, "blue": 0.0}


def test_a_model_that_gives_no_numbers_is_not_right():
    pixels = models.image()
    broken = models.made(pixels, models.ops.mean(pixels, (1, 2)) * np.nan, "image-classification", num_classes=3)
    with pytest.raises(zoo.InputError, match="The model gives NaN or infinity"):
        zoo.evaluate(broken, ([flat(RED)], [0]))


def test_masks_that_are_all_void_measure_nothing():
    with pytest.raises(zoo.InputError, match="contain no target that counts"):
        zoo.evaluate(models.segmenter(), ([flat(RED)], [np.full((8, 8), 255)]))


def test_masks_of_other_classes_are_refused(tmp_path):
    write(tmp_path / "test" / "1.jpg", flat(RED))
    write(tmp_path / "test" / "1.png", np.zeros((8, 8), "uint8"))
    (tmp_path / "classes.txt").write_text("Red\ngreen\nblue\n")
    assert zoo.evaluate(models.segmenter(), tmp_path)["mean_iou_percent"] == 100
    (tmp_path / "classes.txt").write_text("blue\ngreen\nred\n")
    with pytest.raises(zoo.InputError, match=r"classes\.txt names the classes blue, green, red.* in their order: red"):
        zoo.evaluate(models.segmenter(), tmp_path)


WRONG = {
    "NaN in an input": ("coordinate-classification", ([[np.nan, 1]], [[0, 0]]), "inputs contain NaN"),
    "NaN in a target": ("coordinate-regression", ([flat(RED)], [[np.nan, 1]]), "targets contain NaN"),
    "words for a target": (
        "volume-features",
        (np.arange(24).reshape(1, 2, 3, 4), [["a"]]),
        "targets contain values",
    ),
    "infinity in a depth": ("depth-completion", ([np.ones((2, 2))], [np.full((2, 2), np.inf)]), "infinity"),
    "a negative depth": ("depth-completion", ([np.ones((2, 2))], [np.full((2, 2), -1.0)]), "negative"),
    "NaN in an image": ("image-classification", ([np.full((4, 4, 3), np.nan)], [0]), "NaN"),
    "NaN in a series": ("forecasting", np.full(40, np.nan), "NaN"),
    "a float mask": ("semantic-segmentation", ([flat(RED)], [np.zeros((8, 8))]), "dtype float64"),
    "a mask in colours": ("semantic-segmentation", ([flat(RED)], [flat(RED)]), r"shape \(8, 8, 3\)"),
    "a class that is none": ("image-classification", ([flat(RED)], [3]), "class 3"),
    "a pixel outside": ("coordinate-classification", ([[1, 1]], [[64, 1]]), "is not a pixel of the canvas"),
    "a box outside": (
        "object-detection",
        ([flat(RED)], [{"boxes": [[0, 0, 30, 5]], "classes": [0]}]),
        r"a box \(0, 0, 30, 5\) outside of the image, which has 8 x 8 pixels",
    ),
    "a box without area": (
        "object-detection",
        ([flat(RED)], [{"boxes": [[2, 0, 2, 5]], "classes": [0]}]),
        "of no area. Expected x1 < x2",
    ),
    "NaN in a box": (
        "object-detection",
        ([flat(RED)], [{"boxes": [[0, 0, np.nan, 5]], "classes": [0]}]),
        "Expected numbers",
    ),
    "a box of no class": (
        "object-detection",
        ([flat(RED)], [{"boxes": [[0, 0, 4, 5]], "classes": [3]}]),
        "class 3. Expected 0 to 2",
    ),
    "boxes that are none": ("object-detection", ([flat(RED)], [[0, 0, 4, 5]]), "Expected a dict of `boxes`"),
    "another canvas": ("coordinate-rendering", ([[1, 1]], np.zeros((1, 32, 32))), r"Expected \(64, 64\)"),
    "another volume": ("volume-segmentation", (np.ones((1, 2, 3, 4)), np.ones((1, 2, 3, 5))), "Expected the same"),
}


@pytest.mark.parametrize(("task", "data", "sentence"), WRONG.values(), ids=WRONG)
def test_targets_that_make_no_sense_are_reported(task, data, sentence):
    with pytest.raises(zoo.InputError, match=sentence):
        zoo.evaluate(HAND_COUNTED[task][0](), data)


@pytest.mark.parametrize("mode", ["F", "RGB", "LA"])
def test_files_of_masks_that_contain_no_classes_are_reported(mode, tmp_path):
    write(tmp_path / "test" / "1.jpg", flat(RED))
    mask = Image.new(mode, (8, 8))
    mask.save(tmp_path / "test" / "1.png", "TIFF" if mode == "F" else "PNG")
    with pytest.raises(zoo.InputError, match=r"1\.png (contains float32 values|has . channels)\. Expected"):
        zoo.evaluate(models.segmenter(), os.fspath(tmp_path))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "pipe or a device"),
        (b"no archive", "cannot be read as a file of arrays"),
        ({"inputs": PLACES}, "it has no targets"),
        ({"inputs": PLACES, "targets": np.array([None])}, "cannot be read as a file of arrays"),
    ],
)
def test_files_of_arrays_that_are_none_are_reported(content, sentence, tmp_path):
    path = tmp_path / "places.npz"
    if content is None:
        os.mkfifo(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, **content)
    with pytest.raises(zoo.InputError, match=rf"places\.npz.*{sentence}|{sentence}"):
        zoo.evaluate(models.named_pixel(), path)


@pytest.mark.parametrize("data", [None, 5, (5, 3), ([], []), [1, 2], ({}, {}), (iter([]), iter([]))])
@pytest.mark.parametrize("task", ["image-classification", "semantic-segmentation", "coordinate-regression"])
def test_what_is_not_data_is_reported(task, data):
    with pytest.raises(zoo.InputError, match="Expected"):
        zoo.evaluate(HAND_COUNTED[task][0](), data)


def test_a_model_of_one_size_says_which():
    pixels = models.image((4, 4, 3))
    fixed = models.made(pixels, models.ops.mean(pixels, axis=(1, 2)), "image-classification", num_classes=3)
    assert zoo.evaluate(fixed, ([flat(RED, 4, 4)], [0]))["top1_percent"] == 100
    with pytest.raises(zoo.InputError, match=r"has the shape \(8, 8, 3\), image-classification takes \(4, 4, 3\)"):
        zoo.evaluate(fixed, ([flat(RED)], [0]))


def test_names_of_classes_that_are_not_text_are_reported(tmp_path):
    write(tmp_path / "test" / "1.jpg", flat(RED))
    write(tmp_path / "test" / "1.png", np.zeros((8, 8), "uint8"))
    (tmp_path / "classes.txt").write_bytes(b"r\xe9d\ngreen\nblue\n")
    with pytest.raises(zoo.InputError, match="Expected text in UTF-8"):
        zoo.evaluate(models.segmenter(), tmp_path)


def test_one_image_or_series_is_one(tmp_path):
    [image, *_] = HAND_COUNTED["super-resolution"][1]
    for one in (image, Image.fromarray(image), image[None]):
        assert zoo.evaluate(models.super_resolution(), one)["count"] == 1
    assert zoo.evaluate(models.forecaster(), list(range(30)))["mae"] == 4


def test_lists_of_files_are_pairs(tmp_path):
    write(tmp_path / "image.png", flat(GREEN))
    write(tmp_path / "mask.png", striped_mask().astype("uint8"))
    record = zoo.evaluate(models.segmenter(), ([tmp_path / "image.png"], [str(tmp_path / "mask.png")]))
    assert record["class_iou_percent"] == {"green": 66.67, "blue": 0.0}
    sparse, target = depth_pair()
    for name, metres in {"sparse": sparse, "dense": target}.items():
        write(tmp_path / f"{name}.png", (256 * metres).astype("uint16"))
    record = zoo.evaluate(models.depth(), ([tmp_path / "sparse.png"], [tmp_path / "dense.png"]))
    assert record["mae_metres"] == 3


def test_batches_without_targets_are_reported():
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensor_slices(np.zeros((2, 8, 8, 3), "uint8")).batch(2)
    with pytest.raises(zoo.InputError, match=r"Expected batches \(inputs, targets\)"):
        zoo.evaluate(models.classifier(), batches)
