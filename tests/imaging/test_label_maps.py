"""From logits to a label map."""

import numpy as np

from zoo.imaging.label_maps import label_map, of_two_classes


def test_a_single_logit_is_of_class_1_against_0():
    logits = np.float32([[[-2], [0.5]], [[3], [-0.1]]])
    assert label_map(logits, 2, 2).tolist() == [[0, 1], [1, 0]]
    pair = np.asarray(of_two_classes(logits))
    np.testing.assert_allclose(
        np.exp(pair[..., 1]) / np.exp(pair).sum(-1), 1 / (1 + np.exp(-logits[..., 0])), atol=1e-6
    )


def test_logits_of_several_classes_stay_as_they_are():
    logits = np.ones((2, 2, 3), np.float32)
    assert of_two_classes(logits) is logits
