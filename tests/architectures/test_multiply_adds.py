"""Multiply-adds, counted by hand for each kind of layer; and the table of them against what others published."""

import keras
import pytest
from keras import layers

from zoo.architectures.multiply_adds import count_multiply_adds
from zoo.catalogue.multiply_adds import multiply_adds_millions
from zoo.layers import (
    Blur2D,
    ConditionalConv2D,
    EfficientChannelAttention,
    GlobalContextPooling2D,
    PartialConv2D,
    StandardizedConv2D,
)

# Of a map of 6 x 6 with 4 channels.
COUNTED = {
    "convolution": (layers.Conv2D(8, 3, padding="same"), 36 * 9 * 4 * 8),
    "strided": (layers.Conv2D(8, 3, strides=2, padding="valid"), 4 * 9 * 4 * 8),
    "grouped": (layers.Conv2D(8, 3, groups=2, padding="same"), 36 * 9 * 2 * 8),
    "depthwise": (layers.DepthwiseConv2D((1, 5), padding="same"), 36 * 5 * 4),
    "transposed": (layers.Conv2DTranspose(8, 3, strides=2, padding="same"), 36 * 9 * 4 * 8),
    "standardised": (StandardizedConv2D(8, 3, padding="same"), 36 * 9 * 4 * 8),
    "dense": (layers.Dense(8), 36 * 4 * 8),
    "blur": (Blur2D(3, strides=2), 9 * 4 * 9),
    "efficient attention": (EfficientChannelAttention(3), 4 * 3),
    "no weights": (layers.MaxPooling2D(), 0),
    "normalisation": (layers.BatchNormalization(), 0),
}


@pytest.mark.parametrize(("layer", "count"), COUNTED.values(), ids=COUNTED)
def test_a_layer_counts_as_by_hand(layer, count):
    image = keras.Input((None, None, 4))
    assert count_multiply_adds(keras.Model(image, layer(image)), 6) == count


def test_layers_of_several_inputs_count_as_by_hand():
    image, shares, mask = keras.Input((6, 6, 4)), keras.Input((3,)), keras.Input((6, 6, 1))
    mixed = ConditionalConv2D(8, 3, experts=3)([image, shares])
    pooled = GlobalContextPooling2D()([image, mask])
    partial, _ = PartialConv2D(8, 3, padding="same")([image, mask])
    kernel = 9 * 4 * 8
    expected = (36 * kernel + 3 * kernel) + 36 * 4 + 36 * kernel
    assert count_multiply_adds(keras.Model([image, shares, mask], [mixed, pooled, partial]), None) == expected


def test_a_layer_that_is_used_twice_counts_twice():
    image, layer = keras.Input((None, None, 4)), layers.Conv2D(4, 1)
    assert count_multiply_adds(keras.Model(image, layer(layer(image))), 6) == 2 * 36 * 16


def test_there_is_no_number_for_any_size():
    image = keras.Input((None, None, 4))
    assert count_multiply_adds(keras.Model(image, layers.Conv2D(4, 1)(image)), None) is None


# Billions, from torchvision's `_ops`, which counts as the papers do; its networks are those.
PUBLISHED = {
    "convnext_tiny.fb_in1k": 4.456,
    "densenet121.tv_in1k": 2.834,
    "efficientnet_b0.ra_in1k": 0.386,
    "inception_v3.tv_in1k": 5.713,
    "mnasnet_100.rmsp_in1k": 0.314,
    "mobilenetv2_100.ra_in1k": 0.301,
    "mobilenetv3_large_100.ra_in1k": 0.217,
    "mobilenetv3_small_100.lamb_in1k": 0.057,
    "regnety_004.tv2_in1k": 0.402,
    "resnet18.tv_in1k": 1.814,
    "resnet50.tv_in1k": 4.089,
    "resnet152.tv_in1k": 11.514,
    "resnext50_32x4d.tv_in1k": 4.23,
    "vgg11.tv_in1k": 7.609,
    "vgg16_bn.tv_in1k": 15.47,
    "wide_resnet50_2.tv_in1k": 11.398,
}
# Billions, from timm's results (benchmark-infer-amp-nhwc-pt240-cu124-rtx4090.csv), which add normalisation: 0.5 to 3 %.
WITH_NORMALISATION = {
    "cs3darknet_focus_m.c2ns_in1k": 1.98,
    "dla34.in1k": 3.07,
    "ese_vovnet19b_dw.ra_in1k": 1.34,
    "ghostnetv2_100.in1k": 0.18,
    "hgnet_tiny.paddle_in1k": 4.54,
    "hrnet_w18_small.gluon_in1k": 1.61,
    "repvgg_a0.rvgg_in1k": 1.52,
    "repvit_m0_9.dist_300e_in1k": 0.83,
    "rexnet_100.nav_in1k": 0.41,
    "selecsls42b.in1k": 2.98,
    "skresnet18.ra_in1k": 1.82,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_table_says_what_is_published(name):
    assert multiply_adds_millions(name) == pytest.approx(
        1000 * PUBLISHED[name], rel=5e-4, abs=0.6
    )  # four digits of three


@pytest.mark.parametrize("name", WITH_NORMALISATION)
def test_the_table_says_nearly_what_timm_counts_with_normalisation(name):
    published = 1000 * WITH_NORMALISATION[name]
    assert 0.955 * published - 5 <= multiply_adds_millions(name) <= published + 5
