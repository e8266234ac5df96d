"""The decoders that there are, as in `zoo/architectures/decoders/`. It imports nothing."""

from typing import Literal, get_args

DecoderName = Literal["deeplabv3", "deeplabv3plus", "fcn", "fpn", "segnet", "unet", "upernet"]
DECODER_NAMES: tuple[str, ...] = get_args(DecoderName)
# Options that every decoder takes, with the most that they may come to: which maps of the pyramid it sees.
OF_ALL = {"strides": (2, 4, 8, 16, 32), "logits_stride": 32}
