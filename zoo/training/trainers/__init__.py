"""How the models of each task are trained: one file per task, named as in `zoo.tasks`."""

import importlib

from zoo.training.trainer import TaskTrainer


def find_trainer(task: str) -> TaskTrainer:
    """The trainer of a task, such as `"super-resolution"`: the one instance that its module contains."""
    return importlib.import_module(f"zoo.training.trainers.{task.replace('-', '_')}").TRAINER
