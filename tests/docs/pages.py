"""The code blocks of README and documentation, in the order in which a reader meets them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "export" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOTE = r"(?:<!-- (?:not run: (?P<why>.+?)|where installed: (?P<module>\w+)) -->\n)?"
FENCE = re.compile(
    rf"^{NOTE}```(?P<language>\w*)(?: title=\"(?P<file>\S+)\")?\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
RUN = ("py", "python", "sh")  # python: also by the quick tests, since it needs nothing but a photograph
READ = ("yaml",)
SHOWN = ("", "text", "math", "html")  # layouts of folders, outputs, equations


class Block(NamedTuple):
    """Code, the line of its page that it begins at, why it cannot be run here, if so, a module that it needs, and the
    file that a reader puts it into, if it has a title."""

    language: str
    code: str
    line: int
    why: str | None
    module: str | None
    file: str | None


def name_of(page: Path) -> str:
    """The page as it is called from the project's folder."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """All blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        found.append(Block(match["language"], match["code"], line, match["why"], match["module"], match["file"]))
    return found
