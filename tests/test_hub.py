"""`zoo.hub` with the real client against a loopback Hub: what it promises, and each fault that it must survive."""

import json
import os
import subprocess
import sys
import termios
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import Fault, HubServer, can_drop_privileges, flipped, halved
from zoo import hub as zoo_hub
from zoo.errors import InputError

REPO = "owner/net"
FILE = "model.safetensors"
CONTENT = bytes(range(256)) * 1024  # 256 KiB
NEWER = CONTENT[::-1]
BODY = rf"/cdn/.*/{FILE}"  # an LFS file's content

CLIENT = """
import json, sys, time, warnings
from zoo import hub
from zoo.errors import ZooError

opened = []  # every file that Python opens
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
for arguments in json.loads(sys.argv[1]):
    opened.clear()
    started = time.monotonic()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            file = hub.fetch(**arguments)
            answer = {"path": str(file.path), "revision": file.revision, "sha256": file.sha256}
            answer |= {"size_bytes": file.size_bytes, "reads": opened.count(str(file.path))}
        except ZooError as error:
            answer = {"error": type(error).__name__, "message": str(error), "cause": type(error.__cause__).__name__}
    answer["seconds"] = time.monotonic() - started
    answer["warnings"] = [str(warning.message) for warning in caught if warning.category is UserWarning]
    print(json.dumps(answer))
"""


def fetch_code(*calls: dict[str, Any]) -> str:
    """Code that makes these calls of `fetch` and prints what came of each."""
    return f"import sys; sys.argv[1:] = [{json.dumps(json.dumps(calls))}]\n{CLIENT}"


def answers_in(output: str) -> list[dict[str, Any]]:
    """What came of the calls."""
    return [json.loads(line) for line in output.splitlines()]


def fetches(hub: HubServer, *calls: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """Call `fetch` in a client process, once with each set of arguments on top of the usual ones."""
    calls = tuple({"repo_id": REPO, "filename": FILE, **arguments} for arguments in calls)
    done = hub.run(fetch_code(*calls), **options)
    assert done.returncode == 0, done.stderr
    return answers_in(done.stdout)


def fetch(hub: HubServer, *, environment: dict[str, str] | None = None, **arguments: Any) -> dict[str, Any]:
    """Call `fetch` once in a client process."""
    return fetches(hub, arguments, **(environment or {}))[0]


def blobs(hub: HubServer) -> list[Path]:
    """The contents in the clients' cache, whole or partial."""
    return sorted(hub.cache.glob("models--*/blobs/*"))


@pytest.fixture
def commit(hub: HubServer) -> str:
    """The commit of a repository with one LFS file and one small one."""
    return hub.repository(REPO).commit({FILE: CONTENT, "config.json": b'{"a": 1}\n'})


# What is promised


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


def test_what_was_recorded_is_told_without_network(hub: HubServer, commit: str):
    fetch(hub)
    hub.stop()
    done = hub.run(f"from zoo import hub; print(hub.recorded({REPO!r}, {FILE!r})); print(hub.recorded('a/b', 'c'))")
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
    code = "import sys, zoo.hub; print(sorted({'tensorflow', 'keras', 'huggingface_hub', 'httpx'} & set(sys.modules)))"
    assert hub.run(code).stdout.strip() == "[]"


# The cache


def test_the_cache_is_listed_and_what_was_downloaded_removed(hub: HubServer, commit: str):
    newer = hub.repository(REPO).commit({FILE: NEWER})
    hub.repository("owner/foreign").commit({FILE: CONTENT})
    done = hub.run(f"""
import huggingface_hub
from zoo import hub, hub_cache
hub.fetch({REPO!r}, {FILE!r}, revision={commit!r})
hub.fetch({REPO!r}, "config.json", revision={commit!r})
huggingface_hub.hf_hub_download({REPO!r}, {FILE!r}, revision={newer!r})
huggingface_hub.hf_hub_download("owner/foreign", {FILE!r})
print([(entry.repo_id, entry.size_bytes, entry.revisions, entry.last_used.year > 2000) for entry in hub_cache.cached()])
print(hub_cache.remove({REPO!r}), hub_cache.cached())
""")
    size_bytes = 2 * len(CONTENT) + len(b'{"a": 1}\n')
    assert done.stdout.splitlines() == [
        str([(REPO, size_bytes, (commit,), True)]),
        f"{size_bytes - len(NEWER)} []",  # the other program's commit stays
    ]
    assert [path.parent.parent.name for path in blobs(hub)] == ["models--owner--foreign", "models--owner--net"]


@pytest.mark.parametrize("repo_id", ["owner/foreign", "owner/unknown"])
def test_only_what_this_library_recorded_is_removed(hub: HubServer, repo_id: str):
    hub.repository("owner/foreign").commit({FILE: CONTENT})
    hub.run(f"import huggingface_hub; huggingface_hub.hf_hub_download('owner/foreign', {FILE!r})")
    done = hub.run(f"from zoo import hub_cache; hub_cache.remove({repo_id!r})")
    assert f"UnknownModelError: Nothing of '{repo_id}' was downloaded" in done.stderr
    assert len(blobs(hub)) == 1


def test_a_repository_with_a_broken_link_is_removed_too(hub: HubServer, commit: str):
    fetches(hub, {}, {"filename": "config.json"})
    (hub.cache / "models--owner--net" / "blobs" / sha256(CONTENT).hexdigest()).unlink()
    done = hub.run(f"from zoo import hub_cache; print(hub_cache.remove({REPO!r}))")
    assert done.stdout.strip() == "9"
    assert blobs(hub) == []


# Damaged files


@pytest.mark.parametrize("damage", [flipped, halved], ids=["flipped", "truncated"])
def test_a_damaged_cached_file_is_deleted_and_fetched_again(hub: HubServer, commit: str, damage: Any):
    path = Path(fetch(hub)["path"])
    path.resolve().write_bytes(damage(CONTENT))
    assert fetch(hub)["revision"] == commit
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


# A bad network


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", BODY, times=1, drop_after=1000),
        Fault("GET", BODY, times=1, drop_after=1000, reset=True),
        Fault("GET", BODY, times=1, status=503),
        Fault("HEAD", "/resolve/", times=2, status=503),
        Fault("HEAD", "/resolve/", times=1, status=429, headers={"Retry-After": "1"}),
        Fault("GET", BODY, times=1, status=429, headers={"Retry-After": "1"}),
    ],
    ids=["dropped", "reset", "503 on the body", "503 on the metadata", "429 on the metadata", "429 on the body"],
)
def test_what_passes_is_waited_out(hub: HubServer, commit: str, fault: Fault):
    hub.faults.append(fault)
    assert Path(fetch(hub)["path"]).read_bytes() == CONTENT
    assert fault.times == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", BODY, drop_after=1000, reset=True),
        Fault("GET", BODY, status=503),
        Fault("HEAD", "/resolve/", status=503),
        Fault("HEAD", "/resolve/", status=429, headers={"Retry-After": "3600"}),
        Fault("HEAD", "/resolve/", status=200),  # a proxy's login page
    ],
    ids=["reset", "503 on the body", "503 on the metadata", "429 for an hour", "not a Hub"],
)
def test_what_does_not_pass_is_an_error_within_seconds(hub: HubServer, commit: str, fault: Fault):
    hub.faults.append(fault)
    answer = fetch(hub)
    assert answer["error"] == "OfflineError"
    assert hub.endpoint in answer["message"]
    assert answer["seconds"] < 10
    assert blobs(hub) == []


