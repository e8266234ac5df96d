"""EDSR, the baseline. Lim et al., 2017, https://arxiv.org/abs/1707.02921, figure 3 and table 1, left.

Names as in https://github.com/eugenesiow/super-image. Its files contain the shift of the mean (`sub_mean`, `add_mean`),
which its networks do not apply: images go in and come out in [0, 1].
"""

from keras import layers

from zoo.layers import PixelShuffle2D


def conv(x, filters, name):
    """`(batch, h, w, c) -> (batch, h, w, filters)`"""
    return layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal", name=name)(x)


def block(x, name):
    """Figure 2, right: two convolutions and no batch normalisation, added to the input."""
    residual = conv(x, x.shape[-1], f"{name}-body-0")
    residual = layers.ReLU(name=f"{name}-body-1")(residual)
    residual = conv(residual, x.shape[-1], f"{name}-body-2")
    return layers.Add(name=f"{name}-add")([x, residual])


def upsample(x, scale, name):
    """Figure 3, upper right: `(batch, h, w, c) -> (batch, scale * h, scale * w, c)`, for 4 in two steps of 2."""
    filters = x.shape[-1]
    for step, size in enumerate([2, 2] if scale == 4 else [scale]):
        x = conv(x, filters * size**2, f"{name}-{2 * step}")
        x = PixelShuffle2D(size, channel_order="pytorch", name=f"{name}-{2 * step + 1}")(x)
    return x


def edsr(image, *, scale, depth=16, filters=64):
    """Enlarge RGB images in [0, 1] `scale` times, 2, 3 or 4, with `depth` blocks of `filters` channels.

    Returns RGB in [0, 255], `(batch, scale * height, scale * width, 3)`, not clipped.
    """
    x = shallow = conv(image, filters, "head-0")
    for index in range(depth):
        x = block(x, f"body-{index}")
    x = conv(x, filters, f"body-{depth}")
    x = layers.Add(name="body-add")([shallow, x])
    x = upsample(x, scale, "tail-0")
    x = conv(x, image.shape[-1], "tail-1")
    return layers.Rescaling(255.0, name="pixels")(x)
