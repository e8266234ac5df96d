"""Counts what a network multiplies and adds, from the shapes of its maps; nothing is computed."""

import math
from typing import Any

import keras
from keras.src.layers.convolutional.base_conv import BaseConv
from keras.src.layers.convolutional.base_conv_transpose import BaseConvTranspose
from keras.src.layers.convolutional.base_depthwise_conv import BaseDepthwiseConv

from zoo.layers import Blur1D, Blur2D, Blur3D, ConditionalConv2D, EfficientChannelAttention, GlobalContextPooling2D


def count_multiply_adds(model: keras.Model, size: int | None) -> int | None:
    """Multiply-adds for one input whose sides are `size` wherever the model takes any; None where they stay unknown.

    As the papers count: those of convolutions, dense layers and products of matrices. Normalisation, activations,
    pooling and sums are left out.
    """
    shapes = [[1, *(size if side is None else side for side in tensor.shape[1:])] for tensor in model.inputs]
    if any(None in shape for shape in shapes):
        return None
    counts: list[int] = []

    def counted(operation: keras.Operation) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            outputs = operation.compute_output_spec(*args, **options)
            counts.append(_of_layer(operation, *_shapes(args)[:1], *_shapes(outputs)[:1]))
            return outputs

        return call

    model._run_through_graph([keras.KerasTensor(shape) for shape in shapes], operation_fn=counted)
    return sum(counts)


def _shapes(tensors: Any) -> list[tuple[int, ...]]:
    return [tensor.shape for tensor in keras.tree.flatten(tensors) if isinstance(tensor, keras.KerasTensor)]


def _of_layer(layer: Any, inputs: tuple[int, ...] = (), outputs: tuple[int, ...] = ()) -> int:
    """`inputs` and `outputs` are the shapes of the first tensors of each, channels last."""
    places = math.prod(outputs[1:-1])
    if isinstance(layer, BaseConv | BaseDepthwiseConv | keras.layers.Dense):
        return places * math.prod(layer.kernel.shape)
    if isinstance(layer, BaseConvTranspose):
        return math.prod(inputs[1:-1]) * math.prod(layer.kernel.shape)
    if isinstance(layer, ConditionalConv2D):  # each image mixes its own kernel first
        return places * layer.weight.shape[1] + math.prod(layer.weight.shape)
    if isinstance(layer, Blur1D | Blur2D | Blur3D):
        return places * outputs[-1] * layer.kernel_size**layer.rank
    if isinstance(layer, EfficientChannelAttention):
        return outputs[-1] * layer.kernel_size
    if isinstance(layer, GlobalContextPooling2D):
        return math.prod(inputs[1:])
    return 0
