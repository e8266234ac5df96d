"""The decoders that there are, as in `zoo/architectures/decoders/`. It imports nothing."""

from typing import Literal, get_args

DecoderName = Literal["deeplabv3", "deeplabv3plus", "fcn", "fpn", "segnet", "unet", "upernet"]
DECODER_NAMES: tuple[str, ...] = get_args(DecoderName)
# Options that every decoder takes, with the most that they may come to: which maps of the pyramid it sees, how much
# smaller than the image the logits are, and what the image's sides are padded to multiples of.
OF_ALL = {"strides": (2, 4, 8, 16, 32), "logits_stride": 32, "pad_to": 32}
EVENLY_HALVED = 32  # a multiple of this is halved five times without a rest
