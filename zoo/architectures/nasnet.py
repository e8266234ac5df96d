"""NASNet-A: two cells that a search found, one that keeps the size of the map and one that halves it, stacked.

Zoph et al., 2017, https://arxiv.org/abs/1707.07012, figures 2 and 4. Names as in timm.
"""

from keras import layers

from zoo.architectures.blocks import classify
from zoo.architectures.pnasnet import activate, factorized_reduction, max_pool, norm, pointwise, separable
from zoo.layers import ZeroPaddedAveragePooling2D


def average_pool(x, strides, name):
    """3x3; at the edges of what is there, but where it strides the weights were converted for zeros that count."""
    if strides == 1:
        return layers.AveragePooling2D(3, 1, padding="same", name=name)(x)
    return ZeroPaddedAveragePooling2D(3, strides, name=name)(x)


def normal(x, previous, filters, name):
    """Figure 4, left: five sums and the output of the cell before the last."""
    part = f"{name}-comb_iter"
    smoothed = average_pool(previous, 1, f"{part}_3_left")
    pairs = [
        (separable(x, filters, 5, 1, f"{part}_0_left"), separable(previous, filters, 3, 1, f"{part}_0_right")),
        (separable(previous, filters, 5, 1, f"{part}_1_left"), separable(previous, filters, 3, 1, f"{part}_1_right")),
        (average_pool(x, 1, f"{part}_2_left"), previous),
        (smoothed, smoothed),
        (separable(x, filters, 3, 1, f"{part}_4_left"), x),
    ]
    sums = [layers.Add(name=f"{part}_{index}")(pair) for index, pair in enumerate(pairs)]
    return layers.Concatenate(name=f"{part}_concat")([previous, *sums])


def reduction(x, previous, filters, name, middle=None):
    """Figure 4, right: five sums, of which the first one enters two others and is not an output itself."""
    part = f"{name}-comb_iter"
    far = {
        index: separable(previous, filters, size, 2, f"{part}_{index}_right", middle)
        for index, size in enumerate((7, 7, 5))
    }
    first = layers.Add(name=f"{part}_0")([separable(x, filters, 5, 2, f"{part}_0_left"), far[0]])
    second = layers.Add(name=f"{part}_1")([max_pool(x, 2, f"{part}_1_left"), far[1]])
    third = layers.Add(name=f"{part}_2")([average_pool(x, 2, f"{part}_2_left"), far[2]])
    fourth = layers.Add(name=f"{part}_3")([average_pool(first, 1, f"{part}_3_right"), second])
    fifth = layers.Add(name=f"{part}_4")(
        [separable(first, filters, 3, 1, f"{part}_4_left"), max_pool(x, 2, f"{part}_4_right")]
    )
    return layers.Concatenate(name=f"{part}_concat")([second, third, fourth, fifth])


def narrowed(x, filters, name):
    """1x1 of what is activated."""
    return pointwise(activate(x, name), filters, 1, name)


def nasnet(image, *, num_classes, filters=168, depth=6, stem_filters=96, features=False):
    """Wire the stem's two halving cells and three stages of `depth` normal ones, each stage but the first halved.

    `filters` are those of the first stage. Returns logits `(batch, num_classes)`; pooled features for 0 classes; with
    `features` the maps by stride, 2 to 32.
    """
    x = layers.Conv2D(stem_filters, 3, strides=2, use_bias=False, name="conv0-conv")(image)
    stem = norm(x, "conv0-bn")
    quarter = filters // 4
    previous = reduction(narrowed(stem, quarter, "cell_stem_0-conv_1x1"), stem, quarter, "cell_stem_0", middle=quarter)
    pyramid = {2: stem, 4: activate(previous, "cell_stem_1-conv_1x1")}
    x = pointwise(pyramid[4], filters // 2, 1, "cell_stem_1-conv_1x1")
    matched = factorized_reduction(activate(stem, "cell_stem_1"), filters // 2, "cell_stem_1")
    x = reduction(x, matched, filters // 2, "cell_stem_1")
    for stage in range(3):
        width = filters * 2**stage
        if stage > 0:
            name = f"reduction_cell_{stage - 1}"
            pyramid[4 * 2**stage] = activate(x, f"{name}-conv_1x1")
            right = pointwise(pyramid[4 * 2**stage], width, 1, f"{name}-conv_1x1")
            x = reduction(right, narrowed(previous, width, f"{name}-conv_prev_1x1"), width, name)
        for index in range(depth):
            name = f"cell_{depth * stage + index}"
            if index == 0:  # what comes from before the halving
                matched = factorized_reduction(activate(previous, name), width, name)
            else:
                matched = narrowed(previous, width, f"{name}-conv_prev_1x1")
            x, previous = normal(narrowed(x, width, f"{name}-conv_1x1"), matched, width, name), x
    pyramid[32] = layers.ReLU(name="act")(x)
    return pyramid if features else classify(pyramid[32], num_classes, "last_linear")
