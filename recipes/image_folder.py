"""Where the scripts that draw the images of cards write them."""

import argparse
from pathlib import Path


def image_folder(description: str | None) -> Path:
    """The folder that `--output` names, by default that of the cards; `description` is the script's docstring."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("MODEL_CARDS"), help="folder of the image")
    return parser.parse_args().output
