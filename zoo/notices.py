"""What a person should know of a model before relying on it: said once, as a warning of the logger `zoo`."""

import functools
import logging

from zoo.licensing import is_non_commercial
from zoo.printing import as_text
from zoo.registry import Entry

logger = logging.getLogger("zoo")


def say(entry: Entry) -> None:
    """Warn of a checkpoint that must not be used commercially, and of layers that nobody has trained."""
    bound = [license for license in (entry.license, entry.base and entry.base.license) if license]
    if restricted := next(filter(is_non_commercial, bound), None):
        more = f": zoo card {entry.name}" if entry.source else ", README.md beside it"
        _once(f"{entry.name} is for non-commercial use only ({restricted}); its card says more{more}")
    if entry.random_layers and entry.random == "head":
        _once(f"{entry.name} begins with a pretrained trunk; its other layers are random until they are trained.")


@functools.cache
def _once(sentence: str) -> None:
    logger.warning(as_text(sentence))
