"""Which problem data make, in every form that they may have, and the targets that come of it."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from zoo.catalogue.registry import registry
from zoo.errors import InputError
from zoo.training.label_data import trained_task, units_of
from zoo.training.trainers import find_trainer

ONE, SEVERAL, QUANTITIES = "image-classification", "multi-label-classification", "image-regression"
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), "uint8")
ENTRY = registry().find("blurnet-textures")


def table(folder, rows):
    for number, pixels in enumerate(IMAGES):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    header, *cells = rows
    lines = [f"file,{header}", *(f"{number}.png,{cell}" for number, cell in enumerate(cells))]
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder


def split(**columns):
    import datasets

    images = [Image.fromarray(pixels) for pixels in IMAGES]
    features = {"image": datasets.Image(), **{name: kind for name, (kind, _) in columns.items()}}
    values = {"image": images, **{name: value for name, (_, value) in columns.items()}}
    return datasets.Dataset.from_dict(values, features=datasets.Features(features))


def targets(data, labels=None, problem_type="auto", entry=ENTRY):
    """Task, names and targets as the trainer reads them."""
    task = trained_task(entry, data, problem_type, "data")
    trainer = find_trainer(task)
    found = trainer.find(data, "train", entry, labels)
    read = [trainer.read(item, entry, None, None)[1] for item in found.items]
    return task, found.labels, np.array(read).tolist()


CELLS = {
    "text": (["label", "cat", "dog", "dog", "cat"], ONE, ("cat", "dog"), [0, 1, 1, 0]),
    "whole numbers": (["class", 10, 9, 9, 10], ONE, ("9", "10"), [1, 0, 0, 1]),
    "several": (
        ["label", "cat;dog", "dog", "", " dog ; cat"], SEVERAL, ("cat", "dog"), [[1, 1], [0, 1], [0, 0], [1, 1]],
    ),
    "0 and 1": (["cat,dog", "1,0", "0,1", "0,0", "1,1"], SEVERAL, ("cat", "dog"), [[1, 0], [0, 1], [0, 0], [1, 1]]),
    "one of 0 and 1": (["cat", 1, 0, 0, 1], SEVERAL, ("cat",), [[1], [0], [0], [1]]),
    "fractions": (["age (years)", 1.5, 2, 3, 4], QUANTITIES, ("age",), [[1.5], [2], [3], [4]]),
    "counts": (["people", 1, 2, 3, 0], QUANTITIES, ("people",), [[1], [2], [3], [0]]),
    "several numbers": (
        ["x [px],y", "1,0.5", "2,1", "3,2", "0,1"], QUANTITIES, ("x", "y"), [[1, 0.5], [2, 1], [3, 2], [0, 1]],
    ),
    "others beside the label": (["label,age", "cat,3", "dog,4", "dog,5", "cat,1"], ONE, ("cat", "dog"), [0, 1, 1, 0]),
}  # fmt: skip


@pytest.mark.parametrize("case", CELLS)
def test_a_table_says_what_its_columns_are(case, tmp_path):
    rows, *expected = CELLS[case]
    assert targets(table(tmp_path, rows)) == tuple(expected)
    assert targets(tmp_path / "labels.csv") == tuple(expected)


ARRAYS = {
    "ints": ([0, 1, 1, 0], ONE, ("0", "1"), [0, 1, 1, 0]),
    "text": (["cat", "dog", "dog", "cat"], ONE, ("cat", "dog"), [0, 1, 1, 0]),
    "lists": ([["cat"], [], ["dog", "cat"], ["dog"]], SEVERAL, ("cat", "dog"), [[1, 0], [0, 0], [1, 1], [0, 1]]),
    "0 and 1": (np.eye(4, 2), SEVERAL, ("0", "1"), np.eye(4, 2).tolist()),
    "floats": (np.arange(4) / 2, QUANTITIES, ("value",), [[0], [0.5], [1], [1.5]]),
    "rows": (np.arange(8).reshape(4, 2), QUANTITIES, ("value 0", "value 1"), [[0, 1], [2, 3], [4, 5], [6, 7]]),
    "dict": (
        {"age": [1, 2, 3, 4], "weight [kg]": [1.0, 0.5, 0, 2]}, QUANTITIES, ("age", "weight"),
        [[1, 1], [2, 0.5], [3, 0], [4, 2]],
    ),
    "pandas": (pd.DataFrame({"cat": [1, 0, 0, 1], "dog": [True, True, False, True]}), SEVERAL, ("cat", "dog"),
               [[1, 1], [0, 1], [0, 0], [1, 1]]),
}  # fmt: skip


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_say_it_too(case):
    values, *expected = ARRAYS[case]
    assert targets((IMAGES, values)) == tuple(expected)


def test_splits_of_datasets_say_it_by_their_features():
    from datasets import ClassLabel, List, Value

    names = ClassLabel(names=["dog", "cat"])
    splits = [
        ({"label": (names, [0, 1, 1, 0])}, ONE, ("dog", "cat"), [0, 1, 1, 0]),
        ({"labels": (List(names), [[0], [], [1, 0], [1]])}, SEVERAL, ("dog", "cat"), [[1, 0], [0, 0], [1, 1], [0, 1]]),
        ({"age": (Value("float32"), [1, 2, 3, 4])}, QUANTITIES, ("age",), [[1], [2], [3], [4]]),
        ({"label": (Value("string"), ["cat", "dog", "dog", "cat"])}, ONE, ("cat", "dog"), [0, 1, 1, 0]),
    ]
    for columns, *expected in splits:
        assert targets(split(**columns)) == tuple(expected)


def test_class_folders_are_one_class_and_one_label_if_that_is_wanted(photographs):
    assert targets(photographs)[0] == ONE
    task, names, rows = targets(photographs, problem_type="multi_label_classification")
    assert (task, names) == (SEVERAL, ("blue", "green", "red"))
    assert np.sum(rows, axis=1).tolist() == [1] * 26


def test_what_is_wanted_comes_before_what_is_found():
    whole = (IMAGES, [0, 1, 1, 3])
    assert targets(whole, problem_type="regression") == (QUANTITIES, ("value",), [[0], [1], [1], [3]])
    one_hot = (IMAGES, np.eye(4, dtype="int64"))
    assert targets(one_hot, problem_type="single_label_classification")[2] == [0, 1, 2, 3]
    own = ENTRY.model_copy(update={"task": QUANTITIES, "labels": ("age",), "num_classes": 1})
    assert targets(whole, entry=own) == (QUANTITIES, ("age",), [[0], [1], [1], [3]])


def test_columns_are_put_in_the_order_that_the_model_knows(tmp_path):
    folder = table(tmp_path, ["dog,cat", "1,0", "0,1", "0,0", "1,1"])
    entry = ENTRY.model_copy(update={"task": SEVERAL, "labels": ("Cat", "bird", "dog"), "num_classes": 3})
    assert targets(folder, entry.labels, entry=entry)[2] == [[0, 0, 1], [1, 0, 0], [0, 0, 0], [1, 0, 1]]
    entry = ENTRY.model_copy(update={"task": QUANTITIES, "labels": ("cat", "dog"), "num_classes": 2})
    assert targets(folder, entry.labels, entry=entry)[2] == [[0, 1], [1, 0], [0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("values", "problem_type", "sentence"),
    [
        ({"a": ["x"] * 4, "b": [1, 2, 3, 4]}, "auto", r"has the columns a, b, of which 'a' is text\. Expected one"),
        (["cat", "dog", "dog", "cat"], "regression", "are text or classes. Expected a number per image"),
        ([1.0, np.nan, 2, 3], "auto", r"has the targets \[nan\]\. Expected finite numbers"),
        ([5.0] * 4, "auto", "'value' is 5 in all images. Expected values that differ"),
        (np.full((4, 2), 0.5), "multi_label_classification", r"from 0\.5 to 0\.5\. Expected 1 for the labels"),
        (np.zeros((4, 2), int), "auto", "No image has a label"),
        (["cat", "", "dog", "cat"], "auto", r"has the label ''\. Expected one class per image"),
        ([["cat"], [], [], []], "single_label_classification", r"Expected one class per image; for any number of"),
        (np.ones((4, 2)), "single_label_classification", r"Expected one int from 0 per image; or for several labels"),
    ],
)  # fmt: skip
def test_targets_that_fit_no_problem_are_named(values, problem_type, sentence):
    with pytest.raises(InputError, match=sentence):
        targets((IMAGES, values), problem_type=problem_type)


def test_other_tasks_have_one_problem():
    with pytest.raises(
        InputError, match=r"problem_type='regression' does not fit segnet-basic.*or problem_type='auto'"
    ):
        trained_task(registry().find("segnet-basic"), "streets", "regression", "")


def test_units_stand_behind_names():
    assert units_of(("age (years)", "weight[kg]", "x", "f(x) (m)")) == (
        ("age", "weight", "x", "f(x)"),
        ("years", "kg", "", "m"),
    )
