"""The files beside an export, read as untrusted: `export.json`, `zoo.json` and `verification.npz`.

An export may have come over a network or off a damaged disk. Whatever these files contain, reading them ends in a
record or in one sentence, and takes no more memory than their size justifies.
"""

import hashlib
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from zoo.catalogue.entry import Entry
from zoo.errors import ExportError
from zoo.imaging.npy import read_header

LARGEST_JSON_BYTES = 16_000_000
_EXTRAS = {"README.md", "zoo.json", "labels.txt", "verification.npz", "export.json"}
# Answers of a network shrink to a third; more than this is a bomb.
_SMALL_BYTES, _LARGEST_RATIO = 64_000_000, 50
# What zipfile and NumPy raise on a file that is damaged, or of another kind.
_UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, SyntaxError, TypeError, zipfile.BadZipFile, zlib.error)


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or not path.parts:
        raise ValueError("expected the path of a file in the export's folder")
    return name


class ExportRecord(BaseModel):
    """`export.json`: what the export is, how far it differed, and the SHA-256 of its files. Facts may be added."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    model: str
    format: Literal["saved_model", "litert", "onnx", "openvino"]  # each has a module, zoo/export/to_<format>.py
    exact: bool
    files: dict[Annotated[str, AfterValidator(_inside)], Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(
        min_length=1
    )


def extras_of(folder: Path) -> Path:
    """Where the extras lie: `assets.extra/` of a SavedModel, beside the file of any other format."""
    return folder / "assets.extra" if (folder / "saved_model.pb").is_file() else folder


def read_record(folder: Path) -> tuple[ExportRecord, Entry]:
    """The record and the entry of the export in `folder`.

    Raises:
        ExportError: They are not there, or damaged.
    """
    extras = extras_of(folder)
    try:
        record = ExportRecord.model_validate_json(_small(extras / "export.json"))
        return record, Entry.model_validate_json(_small(extras / "zoo.json"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = "export.json" if error.title == "ExportRecord" else "zoo.json"
        key = ".".join(map(str, first["loc"]))
        raise _damaged(folder, f"{what}: {key + ': ' if key else ''}{first['msg']}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(folder, error) from error


def megabytes(folder: Path, record: ExportRecord) -> float:
    """The size of what a runtime reads: all files but the extras, in 10^6 bytes.

    Raises:
        ExportError: One of them is not there.
    """
    extras = extras_of(folder)
    names = [name for name in record.files if Path(name).name not in _EXTRAS or (folder / name).parent != extras]
    try:
        return sum(_size(folder / name) for name in names) / 1e6
    except (OSError, ValueError) as error:
        raise _damaged(folder, error) from error


def read_arrays(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of `verification.npz`: numbers only, and no more than its size justifies.

    Raises:
        ExportError: It is not there, or damaged.
    """
    path = extras_of(folder) / "verification.npz"
    try:
        most = max(_SMALL_BYTES, _LARGEST_RATIO * _size(path))
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > most:
                raise ValueError(f"its arrays have more than {most:,} bytes")
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in archive.infolist()}
    except _UNREADABLE as error:
        raise _damaged(folder, f"verification.npz: {error}") from error


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in `folder`, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): digest(path) for path in files}


def digest(path: Path) -> str:
    """The SHA-256 of a file, or `missing`."""
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """One array; its header must say just as many bytes as follow, before they are read."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is compressed in a way that numpy.savez does not use")
    with archive.open(member) as file:
        shape, dtype, order = read_header(file)
        length = dtype.itemsize
        for side in shape:  # Python's integers do not overflow
            length *= side
        if dtype.kind not in "fiu" or length != member.file_size - file.tell():
            raise ValueError(f"{member.filename} does not contain numbers of the shape that it says")
        return np.frombuffer(file.read(), dtype).reshape(shape, order=order)


def _small(path: Path) -> bytes:
    if _size(path) > LARGEST_JSON_BYTES:
        raise ValueError(f"{path.name} has more than {LARGEST_JSON_BYTES:,} bytes")
    return path.read_bytes()


def _size(path: Path) -> int:
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise ValueError(f"{path.name} is not a file")
    return path.stat().st_size


def _damaged(folder: Path, reason: object) -> ExportError:
    return ExportError(
        f"{folder} is not an export of this library ({reason}). Expected one version, whole, such as "
        "served/resnet50/1; export the model again."
    )
