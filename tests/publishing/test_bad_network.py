"""The faults of a network that publishing must survive, or say."""

import threading
from typing import Any

import pytest

from tests.hub_server.publisher import COMMIT, TAG, Publisher, is_whole, versions
from tests.hub_server.server import Fault
from tests.marked_cases import slow_except

PASSING = {
    "the upload is cut": Fault("PUT", "/lfs/", times=1, hang_up_after=10_000),
    "503 on the upload": Fault("PUT", "/lfs/", times=1, status=503),
    "429 before the upload": Fault("POST", "/preupload/", times=1, status=429, headers={"Retry-After": "1"}),
    "503 on the commit": Fault("POST", COMMIT, times=1, status=503),
    "429 on the commit": Fault("POST", COMMIT, times=1, status=429, headers={"Retry-After": "1"}),
    "the commit is cut": Fault("POST", COMMIT, times=1, hang_up_after=1000),
    "the commit's answer is lost": Fault("POST", COMMIT, times=1, drop_after=0, reset=True),
    "503 on the tag": Fault("POST", TAG, times=1, status=503),
    "the tag's answer is lost": Fault("POST", TAG, times=1, drop_after=0, reset=True),
    "503 on creation": Fault("POST", "/api/repos/create", times=1, status=503),
    "503 on the tags": Fault("GET", "/refs", times=1, status=503),
    "502 on the check": Fault("GET", "/revision/[0-9a-f]{40}", times=1, status=502),
}
LASTING = {
    "403 on the upload": (Fault("PUT", "/lfs/", status=403), "AccessError"),
    "400 on the upload": (Fault("PUT", "/lfs/", status=400), "PublishError"),
    "503 on the commit": (Fault("POST", COMMIT, status=503), "PublishError"),
    "429 for an hour": (Fault("POST", COMMIT, status=429, headers={"Retry-After": "3600"}), "PublishError"),
    "a card that is refused": (
        Fault("POST", "/validate-yaml", status=400, body=lambda _: b'{"errors": [{"message": "no"}]}'),
        "PublishError",
    ),
    "500 on the tag": (Fault("POST", TAG, status=500), "PublishError"),
    "other bytes": (
        Fault("GET", r"/revision/[0-9a-f]{40}", body=lambda content: content.replace(b'"size": 8', b'"size": 9')),
        "PublishError",
    ),
    "503 on everything": (Fault("GET", "/api/models/", status=503), "OfflineError"),
}


@pytest.mark.parametrize("name", slow_except(["the upload is cut", "429 on the commit", "503 on the tag"], PASSING))
def test_what_passes_is_waited_out(publisher, server, repo_id, folders, name):
    fault = PASSING[name]
    fault.times = 1
    server.faults.append(fault)
    assert publisher.publish(folders[0], repo_id)["version"] == "v1"
    assert fault.times == 0
    assert len(server.repositories[repo_id].commits) == 2
    assert is_whole(versions(server, repo_id)["v1"], folders[0])


@pytest.mark.parametrize("name", slow_except(["400 on the upload", "other bytes"], LASTING))
def test_what_does_not_pass_is_an_error_and_no_version(publisher, server, repo_id, folders, name):
    fault, error = LASTING[name]
    server.faults.append(fault)
    answer = publisher.publish(folders[0], repo_id)
    assert answer["error"] == error, answer
    assert repo_id in answer["message"]
    assert versions(server, repo_id) == {}
    server.faults.clear()
    assert publisher.publish(folders[0], repo_id)["version"] == "v1"  # and again, it goes on
    assert is_whole(versions(server, repo_id)["v1"], folders[0])


@pytest.mark.slow  # processes that are killed; what passes and what does not is tested around it
def test_a_publisher_killed_in_the_middle_of_the_upload_leaves_no_version(
    server, repo_id, folders, publisher, tmp_path
):
    meeting = threading.Barrier(2)
    with Publisher(server, tmp_path / "log") as doomed:
        server.faults.append(Fault("PUT", "/lfs/", times=1, barrier=meeting))
        call = threading.Thread(target=lambda: _ask(doomed, folders[0], repo_id), daemon=True)
        call.start()
        meeting.wait(timeout=100)
        doomed.process.kill()
    assert versions(server, repo_id) == {}
    repository = server.repositories[repo_id]
    assert set(repository.commits[repository.branches["main"]]) == {".gitattributes"}
    assert publisher.publish(folders[0], repo_id)["version"] == "v1"


def _ask(publisher: Publisher, *arguments: Any) -> None:
    try:
        publisher.publish(*arguments)
    except AssertionError:
        return  # it was killed
