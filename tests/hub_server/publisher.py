"""A client of the test Hub that stays alive: it publishes when it is told to, and reports the result.

The Hub's client reads its environment at import, so that a process per Hub is needed; one serves many tests.
"""

import json
import threading
from pathlib import Path
from typing import Any, Self

from tests.hub_server.server import HubServer
from tests.warm import WarmPython

COMMIT = "/commit/main"
TAG = "/tag/[0-9a-f]{40}"
FILES = ["README.md", "config.json", "metadata.json", "model.safetensors", "model.weights.h5", "zoo.json"]

CODE = """
import json, os, sys
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import zoo, zoo.saving
home = os.getcwd()
for line in sys.stdin:
    arguments = json.loads(line)
    os.chdir(arguments.pop("cwd", home))
    try:
        answer = zoo.publish(**arguments)._asdict()
    except zoo.ZooError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    answers.write(json.dumps(answer) + "\\n")
    answers.flush()
"""


class Publisher:
    """The process."""

    def __init__(self, hub: HubServer, log: Path):
        self.log = log
        environment = hub.environment(HF_TOKEN="hf_valid", HF_HUB_DISABLE_PROGRESS_BARS="1")
        self.process = WarmPython(CODE, env=environment, log=log)

    def publish(self, model: Path | str, repo_id: str, **options: Any) -> dict[str, Any]:
        """Call `zoo.publish` there, in the folder `cwd`, under apache-2.0 if nothing else is said."""
        arguments = {"model": str(model), "repo_id": repo_id, "license": "apache-2.0", **options}
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, self.log.read_text()
        return json.loads(answer)

    def start(self, *arguments: Any, **options: Any) -> "Call":
        """The same, in the background."""
        return Call(self, *arguments, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()


class Call(threading.Thread):
    """A call that is under way."""

    def __init__(self, publisher: Publisher, *arguments: Any, **options: Any):
        super().__init__(daemon=True)
        self.publisher, self.arguments, self.options = publisher, arguments, options
        self.start()

    def run(self) -> None:
        self.found = self.publisher.publish(*self.arguments, **self.options)

    def answer(self) -> dict[str, Any]:
        """Wait for the result."""
        self.join(timeout=100)
        return self.found


def versions(server: HubServer, repo_id: str) -> dict[str, dict[str, bytes]]:
    """The files of each version."""
    repository = server.repositories.get(repo_id)
    return {} if repository is None else {tag: repository.commits[commit] for tag, commit in repository.tags.items()}


def is_whole(files: dict[str, bytes], folder: Path) -> bool:
    """Whether a version contains the weights of a folder, and every file of the layout."""
    return files["model.safetensors"] == (folder / "model.safetensors").read_bytes() and set(FILES) <= set(files)
