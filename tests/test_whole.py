"""Files and folders that are there whole or not at all."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoo.errors import AccessError, InputError, IntegrityError
from zoo.whole import made_folder, whole_file, whole_folder, writable


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 1,000 bytes, as on a disk with so much space."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def leave_half(path: Path, error: BaseException) -> None:
    path.write_text("half")
    raise error


def test_a_file_replaces_the_one_before_once_it_is_whole(tmp_path):
    (tmp_path / "file").write_text("before")
    with whole_file(tmp_path / "file") as place:
        place.write_text("after")
        assert (tmp_path / "file").read_text() == "before"
    assert (tmp_path / "file").read_text() == "after"
    assert names(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, full_disk):
    (tmp_path / "file").write_text("before")
    with (
        pytest.raises(AccessError, match=r"file cannot be written .*with space for it"),
        whole_file(tmp_path / "file") as place,
    ):
        place.write_bytes(bytes(2000))
    assert (tmp_path / "file").read_text() == "before"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [InputError("no"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_folder_that_could_not_be_filled_leaves_nothing(error, tmp_path):
    expected = AccessError if type(error) is OSError else type(error)
    with pytest.raises(expected), whole_folder(tmp_path / "new" / "deeper" / "folder") as place:
        leave_half(place / "file", error)
    assert names(tmp_path) == []


def test_a_folder_appears_whole_and_is_open_to_others_as_any_other(tmp_path):
    with whole_folder(tmp_path / "new" / "folder") as place:
        (place / "file").write_text("whole")
        assert not (tmp_path / "new" / "folder").exists()
    (tmp_path / "other").mkdir()
    assert names(tmp_path) == ["new", "new/folder", "new/folder/file", "other"]
    assert (tmp_path / "new" / "folder").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_what_holds_something_stays(tmp_path):
    with pytest.raises(InputError), made_folder(tmp_path / "a" / "b"):
        leave_half(tmp_path / "a" / "mine", InputError("no"))
    assert names(tmp_path) == ["a", "a/mine"]


def test_a_file_in_the_way_is_one_error_and_our_own_errors_pass(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AccessError, match="cannot be written"), made_folder(tmp_path / "file" / "folder"):
        raise AssertionError
    with pytest.raises(IntegrityError, match="as it is"), writable(tmp_path):
        raise IntegrityError("as it is")
