"""Keras layers, one concept per file. Nothing here knows models, files or tasks, and all run on every backend."""

# ruff: noqa: E402 (the backend is asked for before Keras is imported)
from zoo.backend import check_backend

check_backend()

from zoo.layers.add_coords import AddCoords1D, AddCoords2D, AddCoords3D
from zoo.layers.anchor_boxes import AnchorBoxes
from zoo.layers.average_to import AverageTo2D
from zoo.layers.best_boxes import BestBoxes
from zoo.layers.bicubic_upsampling import BicubicUpSampling2D
from zoo.layers.bilinear_interpolation import BilinearInterpolation
from zoo.layers.bilinear_like import BilinearLike2D
from zoo.layers.bilinear_upsampling import BilinearUpSampling2D
from zoo.layers.blur import Blur1D, Blur2D, Blur3D
from zoo.layers.centered_max_pooling import CenteredMaxPooling2D
from zoo.layers.conditional_conv import ConditionalConv2D
from zoo.layers.crop_like import CropLike, CropLike3D
from zoo.layers.decode_boxes import DecodeBoxes
from zoo.layers.depthwise_conv import DepthwiseConv2D, GlorotUniformPerChannel
from zoo.layers.diffusion_fill import DiffusionFill1D, DiffusionFill2D, DiffusionFill3D
from zoo.layers.efficient_channel_attention import EfficientChannelAttention
from zoo.layers.evo_norm import EvoNorm2D
from zoo.layers.fast_normalized_fusion import FastNormalizedFusion
from zoo.layers.fused_batch_normalization import FusedBatchNormalization
from zoo.layers.global_context import GlobalContextPooling2D
from zoo.layers.global_response_norm import GlobalResponseNorm
from zoo.layers.layer_scale import LayerScale
from zoo.layers.learnable_affine import LearnableAffine
from zoo.layers.max_pooling_with_argmax import MaxPoolingWithArgmax1D, MaxPoolingWithArgmax2D, MaxPoolingWithArgmax3D
from zoo.layers.max_unpooling import MaxUnpooling1D, MaxUnpooling2D, MaxUnpooling3D
from zoo.layers.minimum_size import MinimumSize2D
from zoo.layers.nearest_like import NearestLike2D
from zoo.layers.non_maximum_suppression import NonMaximumSuppression
from zoo.layers.pad_to_multiple import PadToMultiple2D
from zoo.layers.partial_conv import PartialConv1D, PartialConv2D, PartialConv3D
from zoo.layers.pixel_shuffle import PixelShuffle2D
from zoo.layers.scaled_standardized_conv import ScaledStandardizedConv2D
from zoo.layers.scaled_unit_normalization import ScaledUnitNormalization
from zoo.layers.simple_norm import SimpleNorm
from zoo.layers.skip_init import SkipInit
from zoo.layers.sparse_conv import SparseConv1D, SparseConv2D, SparseConv3D
from zoo.layers.standardized_conv import StandardizedConv2D
from zoo.layers.star_relu import StarReLU
from zoo.layers.zero_padded_average_pooling import ZeroPaddedAveragePooling2D

__all__ = [
    "AddCoords1D",
    "AddCoords2D",
    "AddCoords3D",
    "AnchorBoxes",
    "AverageTo2D",
    "BestBoxes",
    "BicubicUpSampling2D",
    "BilinearInterpolation",
    "BilinearLike2D",
    "BilinearUpSampling2D",
    "Blur1D",
    "Blur2D",
    "Blur3D",
    "CenteredMaxPooling2D",
    "ConditionalConv2D",
    "CropLike",
    "CropLike3D",
    "DecodeBoxes",
    "DepthwiseConv2D",
    "DiffusionFill1D",
    "DiffusionFill2D",
    "DiffusionFill3D",
    "EfficientChannelAttention",
    "EvoNorm2D",
    "FastNormalizedFusion",
    "FusedBatchNormalization",
    "GlobalContextPooling2D",
    "GlobalResponseNorm",
    "GlorotUniformPerChannel",
    "LayerScale",
    "LearnableAffine",
    "MaxPoolingWithArgmax1D",
    "MaxPoolingWithArgmax2D",
    "MaxPoolingWithArgmax3D",
    "MaxUnpooling1D",
    "MaxUnpooling2D",
    "MaxUnpooling3D",
    "MinimumSize2D",
    "NearestLike2D",
    "NonMaximumSuppression",
    "PadToMultiple2D",
    "PartialConv1D",
    "PartialConv2D",
    "PartialConv3D",
    "PixelShuffle2D",
    "ScaledStandardizedConv2D",
    "ScaledUnitNormalization",
    "SimpleNorm",
    "SkipInit",
    "SparseConv1D",
    "SparseConv2D",
    "SparseConv3D",
    "StandardizedConv2D",
    "StarReLU",
    "ZeroPaddedAveragePooling2D",
]
