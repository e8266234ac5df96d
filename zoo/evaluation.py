"""How good a model is on a folder of data with its truth."""

import os
from typing import Any

from zoo.loading import ready
from zoo.model import ZooModel
from zoo.tasks import find_task
from zoo.tasks.task import Track


def evaluate(
    model_or_handle: ZooModel | str | os.PathLike[str],
    data: str | os.PathLike[str],
    *,
    split: str = "test",
    track: Track = iter,
) -> dict[str, Any]:
    """Measure a model on data that it should not have been trained on.

    Args:
        model_or_handle: A model from `zoo.load`, or a handle for it.
        data: A folder, laid out as the task wants it (`zoo.datasets`): class folders for `image-classification`;
            pictures with masks for `semantic-segmentation`, such as CamVid in either layout; sparse and dense maps for
            `depth-completion`, such as KITTI's.
        split: `"train"`, `"val"` or `"test"`, a folder in it. Class folders may do without.
        track: Wraps the list of what is measured, such as `rich.progress.track`.

    Returns:
        A record that `json.dumps` takes: `model`, `task`, `data`, `split`, `count`, and by task:

        - `image-classification`: `top1_percent`, `top5_percent` (from six classes on), `class_percent` by class.
        - `semantic-segmentation`: `global_accuracy_percent`, `mean_class_accuracy_percent`, `mean_iou_percent`, and
          `class_iou_percent` by class. Each picture in its own size; void pixels do not count.
        - `depth-completion`: `mae_metres` and `rmse_metres`, of each map, then their mean over the maps.

    Raises:
        InputError: The folder is laid out otherwise, a file cannot be read, or the task has no measure.
        As `zoo.load`, for a handle.
    """
    model = ready(model_or_handle)
    measured = find_task(model.spec.task).evaluate(model, data, split, track)
    facts = {"model": model.spec.name, "task": model.spec.task, "data": os.fspath(data), "split": split}
    return {**facts, **measured}
