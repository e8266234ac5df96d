"""OpenVINO files in 8 bits, by NNCF's post-training quantization; its accuracy control keeps what hurts in float32."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.export.converted import runtime
from zoo.export.opened import ExportedModel
from zoo.export.to_openvino import FILE, answering, openvino
from zoo.model import ZooModel

os.environ.setdefault("NNCF_CI", "1")  # NNCF reports its use to its makers; so its own tests switch that off
_COMPARED = 16  # images, to find out which layers are hurt
_LAYERS = ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "MatMul")  # operations with weights


def candidates(
    model: ZooModel,
    place: Path,
    images: Sequence[np.ndarray],
    *,
    metric: Callable[[ExportedModel], float],
    least: float,
) -> Iterator[tuple[list[str], Callable[[ZooModel, Path], None]]]:
    """What writes a file in 8 bits into a folder, each with the layers that stay in float32: first none of them, then
    those that NNCF's accuracy control finds, up to half of all.

    Args:
        model: The model.
        place: A folder for files on the way.
        images: Prepared ones, of which the ranges are taken.
        metric: What may fall, of an export in OpenVINO.
        least: To what.
    """
    nncf, library = runtime("nncf", "openvino"), runtime("openvino", "openvino")
    exact = openvino(model, place, version=1, allow_random=True)
    judged, count = ExportedModel(exact), len(images)

    def network() -> Any:
        return library.Core().read_model(str(exact / FILE))

    def validated(compiled: Any, items: Any) -> tuple[float, list[list[np.ndarray]]]:
        answer = answering(compiled)
        outputs = [list(answer(image).values()) for image in items]  # by which NNCF ranks the layers
        judged.answer = answer
        return metric(judged), outputs

    dataset = nncf.Dataset([image[None].astype("float32") for image in images])
    # Weights in half of the range: processors without VNNI add two products in 16 bits, which whole ones overflow.
    halved = nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE)
    options = {"subset_size": count, "preset": nncf.QuantizationPreset.MIXED}
    with _quietly():
        rounded = nncf.quantize(network(), dataset, advanced_parameters=halved, **options)
    yield [], _writing(rounded)
    some = nncf.Dataset([image[None].astype("float32") for image in images[:: -(-count // _COMPARED)]])
    max_drop = max(0.0, metric(ExportedModel(exact)) - least)
    with _quietly():
        rounded = nncf.quantize_with_accuracy_control(
            network(),
            dataset,
            some,
            validated,
            max_drop=max_drop,
            advanced_quantization_parameters=halved,
            **options,
        )
    kept = _in_float32(rounded)
    if len(kept) <= len([node for node in rounded.get_ops() if node.get_type_name() in _LAYERS]) / 2:
        yield kept, _writing(rounded)


def _in_float32(network: Any) -> list[str]:
    """The layers of an OpenVINO network whose weights are not stored in 8 bits, by all names that they go by."""
    found = []
    for node in network.get_ordered_ops():
        weights = _weights(node) if node.get_type_name() in _LAYERS else None
        if weights is not None and weights.get_element_type().get_type_name() not in ("i8", "u8"):
            names = (node.get_friendly_name(), *node.output(0).get_names(), weights.get_friendly_name())
            found.append("/".join(names))
    return found


def _weights(node: Any) -> Any | None:
    """The constant that holds the weights of a layer; None where both of its inputs are computed."""
    source = node.input_value(1).get_node()
    while source.get_type_name() != "Constant":
        if source.get_input_size() == 0:
            return None
        source = source.input_value(0).get_node()
    return source


def _writing(network: Any) -> Callable[[ZooModel, Path], None]:
    def write(model: ZooModel, folder: Path) -> None:
        runtime("openvino", "openvino").save_model(network, str(folder / FILE), compress_to_fp16=False)

    return write


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """NNCF writes its progress to stdout, which is for what was asked for."""
    logging.getLogger("nncf").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(sys.stderr):
        yield
