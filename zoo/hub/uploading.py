"""A repository on the Hub to which a model is published: one commit, looked at, then named by a tag.

A commit is whole or not there, and replaces what an earlier version left. It gets its tag only after the
Hub has confirmed its files, sizes and hashes; so whatever is interrupted, a version is whole, and publishing
again resumes where it stopped: files that arrived are not sent twice, a commit that is there is not repeated.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import zoo
from zoo.errors import AccessError, OfflineError, PublishError, UnknownModelError
from zoo.hub.client_errors import LOG_IN, status_of
from zoo.hub.patience import PAUSES_SECONDS, wait_or_raise
from zoo.hub.request import check_repo_id
from zoo.hub.responses import short_responses, within
from zoo.printing import warn

ANSWER_SECONDS = 60.0  # for anything but an upload
_RACES = 10  # how often others may be faster before this gives up
SAVED_MODEL = "saved_model/"
OF_WEIGHTS = ("model.safetensors", "model.weights.h5", "config.json", "metadata.json", "adapter.safetensors")
VERSION = re.compile(r"v([1-9]\d*)")


_Answer = TypeVar("_Answer")
_Files = dict[str, tuple[int, set[str]]]  # by name: size in bytes, and SHA-256, git's SHA-1 or both


class Upload:
    """One repository, seen by whoever publishes to it.

    Args:
        repo_id: "owner/name".
        token: Access token. None follows `HF_TOKEN` and the login stored on this machine.

    Raises:
        InputError: It is not a repository id.
        AccessError: There is no token.
        OfflineError: Offline mode is on.
    """

    kind = "model"
    # These files tell whether it is the same: Keras numbers layers anew in its own.
    identity_files: tuple[str, ...] = ("zoo.json", "model.safetensors", "adapter.safetensors", "README.md")

    def __init__(self, repo_id: str, token: str | None):
        from huggingface_hub import HfApi, constants, get_token

        check_repo_id(repo_id)
        if constants.HF_HUB_OFFLINE:
            raise OfflineError("Offline mode is on, and publishing needs the Hub. Unset HF_HUB_OFFLINE.")
        if token is None and get_token() is None:
            raise AccessError(f"Publishing to '{repo_id}' needs a token. {LOG_IN.format(hub=constants.ENDPOINT)}")
        self.repo_id, self.endpoint = repo_id, constants.ENDPOINT
        plain = {"Accept-Encoding": "identity"}
        self.api = HfApi(token=token, library_name="layerzoo", library_version=zoo.__version__, headers=plain)

    @property
    def page(self) -> str:
        """Its address."""
        return f"{self.endpoint}/{self.repo_id}"

    def check(self, *, private: bool, must_exist: bool, version: str | None) -> bool:
        """Whether the repository is there; refuse early what would be refused in the end.

        Raises:
            PublishError: It is public and should be private, or has that version.
            UnknownModelError: It should be there and is not.
            AccessError, OfflineError: The Hub refuses, or cannot be reached.
        """
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            info = self._with_retries(lambda: self.api.repo_info(self.repo_id, repo_type=self.kind))
        except UnknownModelError as error:
            if must_exist or not isinstance(error.__cause__, RepositoryNotFoundError):
                raise
            return False
        if private and not info.private:
            raise PublishError(
                f"'{self.repo_id}' exists and is public. Expected a private one; make it private at "
                f"{self.page}/settings, or choose another name."
            )
        if version in self._versions():
            raise self._taken(version)
        return True

    def create(self, *, private: bool) -> None:
        """Create the repository, unless it exists."""
        self._with_retries(lambda: self.api.create_repo(self.repo_id, private=private, exist_ok=True))

    def commit(self, folder: Path, message: str) -> str:
        """Upload the files of a folder to the main branch, in place of those of an earlier version, in one commit.

        Returns:
            The commit, whose files the Hub has confirmed.

        Raises:
            PublishError: The upload did not complete, or other files arrived. Nothing has a new version then.
            AccessError: The token may not write.
        """
        files = _files(folder)
        pauses = iter(PAUSES_SECONDS)
        for _ in range(_RACES):
            head, present = self._head()
            stale = _stale(present, files)
            if (
                not stale
                and files.keys() <= present.keys()
                and _holds(present, {name: files[name] for name in self.identity_files if name in files})
            ):
                return head  # published before, perhaps by a try whose response was lost
            try:
                commit = self._send(folder, files, stale, message, parent_commit=head).oid
            except Exception as error:
                status = status_of(error)
                if status == 412:  # somebody else has committed since
                    continue
                wait_or_raise(error, next(pauses, None), self.repo_id)
                continue
            self._tell(stale, files)
            return self._confirmed(commit, files)
        raise PublishError(
            f"'{self.repo_id}' changed {_RACES} times while this was published. Expected a moment of quiet; try again."
        )

    def propose(self, folder: Path, message: str) -> tuple[str, str]:
        """Open a pull request with the files of a folder; returns its address and its commit. It is not repeated."""
        files = _files(folder)
        stale = _stale(self._head()[1], files)
        try:
            done = self._send(folder, files, stale, message, create_pr=True)
        except Exception as error:
            wait_or_raise(error, None, self.repo_id)
        self._tell(stale, files)
        self._confirmed(done.pr_revision, files)
        return done.pr_url, done.oid

    def tag(self, commit: str, version: str | None) -> str:
        """Name a commit: `version`, or the highest `v1`, `v2`, ... and one more. A tag that is there is never moved.

        Returns:
            The tag; of a commit that has one already, that one.

        Raises:
            PublishError: Another commit has that version, or it could not be made.
        """
        pauses = iter(PAUSES_SECONDS)
        for _ in range(_RACES):
            versions = self._versions()
            own = [name for name, target in versions.items() if target == commit and version in (None, name)]
            if own:
                return max(own, key=_number)
            if version in versions:
                raise self._taken(version)
            name = version or f"v{max(map(_number, versions), default=0) + 1}"
            try:
                self.api.create_tag(self.repo_id, tag=name, revision=commit)
            except Exception as error:
                if status_of(error) != 409:  # that one means: somebody else has taken the name since
                    wait_or_raise(
                        error, next(pauses, None), self.repo_id, after=f"Its files are there as {commit}, but "
                    )
        raise PublishError(f"Commit {commit} of '{self.repo_id}' got no version. Publish it again to give it one.")

    def _send(self, folder: Path, files: _Files, stale: Iterable[str], message: str, **options):
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations = [CommitOperationAdd(name, folder / name) for name in files]
        operations += [CommitOperationDelete(name) for name in stale]
        return self.api.create_commit(self.repo_id, operations, repo_type=self.kind, commit_message=message, **options)

    def _head(self, revision: str = "main") -> tuple[str, _Files]:
        """The commit of a revision, and the files that the Hub reports for it."""

        def ask() -> tuple[str, _Files]:
            info = self.api.repo_info(self.repo_id, repo_type=self.kind, revision=revision, files_metadata=True)
            digests = [file.lfs.sha256 if file.lfs else file.blob_id for file in info.siblings]
            held = {file.rfilename: (file.size, {digest}) for file, digest in zip(info.siblings, digests, strict=True)}
            if not all(isinstance(name, str) for name in (info.sha, *held)):
                raise ValueError("its response does not name a commit and files")
            return info.sha, held

        return self._with_retries(ask)

    def _confirmed(self, revision: str, files: _Files) -> str:
        commit, present = self._head(revision)
        if not _holds(present, files):
            wrong = sorted(name for name in files if not _holds(present, {name: files[name]}))
            raise PublishError(
                f"The Hub has other bytes than were sent of {', '.join(wrong)}, at {revision} of '{self.repo_id}'. "
                "That commit got no version; publish again."
            )
        return commit

    def _tell(self, stale: Iterable[str], files: _Files) -> None:
        """Warn of what an earlier version has and this one leaves out, as its weights are others."""
        if any(map(_is_saved_model, stale)) and not any(map(_is_saved_model, files)):
            warn(
                f"'{self.repo_id}' had {SAVED_MODEL} in an earlier version, and this one leaves it out. Publish with "
                "saved_model=True (--saved-model) to have it again."
            )

    def _versions(self) -> dict[str, str]:
        def ask() -> dict[str, str]:
            refs = self.api.list_repo_refs(self.repo_id, repo_type=self.kind)
            return {tag.name: tag.target_commit for tag in refs.tags if VERSION.fullmatch(tag.name)}

        return self._with_retries(ask)

    def _taken(self, version: str | None) -> PublishError:
        return PublishError(
            f"'{self.repo_id}' has a version {version}. Versions are never overwritten; leave out the version for the "
            "next one."
        )

    def _with_retries(self, action: Callable[[], _Answer]) -> _Answer:
        """Send a short request, and repeat it: doing it twice changes nothing."""
        pauses = iter(PAUSES_SECONDS)
        while True:
            try:
                with short_responses():
                    return within(ANSWER_SECONDS, action)
            except Exception as error:
                wait_or_raise(error, next(pauses, None), self.repo_id, OfflineError)


def _files(folder: Path) -> _Files:
    """Every file of a folder, with both of the digests by which the Hub may know it: in LFS or outside."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (path.stat().st_size, _digests(path)) for path in paths}


def _stale(present: _Files, files: _Files) -> list[str]:
    """What an earlier version left that would not fit this one: other weights."""
    return [name for name in present if name not in files and (_is_saved_model(name) or name in OF_WEIGHTS)]


def _is_saved_model(name: str) -> bool:
    return name.startswith(SAVED_MODEL)


def _digests(path: Path) -> set[str]:
    sha256, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            sha256.update(block)
            git.update(block)
    return {sha256.hexdigest(), git.hexdigest()}


def _holds(present: _Files, files: _Files) -> bool:
    """Whether all files are there, byte for byte."""
    return all(
        name in present and present[name][0] == size and present[name][1] <= digests
        for name, (size, digests) in files.items()
    )


def _number(version: str) -> int:
    return int(version.removeprefix("v"))
