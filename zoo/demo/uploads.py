"""Which files of the server a visitor may have opened: those that were uploaded to the page, and its samples."""

import os
import stat
from importlib import resources
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from zoo.errors import InputError

SAMPLES = Path(str(resources.files("zoo") / "demo" / "samples"))


def uploaded(sent: Any) -> str:
    """The path of a file as the browser names it, `{"path": ...}`.

    Raises:
        InputError: It is not a file that was uploaded. The sentence is the same whether another one exists or not.
    """
    path = sent.get("path") if isinstance(sent, dict) else None
    if not (isinstance(path, str) and is_uploaded(path)):
        raise InputError("That file was not uploaded to this page. Expected an upload or a sample; drop it again.")
    return path


def is_uploaded(path: Any) -> bool:
    """Whether it is a file in the folder of uploads or of samples, wherever links lead; a pipe would never end."""
    try:
        real = Path(os.path.realpath(path))
        inside = any(real.is_relative_to(os.path.realpath(folder)) for folder in (get_upload_folder(), SAMPLES))
        return inside and stat.S_ISREG(os.stat(real).st_mode)
    except (OSError, TypeError, ValueError):  # no path at all, one that is too long or contains a null character
        return False


def nothing() -> str:
    """A path in the folder of uploads at which nothing lies."""
    return os.path.join(get_upload_folder(), "nothing")


def uploads_bytes() -> int:
    """How much lies in the folder of uploads."""
    files = (path for path in Path(get_upload_folder()).rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files)
