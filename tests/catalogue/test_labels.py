"""Names of classes."""

import pytest

from zoo.catalogue.registry import registry
from zoo.labels import read_labels


@pytest.mark.parametrize(
    ("name", "count", "index", "label"),
    [
        ("imagenet-1k", 1000, 0, "tench, Tinca tinca"),
        ("imagenet-12k", 11_821, 1, "cell"),
        ("imagenet-21k-goog", 21_843, 0, "organism, being"),
        ("imagenet-22k", 21_841, 1, "benthos"),
    ],
)
def test_lists_are_in_the_order_of_the_logits(name, count, index, label):
    labels = read_labels(name)
    assert (len(labels), labels[index]) == (count, label)
    assert all(labels)


def test_every_checkpoint_has_a_name_for_each_of_its_classes_or_none():
    for entry in registry().entries.values():
        if entry.labels is not None:
            assert len(read_labels(entry.labels)) == entry.num_classes, entry.name


def test_what_gives_features_has_no_labels():
    features = [entry for entry in registry().entries.values() if entry.task.endswith("-features")]
    assert features
    assert {entry.labels for entry in features} == {None}
    assert not [e.name for e in registry().entries.values() if e.num_classes == 0 and e not in features]
