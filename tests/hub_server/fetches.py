"""Calls of `zoo.hub.fetching.fetch` in client processes of the test Hub, and the result of them."""

import json
from pathlib import Path
from typing import Any

from tests.hub_server.server import HubServer

REPO = "owner/net"
FILE = "model.safetensors"
CONTENT = bytes(range(256)) * 1024  # 256 KiB
NEWER = CONTENT[::-1]
BODY = rf"/cdn/.*/{FILE}"  # an LFS file's content

CLIENT = """
import json, sys, time, warnings
from zoo.hub.fetching import fetch
from zoo.errors import ZooError

opened = []  # every file that Python opens
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
for arguments in json.loads(sys.argv[1]):
    opened.clear()
    started = time.monotonic()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            file = fetch(**arguments)
            answer = {"path": str(file.path), "revision": file.revision, "sha256": file.sha256}
            answer |= {"size_bytes": file.size_bytes, "reads": opened.count(str(file.path))}
        except ZooError as error:
            answer = {"error": type(error).__name__, "message": str(error), "cause": type(error.__cause__).__name__}
    answer["seconds"] = time.monotonic() - started
    answer["warnings"] = [str(warning.message) for warning in caught if warning.category is UserWarning]
    print(json.dumps(answer))
"""


def fetch_code(*calls: dict[str, Any]) -> str:
    """Code that makes these calls of `fetch` and prints the result of each."""
    return f"import sys; sys.argv[1:] = [{json.dumps(json.dumps(calls))}]\n{CLIENT}"


def answers_in(output: str) -> list[dict[str, Any]]:
    """The results of the calls."""
    return [json.loads(line) for line in output.splitlines()]


def fetches(hub: HubServer, *calls: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """Call `fetch` in a client process, once with each set of arguments on top of the usual ones."""
    calls = tuple({"repo_id": REPO, "filename": FILE, **arguments} for arguments in calls)
    done = hub.run(fetch_code(*calls), **options)
    assert done.returncode == 0, done.stderr
    return answers_in(done.stdout)


def fetch(hub: HubServer, *, environment: dict[str, str] | None = None, **arguments: Any) -> dict[str, Any]:
    """Call `fetch` once in a client process."""
    return fetches(hub, arguments, **(environment or {}))[0]


def blobs(hub: HubServer) -> list[Path]:
    """The contents in the clients' cache, whole or partial."""
    return sorted(hub.cache.glob("models--*/blobs/*"))
