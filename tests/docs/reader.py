"""A reader who types what a page shows: one process, one namespace, line after line, in the working directory.

A process of its own runs `read(page)`. Python is executed; of a shell, `zoo` runs in this process, and of `pip` and
`make` it is checked that what is named exists; a package that the reader has written is installed. A block with a title
is the content of that file.
"""

import importlib.util
import re
import shlex
import site
import subprocess
import sys
import threading
import time
import tomllib
import traceback
import urllib.request
from pathlib import Path
from typing import Any

from tests.docs.pages import READ, ROOT, RUN, Block, blocks, name_of


def read(name: str, namespace: dict[str, Any]) -> None:
    """Type every block of a page; the first that fails ends it with its place in the page."""
    page = ROOT / name
    for block in blocks(page):
        installed = block.module is None or importlib.util.find_spec(block.module) is not None
        if block.why is None and (block.language in RUN + READ or block.file) and installed:
            began = time.monotonic()
            try:
                type_block(block, name_of(page), namespace)
            except BaseException:
                traceback.print_exc()
                raise SystemExit(f"{name}:{block.line}: this block does not run:\n{block.code}") from None
            print(f"== {name}:{block.line}: {time.monotonic() - began:.1f} s", flush=True)


def type_block(block: Block, page: str, namespace: dict[str, Any]) -> None:
    if block.file:
        Path(block.file).parent.mkdir(parents=True, exist_ok=True)
        Path(block.file).write_text(block.code)
    elif block.language == "sh":
        for line in block.code.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                type_command(words)
    elif block.language == "yaml":
        read_recipe(block.code)
    else:
        exec(compile("\n" * (block.line - 1) + block.code, page, "exec"), namespace)  # noqa: S102 (the page is ours)


def type_command(words: list[str]) -> None:
    from zoo.command_line.main import main

    match words:
        case ["zoo", "demo", *options]:
            serve(options)
        case ["zoo", *arguments]:
            main(arguments, prog_name="zoo", standalone_mode=False)
        case ["pip", "install", "-e", folder]:
            install(Path(folder))
        case ["pip", "install", *targets]:
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            named = re.findall(r"\w+", " ".join(re.findall(r"\[(.*?)\]", " ".join(targets))))
            assert set(named) <= set(extras), named
        case ["make", target, *_]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M), target
        case ["python", file]:
            exec(compile(Path(file).read_text(), file, "exec"), {"__name__": "__main__"})  # noqa: S102
        case _:
            raise AssertionError(f"How is {shlex.join(words)} run? Say it here, or why it is not, above the block.")


def install(folder: Path) -> None:
    """Install a package that the reader has written, for this process."""
    from tests.private_registry import forget

    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--prefix", "installed", "--editable", str(folder)], check=True)
    (packages,) = Path("installed").rglob("site-packages")
    site.addsitedir(str(packages.resolve()))
    forget()


def serve(options: list[str]) -> None:
    """Wait until the demo's page is there; it ends with the process."""
    from zoo.command_line.main import main

    port = options[options.index("--port") + 1] if "--port" in options else "7860"
    arguments = ["demo", *options]
    server = threading.Thread(target=lambda: main(arguments, standalone_mode=False), daemon=True)
    server.start()
    while server.is_alive():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
                assert page.status == 200
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"zoo demo ended, and nothing is on port {port}")


def read_recipe(text: str) -> None:
    """A recipe is one that `zoo.finetune` reads."""
    from zoo.training.recipe import completed

    Path("recipe.yaml").write_text(text)
    completed("recipe.yaml", {})
