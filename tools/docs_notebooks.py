"""The notebooks of docs/notebooks, made from pages of the documentation and executed, with their outputs.

    python -m tools.docs_notebooks          writes docs/notebooks/*.ipynb
    python -m tools.docs_notebooks layers   one of them

Text and code are those of the pages; a first cell copies the files that they use from the package.
"""

import argparse
import os
import posixpath
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "docs" / "notebooks"
NOTEBOOKS = {
    "first_steps": ["docs/index.md"],
    "fine_tune": ["docs/guides/labels_and_numbers.md"],
    "segmentation": ["docs/guides/segmentation.md"],
    "layers": [
        f"docs/layers/{name}.md"
        for name in ("partial_convolution", "sparse_convolution", "diffusion_fill", "blur", "coordinates",
                     "argmax_pooling", "pixel_shuffle")
    ],
    "export": ["docs/guides/serving.md"],
}  # fmt: skip
# Names on the pages, and the samples of the package that they stand for.
FILES = {
    "photo.jpg": "cat.jpg",
    "a.jpg": "flower.jpg",
    "b.jpg": "pagoda.jpg",
    "street.jpg": "pagoda.jpg",
    "damaged.png": "damaged.png",
    "sparse.png": "depths.png",
}
NOT_RUN = r"<!-- not run: .*? -->\n```\w+\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *NOTEBOOKS], default=[])
    import nbformat

    OUTPUT.mkdir(exist_ok=True)
    for name in parser.parse_args().names or NOTEBOOKS:
        notebook = executed(source(name))
        nbformat.write(notebook, OUTPUT / f"{name}.ipynb")
        print(OUTPUT / f"{name}.ipynb")


def source(name: str) -> Any:
    """A notebook of the pages, not executed."""
    import jupytext
    from nbformat.v4 import new_code_cell

    text = "\n\n".join(_markdown(page) for page in NOTEBOOKS[name])
    copies = {file: sample for file, sample in FILES.items() if f'"{file}"' in text}
    if copies:
        text = text.replace("\n```", f"\n```python\n{_copying(copies)}```\n\n```", 1)
    notebook = jupytext.reads(text, "md")
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "code":
            images = re.findall(r"\.save\(\"([\w-]+\.png)\"\)", cell.source)
            cells += [new_code_cell(f'from IPython import display\n\ndisplay.Image("{image}")') for image in images]
    for index, cell in enumerate(cells):
        cell.id, cell.metadata = str(index), {}
    notebook.cells = cells
    return notebook


def _markdown(page: str) -> str:
    """A page, its links as seen from the notebooks; what another file has, and what we measured, stays there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"^## Measured\n.*?(?=^## |\Z)", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^## .*\n<!-- \S+\.md: .*? -->\n", "", text, flags=re.MULTILINE)
    text = re.sub(NOT_RUN, "```text\n", text)
    text = re.sub(r"```math\n(.*?)```", r"$$\n\1$$", text, flags=re.DOTALL)
    text = text.replace("```py\n", "```python\n").replace("```sh\n", "```bash\n")
    text = re.sub(r"\[(\w+)\]\[zoo\.[\w.]+\]", r"`\1`", text)
    home = posixpath.dirname(page)

    def moved(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(home, link[1]))
        return f"]({posixpath.relpath(target, 'docs/notebooks')}{link[2] or ''})"

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [re.sub(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)", moved, part) for part in parts[::2]]
    return "".join(parts)


def _copying(copies: dict[str, str]) -> str:
    lines = "\n".join(
        f'shutil.copy(files("zoo") / "demo" / "samples" / "{sample}", "{name}")' for name, sample in copies.items()
    )
    return f"import shutil\nfrom importlib.resources import files\n\n{lines};\n"


def executed(notebook: Any) -> Any:
    """The notebook with the outputs of its cells, but warnings; an error ends it."""
    import nbclient

    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": folder}}, record_timing=False
        )
        client.execute(env={**os.environ, **environment})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


if __name__ == "__main__":
    main()
