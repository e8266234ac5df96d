"""The tasks that there are. It imports nothing: whoever lists models waits for nothing else."""

from typing import Literal, get_args

TaskName = Literal[
    "coordinate-classification",
    "coordinate-regression",
    "coordinate-rendering",
    "depth-completion",
    "forecasting",
    "image-classification",
    "image-features",
    "image-regression",
    "inpainting",
    "multi-label-classification",
    "object-detection",
    "semantic-segmentation",
    "super-resolution",
    "volume-features",
    "volume-segmentation",
]  # each has a file in zoo/tasks/
TASK_NAMES: tuple[str, ...] = get_args(TaskName)

ProblemType = Literal["single_label_classification", "multi_label_classification", "regression"]
PROBLEM_TYPES: dict[ProblemType, TaskName] = {  # by transformers' word for what a head on an image predicts
    "single_label_classification": "image-classification",
    "multi_label_classification": "multi-label-classification",
    "regression": "image-regression",
}
# The tasks whose networks differ in the last layer alone, so that a new head makes one of another.
ONE_HEAD: tuple[TaskName, ...] = ("image-features", *PROBLEM_TYPES.values())
