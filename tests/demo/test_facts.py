"""What stands about a model beside its answers."""

import zoo
from zoo.demo.facts import facts


def test_facts_name_task_size_licence_source_and_figures():
    lines = facts(zoo.info("segnet-basic")).splitlines()
    assert lines[:5] == [
        "## segnet-basic.camvid",
        "- Task: semantic segmentation",
        "- Parameters: 899,787",
        "- Licence: camvid-research-only, **for non-commercial use only**",
        "- Source: in this package",
    ]
    assert lines[5].startswith("- Measured: ")
    assert "mean IoU, % " in lines[5]
    assert "- Paper: <https://arxiv.org/abs/1511.00561>" in lines


def test_a_model_of_the_hub_has_its_page():
    entry = zoo.info("resnet18")
    repo_id = entry.source.removeprefix("hf://")
    assert f"- Source: [hf://{repo_id}](https://huggingface.co/{repo_id})" in facts(entry).splitlines()
