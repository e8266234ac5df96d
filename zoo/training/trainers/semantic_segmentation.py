"""Classes of pixels, from images with masks."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.catalogue.entry import Entry
from zoo.datasets import images_with_masks
from zoo.datasets.class_names import find_classes
from zoo.datasets.images_with_masks import VOID, Pair
from zoo.errors import InputError
from zoo.imaging import label_maps
from zoo.imaging.planes import Planes
from zoo.labels import read_labels
from zoo.measures.segmentation import SegmentationMeasure
from zoo.printing import warn
from zoo.training import report
from zoo.training.checking import checked
from zoo.training.examples import Examples, pixel_weights
from zoo.training.images import smallest
from zoo.training.losses import matched, segmentation_loss
from zoo.training.trainer import TaskTrainer, is_folder, known_labels, pairs, path_pairs
from zoo.training.views import recoloured, same_view, scaled_view

CLASSES_FILE = "classes.txt"
UNKNOWN = 255  # the usual value of a pixel whose class nobody knows
LARGEST_CROP = (512, 512)  # height and width in pixels


class SemanticSegmentationTrainer(TaskTrainer):
    """Pixels without a class do not count. `classes.txt` in the folder, one name per line, lists other classes.

    Void is 255, or the number after the last class, as in CamVid; any other value that is not a class is an error.
    """

    bfloat16 = True
    crops = True
    strong = True
    data = "FOLDER/{train,val}/NAME.jpg with NAME.png beside them, or (images, masks)"

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        if is_folder(data):
            labels = _names(data, entry, labels)
            items: list[Any] = list(images_with_masks.find_pairs(data, split))
        else:
            labels = labels or read_labels(entry.labels)
            items = path_pairs(pairs(data, self.data), Pair)
        count = len(labels) if labels else _count(entry)
        channels = len(entry.input.mean)
        items, found = checked(items, lambda item: _checked(item, channels, count), skip_unreadable=skip_unreadable)
        sizes, pixels = zip(*found, strict=True)
        return Examples(tuple(items), smallest(sizes), labels, pixels=pixels)

    def adapted(self, entry: Entry, examples: Examples) -> Entry:
        if examples.pixels is not None:
            _check_classes(np.sum(examples.pixels, axis=0), examples.labels)
        if examples.labels == read_labels(entry.labels):
            return entry
        random = "all" if entry.random == "all" else "head"
        labels = examples.labels or ()
        return entry.model_copy(update={"labels": labels, "num_classes": len(labels), "random": random})

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        height, width = map(min, examples.shape, LARGEST_CROP)
        return height, width, len(entry.input.mean)

    def resized(self, entry, shape, size):
        if size[0] > shape[0] or size[1] > shape[1]:
            raise InputError(f"image_size={size} is larger than an image. Expected at most {shape[0]} x {shape[1]}.")
        return entry, (*size, *shape[2:])

    def read(self, item, entry, shape, generator):
        image, values = same_view(_read(item, len(entry.input.mean)), shape, generator)
        return image, images_with_masks.classes(values, _count(entry))

    def read_strong(self, item, entry, shape, generator):
        image, values = scaled_view(_read(item, len(entry.input.mean)), shape, generator)
        return recoloured(image, generator), images_with_masks.classes(values, _count(entry))

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return self.named_loss("cross-entropy", entry, examples)

    def named_loss(self, name: str, entry: Entry, examples: Examples | None) -> Any:
        weights = None if examples is None or examples.pixels is None else pixel_weights(examples.pixels)
        return segmentation_loss(name, weights=weights)

    def metrics(self, entry: Entry) -> list[Any]:
        return [pixel_accuracy]

    def measure(self, entry: Entry, examples: Examples | None) -> SegmentationMeasure:
        return SegmentationMeasure(known_labels(entry) if entry.num_classes != 1 else ("0", "1"))

    def draw(self, entry, measure, example, folder) -> None:
        image, classes, logits = example
        found = label_maps.label_map(logits, *classes.shape)
        label_maps.overlay(image, found, label_maps.areas(found, measure.labels)).save(folder / "overlay.png")
        report.draw_confusion(measure.confusion(), measure.labels, folder / "confusion.png")


def pixel_accuracy(target: Any, logits: Any) -> Any:
    """Accuracy over the pixels that have a class."""
    from keras import ops

    classes, known, logits = matched(target, logits)
    hits = ops.cast(ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), classes), logits.dtype)
    return ops.sum(hits * known) / ops.maximum(ops.sum(known), 1)


def count_of_classes(folder: Path) -> int:
    """How many classes the folder's `classes.txt` names.

    Raises:
        InputError: There is none.
    """
    path = folder / CLASSES_FILE
    if not path.is_file():
        raise InputError(
            f"{folder} has no {CLASSES_FILE}. Expected it there, with the name of one class per line, in the order of "
            "the numbers in the masks; or --num-classes."
        )
    return len(_named(path))


def _count(entry: Entry) -> int:
    """How many classes a pixel may have: two where there is a single logit, of a class or none."""
    return 2 if entry.num_classes == 1 else entry.num_classes or 0


def _names(data: Any, entry: Entry, known: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The classes of the masks in a folder: `known`, where they have to be those, else as it states itself."""
    path = Path(data) / CLASSES_FILE
    if not path.is_file():
        return known or read_labels(entry.labels)
    names = _named(path)
    if known and find_classes(names, known, None) != [(number,) for number in range(len(known))]:
        raise InputError(
            f"{path} names the classes {', '.join(names[:3])}, ... Expected the model's, in their order: "
            f"{', '.join(known[:3])}, ... Give the pixels of the masks the model's numbers."
        )
    return names


