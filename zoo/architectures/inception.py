"""Inception-v3, Inception-v4 and Inception-ResNet-v2: branches with kernels of several shapes, concatenated.

Szegedy et al., 2015, https://arxiv.org/abs/1512.00567, figures 5 to 7 and 10, table 1 (v3); Szegedy et al., 2016,
https://arxiv.org/abs/1602.07261, figures 3 to 9 (v4) and 10 to 15 (ResNet-v2). Names as in timm.
"""

from functools import partial

from keras import layers

from zoo.architectures.blocks import batch_norm, classify


def conv(x, filters, kernel_size, *, strides=1, padding="same", name):
    """Convolution, normalisation, ReLU; what strides does not pad, as in the paper's "V"."""
    padding = "valid" if strides > 1 else padding
    x = layers.Conv2D(filters, kernel_size, strides=strides, padding=padding, use_bias=False, name=f"{name}-conv")(x)
    return layers.ReLU(name=f"{name}-act")(batch_norm(x, f"{name}-bn", epsilon=1e-3))


def max_pool(x, name):
    """3x3, stride 2, no padding."""
    return layers.MaxPooling2D(3, 2, name=name)(x)


def average_pool(x, name):
    """3x3, stride 1; at the edges the average of what is there."""
    return layers.AveragePooling2D(3, 1, padding="same", name=name)(x)


def zero_padded_average_pool(x, name):
    """The same with zeros around the map, which v3 counts in."""
    return layers.AveragePooling2D(3, 1, name=name)(layers.ZeroPadding2D(1, name=f"{name}-pad")(x))


def chain(x, steps, names):
    """Convolutions in a row; a step is `(filters, kernel size)`, strides as a third, or a function of `(x, name)`."""
    for step, name in zip(steps, names, strict=True):
        if callable(step):
            x = step(x, name)
        else:
            filters, kernel_size, *strides = step
            x = conv(x, filters, kernel_size, strides=strides[0] if strides else 1, name=name)
    return x


def mixed(x, branches, name):
    """Concatenate branches: the names of its steps → what they do, as `chain` says."""
    outputs = [chain(x, steps, [f"{name}-{part}" for part in names.split()]) for names, steps in branches.items()]
    return layers.Concatenate(name=f"{name}-concat")(outputs)


def fork(x, filters, names, name):
    """1x3 and 3x1 side by side. Inception-v3, figure 7; v4, figure 6."""
    ends = [conv(x, filters, size, name=f"{name}-{part}") for part, size in zip(names, [(1, 3), (3, 1)], strict=True)]
    return layers.Concatenate(name=f"{name}-{names[0]}-concat")(ends)


def v3_block_a(x, pool_filters, name):
    """Inception-v3, figure 5: 35x35."""
    branches = {
        "branch1x1": [(64, 1)],
        "branch5x5_1 branch5x5_2": [(48, 1), (64, 5)],
        "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3": [(64, 1), (96, 3), (96, 3)],
        "pool branch_pool": [zero_padded_average_pool, (pool_filters, 1)],
    }
    return mixed(x, branches, name)


def v3_block_c(x, width, name):
    """Inception-v3, figure 6: 17x17, kernels of 7x7 as 1x7 and 7x1."""
    long = " ".join(f"branch7x7dbl_{index}" for index in range(1, 6))
    branches = {
        "branch1x1": [(192, 1)],
        "branch7x7_1 branch7x7_2 branch7x7_3": [(width, 1), (width, (1, 7)), (192, (7, 1))],
        long: [(width, 1), (width, (7, 1)), (width, (1, 7)), (width, (7, 1)), (192, (1, 7))],
        "pool branch_pool": [zero_padded_average_pool, (192, 1)],
    }
    return mixed(x, branches, name)


def v3_block_e(x, name):
    """Inception-v3, figure 7: 8x8, kernels of 3x3 forked into 1x3 and 3x1."""
    first = conv(x, 384, 1, name=f"{name}-branch3x3_1")
    first = fork(first, 384, ["branch3x3_2a", "branch3x3_2b"], name)
    second = chain(x, [(448, 1), (384, 3)], [f"{name}-branch3x3dbl_1", f"{name}-branch3x3dbl_2"])
    second = fork(second, 384, ["branch3x3dbl_3a", "branch3x3dbl_3b"], name)
    pooled = conv(zero_padded_average_pool(x, f"{name}-pool"), 192, 1, name=f"{name}-branch_pool")
    outputs = [conv(x, 320, 1, name=f"{name}-branch1x1"), first, second, pooled]
    return layers.Concatenate(name=f"{name}-concat")(outputs)


