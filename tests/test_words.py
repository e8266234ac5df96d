"""The words of docstrings, messages, comments, names and pages: those that Keras, PyTorch and the Hub use.

`make check` runs this file as a script; it imports nothing of the library. CONTRIBUTING explains the words.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("zoo", "layers", "export", "recipes", "tools", "benchmarks", "tests", "docs", "MODEL_CARDS")
PAGES = ("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")
SUFFIXES = {".py", ".md", ".html", ".js", ".css"}
# Lists of classes are not ours, and this file names what is banned; so does the table in CONTRIBUTING.
LEFT_OUT = (
    "CONTRIBUTING.md",
    "zoo/labels/",
    "zoo/layers/",
    "zoo/export/",
    "zoo/model_cards/",
    "tests/golden/",
    "tests/test_words.py",
)

COMPARED = "longer|more|less|fewer|better|worse|faster|slower|larger|smaller|closer|different"
NOUN = rf"(?!(?:{COMPARED}|such|one|other|matter|need)\b)[a-z]{{3,}}"
# What is not written, and what is written instead.
WORDS = {
    r"pictures?": "image",
    r"(?<!ground[\s_])truths?": "target; label for classes, mask for segmentation",
    r"taught|teachable|learnt": "trained, fine-tuned; learned",
    r"lessons?": "trainer, of `zoo.training.trainers`",
    r"remember drawn|settled?": "record_initial_values, mark_trained; initial weights",
    r"model_or_(?:handle|folder)": "model",
    r"patiently|is_first\(|shares_are_given": "with_retries, is_primary(), presharded",
    r"RATE_OF_\w+|SHARE_OF_\w+|ROOM_BYTES": "HEAD_LEARNING_RATE, PATIENCE_FRACTION, ACTIVATION_BUDGET_BYTES",
    r"gone (?:through|on)": "iterated, resumed",
    r"(?:what|whatever) came of": "the result",
    rf"(?<!there[\s_])(?<!here[\s_])(?:is|are|was|were) no {NOUN}": "is not a ..., are not ...",
    r"holds? no(?:ne)?": "contains no ...",
    r"expected another": "Choose another ...",
    r"(?:images|layers|rows|steps|examples|bytes|pixels|values|epochs|photons|batches|workers|GPUs|kB|MB|GB|ms|%) an? "
    r"(?:second|minute|hour|year|step|epoch|image|row|class|worker|machine|GPU|channel|side|line|voxel|block)": "per",
    r"one (?:(?:file|line|row|task|family|concept|card|page|int|value|number|column|name) )?an? "
    r"(?:file|task|family|line|model|class|image|pixel|channel|week|epoch|format|concept)": "per",
    r"whether files that cannot be read": "skip unreadable files",
    r"whose? answers?|answers (?:differ|mean)|(?:the model|it|network) answers": "outputs, predictions",
    r"(?:begins?|begun?) anew": "start over",
    r"goes on where": "resumes where",
    r"bit by bit": "bit for bit",
    r"if need be": "if necessary",
    r"to (?:measure on|learn from)": "to evaluate on, to train on; validation data, training data",
    r"in letters of any size": "in any case",
    r"go(?:es)? on with": "resume",
}
# Formats: names inside files that must keep loading, and a title.
ALLOWED = {
    ("zoo/architectures/pconv_unet.py", 'name="picture"'),
}


def texts() -> Iterator[tuple[str, str]]:
    """Names and contents of all files whose words are ours."""
    files = [ROOT / name for name in PAGES]
    files += [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.suffix in SUFFIXES]
    for path in [*files, ROOT / "export" / "cards.yaml", ROOT / "registry.yaml"]:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(LEFT_OUT) and "__pycache__" not in name and path.is_file():
            yield name, re.sub(r"\n## Words\n.*?(?=\n## )", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def banned(text: str, words: dict[str, str] = WORDS) -> Iterator[tuple[int, str, str]]:
    """Position, match and replacement of each banned phrase, over the ends of lines and in names too."""
    lower = text.lower()
    for phrase, better in words.items():
        spaced = phrase.lower().replace(" ", r"(?:[\s_]|\n *# )+")
        for match in re.finditer(rf"(?<![a-z])(?:{spaced})(?![a-z])", lower):
            yield match.start(), text[match.start() : match.end()], better


def found() -> list[str]:
    """A line for each banned word: where it is, and the word to use instead."""
    lines = []
    for name, text in texts():
        lines += [f"{name}: the file's name has {match!r}. Write: {better}." for _, match, better in banned(name)]
        for start, match, better in banned(text):
            line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", start)]
            if not any(name == place and allowed in line for place, allowed in ALLOWED):
                lines.append(f"{name}:{text.count(chr(10), 0, start) + 1}: {match!r}. Write: {better}.")
    return lines


@pytest.mark.slow  # `make check`, which is part of `make test`, runs this file first
def test_every_word_is_one_that_a_reader_knows():
    assert not (lines := found()), "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "a picture of it",
        "test_a_picture_of_it",
        "draw_PICTURES",
        "the truth",
        "Whatever came\n    of it",
        "# what is no\n# image at all",
        "bytes that are no UTF-8",
        "It holds no image.",
        "32 images a second",
        "one line a class",
    ],
)
def test_a_banned_word_is_found(text):
    assert list(banned(text))


@pytest.mark.parametrize(
    "text",
    [
        "There is no folder",
        "it is no longer there",
        "it is no better",
        "ground truth database",
        "depicted",
        "images per second",
        "a second image",
    ],
)
def test_plain_english_is_left_alone(text):
    assert not list(banned(text))


if __name__ == "__main__":
    sys.exit("\n".join(found()) or None)
