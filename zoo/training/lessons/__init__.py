"""How the models of each task are taught: one task a file, named as in `zoo.tasks`."""

import importlib

from zoo.training.lesson import Lesson


def find_lesson(task: str) -> Lesson:
    """The lesson of a task, such as `"super-resolution"`: the one instance that its module holds."""
    return importlib.import_module(f"zoo.training.lessons.{task.replace('-', '_')}").LESSON
