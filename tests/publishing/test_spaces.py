"""`zoo.publish(..., space=...)` with the real client against a loopback Hub, and the Space's app as a Space runs it."""

import importlib.metadata
import socket
import sys

import pytest
import yaml
from click.testing import CliRunner

import zoo
from tests.chromium import NEEDED, start
from tests.demo.demo_page import DemoPage
from tests.hub_server.server import Fault, HubServer
from tests.warm import WarmPython
from zoo.command_line.main import main

COMMIT = "/api/spaces/.*/commit/main"


@pytest.fixture
def names(request) -> tuple[str, str]:
    """A repository and a Space of this test."""
    name = "".join(character for character in request.node.name if character.isalnum())[-60:]
    return f"tester/{name}", f"tester/{name}-demo"


def space_of(server: HubServer, space: str) -> tuple[list[str], dict[str, bytes]]:
    """The commits of a Space, and its files."""
    repository = server.repositories[f"spaces/{space}"]
    return list(repository.commits), repository.commits[repository.branches["main"]]


def test_a_space_is_one_commit_that_names_the_version(publisher, server, names):
    repo_id, space = names
    answer = publisher.publish("fsrcnn-x2", repo_id, space=space)
    assert answer["version"] == "v1"
    assert answer["space"] == f"{server.endpoint}/spaces/{space}"
    commits, files = space_of(server, space)
    assert len(commits) == 2  # the Hub's own first one, and ours
    assert sorted(files) == [".gitattributes", "README.md", "app.py", "requirements.txt"]
    assert files["app.py"].decode() == f'from zoo.demo import serve\n\nserve("hf://{repo_id}@v1")\n'
    assert files["requirements.txt"].decode() == f"layerzoo[demo]=={zoo.__version__}\n"
    told = yaml.safe_load(files["README.md"].decode().split("---\n")[1])
    assert told == {
        "title": space.partition("/")[2],
        "sdk": "gradio",
        "sdk_version": importlib.metadata.version("gradio"),
        "python_version": f"{sys.version_info.major}.{sys.version_info.minor}",
        "app_file": "app.py",
        "license": "apache-2.0",
        "models": [repo_id],
        "tags": ["layerzoo"],
    }


@pytest.mark.slow  # publishes four times
def test_the_same_again_commits_nothing_and_another_version_is_shown(publisher, server, names, tmp_path):
    repo_id, space = names
    for _ in range(2):
        publisher.publish("fsrcnn-x2", repo_id, space=space)
    assert len(space_of(server, space)[0]) == 2
    assert publisher.publish("fsrcnn-x3", repo_id, space=space)["version"] == "v2"
    commits, files = space_of(server, space)
    assert len(commits) == 3
    assert f"hf://{repo_id}@v2" in files["app.py"].decode()


def test_a_private_model_has_a_private_space(publisher, server, names):
    repo_id, space = names
    publisher.publish("fsrcnn-x2", repo_id, space=space, private=True)
    assert server.repositories[f"spaces/{space}"].is_private


def test_the_app_of_somebody_else_is_left_alone_and_nothing_is_sent(publisher, server, names):
    repo_id, space = names
    server.repository(f"spaces/{space}").commit({"app.py": b"theirs", "README.md": b"---\nsdk: gradio\n---\n"})
    answer = publisher.publish("fsrcnn-x2", repo_id, space=space)
    assert answer["error"] == "PublishError"
    assert f"The Space '{space}' has an app that this library did not write" in answer["message"]
    assert repo_id not in server.repositories
    assert space_of(server, space)[1]["app.py"] == b"theirs"


@pytest.mark.slow  # publishes twice
def test_a_space_that_failed_is_made_by_publishing_again(publisher, server, names):
    repo_id, space = names
    server.faults.append(Fault("POST", COMMIT, status=403))
    answer = publisher.publish("fsrcnn-x2", repo_id, space=space)
    assert answer["error"] == "AccessError"
    assert f"may not write to '{space}'" in answer["message"]
    assert "app.py" not in space_of(server, space)[1]
    server.faults.clear()
    assert publisher.publish("fsrcnn-x2", repo_id, space=space)["version"] == "v1"
    assert "app.py" in space_of(server, space)[1]


@pytest.mark.slow  # test_bad_network.py has it of models
def test_what_passes_is_waited_out(publisher, server, names):
    server.faults.append(Fault("POST", COMMIT, times=1, status=503))
    server.faults.append(Fault("GET", "/api/spaces/", times=1, status=503))
    publisher.publish("fsrcnn-x2", names[0], space=names[1])
    assert len(space_of(server, names[1])[0]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"space": "nonsense"}, "'nonsense' is not a repository id"),
        ({"space": "tester/demo", "create_pr": True}, "no version that a Space could show"),
    ],
)
def test_wrong_arguments_are_refused_without_a_request(publisher, server, names, options, message):
    server.log.clear()
    answer = publisher.publish("fsrcnn-x2", names[0], **options)
    assert answer["error"] == "InputError"
    assert message in answer["message"]
    assert server.log == []


def test_the_command_takes_a_space(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_valid")
    arguments = ["publish", "fsrcnn-x2", "tester/model", "--license", "apache-2.0", "--space", "nonsense"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "'nonsense' is not a repository id" in result.stderr


@NEEDED
@pytest.mark.slow  # starts an app; tests/demo looks at the page
def test_the_app_shows_the_model_as_the_hub_holds_it(publisher, server, names, tmp_path):
    from zoo.demo.views import VIEWS

    repo_id, space = names
    publisher.publish("fsrcnn-x2", repo_id, space=space)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environment = server.environment(GRADIO_SERVER_PORT=port, GRADIO_TEMP_DIR=str(tmp_path / "uploads"))
    code = space_of(server, space)[1]["app.py"].decode()
    with WarmPython(code, cwd=tmp_path, env=environment, log=tmp_path / "log") as app:
        browser = start(tmp_path / "profile")
        try:
            browser.get(app.stdout.readline().strip())
            page = DemoPage(browser)
            page.drop(VIEWS["super-resolution"].samples[0][0])
            assert "450 x 300 pixels" in page.said(f"{repo_id} took")
            assert f"hf://{repo_id}" in page.facts()
            assert browser.find_elements("css selector", "input[role=combobox]") == []  # this model and no other
        finally:
            browser.quit()
