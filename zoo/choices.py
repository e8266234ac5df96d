"""A wrong choice is answered with those that were perhaps meant."""

import difflib
from collections.abc import Iterable

LONGEST = 200  # characters that are compared


def did_you_mean(wrong: str, choices: Iterable[str]) -> str:
    """The question for a sentence, `Did you mean 'a' or 'b'?`; empty where nothing is written alike.

    Args:
        wrong: What was given: a name, or a shell pattern.
        choices: What there is.
    """
    written = wrong[:LONGEST].lower().strip(" *?[]!")
    near = difflib.get_close_matches(written, list(choices), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
