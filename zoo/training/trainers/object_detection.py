"""Boxes around objects, from images with their annotations."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.catalogue.entry import Entry
from zoo.datasets import boxes
from zoo.datasets.boxes import Boxed
from zoo.errors import InputError
from zoo.imaging.boxes import scale_to_whole, shown
from zoo.imaging.planes import Planes
from zoo.imaging.preprocessing import preprocess_whole
from zoo.labels import label_at, read_labels
from zoo.measures.detection import DetectionMeasure, coco_tool
from zoo.model import ZooModel
from zoo.training.average_precision import AveragePrecision, measured
from zoo.training.batches import Batches
from zoo.training.box_views import SCALES, box_view
from zoo.training.boxed_images import are_other, checked_objects, found_images, renumbered, with_background
from zoo.training.checking import checked
from zoo.training.detectors import find_detector, first_class
from zoo.training.detectors.places import SIDE
from zoo.training.examples import Examples
from zoo.training.report import can_draw
from zoo.training.trainer import TaskTrainer, is_folder, known_labels
from zoo.training.views import recoloured

ROWS = 16  # objects of an image are filled up to a multiple of this, so that images can be stacked

LEAST_SIDE = 64  # of it, in pixels
SEEN = 0.25  # the share of an object from which a view shows it; what is seen of another counts as nothing
SHOWN = 0.3  # the score from which a box is drawn


class ObjectDetectionTrainer(TaskTrainer):
    """Targets are a dict where models are evaluated, see `zoo.measures.detection`, and places of their maps where they
    are trained, see `zoo.training.detectors`. A trained model sees the whole image in a square, on grey."""

    bfloat16 = True
    strong = True
    batches = False
    keeps_normalization = True
    largest_batch = 8
    least_steps = 500
    monitor = "ap_percent"
    data = "a folder in the layout of COCO, YOLO or Pascal VOC, or (images, a dict of boxes and classes for each)"

    def check_model(self, entry: Entry) -> None:
        find_detector(entry)
        coco_tool()

    def find(
        self, data: Any, split: str, entry: Entry, labels: tuple[str, ...] | None, *, skip_unreadable: bool = False
    ) -> Examples:
        names, items = found_images(data, split, self.data)
        first, own = first_class(entry), read_labels(entry.labels)
        named = with_background(names) if first else names
        known = labels or (named if are_other(named, own) else own)
        items = renumbered(items, names, known)
        count = entry.num_classes if known is None else len(known)
        items, read = checked(items, lambda item: checked_objects(item, count, first), skip_unreadable=skip_unreadable)
        items = [item._replace(boxes=found, is_relative=False) for item, found in zip(items, read, strict=True)]
        if labels is None and not any(read):
            raise InputError(f"None of the {len(items)} images has an object. Expected boxes to train on.")
        return Examples(tuple(items), labels=known)

    def has_split(self, data: Any, split: str) -> bool:
        return is_folder(data) and boxes.has_split(data, split)

    def adapted(self, entry: Entry, examples: Examples) -> Entry:
        size = entry.input.size or SIDE
        changes: dict[str, Any] = {"size": size, "crop": 1.0, "crop_mode": "letterbox", "longest": None}
        facts: dict[str, Any] = {"input": entry.input.model_copy(update=changes)}
        if examples.labels is not None and examples.labels != read_labels(entry.labels):
            random = "all" if entry.random == "all" else "head"
            facts |= {"labels": examples.labels, "num_classes": len(examples.labels), "random": random}
        return entry.model_copy(update=facts)

    def shape(self, entry: Entry, examples: Examples) -> tuple[int, ...]:
        size = entry.input.size or SIDE
        return size, size, len(entry.input.mean)

    def resized(self, entry, shape, size):
        if size[0] != size[1] or size[0] < LEAST_SIDE:
            raise InputError(
                f"image_size={size}. Expected the side of a square, at least {LEAST_SIDE} pixels: a detector sees the "
                "whole image in one."
            )
        only = getattr(find_detector(entry), "ONLY_SIDE", size[0])
        if size[0] != only:
            raise InputError(
                f"image_size={size}. Expected {only}, which {entry.architecture} is made for; leave it out."
            )
        return entry.model_copy(update={"input": entry.input.model_copy(update={"size": size[0]})}), (*size, shape[2])

    def read(self, item, entry, shape, generator):
        if shape is None:
            return _read_whole(item, entry)
        if generator is not None:
            return _read_view(item, entry, "light", generator)
        pixels = preprocess_whole(item.image, entry.input)
        sides = _sides(item) / scale_to_whole(pixels.whole.size, entry.input)
        return np.asarray(pixels), _target(item, sides, np.ones(len(sides)), entry)

    def read_strong(self, item, entry, shape, generator):
        pixels, target = _read_view(item, entry, "strong", generator)
        return recoloured(pixels, generator), target

    def loss(self, entry: Entry, examples: Examples | None) -> Any:
        return find_detector(entry).loss(entry)

    def trained(self, model: ZooModel) -> ZooModel:
        """The model without its boxes: what the loss is of, along the last axis, `(batch, places, ...)`."""
        import keras

        detector = find_detector(model.spec)
        outputs = [model.output[name] for name in detector.OUTPUTS]
        count, expected = outputs[0].shape[1], len(detector.all_places(model.spec))
        if count != expected:
            side = model.spec.input.size
            raise InputError(
                f"The maps of {model.spec.name} have {count} places for {side} x {side} pixels. Expected {expected}: "
                "an encoder whose convolutions pad their inputs, so that a map's sides are the image's divided by its "
                "stride. Choose another encoder."
            )
        network = ZooModel(model.input, keras.layers.Concatenate(name="trained")(outputs), name=model.name)
        network.spec = model.spec
        return network

    def callbacks(self, complete: ZooModel, batches: Any, *, averages: bool) -> list[Any]:
        if not isinstance(batches, Batches) or batches.share[1] > 1:
            return []
        return [AveragePrecision(complete, batches, ("ap_percent", "ap50_percent"), averages=averages)]

    def measure(self, entry: Entry, examples: Examples | None) -> DetectionMeasure:
        return DetectionMeasure(known_labels(entry))

    def report(self, model: Any, batches: Any, folder: Path) -> tuple[dict[str, Any], str]:
        measure, example = measured(model, batches)
        if example is not None and can_draw():
            self.draw(model.spec, measure, example, folder)
        return measure.results(), ""

    def draw(self, entry, measure, example, folder) -> None:
        image, _, outputs = example
        pixels = image[..., ::-1] if entry.input.channels == "bgr" else image
        found = zip(outputs["classes"], outputs["scores"], outputs["boxes"], strict=True)
        records = [
            {"index": int(index), "label": label_at(measure.labels, int(index)), "score": float(score), "box": box}
            for index, score, box in [*found][: int(outputs["count"])]
            if score >= SHOWN
        ]
        pixels = pixels[..., 0] if pixels.shape[-1] not in (3,) else pixels
        shown(Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB"), records).save(folder / "boxes.png")


def _sides(item: Boxed) -> np.ndarray:
    """The boxes of an image, `(boxes, 4)`."""
    return np.array([box.sides for box in item.boxes], "float64").reshape(-1, 4)


def _read_view(item: Boxed, entry: Entry, kind: str, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random view of an image, and what its places stand for."""
    planes = Planes(item.image, len(entry.input.mean))
    pixels, sides, seen = box_view(planes, _sides(item), entry.input, SCALES[kind], generator)
    return pixels, _target(item, sides, seen, entry)


