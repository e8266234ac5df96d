"""Images with boxes around objects: the data of object detection, in three public layouts.

    FOLDER/SPLIT/_annotations.coco.json + FOLDER/SPLIT/NAME.jpg              COCO, as Roboflow writes it
    FOLDER/annotations/instances_SPLIT*.json + FOLDER/SPLIT*/NAME.jpg        COCO's own
    FOLDER/images/SPLIT/NAME.jpg + FOLDER/labels/SPLIT/NAME.txt + data.yaml  YOLO: class, centre and size, as fractions
    FOLDER/JPEGImages, FOLDER/Annotations, FOLDER/ImageSets/Main/SPLIT.txt   Pascal VOC, an XML file for each image

Imports neither Keras nor TensorFlow.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import yaml

from zoo.datasets import folders
from zoo.errors import InputError, UnreadableError

LAYOUT = (
    "Expected COCO (SPLIT/_annotations.coco.json or annotations/instances_SPLIT.json), YOLO (images/SPLIT, "
    "labels/SPLIT and data.yaml) or Pascal VOC (JPEGImages, Annotations and ImageSets/Main/SPLIT.txt)."
)
LARGEST_BYTES = 1 << 30  # of one file of annotations; COCO's has 470 MB


class Box(NamedTuple):
    """An object: x1, y1, x2 and y2 in pixels of the upright image, the number of its class, whether the box is around a
    crowd of them, which no detection has to match, and its area, where it is less than the box's."""

    sides: tuple[float, float, float, float]
    label: int
    is_crowd: bool = False
    area: float | None = None


class Boxed(NamedTuple):
    """Where an image lies, and the objects in it. `size` is its width and height where the annotations say so; YOLO's
    boxes are fractions of it (`is_relative`) until it is read."""

    image: Any
    boxes: tuple[Box, ...]
    size: tuple[int, int] | None = None
    is_relative: bool = False


def find_boxes(folder: str | os.PathLike, split: str) -> tuple[tuple[str, ...], list[Boxed]]:
    """The names of the classes, and the images of a split with their objects, by name.

    Raises:
        InputError: There is no such data, an image that is annotated is missing, or an annotation is not one.
        UnreadableError: A file of annotations cannot be read.
    """
    root = Path(folder)
    if not root.is_dir():
        raise folders.no_folder(root, LAYOUT)
    if (found := _coco_file(root, split)) is not None:
        return _coco(*found)
    if (root / "images").is_dir() and (root / "labels").is_dir():
        return _yolo(root, split)
    if (root / "Annotations").is_dir():
        return _voc(root, split)
    raise _no_split(f"{root} has no boxes of the split {split!r}.", root)


def has_split(folder: str | os.PathLike, split: str) -> bool:
    """Whether the folder has boxes of this split."""
    root = Path(folder)
    names = folders.SPLITS.get(folders.CANONICAL.get(split.lower(), ""), (split,))
    if _coco_file(root, split) is not None:
        return True
    if any((root / "labels" / name).is_dir() for name in names):
        return True
    return any((root / "ImageSets" / "Main" / f"{name}.txt").is_file() for name in names)


def _no_split(what: str, root: Path) -> InputError:
    """The sentence for a split that is not there, with those that are."""
    there = [split for split in folders.SPLITS if has_split(root, split)]
    names = " and ".join(map(repr, there))
    return InputError(f"{what} {f'The data have {names}. Expected one of them as split.' if there else LAYOUT}")


def _coco_file(root: Path, split: str) -> tuple[Path, list[Path]] | None:
    """The annotations of a split, and the folders in which its images may lie."""
    part = folders.split_folder(root, split)
    if (path := part / "_annotations.coco.json").is_file():
        return path, [part]
    names = folders.SPLITS.get(folders.CANONICAL.get(split.lower(), ""), (split,))
    for name in names:
        for path in sorted((root / "annotations").glob(f"instances_{name}*.json")):
            same = root / path.stem.removeprefix("instances_")
            return path, [same, root / "images" / same.name, part, root / "images"]
    return None


