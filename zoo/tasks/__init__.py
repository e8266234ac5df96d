"""What the models of each task take and give: one task per file, named as in the registry.

A task knows the model's input layers, how a source becomes their numbers, how an output becomes text, numbers and
images, and how a card describes both. The kinds of input that several tasks share are `images`, `masked`, `volumes`
and `coordinates`. Nothing here imports Keras at the top: `zoo list` and `zoo info` work without it.
"""

import importlib

from zoo.tasks.task import Task


def find_task(name: str) -> Task:
    """The task that the registry calls `name`, such as `"super-resolution"`: the one instance that its module
    contains."""
    return importlib.import_module(f"zoo.tasks.{name.replace('-', '_')}").TASK
