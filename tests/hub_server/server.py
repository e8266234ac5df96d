"""A Hugging Face Hub for tests: a loopback server that speaks its HTTP protocol, with faults to switch on.

    with HubServer(tmp_path) as hub:
        commit = hub.repository("owner/name").commit({"model.safetensors": content})
        hub.faults.append(Fault("GET", "/resolve/", times=1, status=503))
        hub.run("from zoo.hub.fetching import fetch; print(fetch('owner/name', 'model.safetensors').path)")
        assert hub.bodies("model.safetensors") == 1

The client reads its environment at import, so each client runs in a process of its own.
"""

import hashlib
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub_server.repository import (
    Answer,
    HubRepository,
    blob,
    card_data,
    error_answer,
    git_sha1,
    is_lfs,
    json_answer,
)
from tests.hub_server.uploads import REPOSITORY, Uploads
from tests.warm import WarmPython

PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class Fault:
    """Something that goes wrong `times` times, on requests whose method and path match."""

    method: str
    path: str  # a regular expression, searched in the path
    times: int = 1_000_000
    status: int | None = None  # answer this instead
    headers: dict[str, str] = field(default_factory=dict)
    body: Callable[[bytes], bytes] | None = None  # send this in place of the content, as if it were whole
    drop_after: int | None = None  # announce all, send so many bytes, close
    reset: bool = False  # close with a TCP reset instead
    hang_up_after: int | None = None  # read so many bytes of what is sent, and close with a TCP reset
    wait_seconds: float = 0.0  # rest before the answer
    pause_seconds: float = 0.0  # rest in the middle of the content
    is_endless: bool = False  # send more and more of it
    barrier: threading.Barrier | None = None  # wait for the others before anything is done


@dataclass(frozen=True)
class LoggedRequest:
    """One request that reached the server, and the status of its answer."""

    method: str
    path: str
    headers: dict[str, str]
    status: int


def flipped(content: bytes) -> bytes:
    """The same length, wrong bytes."""
    return bytes(byte ^ 0xFF for byte in content)


