"""Not-so-Clevr: every place once, the two splits, and the square around its centre."""

import numpy as np
import pytest

from recipes import not_so_clevr


def test_each_of_the_3136_places_is_there_once():
    places = not_so_clevr.centres()
    assert places.shape == (3136, 2)
    assert len({tuple(place) for place in places}) == 3136
    assert (places.min(), places.max()) == (4, 59)


@pytest.mark.parametrize(("split", "training_count", "test_count"), [("uniform", 2509, 627), ("quadrant", 2352, 784)])
def test_a_split_leaves_nothing_out_and_shares_nothing(split, training_count, test_count):
    training, test = not_so_clevr.split_centres(split)
    assert (len(training), len(test)) == (training_count, test_count)
    assert len({tuple(place) for place in (*training, *test)}) == 3136


def test_the_quadrant_is_the_lower_right_one():
    training, test = not_so_clevr.split_centres("quadrant")
    assert test.min() == 32
    assert (training.min(axis=1) < 32).all()


def test_a_square_lies_around_its_centre():
    places = not_so_clevr.centres()
    images = not_so_clevr.squares(places)
    assert images.shape == (3136, 64, 64)
    assert (images.sum(axis=(1, 2)) == 81).all()
    image = not_so_clevr.squares(np.array([[40, 12]]))[0]
    rows, columns = np.nonzero(image)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 16, 36, 44)
    assert image.reshape(-1)[not_so_clevr.pixel_indices(np.array([[40, 12]]))[0]] == 1


def test_the_index_is_that_of_the_flattened_canvas():
    assert not_so_clevr.pixel_indices(np.array([[40, 12]]))[0] == 12 * 64 + 40
