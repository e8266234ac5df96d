"""Who may read, and where nothing may be written."""

from pathlib import Path

import pytest

from tests.hub_server.fetches import CONTENT, FILE, REPO, fetch, fetches
from tests.hub_server.server import HubServer, can_drop_privileges, flipped


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


def test_a_token_goes_to_the_hub_and_not_to_where_its_content_lies(hub: HubServer, commit: str):
    assert fetch(hub, token="hf_valid")["revision"] == commit
    sent = [(entry.path, {name.lower(): value for name, value in entry.headers.items()}) for entry in hub.log]
    tokens = {path.split("/")[1]: headers.get("authorization") for path, headers in sent}
    assert tokens == {REPO.split("/")[0]: "Bearer hf_valid", "cdn": None}


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
        removed = hub.run(f"from zoo.hub import cache; cache.remove({REPO!r})", unprivileged=True)
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
        removed = hub.run(f"from zoo.hub import cache; cache.remove({REPO!r})", unprivileged=True)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert [damaged["error"], unreadable["error"]] == ["AccessError", "AccessError"]
    assert "is damaged" in damaged["message"]
    assert "cannot be read" in unreadable["message"]
    assert "AccessError" in removed.stderr
