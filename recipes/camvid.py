"""CamVid as the recipes see it: its classes, crops to train on, the weights of the classes, and the measurement.

The frames are 480 x 360 pixels in SegNet's split, 367 to train, 101 to validate, 233 to test, in one of the layouts
that `zoo.datasets.images_with_masks` reads; 11 classes, and 11 for void. Brostow et al., 2009, Pattern Recognition
Letters 30(2), for research use: the files stay outside of this project.
"""

from pathlib import Path

import keras
import numpy as np
from PIL import Image

from zoo.datasets.images_with_masks import VOID, find_pairs, read_pair
from zoo.imaging.label_maps import label_map
from zoo.labels import read_labels
from zoo.measures.segmentation import SegmentationScores, confusion_matrix, segmentation_scores

CLASSES = read_labels("camvid") or ()
CROP = (288, 384)  # height and width in pixels: at the least scale the whole frame
SCALES = (0.8, 1.6)
GAINS = (0.8, 1.25)  # of all channels together
TINTS = (0.95, 1.05)  # of each channel by itself

Frame = tuple[np.ndarray, np.ndarray]


def read_split(folder: Path, split: str) -> list[Frame]:
    """Images, uint8 `(height, width, 3)`, and their classes, int32 `(height, width)`, VOID where there is none."""
    return [read_pair(pair, len(CLASSES)) for pair in find_pairs(folder, split)]


def class_weights(masks: list[np.ndarray], num_classes: int) -> np.ndarray:
    """Median frequency balancing, float32 `(num_classes,)`: the median of the classes' frequencies over each one's.

    A class' frequency is its share of the pixels of the images that it occurs in (SegNet's paper, section 4). A class
    that never occurs has weight 0.
    """
    counts = np.stack([np.bincount(mask[mask != VOID], minlength=num_classes) for mask in masks])
    sizes = np.array([mask.size for mask in masks])
    pixels = counts.sum(axis=0)
    frequency = pixels / np.maximum(((counts > 0) * sizes[:, None]).sum(axis=0), 1)
    weights = np.median(frequency[pixels > 0]) / np.where(pixels > 0, frequency, np.inf)
    return weights.astype("float32")


def crop(frame: Frame, label_stride: int, generator: np.random.Generator) -> Frame:
    """A random window of a frame, scaled, mirrored or not, darker or lighter.

    Returns:
        uint8 `(288, 384, 3)`, and the classes int32 at every `label_stride`-th pixel, `(288 / label_stride, ...)`.
    """
    image, mask = frame
    least = max(length / side for length, side in zip(CROP, mask.shape, strict=True))
    low, high = max(SCALES[0], least), max(SCALES[1], least)
    scale = np.exp(generator.uniform(np.log(low), np.log(high)))
    height, width = (length / scale for length in CROP)
    top, left = (generator.uniform(0, max(0.0, s - w)) for s, w in zip(mask.shape, (height, width), strict=True))
    box = (left, top, min(left + width, mask.shape[1]), min(top + height, mask.shape[0]))
    size = CROP[::-1]
    pixels = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, box), "float32")
    size = (CROP[1] // label_stride, CROP[0] // label_stride)
    labels = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST, box))
    gain = np.exp(generator.uniform(*np.log(GAINS))) * generator.uniform(*TINTS, size=3)
    pixels = np.clip(np.rint(pixels * gain), 0, 255).astype("uint8")
    mirror = 1 - 2 * int(generator.integers(2))
    return pixels[:, ::mirror], labels[:, ::mirror]


def draw(frames: list[Frame], label_stride: int, generator: np.random.Generator) -> Frame:
    """One crop of each frame, in any order: images and their classes, with the batch as first axis."""
    crops = [crop(frames[index], label_stride, generator) for index in generator.permutation(len(frames))]
    images, labels = zip(*crops, strict=True)
    return np.stack(images), np.stack(labels)


def measure(model: keras.Model, frames: list[Frame]) -> SegmentationScores:
    """Compare with the target at its full size; logits are enlarged bilinearly, as `zoo.predict` does."""
    num_classes = model.output_shape[-1]
    total = np.zeros((num_classes, num_classes), np.int64)
    for image, target in frames:
        answer = label_map(model.predict_on_batch(image[None])[0], *target.shape)
        total += confusion_matrix(target, answer, num_classes)
    return segmentation_scores(total)
