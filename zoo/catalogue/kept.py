"""What reading a registry found, as plain data, kept for the next process: to check ours takes a second.

The file is beside Python's bytecode of this one, for the same reason that Python keeps bytecode there: whoever can
write to that folder can replace the code itself, so the file is believed no more and no less than the code. It counts
only for the very bytes of the registry and of the code that checked it, and only whole: it begins with the digests of
both. Where the folder cannot be written, every process reads the registry itself. Each registry has its own file.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

REGISTRY = Path(__file__).parents[1] / "registry.yaml"


def kept_path(registry: Path) -> Path:
    """Where it is kept: among Python's own files of this folder (`__pycache__`)."""
    other = "" if registry == REGISTRY else f"-{hashlib.sha256(os.fsencode(registry)).hexdigest()[:16]}"
    return Path(importlib.util.cache_from_source(__file__)).with_name(f"registry{other}.json")


def read_kept(registry: Path) -> Any:
    """What was kept for this registry and this code; None where there is nothing, something else, or half of it."""
    try:
        first, _, content = kept_path(registry).read_bytes().partition(b"\n")
        return json.loads(content) if first == _heading(content, registry) else None
    except (OSError, ValueError):
        return None


def keep(value: Any, registry: Path) -> None:
    """Keep a value that JSON takes, whole or not at all; a folder that cannot be written stays as it is."""
    path, content = kept_path(registry), json.dumps(value, separators=(",", ":")).encode()
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        partial.write_bytes(_heading(content, registry) + b"\n" + content)
        partial.replace(path)


def _heading(content: bytes, registry: Path) -> bytes:
    """The digests of what is kept, and of the registry with the code of this folder, which checked it."""
    of = hashlib.sha256()
    for path in (registry, *sorted(Path(__file__).parent.glob("*.py"))):
        of.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{of.hexdigest()} {hashlib.sha256(content).hexdigest()}".encode()
