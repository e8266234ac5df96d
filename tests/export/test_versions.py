"""A version is whole or not there: killed exporters, two at once, and folders that cannot be written."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import zoo.export
from tests import warm
from tests.export.conftest import short_of_space
from tests.hub_server.server import can_drop_privileges
from zoo.errors import AccessError, ExportError, InputError
from zoo.export.to_saved_model import saved_model
from zoo.export.versions import new_version, versions

MOMENTS = [".partial-*", ".partial-*/variables/*", ".partial-*/saved_model.pb", ".partial-*/assets.extra/export.json"]


@pytest.fixture(scope="module")
def exporters():
    """Starts processes that have TensorFlow loaded already."""

    def start(directory):
        process = warm.CONTEXT.Process(target=saved_model, args=("espcn-x2", directory))
        process.start()
        return process

    return start


@pytest.mark.slow  # processes; an export that fails leaves nothing either, tested below
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_export_leaves_nothing_that_looks_like_a_version(moment, exporters, tmp_path):
    home = tmp_path / "espcn-x2"
    process = exporters(tmp_path)
    while process.is_alive() and not list(home.glob(moment)):
        time.sleep(0.001)
    process.kill()
    process.join()
    assert process.exitcode == -9, "the export ended before it could be killed"
    for version in versions(home):  # it may have been published in the meantime: then it is whole
        zoo.export.verify(home / str(version))
    assert all(path.name.startswith(".partial-") or path.name.isdecimal() for path in home.iterdir())
    with new_version(tmp_path, "espcn-x2", None) as new:
        (new.folder / "model").write_text("the next")
    assert new.path.name == str(len(versions(home)))


@pytest.mark.slow  # two exports; many writers are below
def test_two_exporters_at_once_get_two_versions(exporters, tmp_path):
    processes = [exporters(tmp_path) for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert versions(tmp_path / "espcn-x2") == [1, 2]
    for version in ("1", "2"):
        zoo.export.verify(tmp_path / "espcn-x2" / version)
    assert len(list((tmp_path / "espcn-x2").iterdir())) == 2


def test_many_writers_get_each_their_own_version(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        paths = list(pool.map(lambda number: write(tmp_path, f"{number}"), range(48)))
    assert versions(tmp_path / "model") == list(range(1, 49))
    assert [(path / "content").read_text() for path in paths] == [f"{number}" for number in range(48)]


def test_a_version_appears_whole(tmp_path):
    with new_version(tmp_path, "model", 7) as new:
        (new.folder / "content").write_text("all of it")
        assert versions(tmp_path / "model") == []
    assert (tmp_path / "model" / "7" / "content").read_text() == "all of it"


def test_the_next_version_is_the_highest_and_one(tmp_path):
    (tmp_path / "model" / "9").mkdir(parents=True)
    (tmp_path / "model" / "notes").mkdir()
    with new_version(tmp_path, "model", None) as new:
        pass
    assert new.path.name == "10"


def write(folder, content, version=None, meanwhile=lambda: None):
    with new_version(folder, "model", version) as new:
        (new.folder / "content").write_text(content)
        meanwhile()
    return new.path


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        write(tmp_path, "half", meanwhile=lambda: 1 / 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", [0, -1, 2**63, 1.0, True, "latest", "1"])
def test_a_version_is_a_number_from_1(version, tmp_path):
    with pytest.raises(InputError, match=r"version=.*Expected a whole number from 1; leave it out for the next"):
        write(tmp_path, "none", version)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["..", ".", "", "/", "../..", ".hidden", "a/.hidden", "\0", "a\nb", " ", 300 * "a", "..\\.."]
)
def test_a_name_that_is_not_a_folder_is_refused(name, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportError, match="cannot be the name of a folder"), new_version(tmp_path / "out", name, None):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["out"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("resnet50", "resnet50"),
        ("owner/model-2.v1", "owner--model-2.v1"),
        ("../../beside", "beside"),
        ("/home/me/my model/", "my model"),
        ("..\\beside", "beside"),
        ("Bäume", "Bäume"),
    ],
)
def test_a_name_becomes_one_folder(name, folder, tmp_path):
    with new_version(tmp_path / "out", name, None) as new:
        pass
    assert new.path == tmp_path / "out" / folder / "1"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    def fill():
        with short_of_space(1000):
            write(tmp_path / "new", 2000 * "x")

    with pytest.raises(AccessError, match=r"model cannot be written \(File too large\)"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_another_exporter_made(tmp_path):
    with pytest.raises(ZeroDivisionError):
        write(tmp_path / "new", "ours", meanwhile=lambda: (write(tmp_path / "new", "theirs"), 1 / 0))
    assert (tmp_path / "new" / "model" / "1" / "content").read_text() == "theirs"


def test_a_version_made_by_another_in_the_meantime_is_not_overwritten(tmp_path):
    with pytest.raises(ExportError, match=r"Version 3 of model exists"):
        write(tmp_path, "ours", 3, meanwhile=lambda: write(tmp_path, "theirs", 3))
    assert (tmp_path / "model" / "3" / "content").read_text() == "theirs"


def test_what_a_killed_process_left_is_removed_a_day_later(tmp_path):
    (tmp_path / "model" / ".partial-old").mkdir(parents=True)
    (tmp_path / "model" / ".partial-new").mkdir()
    os.utime(tmp_path / "model" / ".partial-old", (0, 0))
    with new_version(tmp_path, "model", None):
        pass
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [".partial-new", "1"]


@pytest.mark.skipif(not can_drop_privileges(), reason="root may write everywhere, and setpriv is not here")
def test_a_directory_without_permission_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    code = "import sys; from zoo.export.versions import new_version; new_version(sys.argv[1], 'm', None).__enter__()"
    command = [sys.executable, "-c", code, str(tmp_path)]
    if os.geteuid() == 0:
        dropped = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}", *command]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "AccessError" in done.stderr
    assert "cannot be written (Permission denied)" in done.stderr


@pytest.mark.parametrize("place", ["file", "file/below", "."])
def test_a_file_where_the_folder_should_be_is_one_sentence(place, tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(AccessError, match=r"file is a file\. Expected a folder"),
        new_version(tmp_path / place, "file", None),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
