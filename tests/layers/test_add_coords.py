import numpy as np
import pytest

from tests.layers import promises
from zoo.errors import InputError
from zoo.layers import AddCoords1D, AddCoords2D, AddCoords3D

CASES = {
    "AddCoords1D": (lambda: AddCoords1D(with_r=True), lambda: [promises.numbers(0, (2, 5, 3))]),
    "AddCoords2D": (lambda: AddCoords2D(with_r=True), lambda: [promises.numbers(1, (2, 3, 5, 2))]),
    "AddCoords3D": (lambda: AddCoords3D(), lambda: [promises.numbers(2, (1, 2, 3, 5, 2))]),
}


@promises.keeps(CASES)
def test_every_promise(make, inputs, promise, tmp_path):
    promise(make(), inputs(), tmp_path)


def test_it_reproduces_the_golden_file(golden):
    image = np.ones((1, 5, 4, 2), "float32")
    (outputs,) = promises.run(AddCoords2D(with_r=True), [image])
    promises.assert_same([outputs[..., 2:], outputs[..., :2]], [golden["coords_5x4"], image])


def test_a_side_of_one_pixel_is_in_the_middle():
    (outputs,) = promises.run(AddCoords2D(with_r=True), [np.zeros((1, 1, 3, 1), "float32")])
    np.testing.assert_array_equal(outputs[0, 0], [[0, 0, -1, 1], [0, 0, 0, 0], [0, 0, 1, 1]])


def test_volumes_get_z_y_x_in_this_order():
    (outputs,) = promises.run(AddCoords3D(with_r=True), [np.zeros((1, 3, 3, 3, 1), "float32")])
    np.testing.assert_allclose(outputs[0, 0, 1, 2, 1:], [-1, 0, 1, 2**0.5], rtol=1e-6)


def test_impossible_arguments_are_refused():
    with pytest.raises(InputError, match=r"AddCoords2D: `data_format` must be one of .* Received: data_format='last'"):
        AddCoords2D(data_format="last")
    with pytest.raises(ValueError, match="expected ndim=4, found ndim=3"):
        AddCoords2D()(np.zeros((1, 3, 2), "float32"))
