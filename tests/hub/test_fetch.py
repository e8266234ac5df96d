"""What `zoo.hub.fetching.fetch` promises, with the real client against a loopback Hub."""

import os
import subprocess
import sys
import termios
from hashlib import sha256
from pathlib import Path

from tests.hub_server.fetches import BODY, CONTENT, FILE, NEWER, REPO, answers_in, fetch, fetch_code, fetches
from tests.hub_server.server import Fault, HubServer, flipped


def test_a_file_arrives_verified_at_a_commit(hub: HubServer, commit: str):
    answer = fetch(hub)
    assert Path(answer["path"]).read_bytes() == CONTENT
    assert answer["revision"] == commit
    assert answer["sha256"] == sha256(CONTENT).hexdigest()
    assert answer["size_bytes"] == len(CONTENT)
    assert hub.bodies(FILE) == 1


def test_a_small_file_outside_lfs_is_verified_by_its_git_hash(hub: HubServer, commit: str):
    hub.faults.append(Fault("GET", "config.json", times=1, body=flipped))
    answer = fetch(hub, filename="config.json")
    assert Path(answer["path"]).read_bytes() == b'{"a": 1}\n'
    assert answer["sha256"] == sha256(b'{"a": 1}\n').hexdigest()
    assert hub.bodies("config.json") == 2


def test_a_cached_file_needs_no_request(hub: HubServer, commit: str):
    fetches(hub, {}, {"revision": commit})
    hub.log.clear()
    pin = {"revision": commit, "sha256": sha256(CONTENT).hexdigest()}
    assert all("path" in answer for answer in fetches(hub, {}, {"revision": commit}, pin))
    assert hub.log == []


def test_a_pinned_file_that_another_program_cached_needs_no_request(hub: HubServer, commit: str):
    hub.run(f"import huggingface_hub; huggingface_hub.hf_hub_download({REPO!r}, {FILE!r})")
    hub.log.clear()
    answers = fetches(hub, {"revision": commit, "sha256": sha256(CONTENT).hexdigest()}, {"offline": True})
    assert [answer["revision"] for answer in answers] == [commit, commit]
    assert hub.log == []


def test_the_first_load_decides_and_a_named_branch_or_tag_moves(hub: HubServer, commit: str):
    repository = hub.repository(REPO)
    repository.tags["v1"] = commit
    named = [{}, {"revision": "main"}, {"revision": "v1"}]
    assert [answer["revision"] for answer in fetches(hub, *named)] == [commit] * 3
    newer = repository.tags["v1"] = repository.commit({FILE: NEWER})
    assert [answer["revision"] for answer in fetches(hub, *named)] == [commit, newer, newer]
    hub.log.clear()
    offline = [{**arguments, "offline": True} for arguments in named]
    assert [answer["revision"] for answer in fetches(hub, *offline)] == [commit, newer, newer]
    assert hub.log == []


def test_a_branch_is_served_from_its_record_with_a_warning_when_the_hub_is_down(hub: HubServer, commit: str):
    fetch(hub, revision="main")
    hub.faults.append(Fault("HEAD", "/resolve/", status=503))
    answer = fetch(hub, revision="main")
    assert answer["revision"] == commit
    assert f"taken from commit {commit}" in answer["warnings"][0]


def test_an_unchanged_file_is_read_once_and_a_touched_one_again(hub: HubServer, commit: str):
    answers = fetches(hub, {}, {}, {})
    assert [answer["reads"] for answer in answers] == [1, 0, 0]
    os.utime(answers[0]["path"], (1, 1))
    assert [answer["reads"] for answer in fetches(hub, {}, {})] == [1, 0]


def test_what_was_recorded_is_reported_without_network(hub: HubServer, commit: str):
    fetch(hub)
    hub.stop()
    done = hub.run(
        f"from zoo.hub.fetching import recorded; print(recorded({REPO!r}, {FILE!r})); print(recorded('a/b', 'c'))"
    )
    assert commit in done.stdout
    assert sha256(CONTENT).hexdigest() in done.stdout
    assert done.stdout.splitlines()[1] == "None"


def test_a_broken_record_is_as_good_as_none(hub: HubServer, commit: str):
    fetch(hub)
    for record in hub.cache.glob("models--*/zoo/*.json"):
        record.write_text('{"revision": "../..", ')
    assert fetch(hub)["revision"] == commit
    assert hub.bodies(FILE) == 1


def test_the_environment_says_where_the_cache_is(hub: HubServer, commit: str, tmp_path: Path):
    given, named = str(tmp_path / "given"), str(tmp_path / "named")
    answers = fetches(hub, {}, {"cache_dir": given}, HF_HUB_CACHE=named)
    assert [answer["path"].startswith(folder) for answer, folder in zip(answers, (named, given), strict=True)] == [
        True
    ] * 2


def test_two_processes_share_one_download(hub: HubServer, commit: str):
    hub.faults.append(Fault("GET", BODY, pause_seconds=1.5))  # long enough for both to have begun
    code = fetch_code({"repo_id": REPO, "filename": FILE})
    processes = [hub.start(code), hub.start(code)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [answers_in(output)[0]["revision"] for output in outputs] == [commit, commit]
    assert hub.bodies(FILE) == 1


def test_a_terminal_shows_progress_and_a_pipe_stays_silent(hub: HubServer, commit: str, tmp_path: Path):
    assert hub.run(fetch_code({"repo_id": REPO, "filename": FILE})).stderr == ""
    code = fetch_code({"repo_id": REPO, "filename": FILE, "cache_dir": str(tmp_path / "other")})
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (24, 120))
    subprocess.run(
        [sys.executable, "-c", code], env=hub.environment(), stdout=subprocess.PIPE, stderr=slave, check=True
    )
    os.close(slave)
    shown = os.read(master, 10_000).decode()
    os.close(master)
    assert FILE in shown
    assert "100%" in shown


def test_importing_it_is_light(hub: HubServer):
    heavy = {"tensorflow", "keras", "huggingface_hub", "httpx"}
    assert hub.run(f"import sys, zoo.hub.fetching; print(sorted({heavy} & set(sys.modules)))").stdout.strip() == "[]"
