"""The decoders that there are, as in `zoo/architectures/decoders/`. It imports nothing."""

from typing import Literal, get_args

DecoderName = Literal["fpn", "unet"]
DECODER_NAMES: tuple[str, ...] = get_args(DecoderName)
