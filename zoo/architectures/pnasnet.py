"""PNASNet-5: a cell of five sums of two operations each, found block by block, and stacked.

Liu et al., 2017, https://arxiv.org/abs/1712.00559, figure 1; the stack is figure 2 of
https://arxiv.org/abs/1707.07012. Names as in timm.
"""

from functools import partial

from keras import layers

from zoo.architectures.blocks import batch_norm, classify


def norm(x, name):
    """Normalisation as in TensorFlow's networks."""
    return batch_norm(x, name, epsilon=1e-3)


def activate(x, name):
    """ReLU."""
    return layers.ReLU(name=f"{name}-act")(x)


def pointwise(x, filters, strides, name):
    """1x1 of what is activated, normalisation."""
    x = layers.Conv2D(filters, 1, strides=strides, padding="same", use_bias=False, name=f"{name}-conv")(x)
    return norm(x, f"{name}-bn")


def separable(x, filters, kernel_size, strides, name, middle=None):
    """Twice ReLU, depthwise, 1x1, normalisation; `middle` channels between, by default as many as come in."""
    for index, (width, step) in enumerate([(middle or x.shape[-1], strides), (filters, 1)], 1):
        x = layers.ReLU(name=f"{name}-act_{index}")(x)
        part = f"{name}-separable_{index}"
        depthwise = layers.DepthwiseConv2D(
            kernel_size, strides=step, padding="same", use_bias=False, name=f"{part}-depthwise_conv2d"
        )
        x = layers.Conv2D(width, 1, use_bias=False, name=f"{part}-pointwise_conv2d")(depthwise(x))
        x = norm(x, f"{name}-bn_sep_{index}")
    return x


def factorized_reduction(x, filters, name):
    """Two 1x1 of stride 2 of what is activated, the second one row and one column further, concatenated."""
    shifted = layers.Cropping2D(((1, 0), (1, 0)), name=f"{name}-path_2-crop")(x)
    shifted = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}-path_2-pad")(shifted)
    paths = [
        layers.Conv2D(filters // 2, 1, strides=2, use_bias=False, name=f"{name}-path_{index}-conv")(each)
        for index, each in enumerate((x, shifted), 1)
    ]
    return norm(layers.Concatenate(name=f"{name}-concat")(paths), f"{name}-final_path_bn")


def max_pool(x, strides, name):
    """3x3."""
    return layers.MaxPooling2D(3, strides, padding="same", name=name)(x)


def cell(left, right, filters, strides, name, *, first=False):
    """Figure 1, from the two last outputs. In the `first`, the stem's, the left one has not yet `filters` channels."""
    combination = f"{name}-comb_iter"
    middle = filters if first else None
    narrowed = max_pool(left, strides, f"{combination}_0_right" + ("-max_pool" if first else ""))
    if first:
        narrowed = layers.Conv2D(filters, 1, use_bias=False, name=f"{combination}_0_right-conv")(narrowed)
        narrowed = norm(narrowed, f"{combination}_0_right-bn")
    last = right
    if strides > 1:
        last = pointwise(activate(right, f"{combination}_4_right"), filters, strides, f"{combination}_4_right")
    third = layers.Add(name=f"{combination}_2")(
        [
            separable(right, filters, 5, strides, f"{combination}_2_left"),
            separable(right, filters, 3, strides, f"{combination}_2_right"),
        ]
    )
    pairs = {
        0: [separable(left, filters, 5, strides, f"{combination}_0_left", middle), narrowed],
        1: [
            separable(right, filters, 7, strides, f"{combination}_1_left"),
            max_pool(right, strides, f"{combination}_1_right"),
        ],
        3: [
            separable(third, filters, 3, 1, f"{combination}_3_left"),
            max_pool(right, strides, f"{combination}_3_right"),
        ],
        4: [separable(left, filters, 3, strides, f"{combination}_4_left", middle), last],
    }
    sums = {index: layers.Add(name=f"{combination}_{index}")(pair) for index, pair in pairs.items()} | {2: third}
    return layers.Concatenate(name=f"{name}-concat")([sums[index] for index in range(5)])


def stacked(left, right, filters, strides, halved, name):
    """A cell whose inputs are brought to `filters` channels and, where the right one was `halved`, to its size.

    Returns its output and the right one, activated.
    """
    right = activate(right, f"{name}-conv_1x1")
    left = activate(left, f"{name}-conv_prev_1x1")
    match = factorized_reduction if halved else partial(pointwise, strides=1)
    left = match(left, filters, name=f"{name}-conv_prev_1x1")
    return cell(left, pointwise(right, filters, 1, f"{name}-conv_1x1"), filters, strides, name), right


def pnasnet(image, *, num_classes, filters=216, depth=4, stem_filters=96, features=False):
    """Wire two cells of the stem and three stages of `depth` cells; `filters` are those of the first stage.

    Returns logits `(batch, num_classes)`; pooled features for 0 classes; with `features` the maps by stride, 2 to 32.
    """
    x = layers.Conv2D(stem_filters, 3, strides=2, use_bias=False, name="conv_0-conv")(image)
    previous = norm(x, "conv_0-bn")
    pyramid, stride = {2: previous}, 4
    narrow = pointwise(activate(previous, "cell_stem_0-conv_1x1"), filters // 4, 1, "cell_stem_0-conv_1x1")
    x = cell(previous, narrow, filters // 4, 2, "cell_stem_0", first=True)
    plan = [("cell_stem_1", filters // 2, 2)]
    for index in range(3 * depth):
        stage, place = divmod(index, depth)
        plan.append((f"cell_{index}", filters * 2**stage, 2 if stage > 0 and place == 0 else 1))
    halved = True
    for name, width, strides in plan:
        previous, (x, activated) = x, stacked(previous, x, width, strides, halved, name)
        halved = strides == 2
        if halved:
            pyramid[stride] = activated
            stride *= 2
    pyramid[stride] = layers.ReLU(name="act")(x)
    return pyramid if features else classify(pyramid[stride], num_classes, "last_linear")
