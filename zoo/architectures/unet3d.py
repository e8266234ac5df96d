"""U-Net for volumes. Çiçek et al., 2016, https://arxiv.org/abs/1606.06650, figure 2.

Three choices of ours: the input is photon counts, and the network brings them into its own unit; the convolutions are
padded, so that the output is as large as the volume, and any size will do; and there are fewer channels.
"""

from collections.abc import Sequence
from typing import Any

from keras import initializers, layers, ops

from zoo.architectures.blocks import batch_norm
from zoo.layers import CropLike3D

RARE = -4.0  # before training, 2 % of the voxels are what is sought


def normalized(counts: Any) -> Any:
    """Photon counts to about 1, whatever the dose. The shape stays, `(b, d, h, w, 1)`.

    Less than none is taken for none. The square root, of 3/8 more, makes the noise alike at all counts: Anscombe, 1948,
    https://doi.org/10.2307/2332343.
    """
    counts = ops.maximum(counts, 0.0) + 0.375
    return ops.sqrt(counts / ops.mean(counts, axis=(1, 2, 3, 4), keepdims=True))


def convolution(x: Any, filters: int, name: str) -> Any:
    """3 x 3 x 3, normalised: `(b, d, h, w, c) -> (b, d, h, w, filters)`"""
    options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    x = layers.Conv3D(filters, 3, **options, name=f"{name}-conv")(x)
    return layers.ReLU(name=f"{name}-relu")(batch_norm(x, f"{name}-bn"))


def ascend(x: Any, skip: Any, filters: int, name: str) -> Any:
    """Twice as large, as `skip` is, and joined with it: `(b, d, h, w, c) -> (b, 2d, 2h, 2w, filters)`"""
    x = layers.Conv3DTranspose(x.shape[-1], 2, strides=2, kernel_initializer="he_normal", name=f"{name}-up")(x)
    x = CropLike3D(0, name=f"{name}-crop")([x, skip])  # an odd side was rounded up on the way down
    x = layers.Concatenate(name=f"{name}-skip")([skip, x])
    return convolution(convolution(x, filters, f"{name}-0"), filters, f"{name}-1")


def unet3d(counts: Any, *, filters: Sequence[int] = (16, 32, 64)) -> Any:
    """Find what is sought in a volume, voxel by voxel.

    Args:
        counts: Photons counted, from 0, `(batch, depth, height, width, 1)`, at least 1 x 1 x 1.
        filters: Channels at each level, from the whole size down, twice smaller each; as in the paper the first of a
            level's two convolutions has half of them.

    Returns:
        A logit for each voxel, `(batch, depth, height, width, 1)`; above 0 it is found.
    """
    x, skips = normalized(counts), []
    for level, width in enumerate(filters):
        if level > 0:
            skips.append(x)
            x = layers.MaxPooling3D(2, padding="same", name=f"down{level}-pool")(x)
        x = convolution(convolution(x, width // 2, f"down{level}-0"), width, f"down{level}-1")
    for level in reversed(range(len(skips))):
        x = ascend(x, skips[level], filters[level], f"up{level}")
    return layers.Conv3D(1, 1, bias_initializer=initializers.Constant(RARE), name="logits")(x)
