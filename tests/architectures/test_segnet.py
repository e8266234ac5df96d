"""SegNet: the paper's size, a small one against loops in NumPy, any size of image, VGG16 in the encoder."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate

import zoo
from tests.golden_files import trainable_parameters
from tests.timm_shapes import abstract, timm_shapes, write_hollow_checkpoint
from zoo.architectures import segnet
from zoo.weights import filling


def build(builder, **arguments):
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, builder(image, **arguments))


def large():
    """SegNet on VGG16, without values for its weights."""
    with filling.abstract():
        return build(segnet.segnet_vgg16, num_classes=11)


def images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def convolve(model, name, x):
    """What a convolution makes of `(h, w, c)`, each output channel a sum of SciPy's correlations."""
    kernel, *bias = (np.asarray(part, "float64") for part in model.get_layer(name).get_weights())
    sides = [(size // 2, size // 2) for size in kernel.shape[:2]] + [(0, 0)]
    maps = [correlate(np.pad(x, sides), kernel[..., filters], "valid")[..., 0] for filters in range(kernel.shape[-1])]
    return np.stack(maps, axis=-1) + (bias[0] if bias else 0)


def normalize(model, name, x):
    gamma, beta, mean, variance = (np.asarray(part, "float64") for part in model.get_layer(name).get_weights())
    return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta


def windows(shape):
    """Rows and columns of each 2x2 window, and its channel; those at the end of an odd side are smaller."""
    for row, column, channel in np.ndindex((shape[0] + 1) // 2, (shape[1] + 1) // 2, shape[2]):
        yield (row, column, channel), (slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2), channel)


def maxima(x):
    """The largest of each window; and, of the size of `x`, whether the pixel is it."""
    pooled, is_maximum = np.empty(((x.shape[0] + 1) // 2, (x.shape[1] + 1) // 2, x.shape[2])), np.zeros(x.shape, bool)
    for place, window in windows(x.shape):
        pooled[place] = x[window].max()
        first = np.unravel_index(x[window].argmax(), x[window].shape)
        is_maximum[window][first] = True
    return pooled, is_maximum


def test_a_small_one_is_what_loops_in_numpy_give():
    model = build(segnet.segnet_basic, num_classes=4, filters=(3, 5), kernel_size=3)
    generator = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.5, 2, len(weight)) for weight in layer.get_weights()])
    image = images(1, 7, 10, 3)
    x, memories = image[0].astype("float64"), []
    for index in range(2):
        x = convolve(model, f"encoder-{index}-conv", x)
        x, memory = maxima(np.maximum(normalize(model, f"encoder-{index}-bn", x), 0))
        memories.append(memory)
    for index in (1, 0):
        unpooled = x.repeat(2, axis=0).repeat(2, axis=1)[: len(memories[index]), : memories[index].shape[1]]
        x = convolve(model, f"decoder-{index}-conv", unpooled * memories[index])
        x = normalize(model, f"decoder-{index}-bn", x)
    np.testing.assert_allclose(np.asarray(model(image))[0], convolve(model, "classifier", x), rtol=1e-3, atol=1e-3)


def test_the_paper_s_basic_network_has_its_kernels():
    # 7x7 kernels: the first of 3 channels, seven of 64; gamma and beta of eight; 11 classes
    expected = 49 * (3 * 64 + 7 * 64 * 64) + 8 * 2 * 64 + 64 * 11 + 11
    assert trainable_parameters(build(segnet.segnet_basic, num_classes=11)) == expected == 1_416_075


@pytest.mark.parametrize(
    ("builder", "options", "shrink"),
    [
        (segnet.segnet_basic, {"filters": (4, 6, 8, 8), "kernel_size": 5}, 1),
        (segnet.segnet_basic, {"filters": (4, 6, 8, 8), "kernel_size": 5, "shrink": 2}, 2),
        pytest.param(segnet.segnet_vgg16, {}, 1, marks=pytest.mark.slow),  # 29 million parameters
    ],
)
def test_any_height_and_width(builder, options, shrink):
    model = build(builder, num_classes=3, **options)
    for height, width in ((33, 50), (1, 17)):
        logits = np.asarray(model(images(1, height, width, 3)))
        assert logits.shape == (1, -(-height // shrink), -(-width // shrink), 3)
        assert np.isfinite(logits).all()


def test_a_shrunk_image_is_the_mean_of_its_pixels():
    options = {"num_classes": 3, "filters": (4, 6), "kernel_size": 3}
    whole, shrunk = build(segnet.segnet_basic, **options), build(segnet.segnet_basic, **options, shrink=2)
    shrunk.set_weights(whole.get_weights())
    image = images(1, 8, 12, 3)
    means = image.reshape(1, 4, 2, 6, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(np.asarray(shrunk(image)), np.asarray(whole(means)), atol=1e-4)


def test_the_encoder_of_the_large_one_is_vgg16_with_batch_normalisation():
    vgg = timm_shapes(abstract("vgg16_bn"))
    ours = timm_shapes(large())
    features = {name: shape for name, shape in vgg.items() if name.startswith("features.")}
    assert len(features) == 13 * (2 + 4)
    assert {name: shape for name, shape in ours.items() if name.startswith("features.")} == features
    assert all(name.startswith(("features.", "decoder.", "classifier.")) for name in ours)


def test_the_decoder_of_the_large_one_mirrors_the_encoder():
    model = large()
    convolutions = [layer.kernel.shape for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    encoder, decoder = convolutions[:13], convolutions[13:]
    assert [(*shape[:2], shape[3], shape[2]) for shape in encoder[:0:-1]] == decoder[:-1]
    assert decoder[-1] == (3, 3, 64, 11)
    assert round(trainable_parameters(model) / 1e6, 1) == 29.4  # the paper counts 29.45 million, and 12 classes


@pytest.mark.slow  # 29 million parameters; that their names and shapes are VGG16's is tested above
def test_a_file_of_vgg16_fills_the_encoder_and_leaves_the_decoder_random(tmp_path):
    file = write_hollow_checkpoint(timm_shapes(abstract("vgg16_bn")), tmp_path / "model.safetensors")
    model = zoo.load("segnet-vgg16", weights=file, num_classes=5)
    assert model.spec.random == "head"
    assert model.output_shape[-1] == 5
    assert not np.asarray(model.get_layer("features-40").kernel).any()  # the file contains nothing but zeros
    assert np.asarray(model.get_layer("decoder-4-conv0").kernel).std() > 0.01


def test_save_and_load(tmp_path):
    model = build(segnet.segnet_basic, num_classes=3, filters=(4, 6), kernel_size=3, shrink=2)
    model.save(tmp_path / "segnet.keras")
    image = images(1, 9, 12, 3)
    reloaded = keras.saving.load_model(tmp_path / "segnet.keras")
    np.testing.assert_array_equal(reloaded.predict(image, verbose=0), model.predict(image, verbose=0))
