"""The notebooks are made from the pages, and run."""

import json

import pytest

from tools import docs_notebooks
from tools.docs_notebooks import NOTEBOOKS, OUTPUT

LARGEST_BYTES = 600_000  # with images


def sources(notebook):
    return [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_what_its_pages_are(name):
    path = OUTPUT / f"{name}.ipynb"
    shipped = json.loads(path.read_text(encoding="utf-8"))
    assert sources(shipped) == sources(docs_notebooks.source(name)), "python -m tools.docs_notebooks writes them"
    assert path.stat().st_size < LARGEST_BYTES
    outputs = [output for cell in shipped["cells"] for output in cell.get("outputs", [])]
    assert outputs
    assert not [output for output in outputs if output["output_type"] == "error"]


@pytest.mark.slow  # executes them, which is how the code of their pages is run
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(name):
    docs_notebooks.executed(docs_notebooks.source(name))
