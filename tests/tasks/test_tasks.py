"""What holds for every task."""

import ast
from pathlib import Path
from typing import get_args

import pytest

import zoo.tasks
from zoo.catalogue.input_facts import input_facts
from zoo.catalogue.registry import registry
from zoo.catalogue.task_names import TaskName
from zoo.tasks import find_task
from zoo.tasks.task import Task

NAMES = get_args(TaskName)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_in_the_registry_has_its_task(name):
    task = find_task(name)
    assert isinstance(task, Task)
    assert task.pipeline_tag
    assert "record" in task.show


@pytest.mark.parametrize("name", NAMES)
def test_a_card_of_the_task_says_shape_and_range(name):
    entry = next((entry for entry in registry().entries.values() if entry.task == name), None)
    if entry is None:
        pytest.skip(f"no model of {name} in the registry")
    task = find_task(name)
    assert "`(batch" in task.takes(entry)
    assert "`(batch" in task.gives(entry)
    assert "\n" not in input_facts(entry.model_dump())


def test_tasks_know_entries_not_models():
    """Neither what makes models nor what runs them: also no types of it, which would close a circle."""
    above = {f"zoo.{name}" for name in ("model", "loading", "prediction", "evaluation", "architectures", "batch")}
    for path in Path(zoo.tasks.__file__).parent.glob("*.py"):
        imported = {
            node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not imported & above, path.name
