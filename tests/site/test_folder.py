"""Files appear whole, stale ones go, and what is somebody else's is never touched."""

import json
from pathlib import Path

import pytest

from zoo.errors import AccessError, InputError
from zoo.site.folder import MANIFEST, write_files

FILES = {"index.html": b"<a href=models/a.html>", "models/a.html": b"a"}


def held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("exists", [False, True])
def test_a_new_or_empty_folder_is_filled(tmp_path, exists):
    folder = tmp_path / "deep" / "site"
    if exists:
        folder.mkdir(parents=True)
    write_files(folder, FILES)
    assert {name: content for name, content in held(folder).items() if name != MANIFEST} == FILES


def test_a_second_writing_replaces_what_changed_and_removes_what_went(tmp_path):
    write_files(tmp_path / "site", FILES)
    write_files(tmp_path / "site", {"index.html": b"new", "models/b.html": b"b"})
    found = held(tmp_path / "site")
    assert found.pop(MANIFEST)
    assert found == {"index.html": b"new", "models/b.html": b"b"}


def test_files_of_others_in_our_folder_stay(tmp_path):
    write_files(tmp_path, FILES)
    (tmp_path / "CNAME").write_text("zoo.example")
    (tmp_path / "models" / "notes.txt").write_text("mine")
    write_files(tmp_path, {"index.html": b"new"})
    assert set(held(tmp_path)) == {MANIFEST, "index.html", "CNAME", "models/notes.txt"}


def test_a_file_of_others_in_the_place_of_ours_is_not_overwritten(tmp_path):
    write_files(tmp_path, {"index.html": b"old"})
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.html").write_text("mine")
    with pytest.raises(InputError, match=r"a\.html was not written by `zoo site`. Expected that place to be free"):
        write_files(tmp_path, FILES)
    assert held(tmp_path)["index.html"] == b"old"
    assert held(tmp_path)["models/a.html"] == b"mine"


@pytest.mark.parametrize(
    "content",
    [None, "{", "[]", '{"generator": "another", "files": ["notes.txt"]}'],
    ids=["no list", "broken", "no object", "another's"],
)
def test_a_folder_that_is_not_ours_is_refused_and_left_as_it_is(tmp_path, content):
    (tmp_path / "notes.txt").write_text("mine")
    if content is not None:
        (tmp_path / MANIFEST).write_text(content)
    before = held(tmp_path)
    with pytest.raises(
        InputError, match=r"contains notes\.txt and no site of this library. Expected a folder that is new"
    ):
        write_files(tmp_path, FILES)
    assert held(tmp_path) == before


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "site").write_text("mine")
    with pytest.raises(InputError, match=r"site is a file\. Expected a folder"):
        write_files(tmp_path / "site", FILES)


def test_a_place_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises((AccessError, InputError), match="Expected a folder"):
        write_files(tmp_path / "file" / "site", FILES)


def test_a_list_that_points_outside_deletes_nothing_there(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    folder = tmp_path / "site"
    write_files(folder, FILES)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"] += ["../precious.txt", str(tmp_path / "precious.txt")]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    write_files(folder, FILES)
    assert (tmp_path / "precious.txt").read_text() == "mine"


class PowerFailure(BaseException):
    """What no code catches."""


@pytest.mark.parametrize("renames", range(6))
def test_interrupted_anywhere_every_file_is_whole_and_the_next_writing_completes(tmp_path, monkeypatch, renames):
    old = {**FILES, "models/gone.html": b"gone"}
    new = {"index.html": b"<a href=models/b.html>", "models/a.html": b"newer a", "models/b.html": b"b"}
    write_files(tmp_path, old)
    replace, left = Path.replace, [renames]

    def replace_until_the_failure(path, target):
        if not left[0]:
            raise PowerFailure
        left[0] -= 1
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace_until_the_failure)
        if renames < 5:
            with pytest.raises(PowerFailure):
                write_files(tmp_path, new)
        else:
            write_files(tmp_path, new)
    found = held(tmp_path)
    assert found["index.html"] in (old["index.html"], new["index.html"])
    assert found["models/a.html"] in (b"a", b"newer a")
    assert found["index.html"] == old["index.html"] or "models/b.html" in found  # no link to what is not there
    write_files(tmp_path, new)
    found = held(tmp_path)
    assert found.pop(MANIFEST)
    assert found == new
