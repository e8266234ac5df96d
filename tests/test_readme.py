"""What the README shows, runs."""

import re
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
