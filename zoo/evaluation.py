"""Metrics of a model on data with targets."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from zoo.arguments import Progress
from zoo.catalogue.handles import path_of
from zoo.datasets import folders, hugging_face
from zoo.errors import InputError, MissingExtraError
from zoo.export.opened import ExportedModel, layers_of
from zoo.imaging.corruptions import CORRUPTIONS, corrupted
from zoo.imaging.orientations import averaging
from zoo.loading import answering
from zoo.model import ZooModel
from zoo.prediction import by_shape, check_fits
from zoo.tasks import find_task
from zoo.tasks.images import Images
from zoo.training.examples import Examples
from zoo.training.report import can_draw
from zoo.training.trainer import TaskTrainer, first_of, is_dataset, is_folder, known_labels, model_outputs
from zoo.training.trainers import find_trainer
from zoo.whole import writable

BATCH = 8  # examples of one size per forward pass, at most
VALUES = 1 << 21  # numbers in them, at most, but for one example


def evaluate(
    model: ZooModel | ExportedModel | str | os.PathLike[str],
    data: Any,
    *,
    split: str = "test",
    tta: str | None = None,
    corruptions: bool = False,
    output_dir: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluate a model on data that it should not have been trained on, in full size and without augmentation.

    Args:
        model: A model from `zoo.load`, or a handle for it; or the folder of an export, which its own runtime runs.
        data: What `zoo.finetune` takes, for the same task: a folder, a table beside the images, a tuple of inputs and
            targets, a split of Hugging Face's `datasets`, or a `tf.data.Dataset` of batches. Class folders have the
            names of the model's classes, in any case; or are named by synset or by number
            (`zoo.datasets.class_names`).
        split: The split of a folder that has splits: `"train"`, `"val"` or `"test"`. Other names, such as `valid`, are
            recognised; without splits, the whole folder is evaluated.
        tta: `"flip"` to evaluate the mean over each image and its mirror image, `"multi"` at three sizes too, as
            `zoo.predict`.
        corruptions: Measure spoiled images too: noise, blur, a low resolution, strong JPEG, other brightness and
            contrast, see `zoo.imaging.corruptions`; the noise is the same in every call.
        output_dir: A folder for images of the results: the confusion matrix of a classification or a segmentation,
            predictions over targets of a regression, an example of other tasks.
        progress: Called as `progress(done, total)`, in examples; not for a `tf.data.Dataset` of batches.

    Returns:
        A record that `json.dumps` takes: `model`, `task`, `data`, `split` (None for data without splits), `count`, and
        by task:

        - `coordinate-classification`: `accuracy_percent`, the percentage of exactly predicted pixels.
        - `coordinate-regression`: `mean_distance_pixels`.
        - `coordinate-rendering`, `volume-segmentation`: `iou_percent`, over all pixels or voxels of the data.
        - `depth-completion`: `mae_metres` and `rmse_metres`, per map, averaged over the maps.
        - `forecasting`: `mae` in the unit of the series, and `seasonal_naive_mae`, the error of repeating the last
          season.
        - `image-classification`: `top1_percent`, `top5_percent` (from six classes on), `class_percent` per class, named
          as in the data. Where several classes have the name of a folder (ImageNet has two named `crane`), either
          counts as correct; synsets and numbers tell them apart.
        - `image-features`: `neighbor_percent`, the percentage of images whose nearest neighbour has the same class.
        - `image-regression`: `r2`, and `mae` in the unit of the quantity; of several quantities the mean `r2`, and
          `quantity_mae` and `quantity_r2` by name.
        - `inpainting`: `hole_mae`, 0 to 255, in holes that are the same in every call.
        - `multi-label-classification`: `map_percent`, the mean of `class_ap_percent`, the average precision per label;
          `f1_percent` of all labels together, and `macro_f1_percent`, the mean over the labels, at a score of a half.
        - `object-detection`: COCO's average precisions, of the extra `layerzoo[detection]`: `ap_percent`, over overlaps
          of 0.50 to 0.95, `ap50_percent`, `ap75_percent`, by size `ap_small_percent`, `ap_medium_percent` and
          `ap_large_percent`, and `class_ap_percent` per class; sizes in pixels of the whole images.
        - `semantic-segmentation`: `global_accuracy_percent`, `mean_class_accuracy_percent`, `mean_iou_percent`, and
          `class_iou_percent` per class. Void pixels do not count.
        - `super-resolution`: `rgb_psnr_db` of downscaled and enlarged images, and `bicubic_rgb_psnr_db` for comparison.
        - `volume-features`: `mse` of the features.

        `corruptions` has those that are one number, by corruption. `intervals` has the 95 % confidence interval of each
        of them, by the bootstrap: what other examples of the same kind would have given.

    Raises:
        InputError: The data have another layout, a file cannot be read, or there is no such split or no target; with
            `corruptions`, the model takes no images of one or three channels.
        MissingExtraError: With `output_dir`, the extra `layerzoo[train]` is not installed, and the task has plots.
        AccessError: `output_dir` cannot be written.
        As `zoo.load`, for a handle.

    Example:
        >>> import numpy as np, zoo
        >>> places = np.array([[3.0, 4.0], [40.0, 12.0]])
        >>> zoo.evaluate("coordconv-classifier", (places, places))["accuracy_percent"]
        100.0
    """
    model = answering(model)
    if model.spec.features:
        raise InputError(f"{model.spec.name} was loaded with features=True. Expected a model with its own outputs.")
    data = path_of(data) if is_folder(data) else data
    trainer = find_trainer(model.spec.task)
    if corruptions:
        _check_corruptible(model)
    if output_dir is not None:
        _check_drawable(trainer, model.spec.task)
        _check_folder(path_of(output_dir), data)
    if is_dataset(data):
        examples, batches = None, _given(data)
    else:
        if is_folder(data) and Path(data).is_dir():
            folders.check_split(data, split)
        labels = known_labels(model.spec) or None
        examples = trainer.find(data, split, model.spec, labels)
        batches = _whole(trainer, model, examples, progress)
    measure, example = trainer.measure(model.spec, examples), None
    spoiled = {name: trainer.measure(model.spec, examples) for name in (CORRUPTIONS if corruptions else ())}
    answers = averaging(lambda batch: model_outputs(model, batch), layers_of(model), tta)
    for inputs, targets in batches:
        check_fits(model, inputs)
        outputs, seen = answers(inputs), measure.count
        measure.add(outputs, targets, inputs)
        if output_dir is not None and example is None:
            example = first_of((inputs, targets, outputs))
        for name, other in spoiled.items():
            images = np.stack([corrupted(image, name, seen + place) for place, image in enumerate(inputs)])
            other.add(answers(images), targets, images)
    metrics = measure.results()
    if len(metrics) < 2:
        raise InputError(
            f"There is nothing to evaluate {model.spec.name} on: the data contain no target that counts. Expected some."
        )
    facts = {"model": model.spec.name, "task": model.spec.task, "data": _title(data)}
    if output_dir is not None and example is not None:
        folder = path_of(output_dir)
        with writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            trainer.draw(model.spec, measure, example, folder)
    more: dict[str, Any] = {"corruptions": {name: one.numbers() for name, one in spoiled.items()}} if spoiled else {}
    more |= {"intervals": found} if (found := measure.intervals()) else {}
    return {**facts, "split": split if trainer.has_split(data, split) else None, **metrics, **more}


