"""What our docstrings call by Keras' names, in the names that mkdocstrings knows. `mkdocs.yml` names this file."""

import re
from typing import Any

import griffe

# "Input shape: `(batch, ...)`" and its indented continuation: one paragraph, not a box.
PARAGRAPH = re.compile(r"^(Input shape|Output shape|Reference|Where): (.*(?:\n {4,}\S.*)*)", re.MULTILINE)


class Sections(griffe.Extension):
    """`Example:` is a section of examples; shapes and references are paragraphs."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = with_sections(obj.docstring.value)


def with_sections(text: str) -> str:
    """The docstring as mkdocstrings reads it.

    Example:
        >>> from tools.docs_docstrings import with_sections
        >>> with_sections("Output shape: a\\n    b\\n\\nExample:\\n    >>> 1")
        '\\n**Output shape:** a b\\n\\nExamples:\\n    >>> 1'
    """
    text = PARAGRAPH.sub(lambda match: f"\n**{match[1]}:** " + re.sub(r"\n +", " ", match[2]), text)
    return re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
