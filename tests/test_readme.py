"""What the README shows, runs."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


@pytest.mark.parametrize("code", BLOCKS, ids=[block.splitlines()[-1][:30] for block in BLOCKS])
def test_a_block_that_needs_no_network_runs(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((6, 9, 3), "uint8")).save("photo.jpg")
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 (the README is ours)
    assert capsys.readouterr().out


def test_the_two_commands_of_the_readme_are_targets_of_make():
    makefile = (Path(__file__).parents[1] / "Makefile").read_text()
    commands = re.findall(r"^make (\w+)", README, re.M)
    assert commands == ["demo", "test"]
    assert all(re.search(rf"^{command}:", makefile, re.M) for command in commands)


def test_the_install_table_names_every_extra():
    pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    table = README.split("## Install")[1].split("## Quick start")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named == set(pyproject["project"]["optional-dependencies"])


def test_every_link_leads_somewhere():
    root = Path(__file__).parents[1]
    for page in [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        anchors = {
            re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)", text, re.M)
        }
        for link in re.findall(r"\]\((?!https?:)([^)]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)):
            path, _, anchor = link.partition("#")
            if "catalogue/" in path or re.fullmatch(r"(\.\./)?reference/(zoo|layers|export|registry)\.md", path):
                continue  # made when the documentation is built, where tests/docs/test_site.py follows them
            assert (page.parent / path).exists(), f"{page.name}: {link}"
            assert path or anchor in anchors, f"{page.name}: {link}"


def test_the_tree_of_contributing_is_the_one_on_disk():
    root = Path(__file__).parents[1]
    tree = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Where things are")[1].split("```")[1]

    def folders(place: Path) -> set[str]:
        real = (path for path in place.iterdir() if path.is_dir() and not path.is_symlink())
        return {path.name for path in real if any(path.glob("[!_.]*")) and path.name[0] not in "_."}

    assert set(re.findall(r"^  (\w+)/", tree, re.M)) == folders(root / "zoo")
    assert set(re.findall(r"^(\w+)/", tree, re.M)) <= folders(root)