def _coco(path: Path, places: Sequence[Path]) -> tuple[tuple[str, ...], list[Boxed]]:
    content = _json(path)
    kinds: dict[str, Any] = {key: content.get(key) for key in ("images", "annotations", "categories")}
    if missing := [key for key, value in kinds.items() if not isinstance(value, list)]:
        raise InputError(f"{path} has no list of {missing[0]}. Expected COCO's images, annotations and categories.")
    try:
        for key in ("images", "categories"):
            for number, count in Counter(item["id"] for item in kinds[key]).most_common(1):
                if count > 1:
                    raise InputError(f"{path} has {count} {key} with the id {number!r}. Expected an id for each.")
        used = sorted({annotation["category_id"] for annotation in kinds["annotations"]})
        named = {category["id"]: str(category["name"]) for category in kinds["categories"]}
        if unknown := [number for number in used if number not in named]:
            raise InputError(f"{path} has objects of category {unknown[0]}, which it does not name. Expected its name.")
        # A first category that nothing belongs to is Roboflow's name of the project.
        known = sorted(number for number in named if number in used or number != min(named) or number > 0)
        numbers = {number: place for place, number in enumerate(known)}
        boxes: dict[Any, list[Box]] = {}
        for annotation in kinds["annotations"]:
            x, y, width, height = (float(side) for side in annotation["bbox"])
            label, area = numbers[annotation["category_id"]], annotation.get("area")
            is_crowd = bool(annotation.get("iscrowd"))
            box = Box((x, y, x + width, y + height), label, is_crowd, None if area is None else float(area))
            boxes.setdefault(annotation["image_id"], []).append(box)
        found = []
        for image in sorted(kinds["images"], key=lambda image: str(image["file_name"])):
            size = (int(image["width"]), int(image["height"])) if "width" in image and "height" in image else None
            where = _present(path, image["file_name"], places)
            found.append(Boxed(where, tuple(boxes.pop(image["id"], ())), size))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{path} is not COCO's ({type(error).__name__}: {error}). Expected images with id and file_name, "
            "annotations with image_id, category_id and bbox [x, y, width, height], and categories with id and name."
        ) from error
    if boxes:
        raise InputError(
            f"{path} has objects of image {next(iter(boxes))!r}, which is not in its list. Expected it there."
        )
    return tuple(named[number] for number in known), found


def _present(path: Path, name: Any, places: Sequence[Path]) -> Path:
    """Where an image lies."""
    if not isinstance(name, str) or os.path.isabs(name) or ".." in Path(name).parts:
        raise InputError(f"{path} names the image {name!r:.100}. Expected a file below its folder.")
    for place in places:
        if (place / name).is_file():
            return place / name
    raise InputError(
        f"{path} names the image {name}, which is not in {places[0]}. Expected it there; or take it off the list."
    )


def _yolo(root: Path, split: str) -> tuple[tuple[str, ...], list[Boxed]]:
    labels, images = (folders.split_folder(root / kind, split) for kind in ("labels", "images"))
    for part in (images, labels):
        if not part.is_dir():
            raise _no_split(f"There is no folder {part}.", root)
    names = _yolo_names(root)
    found = []
    paths = folders.image_files(images)
    known = {path.stem for path in paths}
    for path in sorted(labels.glob("*.txt")):
        if path.stem not in known and path.stem != "classes":
            raise InputError(f"{path} has no image: there is no {images / path.stem}.jpg. Expected it, or no file.")
    if not paths:
        raise InputError(f"{images} contains no image. {LAYOUT}")
    for path in paths:
        text = labels / f"{path.stem}.txt"
        boxes = tuple(_yolo_boxes(text, len(names))) if text.is_file() else ()
        found.append(Boxed(path, boxes, is_relative=True))
    return names, found


