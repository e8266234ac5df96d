"""Folders as they are on people's disks: which files in them are data, and which splits they have.

Hidden files and folders, and those that systems, archives and viewers leave behind (`__MACOSX`, `@eaDir`,
`.thumbnails`, `._photo.jpg`), are never data, nor are pipes and devices. Links are followed. What is skipped is
reported once for each folder that is read, by the logger `zoo`. Imports neither Keras nor TensorFlow.
"""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from zoo.errors import InputError
from zoo.printing import as_text, warn

SPLITS = {  # by the name that this library uses: those that people use
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
CANONICAL = {name: split for split, names in SPLITS.items() for name in names}
LEFT_BEHIND = {  # by macOS, Synology, QNAP and Windows, in small letters
    "__macosx", "@eadir", "@recycle", "#recycle", "$recycle.bin", "system volume information", "lost+found",
    "thumbs.db", "ehthumbs.db", "desktop.ini",
}  # fmt: skip
NEVER_READ = {"BUFR", "GRIB", "HDF5", "MPEG"}  # formats that Pillow knows by name only
NAMED = 3  # files in a message


@functools.cache
def image_suffixes() -> frozenset[str]:
    """The endings of files that are read as images, in small letters, such as `".jpg"` and `".npy"`."""
    known = Image.registered_extensions()
    read = {suffix for suffix, kind in known.items() if kind in Image.OPEN and kind not in NEVER_READ}
    return frozenset({*read, ".npy"})


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is not data: hidden, or left behind by a system, an archive or a viewer."""
    return name.startswith(".") or name.lower() in LEFT_BEHIND


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder by name, without the hidden ones.

    Raises:
        InputError: The folder cannot be listed.
    """
    return [Path(entry.path) for entry in _listed(folder) if entry.is_dir() and not is_hidden(entry.name)]


def image_files(folder: Path) -> list[Path]:
    """The images in a folder by name, without those below. Says what is left out.

    Raises:
        InputError: The folder cannot be listed.
    """
    found: list[Path] = []
    left_out: list[Path] = []
    for entry in _listed(folder):
        if not entry.is_dir():
            (found if _is_image(entry) else left_out).append(Path(entry.path))
    say_left_out(folder, left_out)
    return found


def image_files_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """The images in a folder and in all that are below, by path, and what is left out: other files, hidden folders.

    A link that leads back to a folder that it is in is not followed.

    Raises:
        InputError: A folder cannot be listed.
    """
    found: list[Path] = []
    left_out: list[Path] = []
    for entry in _walk(folder, ()):
        (found if _is_image(entry) else left_out).append(Path(entry.path))
    return found, left_out


def holds_images(folder: Path) -> bool:
    """Whether an image lies in the folder or below."""
    return any(map(_is_image, _walk(folder, ())))


def holds_images_itself(folder: Path) -> bool:
    """Whether an image lies in the folder, not below."""
    return any(map(_is_image, _listed(folder)))


def say_left_out(folder: Path, paths: list[Path]) -> None:
    """Name in a warning what is left out, but for the small files that systems keep for themselves."""
    worth = [path for path in paths if path.is_dir() or not is_hidden(path.name) or _is_image_name(path.name)]
    if worth:
        names = ", ".join(as_text(path.relative_to(folder)) for path in worth[:NAMED])
        more = f" and {len(worth) - NAMED} more" if len(worth) > NAMED else ""
        warn(f"{as_text(folder)}: left out, as hidden or no image: {names}{more}.")


def split_folder(folder: str | os.PathLike, split: str) -> Path:
    """The folder of a split, by whichever of its names it has: `FOLDER/valid` for `"val"`.

    Returns:
        A folder that is there; where there is none, `folder/split`.
    """
    root = Path(folder)
    if (root / split).is_dir():
        return root / split
    there = {path.name.lower(): path for path in subfolders(root)} if root.is_dir() else {}
    names = SPLITS.get(CANONICAL.get(split.lower(), ""), ())
    return next((there[name] for name in names if name in there), root / split)


def splits(folder: str | os.PathLike) -> list[Path]:
    """The folders in a folder that are called as splits are, by name."""
    return [path for path in subfolders(Path(folder)) if path.name.lower() in CANONICAL]


def no_folder(path: Path, expected: str) -> InputError:
    """The sentence for a folder, or a split of one, that is not there."""
    if file := next((each for each in (path, *path.parents) if each.is_file()), None):
        return InputError(f"{file} is a file, not a folder. {expected}")
    others = [other.name for other in splits(path.parent)] if path.parent.is_dir() else []
    there = f" {path.parent} has the splits {', '.join(others)}." if others else ""
    return InputError(f"There is no folder {path}.{there} {expected}")


def check_split(folder: str | os.PathLike, split: str) -> None:
    """Check that `split` is one: called so by this library or by people, or a folder in `folder`.

    Raises:
        InputError: It is not; names those that there are.
    """
    is_name = isinstance(split, str) and split not in ("", ".", "..") and os.path.basename(split) == split
    if not is_name or (split.lower() not in CANONICAL and not (Path(folder) / split).is_dir()):
        there = [path.name for path in splits(folder)] or list(SPLITS)
        raise InputError(f"There is no split {split!r} in {folder}. Expected {' or '.join(map(repr, there))}.")


def _walk(folder: Path, above: tuple[str, ...]) -> Iterator[os.DirEntry[str]]:
    """The files below a folder, by path, and the hidden folders."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for entry in _listed(folder):
        if entry.is_dir() and not is_hidden(entry.name):
            yield from _walk(Path(entry.path), (*above, real))
        else:
            yield entry


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder} cannot be listed ({error.strerror}). Expected a folder to read.") from error


def _is_image(entry: os.DirEntry[str]) -> bool:
    """Whether it is called as an image; a link that leads nowhere is one that cannot be read, and no pipe."""
    if is_hidden(entry.name) or not _is_image_name(entry.name) or entry.is_dir():
        return False
    return entry.is_file() or not os.path.exists(entry.path)


def _is_image_name(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in image_suffixes()
