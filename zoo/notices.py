"""What a person should know of a model before relying on it: said once, as a warning of the logger `zoo`."""

import functools
import logging

from zoo.printing import as_text
from zoo.registry import Entry

# Licences that allow research, or any non-commercial use, but no commercial one.
NON_COMMERCIAL = {
    "camvid-research-only",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-3.0",
    "fair-noncommercial-research-license",
}

logger = logging.getLogger("zoo")


def say(entry: Entry) -> None:
    """Warn of a checkpoint that must not be used commercially, and of layers that nobody has trained."""
    if entry.source is not None and entry.license in NON_COMMERCIAL:
        _once(
            f"{entry.name} is for non-commercial use only ({entry.license}); its card says more: zoo card {entry.name}"
        )
    if entry.random_layers and entry.random == "head":
        _once(f"{entry.name} begins with a pretrained trunk; its other layers are random until they are trained.")


@functools.cache
def _once(sentence: str) -> None:
    logger.warning(as_text(sentence))
