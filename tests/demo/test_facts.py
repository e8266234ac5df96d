"""What is shown about a model beside its predictions."""

import pytest
from markdown_it import MarkdownIt

import zoo
from zoo.demo.facts import facts
from zoo.printing import as_link, as_markdown, as_text


def test_facts_name_task_size_licence_source_and_figures():
    lines = facts(zoo.info("segnet-basic")).splitlines()
    assert lines[:5] == [
        "## segnet-basic.camvid",
        "- Task: semantic segmentation",
        "- Parameters: 899,787",
        "- Licence: camvid-research-only, **for non-commercial use only**",
        "- Source: in the package layerzoo",
    ]
    assert lines[5].startswith("- Measured: ")
    assert "mean IoU, % " in lines[5]
    assert r"- Paper: [https\://arxiv.org/abs/1511.00561](https://arxiv.org/abs/1511.00561)" in lines


def test_a_model_of_the_hub_has_its_page():
    entry = zoo.info("resnet18")
    repo_id = entry.source.removeprefix("hf://")
    assert f"- Source: [{as_markdown(entry.source)}](https://huggingface.co/{repo_id})" in facts(entry).splitlines()


def test_what_the_makers_wrote_is_text_and_loads_nothing():
    evil = "![](http://evil.example/seen.png)<img src=http://evil.example>[a](javascript:b)\x1b[2J\n# c"
    entry = zoo.info("segnet-basic")
    measured = entry.measured.model_copy(update={"dataset": evil})
    told = {"name": evil, "license": evil, "paper": evil, "source": evil, "measured": measured}
    tokens = MarkdownIt("gfm-like", {"html": True}).parse(facts(entry.model_copy(update=told)))
    assert {token.type for token in tokens} == {
        *("heading_open", "inline", "heading_close", "bullet_list_open", "bullet_list_close"),
        *("list_item_open", "list_item_close", "paragraph_open", "paragraph_close"),
    }
    parts = [part for token in tokens for part in token.children or []]
    assert {part.type for part in parts} <= {"text", "text_special"}
    assert "".join(part.content for part in parts).count(as_text(evil)) == 5


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "http://a.example/)![](http://b.example", "data:text/html,x", "//a.example"]
)
def test_no_link_leads_but_to_the_web(address):
    assert as_link("paper", address) == "paper"
