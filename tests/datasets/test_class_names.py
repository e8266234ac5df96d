"""What names in data mean among a model's classes."""

import pytest

from zoo.datasets.class_names import find_classes
from zoo.errors import InputError
from zoo.labels import read_labels, read_synsets

LABELS, SYNSETS = read_labels("imagenet-1k"), read_synsets("imagenet-1k")

ONE = {
    "tench, Tinca tinca": 0,
    "tench": 0,
    "Tinca_tinca": 0,
    "TIGER_CAT": 282,
    "tiger cat": 282,
    "tiger-cat": 282,
    "n02123159": 282,
    "N02123159": 282,
    "n02123159-tiger_cat": 282,
    "n02123159_tiger_cat": 282,
    "282": 282,
    "0282": 282,
    "0": 0,
    "999": 999,
    "n03126707": 517,
    "n02012849": 134,
    "517": 517,
    "Cardigan": 264,  # the corgi, as its label has it
    "cardigan": 474,  # the one to wear
    "maillot, tank suit": 639,
    "jack-o'-lantern": 607,
    "jack o lantern": 607,
}


@pytest.mark.parametrize("name", ONE)
def test_a_name_means_one_class(name):
    assert find_classes([name], LABELS, SYNSETS) == [(ONE[name],)]


@pytest.mark.parametrize(("name", "classes"), [("crane", (134, 517)), ("Crane", (134, 517)), ("maillot", (638, 639))])
def test_a_name_of_two_classes_means_either_and_that_is_reported(name, classes, caplog):
    assert find_classes([name, "tench"], LABELS, SYNSETS) == [classes, (0,)]
    assert f"'{name}' is the name of 2 classes, {classes[0]} and {classes[1]}" in caplog.text


def test_every_label_synset_and_number_means_its_class():
    numbers = [(number,) for number in range(1000)]
    assert find_classes(SYNSETS, LABELS, SYNSETS) == numbers
    assert find_classes([f"{number:04}" for number in range(1000)], LABELS, SYNSETS) == numbers
    names = list(dict.fromkeys(LABELS))  # in a folder the two cranes are one
    read = dict(zip(names, find_classes(names, LABELS, SYNSETS), strict=True))
    assert read.pop("crane") == (134, 517)
    assert all(LABELS[number] == name for name, (number,) in read.items())


def test_all_names_are_read_in_one_way():
    assert find_classes(["2", "3"], ("1", "2", "3"), None) == [(1,), (2,)]
    assert find_classes(["0", "1"], ("1", "2", "3"), None) == [(0,), (1,)]
    with pytest.raises(InputError, match="have the class 'n01440764', which"):
        find_classes(["tiger cat", "tabby", "n01440764"], LABELS, SYNSETS)


def test_letters_of_another_normal_form_are_the_same():
    assert find_classes(["cafe\u0301"], ("caf\u00e9", "bar"), None) == [(0,)]


@pytest.mark.parametrize("name", ["1000", "-1", "n99999999", "n0212315", "n021231590", "unicorn", "1.0", "²", ""])
def test_strangers_are_named(name):
    with pytest.raises(InputError, match=r"which the model does not know\. Expected its 1000 classes, by name"):
        find_classes([name], LABELS, SYNSETS)


def test_two_names_of_one_class_are_refused():
    with pytest.raises(InputError, match="classes 'tench' and 'Tench', which mean the same class of the model, 0"):
        find_classes(["tench", "Tench"], LABELS, SYNSETS)