def test_nothing_listening_is_an_error_within_seconds(hub: HubServer, commit: str):
    hub.stop()
    answer = fetch(hub)
    assert answer["error"] == "OfflineError"
    assert "Load it once with a working network" in answer["message"]
    assert answer["cause"] == "ConnectError"
    assert answer["seconds"] < 5


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_offline_makes_no_request(hub: HubServer, commit: str, how: str):
    environment = {"HF_HUB_OFFLINE": "1"} if how == "environment" else None
    answer = fetch(hub, environment=environment, **({"offline": True} if how == "argument" else {}))
    assert answer["error"] == "OfflineError"
    assert f"'{FILE}' of '{REPO}' is not in {hub.cache}" in answer["message"]
    assert hub.log == []


def test_what_a_killed_process_left_is_cleared_a_day_later(hub: HubServer, commit: str):
    hub.faults.append(Fault("GET", BODY, times=1, pause_seconds=30))
    process = hub.start(fetch_code({"repo_id": REPO, "filename": FILE}))
    deadline = time.monotonic() + 30
    while not blobs(hub) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    (orphan,) = blobs(hub)
    os.utime(orphan, (time.time() - 100_000,) * 2)
    assert Path(fetch(hub)["path"]).read_bytes() == CONTENT
    assert not orphan.exists()


# Access


def test_a_gated_repository_says_where_to_ask_and_opens_to_a_granted_token(hub: HubServer, commit: str):
    repository = hub.repository(REPO)
    repository.is_gated = True
    strange, unknown = fetches(hub, {}, {"token": "hf_unknown"})
    refused = fetch(hub, token="hf_valid")
    for answer in (strange, refused):
        assert answer["error"] == "AccessError"
        assert f"Accept its conditions at {hub.endpoint}/{REPO}, then log in with `hf auth login`" in answer["message"]
    assert unknown["error"] == "AccessError"
    assert "HTTP 401: Invalid credentials in Authorization header" in unknown["message"]
    repository.readers.add("hf_valid")
    assert fetch(hub, environment={"HF_TOKEN": "hf_valid"})["revision"] == commit


def test_a_private_repository_looks_like_none_and_the_message_says_so(hub: HubServer, commit: str):
    hub.repository(REPO).is_private = True
    answers = fetches(hub, {}, {"token": "hf_valid"})
    assert [answer["error"] for answer in answers] == ["UnknownModelError", "UnknownModelError"]
    assert "if it is private, log in" in answers[0]["message"]


