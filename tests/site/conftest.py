"""One site for the tests of a file."""

from pathlib import Path

import pytest

from zoo.site import write_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site as `zoo site` writes it; read it, do not change it."""
    folder = tmp_path_factory.mktemp("catalogue") / "site"
    write_site(folder)
    return folder
