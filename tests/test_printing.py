"""What others wrote is shown as text: it moves no cursor, forges no line, turns nothing around, loads nothing."""

import json
import os
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import zoo
from zoo.command_line.main import main
from zoo.errors import InputError
from zoo.printing import as_markdown, as_text, print_json, print_table, warn

ACTS = {
    "\x1b[2J": r"\x1b[2J",  # clears the screen
    "\x1b]8;;http://evil.example\x07click": r"\x1b]8;;http://evil.example\x07click",
    "\x9b31m": r"\x9b31m",  # the same in one byte
    "a\nError: b": r"a\nError: b",
    "a\rb": r"a\rb",
    "a\u2028b": r"a\u2028b",
    "photo\u202egnp.exe": r"photo\u202egnp.exe",  # reads photoexe.png
    "\u2066a": r"\u2066a",
    os.fsdecode(b"caf\xe9.jpg"): r"caf\udce9.jpg",  # printing it would be an error
    "a\0b": r"a\x00b",
    "\ufeffa": r"\ufeffa",
    "a\u200bb": r"a\u200bb",
}
WORDS = ("crème brûlée", "柴犬\u3000犬", "नमस्\u200dते", "👩\u200d🔬", "[/b]", "a\u00a0b", r"C:\dir")
SEEDED = settings(max_examples=40, derandomize=True, database=None, deadline=None)
MARKDOWN = (
    "![](http://evil.example/seen.png)",
    "[click](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "<http://evil.example>",
    "http://evil.example www.evil.example me@evil.example",
    "**bold** _slanted_ ~~gone~~ `code`",
    "# title",
    "- item",
    "1. item",
    "> quoted",
    "| a | b |",
    "&lt;b&gt; &copy;",
    "a\\",
    "[^1]",
    "---",
    "===",
)


@pytest.mark.parametrize(("text", "shown"), ACTS.items())
def test_what_acts_is_written_as_python_writes_it(text, shown):
    assert as_text(text) == shown


@pytest.mark.parametrize("text", WORDS)
def test_letters_of_all_languages_stay(text):
    assert as_text(text) == text


@SEEDED
@given(st.text(st.characters()))
def test_no_character_that_acts_is_left(text):
    shown = as_text(text)
    assert not {unicodedata.category(char) for char in shown if char not in "\u200c\u200d"} & {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
        "Zp",
    }
    shown.encode()


@pytest.mark.parametrize("text", MARKDOWN)
def test_markdown_shows_it_as_text(text):
    tokens = MarkdownIt("gfm-like", {"html": True}).parse(f"{as_markdown(text)}\n\nNext: {as_markdown(text)}")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"] * 2
    for prefix, token in zip(("", "Next: "), tokens[1::3], strict=True):
        assert {child.type for child in token.children} <= {"text", "text_special"}
        assert "".join(child.content for child in token.children) == prefix + text


@SEEDED
@given(st.text())
def test_any_text_is_text_in_markdown(text):
    tokens = MarkdownIt("commonmark").parse(f"Name: {as_markdown(text)}.")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {child.type for child in tokens[1].children} <= {"text", "text_special"}


def test_an_error_is_one_line_whatever_it_quotes():
    assert str(InputError("a\x1b[2J\nError: b")) == r"a\x1b[2J\nError: b"
    assert str(InputError("two", "lines")) == "two\nlines"


def test_json_stays_what_it_was(capsys):
    value = {"name": "柴犬\x1b[2J\x9b\u202e\U000e0041\udce9"}
    print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert "柴犬" in printed
    assert not {"\x9b", "\u202e", "\U000e0041", "\udce9"} & set(printed)


@pytest.mark.parametrize("cell", ["[/b]", "[bold]x[/bold]", ":smile:", "[link=http://evil.example]x[/link]"])
def test_a_table_shows_markup_as_text(cell, capsys):
    print_table(("name",), [(cell,)])
    assert cell in capsys.readouterr().out


@pytest.mark.parametrize("text", [*ACTS, "[/b]", "[red]x"])
def test_the_command_line_shows_it_as_text(text, tmp_path):
    entry = zoo.info("espcn-x2").model_dump(mode="json") | {"license": text}
    (tmp_path / "zoo.json").write_text(json.dumps(entry))
    for options in ((), ("--json",)):
        result = CliRunner().invoke(main, ["info", str(tmp_path), *options])
        assert not set("\x1b\x9b\r\u2028\u202e\u2066\udce9\0\ufeff\u200b\x07") & set(result.output)
        if options and result.exit_code == 0:
            assert json.loads(result.stdout)["license"] == text
        elif result.exit_code == 0:
            assert as_text(text) in result.stdout
        else:  # a description may be refused for it, in a sentence
            assert isinstance(result.exception, SystemExit)


def test_a_wrong_handle_forges_no_line():
    result = CliRunner().invoke(main, ["info", "x\x1b[2J\nDone."])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "\x1b" not in result.output


def test_a_warning_is_one_line_whatever_it_quotes(caplog):
    warn("a\x1b[2J\nWARNING: b", "two")
    assert caplog.messages == ["a\\x1b[2J\\nWARNING: b\ntwo"]


def test_all_warnings_go_this_way():
    sources = Path(zoo.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if "getLogger(" in path.read_text()] == ["printing.py"]
