"""Text from others, shown as text: names of files, labels, licences, what a Hub or a library says.

A name can hold anything: escapes that a terminal obeys, line breaks that forge a second message, marks that turn the
text around, Markdown that loads an image. Nothing is lost here: what would act is written as Python writes it, `\\x1b`.

    as_text        one line, for terminals, messages and logs
    as_markdown    one line of Markdown, and `as_link`, one that leads to an address
    warn           a warning of the logger `zoo`
    print_json     JSON on stdout
    print_table    a table on stdout
    parameters_text   a number of parameters
"""

import json
import logging
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable
from typing import Any

# Printable though Python says otherwise: spaces of other widths, and what joins letters and emoji.
_KEPT_CATEGORIES, _KEPT = {"Zs"}, {"\u200c", "\u200d"}
# Every mark that CommonMark, GitHub or Gradio gives a meaning within a line, and what begins a block.
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~$&!@^]|:(?=//|\w+:)|^[-+=]|(?<=^\d)[.)]|(?<=www)\.", re.IGNORECASE)


def as_text(value: Any) -> str:
    """Write it in one line in which no character acts.

    Args:
        value: Text, a path, or anything that `str` takes.

    Example:
        >>> from zoo.printing import as_text
        >>> as_text("cat" + chr(27) + "[2J.jpg")
        'cat\\\\x1b[2J.jpg'
    """
    text = str(value)
    return text if text.isprintable() else "".join(map(_shown, text))


def as_markdown(value: Any) -> str:
    """Write it as Markdown that shows it as text: no link, image, HTML, emphasis, formula or block."""
    return _MARKS.sub(lambda mark: f"\\{mark.group()}", as_text(value))


def as_link(text: Any, address: Any) -> str:
    """Write a Markdown link; where the address is none of the web, only its text."""
    if not re.fullmatch(r"https?://[\w.-]+(:\d+)?(/[\w.~/?=&%+,:@#-]*)?", str(address), re.ASCII):
        return as_markdown(text)
    return f"[{as_markdown(text)}]({address})"


def warn(*lines: Any) -> None:
    """Warn, as the logger `zoo`; each argument is a line."""
    logging.getLogger("zoo").warning("\n".join(map(as_text, lines)))


def print_json(value: Any) -> None:
    """Print JSON in which letters of all languages stay, and what would act on a terminal is `\\u....`."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print("".join(char if char == "\n" or _shown(char) == char else json.dumps(char)[1:-1] for char in text))


def print_table(header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Print a table, each cell as text: whole lines for grep, and the last column folded for eyes, on a terminal."""
    cells = [[as_text(cell) for cell in row] for row in ([header] if header else []) + list(rows)]
    if not cells:
        return
    *widths, _ = (max(map(len, column)) for column in zip(*cells, strict=True))
    indent = sum(widths) + 2 * len(widths)
    space = shutil.get_terminal_size().columns - indent
    for *first, last in cells:
        lines = textwrap.wrap(last, space) if sys.stdout.isatty() and space >= 20 else [last]
        print("  ".join([*map(str.ljust, first, widths), *lines[:1]]).rstrip())
        for line in lines[1:]:
            print(" " * indent + line)


def parameters_text(millions: float | None) -> str:
    """A number of parameters as people write it: exact for a small network, in millions for a large one.

    Example:
        >>> from zoo.printing import parameters_text
        >>> parameters_text(0.021284), parameters_text(25.557)
        ('21,284', '25.6 M')
    """
    if millions is None:
        return ""
    return f"{millions * 1e6:,.0f}" if millions < 1 else f"{millions:,.1f} M"


def multiply_adds_text(millions: float | None) -> str:
    """A number of multiply-adds as people write it.

    Example:
        >>> from zoo.printing import multiply_adds_text
        >>> multiply_adds_text(0.1234), multiply_adds_text(301.0), multiply_adds_text(4089.0)
        ('0.123 M', '301 M', '4.09 G')
    """
    if millions is None:
        return ""
    return f"{millions:.3g} M" if millions < 999.5 else f"{millions / 1e3:.3g} G"


def _shown(char: str) -> str:
    if char.isprintable() or char in _KEPT or unicodedata.category(char) in _KEPT_CATEGORIES:
        return char
    return char.encode("unicode_escape").decode()
