"""The decoders that there are, as in `zoo/architectures/decoders/`. It imports nothing but names."""

from typing import Literal, get_args

from zoo.catalogue.task_names import TaskName

DecoderName = Literal[
    "deeplabv3",
    "deeplabv3plus",
    "efficientdet",
    "fcn",
    "fcos",
    "fpn",
    "retinanet",
    "segnet",
    "unet",
    "upernet",
    "yolox",
]
DECODER_NAMES: tuple[str, ...] = get_args(DecoderName)
DETECTORS = ("efficientdet", "fcos", "retinanet", "yolox")  # those that find objects; the others give a class per pixel
# Options that every decoder takes, with the most that they may come to: which maps of the pyramid it sees, how much
# smaller than the image the logits are, and what the image's sides are padded to multiples of.
OF_ALL = {"strides": (2, 4, 8, 16, 32), "logits_stride": 32, "pad_to": 32}
# Of detectors by decoder or builder: the boxes of a place that the layer called `classifier` scores.
BOXES_PER_PLACE = {"efficientdet": 9, "retinanet": 9, "ssd.ssd": 4}
EVENLY_HALVED = 32  # a multiple of this is halved five times without a rest


def task_of(decoder: str) -> TaskName:
    """What a model with this decoder is for."""
    return "object-detection" if decoder in DETECTORS else "semantic-segmentation"
