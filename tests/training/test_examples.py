"""What an example and a pixel count for."""

import numpy as np

from zoo.training.examples import Examples, class_weights, pixel_weights


def test_rare_classes_of_images_count_as_much_as_the_others():
    assert class_weights([0, 0, 0, 1]) == {0: 4 / 6, 1: 4 / 2}
    assert class_weights([0, 1, 1, 0]) is None


def test_a_class_of_pixels_counts_by_the_root_of_its_frequency_where_it_occurs():
    # Class 0: 12 of 16 pixels; 1: 4 of 16; 2: 4 of the 8 of the second image; 3: nowhere.
    pixels = ((6, 2, 0, 0), (2, 2, 4, 0))
    np.testing.assert_allclose(pixel_weights(pixels), np.sqrt([0.5 / 0.5, 0.5 / 0.25, 0.5 / 0.5, 1]))


def test_a_part_keeps_what_is_known_of_its_examples():
    whole = Examples(("a", "b", "c"), pixels=((1,), (2,), (3,)))
    assert whole.part([2, 0]) == Examples(("c", "a"), pixels=((3,), (1,)))
