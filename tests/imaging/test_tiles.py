"""Large images by tiles: equal to the whole, in the memory of a tile."""

import keras
import numpy as np
import pytest

import zoo
from tests.marked_cases import first_of_each
from zoo import architectures
from zoo.catalogue.registry import registry
from zoo.imaging import tiles
from zoo.imaging.tiles import Reach, Runner, reach, spans
from zoo.model import ZooModel
from zoo.tasks import find_task

# The smallest architecture of each builder of these tasks.
BUILDERS = {
    entry.builder: entry
    for entry in sorted(registry().entries.values(), key=lambda entry: -(entry.parameters_millions or 0))
    if entry.task in ("super-resolution", "inpainting")
}
SMALLER = {
    "edsr.edsr": {"depth": 2},
    "pconv_unet.pconv_unet": {"filters": [8, 8, 8], "diffusion": False},
}


def trained(entry):
    """Weights that are not zero anywhere."""
    keras.utils.set_random_seed(0)
    model = architectures.build(entry.model_copy(update={"config": entry.config | SMALLER.get(entry.builder, {})}))
    for variable in model.trainable_variables:
        if not np.asarray(variable).any():
            variable.assign(keras.random.normal(variable.shape, stddev=0.1))
    return model


def prepared(model, height, width):
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (height, width, 3), dtype="uint8")
    if model.spec.task == "super-resolution":
        return image
    mask = np.ones((height, width, 1), "float32")
    mask[height // 4 : height // 2, width // 3 :] = 0
    mask[-9:, :9] = generator.integers(0, 2, (9, 9, 1))
    return {"image": image * mask.astype("uint8"), "mask": mask}


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("odd", first_of_each([1, 0]))
def test_tiles_answer_as_the_whole(builder, odd, monkeypatch):
    model = trained(BUILDERS[builder])
    found = reach(model)
    assert found is not None, f"{builder} has an operation that zoo/imaging/tiles.py does not know"
    scale = model.spec.config.get("scale", 1)
    side = 3 * (found.margin + found.step)
    inputs = prepared(model, side + 2 * found.step + odd, side + 37 + odd)
    task, shapes = type(find_task(model.spec.task)), []
    batch = keras.tree.map_structure(lambda array: array[None], inputs)
    whole = np.asarray(model(batch, training=False))[0]

    def run(batch):
        shapes.append(keras.tree.flatten(batch)[0].shape)
        return model(batch, training=False)

    monkeypatch.setattr(task, "tile", scale)
    monkeypatch.setattr(task, "pixels", lambda self, output: output)
    monkeypatch.setattr(task, "unchanged", lambda self, prepared: None)
    [answer] = Runner(run, model)(batch)
    assert len(shapes) >= 4
    assert max(tile[1] * tile[2] for tile in shapes) < whole.size / 3 / scale**2
    np.testing.assert_allclose(answer, whole, atol=0.02)  # of 255


@pytest.mark.slow  # a fill of megapixels
def test_tiles_answer_as_the_whole_after_diffusion_where_holes_are_narrow(monkeypatch):
    entry = registry().find("pconv-unet")
    model = architectures.build(entry.model_copy(update={"config": {"filters": [4, 4], "diffusion": True}}))
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (30, 42, 3), dtype="uint8").repeat(40, 0).repeat(40, 1)  # large squares
    mask = np.ones((*image.shape[:2], 1), "float32")
    for top, left in generator.integers(0, 1100, (12, 2)):
        mask[top : top + 60, left : left + 400] = 0
    inputs = {"image": image * mask.astype("uint8"), "mask": mask}
    whole = np.asarray(model({name: array[None] for name, array in inputs.items()}, training=False))[0]
    monkeypatch.setattr(type(find_task(model.spec.task)), "tile", 512)
    by_tiles = zoo.predict(model, inputs)[0].image
    assert reach(model) is not None
    assert np.abs(np.asarray(by_tiles) - np.clip(whole, 0, 255)).max() < 2.5