def inception_v3(image, *, num_classes, features=False):
    """Wire table 1.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = conv(image, 32, 3, strides=2, name="Conv2d_1a_3x3")
    x = conv(x, 32, 3, padding="valid", name="Conv2d_2a_3x3")
    x = conv(x, 64, 3, name="Conv2d_2b_3x3")
    pyramid = {2: x}
    x = conv(max_pool(x, "Pool1"), 80, 1, name="Conv2d_3b_1x1")
    x = pyramid[4] = conv(x, 192, 3, padding="valid", name="Conv2d_4a_3x3")
    x = max_pool(x, "Pool2")
    for name, width in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)]:
        x = v3_block_a(x, width, name)
    pyramid[8] = x
    branches = {
        "branch3x3": [(384, 3, 2)],
        "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3": [(64, 1), (96, 3), (96, 3, 2)],
        "pool": [max_pool],
    }
    x = mixed(x, branches, "Mixed_6a")
    for name, width in [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)]:
        x = v3_block_c(x, width, name)
    pyramid[16] = x
    branches = {
        "branch3x3_1 branch3x3_2": [(192, 1), (320, 3, 2)],
        "branch7x7x3_1 branch7x7x3_2 branch7x7x3_3 branch7x7x3_4": [
            (192, 1),
            (192, (1, 7)),
            (192, (7, 1)),
            (192, 3, 2),
        ],
        "pool": [max_pool],
    }
    x = mixed(x, branches, "Mixed_7a")
    for name in ("Mixed_7b", "Mixed_7c"):
        x = v3_block_e(x, name)
    pyramid[32] = x
    return pyramid if features else classify(x, num_classes, "fc")


def v4_stem(x):
    """Inception-v4, figure 3. Returns the maps by stride."""
    x = conv(x, 32, 3, strides=2, name="features-0")
    x = conv(x, 32, 3, padding="valid", name="features-1")
    x = conv(x, 64, 3, name="features-2")
    maps = {2: x}
    x = maps[4] = mixed(x, {"maxpool": [max_pool], "conv": [(96, 3, 2)]}, "features-3")
    unpadded = partial(conv, filters=96, kernel_size=3, padding="valid")
    branches = {
        "branch0-0 branch0-1": [(64, 1), lambda x, name: unpadded(x, name=name)],
        "branch1-0 branch1-1 branch1-2 branch1-3": [
            (64, 1),
            (64, (1, 7)),
            (64, (7, 1)),
            lambda x, name: unpadded(x, name=name),
        ],
    }
    x = mixed(x, branches, "features-4")
    maps[8] = mixed(x, {"conv": [(192, 3, 2)], "maxpool": [max_pool]}, "features-5")
    return maps


V4_BLOCKS = {
    "A": {  # figure 4
        "branch0": [(96, 1)],
        "branch1-0 branch1-1": [(64, 1), (96, 3)],
        "branch2-0 branch2-1 branch2-2": [(64, 1), (96, 3), (96, 3)],
        "branch3-0 branch3-1": [average_pool, (96, 1)],
    },
    "reduction A": {  # figure 7
        "branch0": [(384, 3, 2)],
        "branch1-0 branch1-1 branch1-2": [(192, 1), (224, 3), (256, 3, 2)],
        "branch2": [max_pool],
    },
    "B": {  # figure 5
        "branch0": [(384, 1)],
        "branch1-0 branch1-1 branch1-2": [(192, 1), (224, (1, 7)), (256, (7, 1))],
        "branch2-0 branch2-1 branch2-2 branch2-3 branch2-4": [
            (192, 1),
            (192, (7, 1)),
            (224, (1, 7)),
            (224, (7, 1)),
            (256, (1, 7)),
        ],
        "branch3-0 branch3-1": [average_pool, (128, 1)],
    },
    "reduction B": {  # figure 8
        "branch0-0 branch0-1": [(192, 1), (192, 3, 2)],
        "branch1-0 branch1-1 branch1-2 branch1-3": [(256, 1), (256, (1, 7)), (320, (7, 1)), (320, 3, 2)],
        "branch2": [max_pool],
    },
}


def v4_block_c(x, name):
    """Inception-v4, figure 6."""
    first = conv(x, 384, 1, name=f"{name}-branch1_0")
    first = fork(first, 256, ["branch1_1a", "branch1_1b"], name)
    names = [f"{name}-branch2_{index}" for index in range(3)]
    second = chain(x, [(384, 1), (448, (3, 1)), (512, (1, 3))], names)
    second = fork(second, 256, ["branch2_3a", "branch2_3b"], name)
    pooled = conv(average_pool(x, f"{name}-branch3-0"), 256, 1, name=f"{name}-branch3-1")
    outputs = [conv(x, 256, 1, name=f"{name}-branch0"), first, second, pooled]
    return layers.Concatenate(name=f"{name}-concat")(outputs)


def inception_v4(image, *, num_classes, features=False):
    """Wire figure 9: 4 A, 7 B and 3 C, with a reduction before B and before C.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    pyramid = v4_stem(image)
    x = pyramid[8]
    for index, kind in enumerate([*"AAAA", "reduction A", *"BBBBBBB", "reduction B", *"CCC"], start=6):
        name = f"features-{index}"
        if kind.startswith("reduction"):
            pyramid[8 if kind.endswith("A") else 16] = x
        x = v4_block_c(x, name) if kind == "C" else mixed(x, V4_BLOCKS[kind], name)
    pyramid[32] = x
    return pyramid if features else classify(x, num_classes, "last_linear")


