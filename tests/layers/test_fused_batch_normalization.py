"""The fused batch normalisation against Keras' own: outputs, gradients and moving averages."""

import keras
import numpy as np
import pytest
from keras import layers
from keras.ops import convert_to_numpy as as_numpy

from zoo.layers import FusedBatchNormalization
from zoo.layers.fused_batch_normalization import fuse_normalization, unfuse_normalization

GENERATOR = np.random.default_rng(0)


def network(normalization, shape, **options):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    x = layers.Dense(4, name="before")(inputs)
    x = normalization(epsilon=1e-5, momentum=0.8, name="norm", **options)(x)
    model = keras.Model(inputs, layers.Dense(1, name="after")(layers.Flatten()(x)))
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    return model


@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 3), (2, 4, 3, 3)])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_training_changes_every_variable_as_keras_does(shape, options):
    inputs = GENERATOR.normal(3, 2, (8, *shape)).astype("float32")
    targets = inputs.sum(axis=tuple(range(1, inputs.ndim)), keepdims=True).reshape(8, 1) / 10
    ours, theirs = (network(which, shape, **options) for which in (FusedBatchNormalization, layers.BatchNormalization))
    losses = [
        model.fit(inputs, targets, epochs=3, shuffle=False, verbose=0).history["loss"] for model in (ours, theirs)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for mine, keras_own in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-4, atol=1e-5, err_msg=mine.path)


def test_inference_is_keras_own():
    inputs = GENERATOR.normal(size=(2, 3, 3, 4)).astype("float32")
    ours, theirs = FusedBatchNormalization(), layers.BatchNormalization()
    np.testing.assert_array_equal(*(as_numpy(layer(inputs, training=False)) for layer in (ours, theirs)))


def test_a_frozen_layer_keeps_its_averages():
    layer = FusedBatchNormalization()
    layer.build((None, 2, 2, 3))
    layer.trainable = False
    layer(GENERATOR.normal(size=(2, 2, 2, 3)).astype("float32"), training=True)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(3))


def test_half_precision_keeps_its_dtype_and_float32_averages():
    layer = FusedBatchNormalization(dtype="mixed_bfloat16", momentum=0.0)
    inputs = GENERATOR.normal(5, 1, (4, 6, 6, 2)).astype("float32")
    outputs = layer(keras.ops.cast(inputs, "bfloat16"), training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert layer.moving_mean.dtype == "float32"
    np.testing.assert_allclose(layer.moving_mean, inputs.mean(axis=(0, 1, 2)), rtol=1e-2)


def test_a_model_is_fused_and_unfused_in_place(tmp_path):
    model = network(layers.BatchNormalization, (4, 4, 3))
    inputs = GENERATOR.normal(size=(2, 4, 4, 3)).astype("float32")
    before = as_numpy(model(inputs))
    fuse_normalization(model)
    assert type(model.get_layer("norm")) is FusedBatchNormalization
    np.testing.assert_array_equal(as_numpy(model(inputs)), before)
    model.save(tmp_path / "fused.keras")
    again = keras.saving.load_model(tmp_path / "fused.keras")
    assert type(again.get_layer("norm")) is FusedBatchNormalization
    unfuse_normalization(model)
    assert type(model.get_layer("norm")) is layers.BatchNormalization
