"""A folder of generated files that is updated without ever showing half a file or a dead link."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from zoo.errors import AccessError, InputError

MANIFEST = "site.json"  # lists what was written: this makes a folder ours, and nothing else in it is touched
_GENERATOR = "layerzoo, zoo site"
_PARTIAL = ".partial"


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` hold `files`, contents by relative path, and no more of the files that were written before.

    All of them are written into a hidden folder inside and then renamed, so whoever reads meanwhile sees whole files;
    `index.html` comes last, so that it links to nothing that is not there. If it is killed, the next call resumes.

    Raises:
        InputError: `folder` is a file, contains files and no list of ours, or has somebody else's file where one of
            ours belongs.
        AccessError: `folder` cannot be written.
    """
    ours = owned_files(folder)
    if taken := [name for name in files if name not in ours and (folder / name).exists()]:
        raise InputError(
            f"{folder / taken[0]} was not written by `zoo site`. Expected that place to be free; move the file away."
        )
    partial = folder / _PARTIAL
    try:
        shutil.rmtree(partial, ignore_errors=True)
        for name, content in files.items():
            _write(partial / name, content)
        # From here on both the old and the new files are ours, whatever happens.
        _write_manifest(folder, ours | files.keys())
        for name in sorted(files, key="index.html".__eq__):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).replace(folder / name)
        for name in ours - files.keys():
            (folder / name).unlink(missing_ok=True)
        _write_manifest(folder, files)
    except OSError as error:
        raise AccessError(
            f"{folder} cannot be written ({error.strerror}). Expected a folder of yours; choose another with -o."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def owned_files(folder: Path) -> set[str]:
    """The files in `folder` that are ours to overwrite and delete; none where it is new or empty.

    Raises:
        InputError: `folder` is a file, or contains files and no list of ours.
        AccessError: `folder` cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file. Expected a folder, or a name that is free.")
    try:
        found = sorted(path.name for path in folder.iterdir() if path.name != _PARTIAL) if folder.exists() else []
        if not found:
            return set()
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if manifest["generator"] != _GENERATOR:
            raise ValueError(manifest["generator"])
        return {name for name in manifest["files"] if _is_inside(name)}
    except PermissionError as error:
        raise AccessError(f"{folder} cannot be read. Expected a folder of yours; choose another with -o.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} contains {found[0]} and no site of this library. Expected a folder that is new, empty or was "
            "written by `zoo site`; choose another with -o."
        ) from error


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _write_manifest(folder: Path, names: Iterable[str]) -> None:
    content = json.dumps({"generator": _GENERATOR, "files": sorted(names)}, indent=1)
    _write(folder / _PARTIAL / MANIFEST, f"{content}\n".encode())
    (folder / _PARTIAL / MANIFEST).replace(folder / MANIFEST)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
