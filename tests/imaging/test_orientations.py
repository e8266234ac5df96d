"""tta="flip": the mean of eight orientations, and who can have it."""

import numpy as np
import pytest

import zoo
from zoo.errors import InputError
from zoo.imaging.orientations import averaging


def image(height, width):
    return np.random.default_rng(0).integers(256, size=(height, width, 3), dtype="uint8")


def test_a_turned_image_gives_the_turned_output():
    model, photo = zoo.load("espcn-x2"), image(9, 12)
    outputs = [
        np.asarray(zoo.predict(model, turned, tta="flip")[0].image).astype(int) for turned in (photo, np.rot90(photo))
    ]
    assert outputs[0].shape == (18, 24, 3)
    assert np.abs(np.rot90(outputs[0]) - outputs[1]).max() <= 1
    once = np.asarray(zoo.predict(model, photo)[0].image).astype(int)
    assert 0 < np.abs(once - outputs[0]).max() < 40


def test_the_mean_is_of_all_eight():
    seen = []

    def network(batch):
        seen.append(batch)
        return np.repeat(np.repeat(batch, 2, 1), 2, 2)

    model, batch = zoo.load("espcn-x2"), image(4, 6)[None].astype("float32")
    outputs = averaging(network, model, "flip")(batch)
    np.testing.assert_allclose(outputs, np.repeat(np.repeat(batch, 2, 1), 2, 2), rtol=1e-6)
    assert len({turned.tobytes() + bytes(str(turned.shape), "ascii") for turned in seen}) == 8


@pytest.mark.parametrize("name", ["segnet-basic", "blurnet-textures"])
def test_an_image_and_its_mirror_image_give_one_answer(name):
    model, photo = zoo.load(name), image(64, 64)
    answers = [averaging(model, model, "flip")(batch) for batch in (photo[None], photo[None, :, ::-1])]
    assert np.abs(np.asarray(model(photo[None])) - answers[0]).max() > 1e-3
    back = answers[1][:, :, ::-1] if answers[1].ndim == 4 else answers[1]
    np.testing.assert_allclose(answers[0], back, atol=1e-4)


@pytest.mark.parametrize("name", ["segnet-basic", "blurnet-textures"])
def test_three_sizes_are_averaged_in_the_size_of_the_output(name):
    model, photo, seen = zoo.load(name), image(64, 64)[None], []

    def network(batch):
        seen.append(batch.shape[1:3])
        return model(batch)

    found = averaging(network, model, "multi")(photo)
    assert seen == [(64, 64), (64, 64), (48, 48), (48, 48), (80, 80), (80, 80)]
    flipped = averaging(model, model, "flip")(photo)
    assert found.shape == flipped.shape
    assert np.abs(found - flipped).max() > 1e-3
    flat = averaging(lambda batch: np.full((1, *batch.shape[1:3], 2), 7.0), zoo.load("segnet-basic"), "multi")(photo)
    np.testing.assert_allclose(flat, 7, rtol=1e-5)


def test_evaluation_averages_as_prediction_does():
    images = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), "uint8")
    best = [record["predictions"][0]["index"] for record in zoo.predict("blurnet-textures", images, tta="flip")]
    assert zoo.evaluate("blurnet-textures", (images, np.array(best)), tta="flip")["top1_percent"] == 100


@pytest.mark.parametrize(
    ("model", "tta", "message"),
    [
        ("espcn-x2", "rotate", r"tta='rotate' is not known\. Expected None, 'flip'"),
        ("espcn-x2", "multi", r"tta='multi' does not fit espcn-x2.*leave tta out"),
        ("pconv-unet", "flip", r"pconv-unet\.\w+ is for inpainting.*leave tta out"),
    ],
)
def test_what_cannot_be_averaged_is_an_error(model, tta, message):
    with pytest.raises(InputError, match=message):
        zoo.predict(model, image(8, 8), tta=tta)


def test_a_model_of_one_size_that_is_not_square_is_an_error():
    with pytest.raises(InputError, match=r"takes images of 8 x 6 pixels only.*without input_shape"):
        zoo.predict(zoo.load("espcn-x2", input_shape=(8, 6, 3)), image(8, 6), tta="flip")