def _check_corruptible(model: ZooModel | ExportedModel) -> None:
    channels = len(model.spec.input.mean)
    if not isinstance(find_task(model.spec.task), Images) or channels not in (1, 3):
        raise InputError(
            f"corruptions=True does not apply to {model.spec.name} ({model.spec.task}, {channels} channels). Expected "
            "a model of images alone, of one or three channels."
        )


def _check_drawable(trainer: TaskTrainer, task: str) -> None:
    if type(trainer).draw is TaskTrainer.draw:
        raise InputError(f"output_dir does not apply to {task}, which has no image of its results. Expected None.")
    if not can_draw():
        raise MissingExtraError(
            "Images of the results need matplotlib, which is not installed. Expected: pip install 'layerzoo[train]'."
        )


def _check_folder(folder: Path, data: Any) -> None:
    if folder.is_file():
        raise InputError(f"output_dir={str(folder)!r} is a file. Expected a folder, or a name for one.")
    if is_folder(data) and folder.resolve() == Path(data).resolve():
        raise InputError(f"output_dir={str(folder)!r} is the data, which images would change. Choose another folder.")


def _whole(
    trainer: TaskTrainer, model: ZooModel | ExportedModel, examples: Examples, progress: Progress | None
) -> Iterator[tuple[Any, Any]]:
    """Batches of whole examples, those of one size together, read in threads."""
    done = 0
    with ThreadPoolExecutor() as pool:
        for items in _together(examples.items):
            rows: list[Any] = list(pool.map(lambda item: trainer.read(item, model.spec, None, None), items))
            for _, batch in by_shape(rows):
                yield from _parted(batch)
            done += len(items)
            if progress is not None:
                progress(done, len(examples.items))


def _together(items: Iterable[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == BATCH:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _parted(batch: Any) -> Iterator[Any]:
    """A batch in parts that fit into memory."""
    import keras

    first = keras.tree.flatten(batch)[0]
    size = max(1, VALUES // max(1, first[0].size))
    for start in range(0, len(first), size):
        part = slice(start, start + size)
        yield keras.tree.map_structure(lambda array, part=part: array[part], batch)


def _given(dataset: Any) -> Iterator[tuple[Any, Any]]:
    """The batches of a `tf.data.Dataset`, as arrays."""
    import keras

    if int(dataset.cardinality()) == -1:  # tf.data.INFINITE_CARDINALITY
        raise InputError("The dataset never ends. Expected one without repeat(), or with take(batches).")
    if not isinstance(dataset.element_spec, tuple) or len(dataset.element_spec) not in (2, 3):
        raise InputError(
            f"An element of the dataset is {dataset.element_spec}. Expected batches (inputs, targets), as "
            "dataset.batch(n) makes them of pairs."
        )
    for batch in dataset:
        inputs, targets, *_ = keras.tree.map_structure(np.asarray, batch)
        yield inputs, targets


def _title(data: Any) -> str:
    if is_folder(data):
        return os.fspath(data)
    return hugging_face.title(data) if hugging_face.is_split(data) else "data in memory"
