"""Every architecture can be fine-tuned: a gradient reaches every trainable variable, under a new head.

A network is a graph of layers, and every layer of it lies between its input and its output; so a gradient reaches all
variables where each kind of layer hands one on, to its inputs and to its own variables. That is tried here for every
kind that `layers_used.json` knows of any architecture, and for whole networks: the smallest of every family.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import zoo
from tests.marked_cases import release_except
from zoo import layers as ours
from zoo.catalogue.layers_used import layers_used
from zoo.catalogue.registry import registry

MAP, VOLUME, SERIES = (2, 8, 8, 4), (2, 4, 4, 4, 4), (2, 8, 4)
# Of each kind of layer one, and the shapes of its inputs.
KINDS = {
    "Activation": (layers.Activation("gelu"), MAP),
    "Add": (layers.Add(), MAP, MAP),
    "AddCoords2D": (ours.AddCoords2D(), MAP),
    "Average": (layers.Average(), MAP, MAP),
    "AverageTo2D": (ours.AverageTo2D(3), MAP),
    "AveragePooling1D": (layers.AveragePooling1D(2), SERIES),
    "AveragePooling2D": (layers.AveragePooling2D(3, 2, padding="same"), MAP),
    "AveragePooling3D": (layers.AveragePooling3D(2), VOLUME),
    "BatchNormalization": (layers.BatchNormalization(), MAP),
    "BicubicUpSampling2D": (ours.BicubicUpSampling2D(2), MAP),
    "BilinearUpSampling2D": (ours.BilinearUpSampling2D(2), MAP),
    "BilinearLike2D": (ours.BilinearLike2D(), (2, 4, 4, 4), MAP),
    "Blur2D": (ours.Blur2D(3, strides=2), MAP),
    "CenteredMaxPooling2D": (ours.CenteredMaxPooling2D(3, 2), MAP),
    "Concatenate": (layers.Concatenate(), MAP, MAP),
    "ConditionalConv2D": (ours.ConditionalConv2D(6, 3, experts=3), MAP, (2, 3)),
    "Conv1D": (layers.Conv1D(6, 3), SERIES),
    "Conv2D": (layers.Conv2D(6, 3, groups=2), MAP),
    "Conv2DTranspose": (layers.Conv2DTranspose(6, 3, strides=2), MAP),
    "Conv3D": (layers.Conv3D(6, 3), VOLUME),
    "Conv3DTranspose": (layers.Conv3DTranspose(6, 3, strides=2), VOLUME),
    "CropLike": (ours.CropLike(), (2, 9, 9, 4), MAP),
    "CropLike3D": (ours.CropLike3D(), (2, 5, 5, 5, 4), VOLUME),
    "Cropping2D": (layers.Cropping2D(1), MAP),
    "Dense": (layers.Dense(6), (2, 4)),
    "DepthwiseConv2D": (layers.DepthwiseConv2D(3), MAP),
    "Dropout": (layers.Dropout(0.1), MAP),
    "EfficientChannelAttention": (ours.EfficientChannelAttention(3), MAP),
    "EvoNorm2D": (ours.EvoNorm2D(2), MAP),
    "FastNormalizedFusion": (ours.FastNormalizedFusion(), MAP, MAP),
    "Flatten": (layers.Flatten(), MAP),
    "GlobalAveragePooling2D": (layers.GlobalAveragePooling2D(), MAP),
    "GlobalAveragePooling3D": (layers.GlobalAveragePooling3D(), VOLUME),
    "GlobalContextPooling2D": (ours.GlobalContextPooling2D(), MAP, (2, 8, 8, 1)),
    "GlobalMaxPooling2D": (layers.GlobalMaxPooling2D(), MAP),
    "GlobalResponseNorm": (ours.GlobalResponseNorm(), MAP),
    "GroupNormalization": (layers.GroupNormalization(2), MAP),
    "LayerNormalization": (layers.LayerNormalization(), MAP),
    "LayerScale": (ours.LayerScale(0.1, use_bias=True), MAP),
    "LeakyReLU": (layers.LeakyReLU(), MAP),
    "LearnableAffine": (ours.LearnableAffine(), MAP),
    "MaxPooling2D": (layers.MaxPooling2D(3, 2), MAP),
    "MaxPooling3D": (layers.MaxPooling3D(2), VOLUME),
    "MinimumSize2D": (ours.MinimumSize2D(9), MAP),
    "Multiply": (layers.Multiply(), MAP, MAP),
    "NearestLike2D": (ours.NearestLike2D(), (2, 4, 4, 4), MAP),
    "PReLU": (layers.PReLU(shared_axes=[1, 2]), MAP),
    "PadToMultiple2D": (ours.PadToMultiple2D(5), MAP),
    "PixelShuffle2D": (ours.PixelShuffle2D(2), MAP),
    "ReLU": (layers.ReLU(), MAP),
    "Rescaling": (layers.Rescaling(0.5), MAP),
    "Reshape": (layers.Reshape((64, 4)), MAP),
    "ScaledStandardizedConv2D": (ours.ScaledStandardizedConv2D(6, 3), MAP),
    "ScaledUnitNormalization": (ours.ScaledUnitNormalization(), MAP),
    "SimpleNorm": (ours.SimpleNorm(), MAP),
    "SkipInit": (ours.SkipInit(), MAP),
    "Softmax": (layers.Softmax(), MAP),
    "SpatialDropout1D": (layers.SpatialDropout1D(0.1), SERIES),
    "SpatialDropout2D": (layers.SpatialDropout2D(0.1), MAP),
    "StandardizedConv2D": (ours.StandardizedConv2D(6, 3), MAP),
    "StarReLU": (ours.StarReLU(), MAP),
    "Subtract": (layers.Subtract(), MAP, MAP),
    "UpSampling2D": (layers.UpSampling2D(2), MAP),
    "ZeroPaddedAveragePooling2D": (ours.ZeroPaddedAveragePooling2D(3, 2), MAP),
    "ZeroPadding2D": (layers.ZeroPadding2D(1), MAP),
    "ZeroPadding3D": (layers.ZeroPadding3D(1), VOLUME),
}
# Their first input alone: the other one says where, or how large.
ONE_INPUT = {"BilinearLike2D", "CropLike", "CropLike3D", "NearestLike2D"}
# Two outputs or a mask, with tests of their gradients of their own.
PAIRS = {"DiffusionFill2D", "MaxPoolingWithArgmax2D", "MaxUnpooling2D", "PartialConv2D", "SparseConv2D"}
# Behind the raw outputs that a detector is trained by: no loss goes through them.
BOXES = {"AnchorBoxes", "BestBoxes", "DecodeBoxes", "NonMaximumSuppression"}


def test_each_kind_of_layer_hands_a_gradient_to_its_inputs_and_variables():
    used = {layer for name in registry().default_names for layer in layers_used(name)}
    assert used <= set(KINDS) | PAIRS | BOXES, used - set(KINDS) - PAIRS - BOXES
    generator = np.random.default_rng(0)
    for name, (layer, *shapes) in KINDS.items():
        inputs = [tf.constant(generator.normal(size=shape), tf.float32) for shape in shapes]
        taken = inputs if len(inputs) > 1 else inputs[0]
        layer(taken)
        for variable in layer.trainable_variables:  # some begin with zero
            variable.assign(generator.uniform(0.5, 1.5, variable.shape))
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(taken, training=True)
            loss = tf.reduce_sum(outputs * generator.normal(size=outputs.shape))
        watched = inputs[: 1 if name in ONE_INPUT else None]
        for gradient in tape.gradient(loss, [*watched, *(variable.value for variable in layer.trainable_variables)]):
            assert gradient is not None, name
            assert 0 < np.abs(gradient).max() < np.inf, name


def smallest_of_each_family():
    """The smallest that takes images, of each builder; a network before others of its family."""
    entries = (entry for entry in registry().entries.values() if entry.task == "image-classification")
    smallest = {}
    for entry in sorted(entries, key=lambda entry: entry.parameters_millions or 0):
        smallest.setdefault(entry.builder, entry.architecture)
    return list(smallest.values())


FIRST, *OTHERS = smallest_of_each_family()


# The first test promises the same; one whole network shows it in every run, all of them before a release.
@pytest.mark.parametrize("name", [FIRST, *release_except((), OTHERS)])
def test_a_step_reaches_every_variable_of_the_smallest_of_each_family(name):
    keras.utils.set_random_seed(0)
    model = zoo.load(name, weights=None, num_classes=3)
    shape = (2, 96, 96, model.input_shape[-1])
    images = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(
            np.array([0, 2]), model(images, training=True)
        )
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    for variable, gradient in zip(variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path
    keras.optimizers.SGD(1e-3).apply(gradients, variables)
    # By the statistics of this batch: untrained ones let the largest networks overflow.
    assert np.isfinite(model(images, training=True)).all()