def test_a_margin_below_the_reach_is_seen(monkeypatch):
    """That the test above can fail: ESPCN's convolutions look 2 + 1 + 1 pixels far."""
    model = trained(BUILDERS["espcn.espcn"])
    image = prepared(model, 40, 40)[None]
    runner, whole = Runner(model, model), np.asarray(model(image))[0]
    monkeypatch.setattr(runner.task, "pixels", lambda output: output)
    for margin, differs in ((4, False), (3, True)):
        runner.tile = 24
        answer = runner._by_tiles(image[0], (40, 40), Reach(margin, 1))
        assert (np.abs(answer - whole).max() > 0.02) == differs


@pytest.mark.parametrize("length", [1, 7, 100, 101, 257, 1000, 1023])
@pytest.mark.parametrize(("margin", "step"), [(0, 1), (7, 1), (37, 1), (101, 32), (3, 4)])
@pytest.mark.parametrize("tile", [1, 64, 400])
def test_tiles_cover_an_axis_once_with_the_margin_around(length, margin, step, tile):
    result = spans(length, tile, Reach(margin, step))
    kept = [place for span in result for place in range(*span.kept)]
    assert kept == list(range(length))
    for span in result:
        assert span.start % step == 0
        assert (span.stop - span.start) % step == length % step
        assert span.start == 0 or span.kept[0] - span.start >= margin
        assert span.stop == length or span.stop - span.kept[1] >= margin
        assert 0 <= span.start < span.stop <= length


def test_a_network_that_looks_at_the_whole_image_has_no_reach():
    image = keras.Input((None, None, 3))
    mean = keras.ops.mean(image, axis=(1, 2), keepdims=True)
    assert reach(keras.Model(image, image - mean)) is None
    pooled = keras.layers.GlobalAveragePooling2D(keepdims=True)(image)
    assert reach(keras.Model(image, keras.layers.Multiply()([image, pooled]))) is None


def test_a_large_image_is_enlarged_in_the_memory_of_a_tile(monkeypatch):
    """By what the network is given at once."""
    model, given = zoo.load("espcn-x2"), []
    call = ZooModel.__call__
    monkeypatch.setattr(
        ZooModel, "__call__", lambda self, batch, **options: given.append(batch.shape) or call(self, batch, **options)
    )
    image = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype="uint8")
    small = image[:300, :400]
    record, part = zoo.predict(model, [image, small])
    assert max(height * width for _, height, width, _ in given) <= 512**2
    assert record.image.size == (1800, 1400)
    near = np.s_[:580, :780]  # beyond it the part has a border where the image has none
    difference = np.asarray(record.image)[near].astype(int) - np.asarray(part.image)[near]
    assert np.abs(difference).max() <= 1


def test_where_nothing_is_to_be_filled_nothing_is_computed(monkeypatch):
    model, given = trained(BUILDERS["pconv_unet.pconv_unet"]), []
    call = ZooModel.__call__
    monkeypatch.setattr(
        ZooModel, "__call__", lambda self, batch, **options: given.append(1) or call(self, batch, **options)
    )
    image = np.random.default_rng(0).integers(0, 256, (2000, 1500, 3), dtype="uint8")
    mask = np.ones((2000, 1500), "uint8")
    mask[40:60, 700:730] = 0
    record = zoo.predict(model, {"image": image, "mask": mask})[0]
    assert len(given) <= 4
    np.testing.assert_array_equal(np.asarray(record.image)[mask > 0], image[mask > 0])
    assert record.image.size == (1500, 2000)


def test_an_answer_of_gigabytes_is_refused_before_there_is_memory_for_it(monkeypatch):
    monkeypatch.setattr(tiles, "LARGEST_OUTPUT", 1_000_000)
    with pytest.raises(zoo.InputError, match=r"would have 1200 x 1200 pixels\. Expected at most 1,000,000"):
        zoo.predict("espcn-x2", np.zeros((600, 600, 3), "uint8"))
