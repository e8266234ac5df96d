"""`zoo demo`: one sentence when something is wrong, before anything large is imported."""

import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from zoo.command_line.main import main
from zoo.demo.guard import is_loopback


def run(*arguments):
    return CliRunner().invoke(main, ["demo", *arguments])


def test_a_wrong_name_is_one_error_without_tensorflow_or_gradio():
    code = (
        "import sys; from zoo.command_line.main import main\n"
        "try: main(['demo', 'espnc-x2'])\n"
        "finally: print(sorted(sys.modules.keys() & {'tensorflow', 'keras', 'gradio'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "[]\n")
    assert done.stderr.startswith("Error: No model is named 'espnc-x2'.")
    assert len(done.stderr.splitlines()) == 1


def test_a_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = run("--port", port)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: Port {port} of 127.0.0.1 cannot be listened on (Address already in use")


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    result = run("--port", port)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: A demo needs gradio, which is not installed. Expected: pip install 'layerzoo[demo]'.\n"
    )


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("192.168.0.2", False)],
)
def test_folders_may_be_typed_on_loopback_only(host, expected):
    assert is_loopback(host) is expected
