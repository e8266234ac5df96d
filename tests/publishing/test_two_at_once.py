"""Two who publish to one repository at the same time."""

import threading
from collections.abc import Iterator

import pytest

from tests.hub_server.publisher import TAG, Publisher, is_whole, versions
from tests.hub_server.server import Fault
from tests.marked_cases import slow_except


@pytest.fixture(scope="module")
def clients(client, server, tmp_path_factory) -> Iterator[list[Publisher]]:
    with Publisher(server, tmp_path_factory.mktemp("logs") / "other") as other:
        yield [client, other]


@pytest.mark.parametrize(
    "place", slow_except(["/preupload/"], ["/preupload/", TAG]), ids=["before the commit", "before the tag"]
)
def test_two_publishers_at_once_make_two_whole_versions(clients, publisher, server, repo_id, folders, place):
    server.repository(repo_id).commit({".gitattributes": b""})
    meeting = threading.Barrier(2)
    # Both have seen the same head, or the same tags.
    server.faults.append(Fault("POST", place, times=2, barrier=meeting))
    calls = [client.start(folder, repo_id) for client, folder in zip(clients, folders, strict=False)]
    answers = [call.answer() for call in calls]
    assert sorted(answer["version"] for answer in answers) == ["v1", "v2"]
    found = versions(server, repo_id)
    assert all(is_whole(found[answer["version"]], folder) for answer, folder in zip(answers, folders, strict=False))


def test_of_two_who_want_one_version_the_second_is_reported(clients, publisher, server, repo_id, folders):
    server.repository(repo_id).commit({".gitattributes": b""})
    server.faults.append(Fault("POST", TAG, times=2, barrier=threading.Barrier(2)))
    calls = [client.start(folder, repo_id, version="v1") for client, folder in zip(clients, folders, strict=False)]
    answers = [call.answer() for call in calls]
    assert sorted(answer.get("error", "") for answer in answers) == ["", "PublishError"]
    winner = next(folder for answer, folder in zip(answers, folders, strict=False) if "error" not in answer)
    assert is_whole(versions(server, repo_id)["v1"], winner)
