"""Which backend Keras is to use, asked before Keras is imported: it has no sentence for one that is not there."""

import difflib
import importlib.util
import json
import os
import sys
from pathlib import Path

from zoo.errors import InputError, MissingExtraError

BACKENDS = {
    "tensorflow": "layerzoo",
    "jax": "layerzoo[jax]",
    "torch": "layerzoo[torch]",
    "openvino": "layerzoo[openvino]",
}


def check_backend() -> None:
    """Refuse a backend that Keras does not have, or that is not installed.

    Raises:
        InputError: `KERAS_BACKEND`, or the `backend` in Keras' configuration file, names no backend.
        MissingExtraError: It is not installed.
    """
    if "keras" in sys.modules:
        return
    name, place = _asked_for()
    if name == "numpy":  # Keras' own, for inference; always there
        return
    if name not in BACKENDS:
        nearest = difflib.get_close_matches(name, BACKENDS, n=1) or ["tensorflow"]
        raise InputError(
            f"{place} is {name!r:.60}. Expected one of {', '.join(BACKENDS)}; did you mean {nearest[0]!r}?"
        )
    try:
        is_installed = importlib.util.find_spec(name) is not None
    except ImportError:
        is_installed = False
    if not is_installed:
        raise MissingExtraError(
            f"{place} is {name!r}, which is not installed. Expected it: pip install '{BACKENDS[name]}'; or set "
            "KERAS_BACKEND to another backend."
        )


def _asked_for() -> tuple[str, str]:
    """The backend, and where it is named."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name, "KERAS_BACKEND"
    path = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "keras.json"
    try:
        return str(json.loads(path.read_bytes())["backend"]), f"The backend in {path}"
    except (OSError, ValueError, KeyError, TypeError):  # none, or one that Keras ignores too
        return "tensorflow", "Keras' default backend"
