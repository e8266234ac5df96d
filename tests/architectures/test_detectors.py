"""Detectors that others trained: the references' raw numbers, and their boxes after suppression."""

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

import zoo
from tests.golden_files import assert_close, golden_state, read_golden
from tests.marked_cases import first_of_each
from tests.training.small_tasks import as_trained, detector
from zoo.architectures import build
from zoo.catalogue.decoder_names import DETECTORS
from zoo.layers.box_geometry import decode_offsets
from zoo.weights.filling import abstract

# The first is quick.
TORCHVISION = ["fcos_resnet50_fpn", "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2", "ssd300_vgg16"]
YOLOX = ["yolox_tiny"]
EFFDET = ["efficientdet_d0"]
# On maps of a few pixels rounding is amplified, the reference's too. In float64 both are one network: YOLOX's outputs
# differ from the reference's by 8e-13 of the standard deviation, FCOS' by 4.5e-5, as the input's scale stays in float32
# there (1e-7). From the reference in float64 the golden files differ by 5.5e-4 (YOLOX) and 2.3e-4 (FCOS) at most, this
# network in float32 by 4.6e-4 and 3.7e-4; on average by 1.1e-5 and 3e-5, the one as the other. 3e-4 is below that.
ROUNDING = 6e-4
TIE = 1e-4  # scores that are closer may be in either order


@pytest.fixture(autouse=True)
def clear():
    keras.utils.clear_session()
    yield
    keras.utils.clear_session()


def write_checkpoint(name, folder):
    """The reference's file: the formula's weights, some of them times a factor plus a shift."""
    state, meta = golden_state(name), read_golden(name)[1]
    for tensor, (factor, shift) in meta["scaled"].items():
        state[tensor] = (state[tensor] * np.float32(factor) + np.float32(shift)).astype("float32")
    path = folder / f"{name}.safetensors"
    save_file({tensor: np.ascontiguousarray(value) for tensor, value in state.items()}, path)
    return path


def outputs_of(name, folder):
    arrays, meta = read_golden(name)
    model = zoo.load(name, weights=write_checkpoint(name, folder))
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == meta["params"]
    outputs = model(arrays["images"].astype("float32"))
    return arrays, meta, {key: keras.ops.convert_to_numpy(value) for key, value in outputs.items()}


@pytest.mark.slow  # large networks
@pytest.mark.parametrize("name", [*TORCHVISION, *EFFDET])
def test_the_reference_s_numbers_and_boxes(name, tmp_path):
    arrays, meta, outputs = outputs_of(name, tmp_path)
    if name in EFFDET:  # whose boxes come as y, x, height, width
        arrays["raw_bbox_regression"] = arrays["raw_bbox_regression"][..., [1, 0, 3, 2]]
    raw = {key.removeprefix("raw_") for key in arrays if key.startswith("raw_")}
    assert raw == set(outputs) - {"boxes", "scores", "classes", "count"}
    for key in raw:
        assert list(outputs[key].shape) == meta["raw"][key]
        assert_close(outputs[key][:, :: meta["step"]], arrays[f"raw_{key}"], ROUNDING)
    for image in range(2):
        found = {key: arrays[f"found{image}_{key}"] for key in ("boxes", "scores", "labels")}
        kept = len(found["scores"])  # those above the reference's threshold, and so many of them
        assert outputs["count"][image] >= kept
        ours = {key: outputs[key][image, :kept] for key in ("boxes", "scores", "classes")}
        np.testing.assert_allclose(ours["scores"], found["scores"], atol=1e-4)
        for place, score in enumerate(found["scores"]):
            equal = np.flatnonzero(np.abs(ours["scores"] - score) < TIE)
            same = equal[ours["classes"][equal] == found["labels"][place]]
            assert np.abs(ours["boxes"][same] - found["boxes"][place]).max(axis=1).min() <= 0.1