def _target(item: Boxed, sides: np.ndarray, seen: np.ndarray, entry: Entry) -> np.ndarray:
    """What the places of the model's maps stand for, `(places, 5)`. Crowds, and objects that are cut to less than
    `SEEN`, are neither objects nor background.

    Args:
        item: The image with its objects.
        sides: Where they are in what the model sees, `(objects, 4)`.
        seen: The share of each object's area that it sees, `(objects,)`.
        entry: The model.
    """
    labels = np.array([box.label for box in item.boxes], int)
    is_crowd = np.array([box.is_crowd for box in item.boxes], bool) | (seen < SEEN)
    is_object = ~is_crowd
    crowds = sides[is_crowd & (seen > 0)]
    return find_detector(entry).targets(sides[is_object].astype("float32"), labels[is_object], crowds, entry)


def _read_whole(item: Boxed, entry: Entry) -> tuple[np.ndarray, dict[str, Any]]:
    """The image as the model is evaluated on it, and its objects in pixels of the whole image."""
    pixels = preprocess_whole(item.image, entry.input)
    size, count = pixels.whole.size, -(-max(1, len(item.boxes)) // ROWS) * ROWS
    target = {
        "boxes": np.zeros((count, 4), "float32"),
        "classes": np.full(count, -1, "int32"),
        "is_crowd": np.zeros(count, "int32"),
        "areas": np.zeros(count, "float32"),
        "scale": scale_to_whole(size, entry.input).astype("float32"),
        "size": np.tile(size, 2).astype("float32"),
    }
    for place, box in enumerate(item.boxes):
        left, top, right, bottom = target["boxes"][place] = box.sides
        target["areas"][place] = (right - left) * (bottom - top) if box.area is None else box.area
        target["classes"][place], target["is_crowd"][place] = box.label, box.is_crowd
    return np.asarray(pixels), target


TRAINER = ObjectDetectionTrainer()
