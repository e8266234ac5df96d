"""Every block of code in the README and in the documentation runs, as a reader types it, page by page."""

import ast
import re

import pytest

from tests.docs.pages import PAGES, READ, RUN, SHOWN, blocks, name_of
from tools.docs_notebooks import NOTEBOOKS

# What a reader has in variables, on pages whose blocks begin in the middle of a program.
GIVEN = {
    "docs/browser.md": """
for folder in ("my-model", "runs/mine"):
    zoo.save(zoo.load("espcn-x2"), folder)
""",
    "docs/finetuning.md": """
images = numpy.random.default_rng(0).integers(0, 255, (12, 32, 32, 3)).astype("uint8")
ages, weights = images.mean((1, 2, 3)) / 30, images.mean((1, 2, 3)) / 20
""",
}
READER = """
import os, sys
import numpy
import zoo
from tests.docs.reader import read
from zoo.training import plan
plan.STEPS_AFTER_PROBE = 4  # what is learned does not matter here
os.chdir({folder!r})
namespace = {{"zoo": zoo, "numpy": numpy}}
exec({given!r}, namespace)
read({name!r}, namespace)
"""
ALSO_NOTEBOOKS = {page for pages in NOTEBOOKS.values() for page in pages}  # test_notebooks.py runs them
PAGES_THAT_RUN = [
    page
    for page in PAGES
    if name_of(page) not in ALSO_NOTEBOOKS and any(block.language in RUN + READ for block in blocks(page))
]


@pytest.mark.slow  # loads, trains and exports what the pages do; the rest of this file reads them
@pytest.mark.parametrize("page", PAGES_THAT_RUN, ids=name_of)
def test_a_reader_types_a_page(page, hub, tmp_path):
    from tests.docs.reader_files import fill, write_files

    folder = tmp_path / "reader"
    folder.mkdir()
    text = page.read_text(encoding="utf-8")
    write_files(folder, text)
    fill(hub, text)
    name = name_of(page)
    code = READER.format(folder=str(folder), name=name, given=GIVEN.get(name, ""))
    typed = hub.run(code, keras=True, HF_TOKEN="hf_valid")
    print(typed.stdout[-3000:])
    assert typed.returncode == 0, typed.stderr[-6000:]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_block_says_what_it_is_and_is_python(page):
    text = page.read_text(encoding="utf-8")
    assert len(blocks(page)) == len(re.findall(r"^\s*```", text, re.M)) / 2, "a fence that is not at the line's start"
    for block in blocks(page):
        assert block.language in RUN + READ + SHOWN or block.file, f"{name_of(page)}:{block.line}"
        if block.language in ("py", "python"):
            ast.parse(block.code)


def test_what_does_not_run_here_needs_what_is_not_here():
    reasons = {block.why for page in PAGES for block in blocks(page) if block.why}
    machines = {"needs a Ray cluster", "needs Docker", "needs several hosts"}
    others = {"the server does not end", "needs that server"}
    photographs = {"needs photographs of ImageNet's classes", "needs these photographs"}
    assert reasons <= machines | others | photographs