def _named(path: Path) -> tuple[str, ...]:
    """The classes that a `classes.txt` names."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}). Expected text in UTF-8, one class per line.") from error
    names = tuple(name.strip() for name in lines if name.strip())
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(
            f"{path} contains {len(set(names))} names in {len(names)} lines. Expected one class per line, two or more."
        )
    return names


def _checked(item: Any, channels: int, count: int) -> tuple[tuple[int, int], tuple[int, ...]]:
    """The size of an image and its mask, and how many pixels of each class there are."""
    image, values = _read(item, channels)
    strange = np.setdiff1d(values, [*range(count + 1), UNKNOWN, VOID])
    if strange.size:
        where = item.mask if isinstance(item, Pair) else "A mask"
        raise InputError(
            f"{where} contains {strange[0]}, which is not a class. Expected 0 to {count - 1}, and {UNKNOWN} or {count} "
            f"for void; {CLASSES_FILE} in the folder names other classes, one per line."
        )
    known = values[(values >= 0) & (values < count)]
    return image.shape[:2], tuple(np.bincount(known, minlength=count).tolist())


def _check_classes(pixels: np.ndarray, labels: tuple[str, ...] | None) -> None:
    """Refuse masks that there is nothing to tell apart in, and warn of classes that none of them has."""
    names = [f"{name!r}" for name in labels or map(str, range(len(pixels)))]
    present = [name for name, count in zip(names, pixels, strict=False) if count]
    missing = [name for name, count in zip(names, pixels, strict=False) if not count]
    if len(present) < 2:
        raise InputError(
            f"The pixels of the masks to train on are of {' and '.join(present) or 'no class'} only, or do not count. "
            f"Expected two classes or more, such as {names[0]} as 0 and {names[1]} as 1. Where a mask is black and "
            f"white, write 1 in place of {UNKNOWN}: that value does not count."
        )
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        warn(f"No mask to train on has pixels of {', '.join(missing[:5])}{more}: the model will not find them.")


def _read(item: Any, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """An image for a model of so many channels, and its mask as it is."""
    if isinstance(item, Pair):
        return images_with_masks.read_values(item, channels)
    image, mask = Planes(item[0], channels).pixels(), np.asarray(item[1])
    if mask.shape != image.shape[:2] or mask.dtype.kind not in "biu":
        raise InputError(
            f"A mask has the shape {mask.shape} and the dtype {mask.dtype}, its image the shape {image.shape}. "
            "Expected ints in (height, width), as many as pixels."
        )
    return image, mask.astype(np.int32)


TRAINER = SemanticSegmentationTrainer()
