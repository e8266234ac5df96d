"""What reading the registry found, as plain data, kept for the next process: to check it all takes a second.

The file is beside Python's bytecode of this one, for the same reason that Python keeps bytecode there: whoever can
write to that folder can replace the code itself, so the file is believed no more and no less than the code. It counts
only for the very bytes of the registry and of the code that checked it, and only whole: it begins with the digests of
both. Where the folder cannot be written, every process reads the registry itself.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

REGISTRY = Path(__file__).parents[1] / "registry.yaml"


def kept_path() -> Path:
    """Where it is kept: among Python's own files of this folder (`__pycache__`)."""
    return Path(importlib.util.cache_from_source(__file__)).with_name("registry.json")


def read_kept() -> Any:
    """What was kept for this registry and this code; None where there is nothing, something else, or half of it."""
    try:
        first, _, content = kept_path().read_bytes().partition(b"\n")
        return json.loads(content) if first == _heading(content) else None
    except (OSError, ValueError):
        return None


def keep(value: Any) -> None:
    """Keep a value that JSON takes, whole or not at all; a folder that cannot be written stays as it is."""
    path, content = kept_path(), json.dumps(value, separators=(",", ":")).encode()
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        partial.write_bytes(_heading(content) + b"\n" + content)
        partial.replace(path)


def _heading(content: bytes) -> bytes:
    """The digests of what is kept, and of the registry with the code of this folder, which checked it."""
    of = hashlib.sha256()
    for path in (REGISTRY, *sorted(Path(__file__).parent.glob("*.py"))):
        of.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{of.hexdigest()} {hashlib.sha256(content).hexdigest()}".encode()