def test_repository_revision_and_file_that_do_not_exist_are_told_apart(hub: HubServer, commit: str):
    calls = [{"repo_id": "owner/none"}, {"revision": "v9"}, {"filename": "none.h5"}, {"revision": "0" * 40}]
    answers = fetches(hub, *calls)
    assert {answer["error"] for answer in answers} == {"UnknownModelError"}
    starts = ["No repository 'owner/none'", f"'{REPO}' has no revision 'v9'", f"'{REPO}' has no file 'none.h5'"]
    for answer, start in zip(answers, [*starts, f"'{REPO}' has no revision '{'0' * 40}'"], strict=True):
        assert answer["message"].startswith(start)


@pytest.mark.skipif(not can_drop_privileges(), reason="root ignores permissions, and setpriv is not installed")
def test_a_read_only_cache_serves_what_it_holds_and_refuses_the_rest(hub: HubServer, commit: str):
    hub.run(f"import huggingface_hub; huggingface_hub.hf_hub_download({REPO!r}, {FILE!r})")
    folders = [path for path in (hub.cache, *hub.cache.rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        held, offline, other = fetches(hub, {}, {"offline": True}, {"filename": "config.json"}, unprivileged=True)
        removed = hub.run(f"from zoo import hub_cache; hub_cache.remove({REPO!r})", unprivileged=True)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert [held["revision"], offline["revision"]] == [commit, commit]
    assert other["error"] == "AccessError"
    assert f"{hub.cache} cannot be written" in other["message"]
    assert "Pass a cache_dir= that can be written, or set HF_HOME" in other["message"]
    assert "UnknownModelError" in removed.stderr  # nothing could be recorded
    assert hub.bodies(FILE) == 1


@pytest.mark.skipif(not can_drop_privileges(), reason="root ignores permissions, and setpriv is not installed")
def test_a_damaged_or_unreadable_file_that_cannot_be_replaced_is_an_access_error(hub: HubServer, commit: str):
    blob = Path(fetch(hub)["path"]).resolve()
    blob.write_bytes(flipped(CONTENT))
    folders = [path for path in hub.cache.rglob("*") if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        damaged = fetches(hub, {}, unprivileged=True)[0]
        blob.chmod(0)
        unreadable = fetches(hub, {}, unprivileged=True)[0]
        removed = hub.run(f"from zoo import hub_cache; hub_cache.remove({REPO!r})", unprivileged=True)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert [damaged["error"], unreadable["error"]] == ["AccessError", "AccessError"]
    assert "is damaged" in damaged["message"]
    assert "cannot be read" in unreadable["message"]
    assert "AccessError" in removed.stderr


# Arguments


@pytest.mark.parametrize(
    "repo_id", ["", "name", "a/b/c", "owner/", "/name", "owner/na me", "../name", "owner/a--b", "owner/-a", "o/a.git"]
)
def test_a_repository_id_is_checked_before_any_request(repo_id: str):
    with pytest.raises(InputError, match=r"is not a repository id\. Expected 'owner/name'"):
        zoo_hub.fetch(repo_id, FILE)


@pytest.mark.parametrize("name", ["", ".", "/etc/passwd", "../config.json", "a/../../b", "..\\b", "C:b", "\\\\host\\b"])
def test_names_that_leave_the_repository_are_refused(name: str):
    with pytest.raises(InputError, match="`filename` must be a path inside a repository"):
        zoo_hub.fetch(REPO, name)
    with pytest.raises(InputError, match="`revision` must be a path inside a repository"):
        zoo_hub.fetch(REPO, FILE, revision=name)


def test_a_hash_is_checked_before_any_request():
    with pytest.raises(InputError, match="`sha256` must be 64 lower-case hexadecimal digits"):
        zoo_hub.fetch(REPO, FILE, sha256="ABC")


# The test server itself


def test_the_server_answers_the_clients_other_questions(hub: HubServer, commit: str):
    hub.repository(REPO).tags["v1"] = commit
    done = hub.run(f"""
from huggingface_hub import HfApi
api = HfApi(token="hf_valid")
info = api.model_info({REPO!r}, files_metadata=True)
print(info.sha, [(file.rfilename, file.size, file.lfs and file.lfs.sha256) for file in info.siblings])
print([(entry.path, entry.size) for entry in api.list_repo_tree({REPO!r}, revision="v1")])
refs = api.list_repo_refs({REPO!r})
print([(ref.name, ref.target_commit) for ref in refs.branches + refs.tags], api.whoami()["name"])
""")
    lfs = sha256(CONTENT).hexdigest()
    assert done.stdout.splitlines() == [
        f"{commit} {[('config.json', 9, None), (FILE, len(CONTENT), lfs)]}",
        str([("config.json", 9), (FILE, len(CONTENT))]),
        f"{[('main', commit), ('v1', commit)]} tester",
    ]
