"""Keras layers, one concept a file."""

from zoo.layers.bicubic_upsampling import BicubicUpSampling2D
from zoo.layers.blur import Blur1D, Blur2D, Blur3D
from zoo.layers.pixel_shuffle import PixelShuffle2D

__all__ = [
    "BicubicUpSampling2D",
    "Blur1D",
    "Blur2D",
    "Blur3D",
    "PixelShuffle2D",
]
