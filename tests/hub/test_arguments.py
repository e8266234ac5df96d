"""Arguments are checked before any request."""

import pytest

from tests.hub_server.fetches import FILE, REPO
from zoo.errors import InputError
from zoo.hub import fetching as zoo_hub


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
