"""What holds for every task."""

from typing import get_args

import pytest

from zoo.registry import TaskName, registry
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
    assert "\n" not in task.input_facts(entry)
