"""RDNet: DenseNet with what was learned since: fewer, wider blocks of ConvNeXt's kind, concatenated.

Kim et al., 2024, https://arxiv.org/abs/2403.19588, figure 2 and table 2. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import depthwise_conv2d, effective_squeeze_excite
from zoo.layers import LayerScale


def normalize(x, name):
    """Normalise each position over its channels."""
    return layers.LayerNormalization(epsilon=1e-6, name=name)(x)


def block(x, growth, squeeze, name):
    """Depthwise 7x7, four times wider, then `growth` channels, weighed and scaled."""
    part = f"{name}-layers-layers"
    width = 4 * x.shape[-1] // 8 * 8
    x = normalize(depthwise_conv2d(x, 7, use_bias=True, name=f"{part}-0"), f"{part}-1")
    x = layers.Conv2D(width, 1, activation="gelu", name=f"{part}-2")(x)
    x = layers.Conv2D(growth, 1, name=f"{part}-4")(x)
    if squeeze:
        x = effective_squeeze_excite(x, f"{part}-5-fc")
    return LayerScale(name=name)(x)


def transition(x, strides, name):
    """Halve the channels and, with strides of 2, the map."""
    filters = x.shape[-1] // 2 // 8 * 8
    return layers.Conv2D(filters, strides, strides=strides, name=f"{name}-1")(normalize(x, f"{name}-0"))


def rdnet(image, *, num_classes, stem_filters, growths, strides, features=False):
    """Wire stages of three blocks that append `growths` channels each; `strides` are those of the transition before.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 4 to 32.
    """
    x = normalize(layers.Conv2D(stem_filters, 4, strides=4, name="stem-0")(image), "stem-1")
    pyramid, stride = {}, 4
    for stage, (growth, step) in enumerate(zip(growths, strides, strict=True)):
        name = f"dense_stages-{stage}"
        if stage > 0:
            x = transition(x, step, name)
            stride *= step
            name = f"{name}-2"
        else:
            name = f"{name}-0"
        outputs = [x]
        for index in range(3):
            joined = layers.Concatenate(name=f"{name}-concat{index}")(outputs) if index else x
            outputs.append(block(joined, growth, stage >= 2, f"{name}-dense_block{index}"))
        x = pyramid[stride] = layers.Concatenate(name=f"{name}-concat")(outputs)
    if features:
        return pyramid
    x = normalize(layers.GlobalAveragePooling2D(name="global_pool")(x), "head-norm")
    return layers.Dense(num_classes, name="head-fc")(x) if num_classes else x
