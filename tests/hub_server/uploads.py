"""The write side of the test Hub: repositories, uploads to LFS, commits, pull requests and tags.

As on the Hub, a commit happens at once or not at all, refuses a parent that is no longer the head, and names LFS files
by hashes of contents that were uploaded before.
"""

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from tests.hub_server.repository import HubRepository, error_answer, git_sha1, is_lfs, json_answer

if TYPE_CHECKING:
    from tests.hub_server.server import HubServer

# A Space is the repository "spaces/owner/name".
REPOSITORY = r"/api/(models/|(?=spaces/))(?P<repo_id>(spaces/)?[^/]+/[^/]+)"
GIT_ATTRIBUTES = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"


class Uploads:
    """The routes by which a handler's clients write."""

    hub: "HubServer"
    payload: bytes
    query: dict[str, list[str]]
    ROUTES = (
        ("POST", r"/api/repos/create", "create"),
        ("POST", r"/api/validate-yaml", "validate_yaml"),
        ("POST", REPOSITORY + r"/preupload/(?P<revision>[^/]+)", "preupload"),
        ("POST", REPOSITORY + r"/commit/(?P<revision>[^/]+)", "commit"),
        ("POST", REPOSITORY + r"/tag/(?P<revision>[^/]+)", "tag"),
        ("POST", r"/(?P<repo_id>[^/]+/[^/]+)\.git/info/lfs/objects/batch", "batch"),
        ("PUT", r"/lfs/(?P<sha256>[0-9a-f]{64})", "store"),
        ("POST", r"/lfs/verify", "verify"),
    )

    def token(self) -> str:
        raise NotImplementedError

    def repository(self, repo_id: str) -> HubRepository:
        raise NotImplementedError

    def writer(self) -> str:
        """The caller's name, if the token may write."""
        token = self.token()
        if token not in self.hub.users:
            raise error_answer(401, "", "Invalid username or password.")
        if token in self.hub.read_only:
            raise error_answer(403, "", "Forbidden: you must use a write token to upload to a repository.")
        return self.hub.users[token]

    def create(self) -> None:
        """A new repository, with the commit that the Hub makes of its own."""
        name, asked = self.writer(), json.loads(self.payload)
        repo_id = f"{asked['organization'] or name}/{asked['name']}"
        if asked.get("type") == "space":
            if asked.get("sdk") != "gradio":
                raise error_answer(400, "", "sdk: required for a Space")
            repo_id = f"spaces/{repo_id}"
        url = {"url": f"{self.hub.endpoint}/{repo_id}"}
        with self.hub.writing:
            if repo_id in self.hub.repositories:
                raise json_answer({"error": "You already created this model repo", **url}, 409)
            repository = self.hub.repository(repo_id, is_private=asked.get("visibility") == "private")
            repository.readers.add(self.token())
            repository.commit({".gitattributes": GIT_ATTRIBUTES})
        raise json_answer(url)

    def validate_yaml(self) -> None:
        """A card's metadata must begin the file, and name a licence."""
        content = json.loads(self.payload)["content"]
        if not content.startswith("---\n") or "\nlicense:" not in content:
            raise json_answer({"errors": [{"message": '"license" is required'}], "warnings": []}, 400)
        raise json_answer({"errors": [], "warnings": []})

    def preupload(self, repo_id: str, revision: str) -> None:
        """How each file is to be sent, and its digest where the repository has it already."""
        self.writer()
        repository = self.repository(repo_id)
        tree = repository.commits[repository.branches[revision]]
        raise json_answer({"files": [_mode(file["path"], tree) for file in json.loads(self.payload)["files"]]})

    def batch(self, repo_id: str) -> None:
        """Where to send LFS files that the Hub does not hold yet."""
        self.writer()
        self.repository(repo_id)
        objects: list[dict[str, Any]] = json.loads(self.payload)["objects"]
        for item in objects:
            if item["oid"] not in self.hub.lfs:
                item["actions"] = {
                    "upload": {"href": f"{self.hub.endpoint}/lfs/{item['oid']}"},
                    "verify": {"href": f"{self.hub.endpoint}/lfs/verify"},
                }
        raise json_answer({"transfer": "basic", "objects": objects})

    def store(self, sha256: str) -> None:
        """Keep an LFS file, if it is what it was announced as."""
        if hashlib.sha256(self.payload).hexdigest() != sha256:
            raise error_answer(400, "", "The content does not match its hash")
        self.hub.lfs[sha256] = self.payload
        raise json_answer({})

    def verify(self) -> None:
        """Whether an LFS file has arrived."""
        asked = json.loads(self.payload)
        if len(self.hub.lfs.get(asked["oid"], b"")) != asked["size"]:
            raise error_answer(404, "", "The object was not uploaded")
        raise json_answer({})

    def commit(self, repo_id: str, revision: str) -> None:
        """Everything at once: files, LFS files and deletions; with `create_pr`, beside the branch."""
        self.writer()
        repository = self.repository(repo_id)
        header, *operations = [(line["key"], line["value"]) for line in map(json.loads, self.payload.splitlines())]
        files = {value["path"]: self._content(kind, value) for kind, value in operations if kind != "deletedFile"}
        deleted = [value["path"] for kind, value in operations if kind == "deletedFile"]
        with self.hub.writing:
            head = repository.branches[revision]
            if header[1].get("parentCommit", head) != head:
                raise error_answer(412, "", "A commit has happened since. Please refresh and try again.")
            if missing := set(deleted) - set(repository.commits[head]):
                raise error_answer(404, "EntryNotFound", f"A file with this name doesn't exist: {missing}")
            url = f"{self.hub.endpoint}/{repo_id}"
            answer = {"success": True, "hookOutput": ""}
            if "create_pr" in self.query:
                number = 1 + sum(name.startswith("refs/pr/") for name in repository.branches)
                revision = f"refs/pr/{number}"
                repository.branches[revision] = head
                answer["pullRequestUrl"] = f"{url}/discussions/{number}"
            commit = repository.commit(files, revision, deleted)
        raise json_answer({**answer, "commitOid": commit, "commitUrl": f"{url}/commit/{commit}"})

    def _content(self, kind: str, value: dict[str, Any]) -> bytes:
        if kind == "file":
            return base64.b64decode(value["content"])
        if value["oid"] not in self.hub.lfs:
            raise error_answer(400, "", f"LFS object {value['oid']} of {value['path']} was never uploaded")
        return self.hub.lfs[value["oid"]]

    def tag(self, repo_id: str, revision: str) -> None:
        """A name for a commit; names are given once."""
        self.writer()
        repository, name = self.repository(repo_id), json.loads(self.payload)["tag"]
        with self.hub.writing:
            commit = repository.resolve(revision)
            if commit is None:
                raise error_answer(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            if name in repository.tags:
                raise error_answer(409, "", f"Tag reference exists already: {name}")
            repository.tags[name] = commit
        raise json_answer({})


def _mode(path: str, tree: dict[str, bytes]) -> dict[str, Any]:
    content = tree.get(path)
    mode: dict[str, Any] = {"path": path, "uploadMode": "lfs" if is_lfs(path) else "regular", "shouldIgnore": False}
    if content is not None:
        mode["oid"] = hashlib.sha256(content).hexdigest() if is_lfs(path) else git_sha1(content)
    return mode