def halved(content: bytes) -> bytes:
    """The first half."""
    return content[: len(content) // 2]


class HubServer:
    """The server, its repositories, its faults and its log.

    Args:
        folder: Where clients run by `run` keep their cache.
    """

    def __init__(self, folder: Path):
        self.home = folder / "hf_home"
        self.repositories: dict[str, HubRepository] = {}
        self.faults: list[Fault] = []
        self.log: list[LoggedRequest] = []
        self.users: dict[str, str] = {"hf_valid": "tester"}  # token -> name
        self.read_only: set[str] = set()  # tokens that may not write
        self.lfs: dict[str, bytes] = {}  # what was uploaded, by SHA-256
        self.lock = threading.Lock()
        self.writing = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _bound(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def endpoint(self) -> str:
        """What goes into HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def cache(self) -> Path:
        """The default cache of clients run by `run`."""
        return self.home / "hub"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop answering; later connections are refused."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def repository(self, repo_id: str, **settings: Any) -> HubRepository:
        """The repository of that name, made if necessary."""
        return self.repositories.setdefault(repo_id, HubRepository(repo_id, **settings))

    def requests(self, method: str, path: str = "") -> list[LoggedRequest]:
        """The logged requests of a method whose path contains `path`."""
        return [entry for entry in self.log if entry.method == method and path in entry.path]

    def bodies(self, filename: str) -> int:
        """How often the file's content was sent, or its sending begun."""
        answers = self.requests("GET", f"/{filename}")
        return sum(
            "/resolve/" in entry.path or "/cdn/" in entry.path for entry in answers if entry.status in (200, 206)
        )

    def fault(self, method: str, path: str) -> Fault | None:
        """Take the first fault that matches a request, once."""
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.method == method and re.search(fault.path, path):
                    fault.times -= 1
                    return fault
        return None

    def environment(self, **changes: str) -> dict[str, str]:
        """The environment of a client: this server, an own home, no proxies, no tokens, no Xet."""
        kept = {
            name: value for name, value in os.environ.items() if not re.match(r"(?i)(hf_|huggingface|.*proxy)", name)
        }
        own = {"HF_ENDPOINT": self.endpoint, "HF_HOME": str(self.home), "HF_HUB_DISABLE_XET": "1"}
        own |= {"NO_PROXY": "*", "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(PROJECT)}
        return {**kept, **own, **changes}

    def start(
        self, code: str, *, unprivileged: bool = False, keras: bool = False, **environment: str
    ) -> "subprocess.Popen[str] | WarmPython":
        """Start Python code as a client.

        `unprivileged` makes permissions count for root too; with `keras` that is imported already.
        """
        if keras:
            return WarmPython(code, env=self.environment(**environment))
        command = [sys.executable, "-c", code]
        if unprivileged and os.geteuid() == 0:
            dropped = "-dac_override,-dac_read_search"
            command = ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}", *command]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environment(**environment), stdout=pipe, stderr=pipe, text=True)

    def run(self, code: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run Python code as a client and wait for it: a client that hangs is ended, one on a busy machine is not."""
        process = self.start(code, **options)
        output, errors = process.communicate(timeout=1500)
        return subprocess.CompletedProcess(code, process.wait() or 0, output, errors)


def can_drop_privileges() -> bool:
    """Whether `unprivileged` clients are possible here."""
    return os.geteuid() != 0 or shutil.which("setpriv") is not None


class _Server(ThreadingHTTPServer):
    """A server that does not mind clients who hang up."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(Uploads, BaseHTTPRequestHandler):
    """One connection. A route is a method, a pattern of the path and the handler's method of that name."""

    hub: HubServer
    protocol_version = "HTTP/1.1"
    ROUTES: tuple[tuple[str, str, str], ...] = (
        ("HEAD GET", r"/(?P<repo_id>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<filename>.+)", "resolve"),
        ("GET", r"/cdn/(?P<sha256>[0-9a-f]{64})/(?P<filename>.+)", "cdn"),
        ("GET", REPOSITORY + r"/refs", "refs"),
        ("GET", REPOSITORY + r"/tree/(?P<revision>[^/]+)(/(?P<folder>.*))?", "tree"),
        ("GET", REPOSITORY + r"(/revision/(?P<revision>[^/]+))?", "repository_info"),
        ("GET", r"/api/whoami-v2", "whoami"),
        *Uploads.ROUTES,
    )

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.query = parse_qs(address.query)
        length = int(self.headers.get("Content-Length") or 0)
        fault = self.hub.fault(self.command, address.path)
        if fault is not None and fault.hang_up_after is not None:
            self.rfile.read(min(fault.hang_up_after, length))
            return self.hang_up()
        self.payload = self.rfile.read(length)
        if fault is not None and fault.barrier is not None:
            fault.barrier.wait(timeout=60)
        if fault is not None:
            time.sleep(fault.wait_seconds)
        try:
            if fault is not None and fault.status is not None:
                raise Answer(fault.status, b"injected fault", **fault.headers)
            self.route(address.path)
        except Answer as answer:
            self.send(answer, fault)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server calls them by these names

    def route(self, path: str) -> None:
        """Call the first route that fits; it raises its answer."""
        for methods, pattern, name in self.ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in methods.split():
                getattr(self, name)(**{key: unquote(value or "") for key, value in match.groupdict().items()})
        raise error_answer(404, "", f"The test server has no route for {self.command} {path}")

    def send(self, answer: Answer, fault: Fault | None) -> None:
        """Log and send an answer, or what a fault makes of it."""
        content = answer.content
        if fault is not None and fault.body is not None:
            content = fault.body(content)
        with self.hub.lock:
            entry = LoggedRequest(self.command, self.path, dict(self.headers), answer.status)
            self.hub.log.append(entry)
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault is not None and fault.drop_after is not None:
            content = content[: fault.drop_after]
            self.close_connection = True
        half = len(content) // 2
        self.wfile.write(content[:half])
        if fault is not None:
            time.sleep(fault.pause_seconds)
        self.wfile.write(content[half:])
        while fault is not None and fault.is_endless:
            self.wfile.write(content)
        if fault is not None and fault.reset:
            self.hang_up()

    def hang_up(self) -> None:
        """Close with a TCP reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # at once: the regular way would say goodbye first

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the tests' output quiet; `HubServer.log` has it."""

    def token(self) -> str:
        """The caller's token, or ""."""
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def repository(self, repo_id: str) -> HubRepository:
        """The repository, if it exists and the caller may read it."""
        token = self.token()
        if token and token not in self.hub.users:
            raise error_answer(401, "", "Invalid credentials in Authorization header")
        repository = self.hub.repositories.get(repo_id)
        if repository is None or (repository.is_private and token not in repository.readers):
            # The Hub does not tell strangers which private repositories exist.
            raise error_answer(404 if token else 401, "RepoNotFound", "Repository not found")
        return repository

    def tree_of(self, repo_id: str, revision: str) -> tuple[HubRepository, str, dict[str, bytes]]:
        """The repository, commit and files at a revision."""
        repository = self.repository(repo_id)
        commit = repository.resolve(revision or "main")
        if commit is None:
            raise error_answer(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return repository, commit, repository.commits[commit]

    def resolve(self, repo_id: str, revision: str, filename: str) -> None:
        """A file's headers and content; an LFS file's content comes from elsewhere."""
        repository, commit, tree = self.tree_of(repo_id, revision)
        if repository.is_gated and self.token() not in repository.readers:
            status = 403 if self.token() else 401
            raise error_answer(status, "GatedRepo", f"Access to model {repo_id} is restricted.")
        if filename not in tree:
            raise json_answer(
                {}, 404, X_Error_Code="EntryNotFound", X_Error_Message="Entry not found", X_Repo_Commit=commit
            )
        content = tree[filename]
        if not is_lfs(filename):
            raise self.ranged(content, X_Repo_Commit=commit, ETag=f'"{git_sha1(content)}"')
        sha256 = hashlib.sha256(content).hexdigest()
        raise Answer(
            302,
            X_Repo_Commit=commit,
            X_Linked_Etag=f'"{sha256}"',
            X_Linked_Size=str(len(content)),
            # Another host: the client leaves the token behind, and the hashes are on this answer.
            Location=f"{self.hub.endpoint.replace('127.0.0.1', 'localhost')}/cdn/{sha256}/{filename}",
        )

    def cdn(self, sha256: str, filename: str) -> None:
        """The content of an LFS file."""
        for tree in (tree for repository in self.hub.repositories.values() for tree in repository.commits.values()):
            content = tree.get(filename)
            if content is not None and hashlib.sha256(content).hexdigest() == sha256:
                raise self.ranged(content, ETag=f'"{sha256}"')
        raise error_answer(404, "", "No such object")

    def ranged(self, content: bytes, **headers: str) -> Answer:
        """The content, or the part that the request's Range asks for."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if match is None:
            return Answer(200, content, Accept_Ranges="bytes", **headers)
        first, last = int(match[1]), int(match[2] or len(content) - 1)
        if first >= len(content):
            return Answer(416, Content_Range=f"bytes */{len(content)}")
        return Answer(206, content[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(content)}", **headers)

    def repository_info(self, repo_id: str, revision: str) -> None:
        """The repository at a revision; with `blobs`, the size and hashes of its files."""
        repository, commit, tree = self.tree_of(repo_id, revision)
        siblings = [
            {"rfilename": name, **(blob(name, tree[name]) if "blobs" in self.query else {})} for name in sorted(tree)
        ]
        about = {"id": repo_id, "modelId": repo_id, "sha": commit, "siblings": siblings, "tags": []}
        about |= {"private": repository.is_private, "gated": "auto" if repository.is_gated else False}
        if repo_id.startswith("spaces/"):
            about |= {"id": repo_id.removeprefix("spaces/"), "sdk": "gradio", "cardData": card_data(tree)}
        raise json_answer(about | {"downloads": 0, "likes": 0})

    def tree(self, repo_id: str, revision: str, folder: str) -> None:
        """The files at a revision, below a folder."""
        _, _, tree = self.tree_of(repo_id, revision)
        names = [name for name in sorted(tree) if not folder or name.startswith(f"{folder}/")]
        raise json_answer(
            [{"type": "file", "path": name, "oid": git_sha1(tree[name]), **blob(name, tree[name])} for name in names]
        )

    def refs(self, repo_id: str) -> None:
        """The branches and tags."""
        repository = self.repository(repo_id)

        def listed(kind: str, names: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
            return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": commit} for name, commit in names]

        branches, tags = listed("heads", repository.branches.items()), listed("tags", repository.tags.items())
        raise json_answer({"branches": branches, "tags": tags, "converts": []})

    def whoami(self) -> None:
        """Whose token it is."""
        if self.token() not in self.hub.users:
            raise error_answer(401, "", "Invalid credentials in Authorization header")
        name = self.hub.users[self.token()]
        raise json_answer(
            {"type": "user", "name": name, "fullname": name, "orgs": [], "auth": {"type": "access_token"}}
        )


def _bound(hub: HubServer) -> type[_Handler]:
    """The handler class of one server."""
    return type("Handler", (_Handler,), {"hub": hub})
