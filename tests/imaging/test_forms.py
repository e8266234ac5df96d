"""Every form that an input has in a Python program, for every task."""

import io
import zipfile
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import zoo
from zoo.catalogue.registry import registry
from zoo.catalogue.task_names import ONE_HEAD, TaskName
from zoo.imaging.forms import plain, several
from zoo.tasks import find_task

GENERATOR = np.random.default_rng(0)
IMAGE = GENERATOR.integers(0, 256, (48, 64, 3), dtype="uint8")
OPACITY = np.where(GENERATOR.random((48, 64, 1)) < 0.5, 0, 255).astype("uint8")
# One source of each task, as an array.
SOURCES = {
    "coordinate-classification": np.array([40.0, 12.0], "float32"),
    "coordinate-rendering": np.array([40.0, 12.0], "float32"),
    "depth-completion": GENERATOR.integers(0, 3000, (6, 8), dtype="uint16"),
    "forecasting": GENERATOR.random(60).astype("float32"),
    "inpainting": np.concatenate([IMAGE, OPACITY], axis=-1),
    "volume-features": GENERATOR.random((3, 4, 5)).astype("float32"),
    "volume-segmentation": GENERATOR.random((3, 4, 5)).astype("float32"),
}
TASKS = get_args(TaskName)
IMAGES = find_task("image-classification").is_several


def is_image(array):
    return (array.ndim == 3 and array.shape[-1] in (3, 4)) or array.dtype == np.uint16


def content(array):
    file = io.BytesIO()
    if is_image(array):
        Image.fromarray(array).save(file, "PNG")
    else:
        np.save(file, array)
    return file.getvalue()


def stream(array):
    """An open file that has been written and not rewound."""
    file = io.BytesIO()
    file.write(content(array))
    return file


def zipped(found):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("source", found)
    return zipfile.Path(zipfile.ZipFile(file), "source")


def jax_array(array):
    import jax.numpy

    return jax.numpy.asarray(array)


def torch_tensor(array):
    torch = pytest.importorskip("torch")
    return torch.from_numpy(array.astype("float32") if array.dtype != np.uint16 else array.astype("int32"))


ARRAYS = {
    "numpy": lambda array: array,
    "list": lambda array: array.astype("int64").tolist() if is_image(array) else array.tolist(),
    "TensorFlow": tf.constant,
    "tf.Variable": tf.Variable,
    "JAX": jax_array,
    "PyTorch": torch_tensor,
    "PyTorch, with a gradient": lambda array: torch_tensor(array).float().requires_grad_(),
    "memoryview": memoryview,
}
FILES = {
    "bytes": content,
    "bytearray": lambda array: bytearray(content(array)),
    "stream": stream,
    "tf.string": lambda array: tf.constant(content(array)),
    "path in an archive": lambda array: zipped(content(array)),
    "Hugging Face": lambda array: {"bytes": content(array), "path": None},
}


def entry_of(task):
    """The first model of a task; those of other heads on images take what classifiers take."""
    known = "image-classification" if task in ONE_HEAD else task
    return next(entry for entry in registry().entries.values() if entry.task == known)


def prepared(task, source):
    result = find_task(task).prepare(source, entry_of(task))
    return np.concatenate([array.ravel() for array in result.values()]) if isinstance(result, dict) else result


def same(task, source, expected):
    np.testing.assert_array_equal(prepared(task, source), prepared(task, expected))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", [*ARRAYS, *FILES])
def test_one_source_in_any_form_is_the_same_source(task, form):
    array = SOURCES.get(task, IMAGE)
    if task.startswith("coordinate") and task in SOURCES and form in FILES:
        pytest.skip("a pair of numbers is not a file")
    if task == "depth-completion" and form in ("PyTorch, with a gradient", "list"):
        array = array.astype("float32") / 256  # floats are metres
    held = (ARRAYS | FILES)[form]
    same(task, held(array), array)
    is_several = find_task(task).is_several
    for collection in (held(array), [held(array)], (held(array),), iter([held(array)])):
        [source] = several(collection, is_several)
        same(task, source, array)
    first, second = several([held(array), held(array)], is_several)
    same(task, first, array)
    same(task, second, array)


@pytest.mark.parametrize("task", TASKS)
def test_paths_open_files_and_pillow_images(task, tmp_path):
    array = SOURCES.get(task, IMAGE)
    if task in SOURCES and task.startswith("coordinate"):
        for text in ("40,12", "40, 12"):
            same(task, text, array)
        return
    path = tmp_path / "source"
    path.write_bytes(content(array))
    with path.open("rb") as file:
        for source in (path, str(path), file, file):
            same(task, plain(source), array)
    if is_image(array):
        with Image.open(path) as image:
            same(task, image, array)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("form", ["numpy", "TensorFlow", "JAX", "PyTorch", "list"])
