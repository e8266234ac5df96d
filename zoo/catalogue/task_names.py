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
    "inpainting",
    "semantic-segmentation",
    "super-resolution",
    "volume-features",
    "volume-segmentation",
]  # each has a file in zoo/tasks/
TASK_NAMES: tuple[str, ...] = get_args(TaskName)
