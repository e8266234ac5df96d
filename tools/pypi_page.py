"""The page that PyPI makes of what is in `dist/`: `python -m tools.pypi_page dist/*` refuses links that lead nowhere.

On PyPI there are no files beside the page, so a link of the README to another file of the repository is broken there.
"""

import email
import sys
import tarfile
import zipfile
from pathlib import Path

from markdown_it import MarkdownIt


def description(path: Path) -> str:
    """The text of the page, from the metadata of a wheel or an sdist."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            content = wheel.read(name)
    else:
        with tarfile.open(path) as sdist:
            name = next(name for name in sdist.getnames() if name.count("/") == 1 and name.endswith("/PKG-INFO"))
            file = sdist.extractfile(name)
            content = file.read() if file else b""
    return str(email.message_from_string(content.decode("utf-8")).get_payload())


def relative_links(text: str) -> list[str]:
    """The links and images of a page that are neither an address nor a place on it."""
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    tokens = [token for block in blocks for token in block.children or ()]
    targets = [str(token.attrGet("href") or token.attrGet("src") or "") for token in tokens]
    return [target for target in targets if target and not target.startswith(("https://", "http://", "mailto:", "#"))]


def main(paths: list[str]) -> None:
    for path in map(Path, paths):
        text = description(path)
        if not text.strip():
            sys.exit(f"{path} has no description. Expected the README; see pyproject.toml.")
        if links := relative_links(text):
            sys.exit(f"{path}: on PyPI these links lead nowhere: {', '.join(links)}. See RELEASE.md.")


if __name__ == "__main__":
    main(sys.argv[1:])