def test_a_tensor_with_one_more_axis_is_several(task, form):
    array = SOURCES.get(task, IMAGE)
    is_several = find_task(task).is_several
    for count in (1, 3):
        array = array / np.float32(256) if array.dtype == np.uint16 else array  # floats are metres
        batch = ARRAYS[form](np.stack([array] * count))
        for collection in (batch, [batch], iter([batch])) if form != "list" else (batch,):
            sources = list(several(collection, is_several))
            assert len(sources) == count
            same(task, sources[-1], array)


def test_elements_of_datasets_are_their_inputs():
    images, labels = np.stack([IMAGE] * 5), np.arange(5)
    for data in (images, (images, labels), {"image": images, "label": labels}):
        dataset = tf.data.Dataset.from_tensor_slices(data)
        for elements in (dataset, dataset.batch(2)):
            sources = list(several(elements, IMAGES))
            assert len(sources) == 5
            same("image-classification", sources[-1], IMAGE)
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader([(IMAGE, 1)] * 3, batch_size=2)
    assert len(list(several(loader, IMAGES))) == 3


@pytest.mark.parametrize("mask", [OPACITY[..., 0] > 0, OPACITY, OPACITY[..., 0].astype("float32") / 255])
@pytest.mark.parametrize("form", ["numpy", "TensorFlow", "JAX", "PyTorch", "list"])
def test_an_image_and_its_mask_in_any_form(mask, form):
    damaged = {"image": ARRAYS[form](IMAGE), "mask": ARRAYS[form](mask)}
    same("inpainting", damaged, SOURCES["inpainting"])
    if form != "list":
        batch = {"image": ARRAYS[form](np.stack([IMAGE] * 2)), "mask": ARRAYS[form](np.stack([mask] * 2))}
        first, _ = several(batch, IMAGES)
        same("inpainting", first, SOURCES["inpainting"])


@pytest.mark.parametrize("levels", ["1", "L", "I;16", "F", "I"])
def test_a_mask_of_ones_has_no_hole_there(levels, tmp_path):
    ones = Image.fromarray(
        (OPACITY[..., 0] > 0).astype({"1": bool, "L": "uint8", "I;16": "uint16", "F": "float32", "I": "int32"}[levels])
    )
    assert ones.mode == levels
    ones.save(tmp_path / "mask.tiff")
    for mask in (ones, tmp_path / "mask.tiff", (tmp_path / "mask.tiff").read_bytes()):
        same("inpainting", {"image": IMAGE, "mask": mask}, SOURCES["inpainting"])


@pytest.mark.parametrize(
    ("form", "count"),
    [
        ((40, 12), 1), ([40, 12], 1), ([(40, 12)], 1), ([(40, 12), (40, 12)], 2), (iter([40, 12]), 1),
        (iter([(40, 12), "40,12"]), 2), ([np.float32(40), np.float64(12)], 1), ("40,12", 1), ({"40,12"}, 1),
        ([tf.constant(40.0), tf.constant(12.0)], 1), (range(40, 11, -28), 1), (tf.constant([[40, 12], [40, 12]]), 2),
    ],
)  # fmt: skip
def test_pairs_of_numbers(form, count):
    sources = list(several(form, find_task("coordinate-rendering").is_several))
    assert len(sources) == count
    for source in sources:
        same("coordinate-classification", source, (40, 12))


@pytest.mark.parametrize(
    ("inputs", "count"),
    [
        ([1.0, 2, 3], 1),
        ([[1.0, 2], [3.0, 4]], 2),
        (np.zeros((9, 1)), 1),
        (np.zeros((2, 9, 1)), 2),
        ([[1.0, 2, 3], [4.0, 5]], 2),
        (range(9), 1),
        (iter([1.0, 2.0]), 1),
    ],
)
def test_lists_of_numbers_are_one_series_and_lists_of_lists_several(inputs, count):
    assert len(list(several(inputs, find_task("forecasting").is_several))) == count


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (None, "An input is a NoneType. Expected a path"),
        ([None], "An input is a NoneType"),
        ([["a.png"]], "Input 0 is a list within a list"),
        ([(IMAGE, 1)], "Input 0 is a tuple within a list.*leave out labels"),
        (b"photos/cat.jpg", r"a path goes as str: os.fsdecode"),
        (tf.constant("photos/cat.jpg"), r"a path goes as str: os.fsdecode"),
        (io.StringIO("text"), "opened as text"),
        ({"image": np.zeros((2, 4, 4, 3)), "mask": np.zeros((3, 4, 4))}, "lengths"),
    ],
)
def test_what_is_not_an_input_is_reported_by_its_type(inputs, message):
    with pytest.raises(zoo.InputError, match=message):
        list(several(inputs, IMAGES))


def test_bytes_are_never_opened_as_a_path(tmp_path):
    path = tmp_path / "secret.png"
    Image.fromarray(IMAGE).save(path)
    with pytest.raises(zoo.InputError) as raised:
        plain(str(path).encode())
    with pytest.raises(zoo.InputError) as missing:
        plain(str(tmp_path / "nothin.png").encode())
    assert str(raised.value).replace("secret", "nothin") == str(missing.value)