@pytest.mark.slow  # a large network
@pytest.mark.parametrize("name", YOLOX)
def test_the_numbers_of_yolox(name, tmp_path):
    """Its authors' module gives a map for each stride: boxes, the score of an object, the scores of the classes."""
    arrays, _, outputs = outputs_of(name, tmp_path)
    sigmoid = {key: 1 / (1 + np.exp(-outputs[key].astype("float64"))) for key in ("objectness", "cls_logits")}
    places = np.concatenate([outputs["bbox_regression"], sigmoid["objectness"], sigmoid["cls_logits"]], axis=-1)
    expected = [np.moveaxis(arrays[f"raw_out_{level}"], 1, -1).reshape(2, -1, 85) for level in range(3)]
    expected = np.concatenate(expected, axis=1)
    for part in (slice(4), slice(4, 5), slice(5, 85)):
        assert_close(places[..., part].astype("float32"), expected[..., part], ROUNDING)
    best = places[0, :, 4] * places[0, :, 5:].max(-1)
    assert outputs["scores"][0, 0] == pytest.approx(best.max(), abs=1e-5)
    first = best.argmax()
    grid = [(x * stride, y * stride, stride) for stride, rows, columns in ((8, 16, 20), (16, 8, 10), (32, 4, 5))
            for y in range(rows) for x in range(columns)][first]  # fmt: skip
    x, y = places[0, first, :2] * grid[2] + grid[:2]
    width, height = np.exp(places[0, first, 2:4]) * grid[2]
    corners = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    np.testing.assert_allclose(outputs["boxes"][0, 0], np.clip(corners, 0, [160, 128, 160, 128]), atol=0.05)
    assert outputs["classes"][0, 0] == places[0, first, 5:].argmax()


@pytest.mark.parametrize("decoder", DETECTORS)
def test_a_detector_above_another_encoder(decoder):
    entry = zoo.info("lcnet_050")
    with abstract():
        from zoo.catalogue.decoded import with_decoder

        described, _ = with_decoder(entry, decoder, {"filters": 32, "depth": 1}, 3)
        model = build(described)
    assert described.task == "object-detection"
    assert model.output["cls_logits"].shape == (None, None, 3)
    count = {"efficientdet": 100, "fcos": 100}.get(decoder, 300)
    assert model.output["boxes"].shape == (None, count, 4)


def test_boxes_of_yolox_begin_in_the_middle_of_their_place_and_four_strides_large():
    model = build(detector("yolox", 64))
    for level, stride in enumerate((8, 16, 32)):
        codes = model.get_layer(f"decoder-head-reg_preds-{level}").bias
        corner = keras.ops.array([0.0, 0, stride, stride]) - stride / 2  # around the upper left corner of a place
        box = keras.ops.convert_to_numpy(decode_offsets(codes, corner))
        np.testing.assert_allclose(box, np.array([-1.5, -1.5, 2.5, 2.5]) * stride, rtol=1e-5)
    type(model).from_config(model.get_config())  # initialisers too are found again


def test_yolox_needs_all_three_maps():
    with pytest.raises(
        zoo.InputError, match="decoder='yolox' needs a map of stride 32, and the encoder has maps of 8, 1"
    ):
        build(detector("yolox", 64, strides=(8, 16)))


@pytest.mark.parametrize("decoder", first_of_each(["fcos", "efficientdet", "retinanet", "yolox"]))
def test_a_saved_detector_finds_the_same_boxes(decoder, tmp_path):
    model = as_trained(detector(decoder, 64, score_threshold=0.001))
    image = np.random.default_rng(1).integers(0, 256, (50, 90, 3), "uint8")
    found = zoo.predict(model, image)[0]["predictions"]
    loaded = zoo.load(zoo.save(model, tmp_path / "mine"))
    assert (loaded.spec.decoder, loaded.spec.decoder_config) == (decoder, model.spec.decoder_config)
    assert len(found) > 1
    assert zoo.predict(loaded, image)[0]["predictions"] == found
