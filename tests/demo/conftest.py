"""One `zoo demo` and one browser for the session."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.chromium import requested, start
from tests.warm import WarmPython

if TYPE_CHECKING:
    from tests.demo.demo_page import DemoPage


@pytest.fixture(scope="session")
def views() -> dict[str, Any]:
    """What each task shows; to import it takes seconds, and whoever collects the tests need not."""
    from zoo.demo.views import VIEWS

    return VIEWS


@pytest.fixture(scope="session")
def uploads(tmp_path_factory) -> Path:
    """Where the page puts what is uploaded."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="session")
def address(tmp_path_factory, uploads) -> Iterator[str]:
    """Where `zoo demo` listens, as a person starts it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("demo") / "log"
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(uploads), "HF_HUB_OFFLINE": "1"}
    code = f"from zoo.command_line.main import main; main(['demo', '--port', '{port}'])"
    with WarmPython(code, env=environment, log=log) as process:
        printed = process.stdout.readline().strip()
        assert printed == f"http://127.0.0.1:{port}/", log.read_text()
        yield printed
        assert process.poll() is None, log.read_text()


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    browser = start(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.quit()


@pytest.fixture
def page(driver, address) -> Iterator["DemoPage"]:
    """The page, freshly opened; afterwards no error stands in the console, and no other host was asked."""
    from tests.demo.demo_page import DemoPage

    driver.get_log("browser"), requested(driver)
    driver.get(address)
    yield DemoPage(driver)
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert {place for place in requested(driver) if not place.startswith(address)} == set()
