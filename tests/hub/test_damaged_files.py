"""Files that are not what they should be, in the cache or on their way."""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server.fetches import BODY, CONTENT, FILE, blobs, fetch, fetches
from tests.hub_server.server import Fault, HubServer, flipped, halved


@pytest.mark.parametrize("damage", [flipped, halved], ids=["flipped", "truncated"])
def test_a_damaged_cached_file_is_deleted_and_fetched_again(hub: HubServer, commit: str, damage: Any):
    path = Path(fetch(hub)["path"])
    path.resolve().write_bytes(damage(CONTENT))
    assert fetch(hub)["revision"] == commit
    assert path.read_bytes() == CONTENT
    assert hub.bodies(FILE) == 2


def test_other_bytes_with_the_old_size_and_times_are_noticed(hub: HubServer, commit: str):
    path = Path(fetch(hub)["path"]).resolve()
    before = path.stat()
    with path.open("r+b") as file:  # the inode stays too
        file.write(flipped(CONTENT))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert [after.st_size, after.st_mtime_ns, after.st_ino] == [before.st_size, before.st_mtime_ns, before.st_ino]
    fetch(hub)
    assert path.read_bytes() == CONTENT
    assert hub.bodies(FILE) == 2


@pytest.mark.parametrize("where", ["hub/blobs/ab", "elsewhere"])
def test_a_damaged_file_is_deleted_behind_all_its_links_but_not_outside_the_cache(
    hub: HubServer, commit: str, where: str
):
    path = Path(fetch(hub)["path"])
    blob, target = path.resolve(), hub.home / where / "content"  # with Xet, a blob is a link to a shared store
    target.parent.mkdir(parents=True)
    target.write_bytes(flipped(CONTENT))
    blob.unlink()
    blob.symlink_to(os.path.relpath(target, blob.parent))
    assert fetch(hub)["revision"] == commit
    assert path.read_bytes() == CONTENT
    assert target.exists() == (where == "elsewhere")


def test_a_disk_without_links_is_served_too(hub: HubServer, commit: str):
    answer, again = fetches(hub, {}, {}, HF_HUB_DISABLE_SYMLINKS="1")
    assert not Path(answer["path"]).is_symlink()
    assert again["reads"] == 0
    Path(answer["path"]).write_bytes(flipped(CONTENT))
    assert fetch(hub, environment={"HF_HUB_DISABLE_SYMLINKS": "1"})["revision"] == commit
    assert hub.bodies(FILE) == 2


def test_a_damaged_cached_file_is_not_used_offline(hub: HubServer, commit: str):
    path = Path(fetch(hub)["path"])
    path.resolve().write_bytes(flipped(CONTENT))
    answers = fetches(hub, {"offline": True}, {"offline": True})
    assert [answer["error"] for answer in answers] == ["IntegrityError", "OfflineError"]
    assert sha256(flipped(CONTENT)).hexdigest() in answers[0]["message"]
    assert blobs(hub) == []


@pytest.mark.parametrize("damage", [flipped, halved], ids=["flipped", "truncated"])
def test_a_body_damaged_once_is_fetched_again(hub: HubServer, commit: str, damage: Any):
    hub.faults.append(Fault("GET", BODY, times=1, body=damage))
    assert Path(fetch(hub)["path"]).read_bytes() == CONTENT
    assert hub.bodies(FILE) == 2


def test_wrong_bytes_of_the_right_length_are_an_error_after_two_downloads(hub: HubServer, commit: str):
    hub.faults.append(Fault("GET", BODY, body=flipped))
    answer = fetch(hub)
    assert answer["error"] == "IntegrityError"
    for part in (FILE, sha256(CONTENT).hexdigest(), sha256(flipped(CONTENT)).hexdigest(), "It was deleted; load it"):
        assert part in answer["message"]
    assert hub.bodies(FILE) == 2
    assert blobs(hub) == []


def test_a_body_cut_short_is_an_error_after_two_downloads(hub: HubServer, commit: str):
    hub.faults.append(Fault("GET", BODY, body=halved))
    answer = fetch(hub)
    assert answer["error"] == "IntegrityError"
    for part in (FILE, str(len(CONTENT)), str(len(CONTENT) // 2)):
        assert part in answer["message"]
    assert hub.bodies(FILE) == 2
    assert blobs(hub) == []


def test_a_pin_that_the_hub_contradicts_is_an_error_before_any_download(hub: HubServer, commit: str):
    answer = fetch(hub, revision=commit, sha256="0" * 64)
    assert answer["error"] == "IntegrityError"
    for part in ("0" * 64, sha256(CONTENT).hexdigest(), "correct the pin"):
        assert part in answer["message"]
    assert hub.bodies(FILE) == 0


def test_a_wrong_pin_does_not_cost_the_cached_file(hub: HubServer, commit: str):
    answers = fetches(hub, {}, {"revision": commit, "sha256": "0" * 64}, {"sha256": "0" * 64}, {"offline": True})
    assert [answer.get("error") for answer in answers] == [None, "IntegrityError", "IntegrityError", None]
    assert hub.bodies(FILE) == 1
