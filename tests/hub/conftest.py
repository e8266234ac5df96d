"""A repository to fetch from."""

import pytest

from tests.hub_server.fetches import CONTENT, FILE, REPO
from tests.hub_server.server import HubServer


@pytest.fixture
def commit(hub: HubServer) -> str:
    """The commit of a repository with one LFS file and one small one."""
    return hub.repository(REPO).commit({FILE: CONTENT, "config.json": b'{"a": 1}\n'})
