"""The cache: listed, and removed of it what this library has downloaded."""

from hashlib import sha256

import pytest
from click.testing import CliRunner

from tests.hub_server.fetches import CONTENT, FILE, NEWER, REPO, blobs, fetches
from tests.hub_server.server import HubServer
from zoo.command_line.main import main
from zoo.errors import UnknownModelError
from zoo.hub import cache


def test_the_cache_is_listed_and_what_was_downloaded_removed(hub: HubServer, commit: str):
    newer = hub.repository(REPO).commit({FILE: NEWER})
    hub.repository("owner/foreign").commit({FILE: CONTENT})
    done = hub.run(f"""
import huggingface_hub
from zoo.hub import cache, fetching
fetching.fetch({REPO!r}, {FILE!r}, revision={commit!r})
fetching.fetch({REPO!r}, "config.json", revision={commit!r})
huggingface_hub.hf_hub_download({REPO!r}, {FILE!r}, revision={newer!r})
huggingface_hub.hf_hub_download("owner/foreign", {FILE!r})
print([(entry.repo_id, entry.size_bytes, entry.revisions, entry.last_used.year > 2000) for entry in cache.cached()])
print(cache.remove({REPO!r}), cache.cached())
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
    done = hub.run(f"from zoo.hub import cache; cache.remove({repo_id!r})")
    assert f"UnknownModelError: Nothing of '{repo_id}' was downloaded" in done.stderr
    assert len(blobs(hub)) == 1


def test_a_repository_with_a_broken_link_is_removed_too(hub: HubServer, commit: str):
    fetches(hub, {}, {"filename": "config.json"})
    (hub.cache / "models--owner--net" / "blobs" / sha256(CONTENT).hexdigest()).unlink()
    done = hub.run(f"from zoo.hub import cache; print(cache.remove({REPO!r}))")
    assert done.stdout.strip() == "9"
    assert blobs(hub) == []


@pytest.mark.parametrize("name", [cache.BUNDLES, cache.RUNTIMES])
def test_what_lies_beside_the_downloads_is_listed_and_removed_too(name: str, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", f"{tmp_path}")
    for folder in (cache.BUNDLES, cache.RUNTIMES):
        (tmp_path / folder / "ab" / "1").mkdir(parents=True)
        (tmp_path / folder / "ab" / "1" / "model").write_bytes(CONTENT)
    (other,) = {cache.BUNDLES, cache.RUNTIMES} - {name}
    assert {(each.repo_id, each.size_bytes, each.revisions) for each in cache.cached()} == {
        (name, len(CONTENT), ()),
        (other, len(CONTENT), ()),
    }
    done = CliRunner().invoke(main, ["cache", "remove", name], catch_exceptions=False)
    assert done.stderr.startswith("removed 1 ")
    assert [each.repo_id for each in cache.cached()] == [other]
    with pytest.raises(UnknownModelError, match="cache list"):
        cache.remove(name)