RESIDUAL_BLOCKS = {
    "A": {  # figure 16
        "branch0": [(32, 1)],
        "branch1-0 branch1-1": [(32, 1), (32, 3)],
        "branch2-0 branch2-1 branch2-2": [(32, 1), (48, 3), (64, 3)],
    },
    "B": {  # figure 17
        "branch0": [(192, 1)],
        "branch1-0 branch1-1 branch1-2": [(128, 1), (160, (1, 7)), (192, (7, 1))],
    },
    "C": {  # figure 19
        "branch0": [(192, 1)],
        "branch1-0 branch1-1 branch1-2": [(192, 1), (224, (1, 3)), (256, (3, 1))],
    },
}


def residual(x, kind, scale, name, activate=True):
    """Figures 16, 17 and 19: branches, mixed by a 1x1 and scaled down, are added to the input."""
    y = mixed(x, RESIDUAL_BLOCKS[kind], name)
    y = layers.Conv2D(x.shape[-1], 1, name=f"{name}-conv2d")(y)
    y = layers.Rescaling(scale, name=f"{name}-scale")(y)
    x = layers.Add(name=f"{name}-add")([x, y])
    return layers.ReLU(name=f"{name}-act")(x) if activate else x


def inception_resnet_v2(image, *, num_classes, features=False):
    """Wire figure 15: 10 A, 20 B and 10 C, with a reduction before B and before C.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = conv(image, 32, 3, strides=2, name="conv2d_1a")
    x = conv(x, 32, 3, padding="valid", name="conv2d_2a")
    x = conv(x, 64, 3, name="conv2d_2b")
    pyramid = {2: x}
    x = conv(max_pool(x, "maxpool_3a"), 80, 1, name="conv2d_3b")
    x = pyramid[4] = conv(x, 192, 3, padding="valid", name="conv2d_4a")
    branches = {
        "branch0": [(96, 1)],
        "branch1-0 branch1-1": [(48, 1), (64, 5)],
        "branch2-0 branch2-1 branch2-2": [(64, 1), (96, 3), (96, 3)],
        "branch3-0 branch3-1": [average_pool, (64, 1)],
    }
    x = mixed(max_pool(x, "maxpool_5a"), branches, "mixed_5b")
    for index in range(10):
        x = residual(x, "A", 0.17, f"repeat-{index}")
    pyramid[8] = x
    branches = {
        "branch0": [(384, 3, 2)],
        "branch1-0 branch1-1 branch1-2": [(256, 1), (256, 3), (384, 3, 2)],
        "branch2": [max_pool],
    }
    x = mixed(x, branches, "mixed_6a")
    for index in range(20):
        x = residual(x, "B", 0.1, f"repeat_1-{index}")
    pyramid[16] = x
    branches = {
        "branch0-0 branch0-1": [(256, 1), (384, 3, 2)],
        "branch1-0 branch1-1": [(256, 1), (288, 3, 2)],
        "branch2-0 branch2-1 branch2-2": [(256, 1), (288, 3), (320, 3, 2)],
        "branch3": [max_pool],
    }
    x = mixed(x, branches, "mixed_7a")
    for index in range(9):
        x = residual(x, "C", 0.2, f"repeat_2-{index}")
    x = residual(x, "C", 1.0, "block8", activate=False)
    x = pyramid[32] = conv(x, 1536, 1, name="conv2d_7b")
    return pyramid if features else classify(x, num_classes, "classif")