def _yolo_names(root: Path) -> tuple[str, ...]:
    for path in (root / "data.yaml", root / "dataset.yaml", *sorted(root.glob("*.yaml"))):
        if path.is_file():
            try:
                content = yaml.safe_load(path.read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
                raise UnreadableError(f"{path} cannot be read ({error!s:.100}). Expected YAML with `names`.") from error
            names = content.get("names") if isinstance(content, Mapping) else None
            if isinstance(names, Mapping):
                by_number = {str(number): name for number, name in names.items()}
                names = [by_number.get(str(number)) for number in range(len(by_number))]
                if None in names:
                    raise InputError(f"{path} numbers its classes {', '.join(by_number)[:60]}. Expected 0, 1, 2 ...")
            if isinstance(names, list) and names:
                return tuple(map(str, names))
    path = root / "classes.txt"
    if path.is_file() and (lines := [line.strip() for line in _lines(path) if line.strip()]):
        return tuple(lines)
    raise InputError(f"{root} does not name its classes. Expected data.yaml with `names`, or classes.txt.")


def _yolo_boxes(path: Path, count: int) -> Iterator[Box]:
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            label, x, y, width, height = (float(part) for part in line.split())
        except ValueError as error:
            raise InputError(f"{path}:{number}: {line!r:.60}. Expected class, x, y, width and height.") from error
        if not (label.is_integer() and 0 <= label < count):
            raise InputError(
                f"{path}:{number}: class {line.split()[0]}. Expected a whole number from 0 to {count - 1}."
            )
        yield Box((x - width / 2, y - height / 2, x + width / 2, y + height / 2), int(label))


def _voc(root: Path, split: str) -> tuple[tuple[str, ...], list[Boxed]]:
    names = folders.SPLITS.get(folders.CANONICAL.get(split.lower(), ""), (split,))
    lists = [root / "ImageSets" / "Main" / f"{name}.txt" for name in names]
    path = next((each for each in lists if each.is_file()), None)
    if path is None:
        raise _no_split(f"There is no {lists[0]}.", root)
    stems = [line.split()[0] for line in _lines(path) if line.strip()]
    if not stems:
        raise InputError(f"{path} names no image. Expected a name per line.")
    by_stem = {file.stem: file for file in folders.image_files(root / "JPEGImages")}
    read = []
    for stem in stems:
        if stem not in by_stem:
            raise InputError(
                f"{path} names the image {stem}, which is not in {root / 'JPEGImages'}. Expected it there."
            )
        read.append((by_stem[stem], _voc_objects(root / "Annotations" / f"{stem}.xml")))
    labels = tuple(sorted({name for _, objects in read for name, _, _ in objects}))
    numbers = {name: place for place, name in enumerate(labels)}
    return labels, [
        Boxed(image, tuple(Box(sides, numbers[name], is_difficult) for name, sides, is_difficult in objects))
        for image, objects in read
    ]


def _voc_objects(path: Path) -> list[tuple[str, tuple[float, float, float, float], bool]]:
    """Names, sides and whether an object is too difficult to count; VOC counts pixels from 1."""
    try:
        text = path.read_bytes()
        if b"<!ENTITY" in text or b"<!DOCTYPE" in text:
            raise ValueError("it declares entities")
        tree = ElementTree.fromstring(text)  # noqa: S314 (entities were refused)
        found = []
        for item in tree.iter("object"):
            box: Any = item.find("bndbox")
            sides = [float(box.findtext(key, "nan")) for key in ("xmin", "ymin", "xmax", "ymax")]
            left, top, right, bottom = sides
            name = item.findtext("name") or ""
            found.append((name.strip(), (left - 1, top - 1, right, bottom), item.findtext("difficult", "0") == "1"))
        return found
    except (OSError, ValueError, TypeError, AttributeError, ElementTree.ParseError) as error:
        raise UnreadableError(f"{path} cannot be read ({error}). Expected Pascal VOC's XML of an image.") from error


def checked_boxes(item: Boxed, size: tuple[int, int], what: str, count: int | None, first: int = 0) -> tuple[Box, ...]:
    """The boxes of an image of width and height `size`, in pixels; classes are from `first` to `count` - 1.

    Raises:
        InputError: One is not inside of the image, has no area, is not a number, or is of a class that is not known.
    """
    if item.size is not None and item.size != size:
        swapped = " It lies on its side: write the boxes for the upright image." if item.size == size[::-1] else ""
        raise InputError(
            f"{what} has {size[0]} x {size[1]} pixels, and its annotations say {item.size[0]} x {item.size[1]}. "
            f"Expected the same.{swapped}"
        )
    scale = size if item.is_relative else (1, 1)
    found = []
    for box in item.boxes:
        sides = tuple(float(side) * scale[place % 2] for place, side in enumerate(box.sides))
        if not all(map(math.isfinite, sides)):
            raise InputError(f"{what} has a box {_text(sides)}. Expected numbers.")
        if box.area is not None and not (math.isfinite(box.area) and box.area >= 0):
            raise InputError(f"{what} has an object of area {box.area:g}. Expected a number of pixels, at least 0.")
        left, top, right, bottom = sides
        if right <= left or bottom <= top:
            raise InputError(f"{what} has a box {_text(sides)} of no area. Expected x1 < x2 and y1 < y2, in pixels.")
        if left < -1 or top < -1 or right > size[0] + 1 or bottom > size[1] + 1:
            raise InputError(
                f"{what} has a box {_text(sides)} outside of the image, which has {size[0]} x {size[1]} pixels. "
                "Expected x1, y1, x2 and y2 in pixels of the upright image."
            )
        if count is not None and not first <= box.label < count:
            why = "; what is before is the background's" if first else ""
            raise InputError(f"{what} has a box of class {box.label}. Expected {first} to {count - 1}{why}.")
        inside = max(left, 0.0), max(top, 0.0), min(right, float(size[0])), min(bottom, float(size[1]))
        found.append(box._replace(sides=inside))
    return tuple(found)


def _text(sides: Sequence[float]) -> str:
    return f"({', '.join(f'{side:.6g}' for side in sides)})"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path} cannot be read ({error!s:.100}). Expected text in UTF-8.") from error


def _json(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ValueError(f"it has more than {LARGEST_BYTES:,} bytes")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableError(f"{path} cannot be read ({error!s:.100}). Expected COCO's JSON.") from error
    if not isinstance(content, Mapping):
        raise InputError(f"{path} contains a {type(content).__name__}. Expected COCO's JSON object.")
    return content
