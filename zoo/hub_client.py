"""Patience with the Hub's client, and this library's error for each of its own."""

import time
from collections.abc import Callable
from typing import TypeVar

from zoo.errors import AccessError, IntegrityError, OfflineError, UnknownModelError, ZooError
from zoo.hub_request import Request

_PATIENCE_SECONDS = 5.0  # no new try begins later: the client has its own retries for a broken body, and they are slow

_Answer = TypeVar("_Answer")


def patiently(request: Request, action: Callable[[], _Answer]) -> _Answer:
    """Try up to three times what may pass on its own, and turn what remains into an error of this library."""
    from huggingface_hub.errors import HTTPError  # httpx's or httpx2's, whichever this version of the client uses

    started = time.monotonic()
    pauses_seconds = iter((0.5, 1.0))
    while True:
        try:
            return action()
        # A transport error is no OSError; Xet, the Hub's other way to send a body, raises RuntimeError.
        except (OSError, RuntimeError, HTTPError) as error:
            pause_seconds = _pause(error, next(pauses_seconds, None))
            if pause_seconds is None or time.monotonic() - started + pause_seconds > _PATIENCE_SECONDS:
                raise _explained(request, error) from error
        time.sleep(pause_seconds)


def _pause(error: Exception, pause_seconds: float | None) -> float | None:
    """How long to wait before the next try; None if a further try cannot help or the tries are spent."""
    from huggingface_hub.errors import HTTPError

    if pause_seconds is None:
        return None
    response = getattr(error, "response", None)
    if response is None:  # a full disk, offline mode or a body of the wrong length would come back the same
        return pause_seconds if isinstance(error, (HTTPError, RuntimeError)) else None
    if response.status_code not in (408, 429) and response.status_code < 500:
        return None
    asked = response.headers.get("Retry-After", "")
    return max(pause_seconds, float(asked) if asked.isdigit() else 0.0)


def _explained(request: Request, error: BaseException) -> ZooError:
    """The error of this library for one of the client's: what was wrong, what was expected, what to do."""
    from huggingface_hub import constants, errors

    if isinstance(error, errors.LocalEntryNotFoundError):  # the client's own way of giving up says nothing
        error = error.__cause__ or error
    repository, url = f"'{request.repo_id}'", f"{constants.ENDPOINT}/{request.repo_id}"
    log_in = "log in with `hf auth login` or set HF_TOKEN"
    status = getattr(getattr(error, "response", None), "status_code", None)
    said = getattr(error, "server_message", None) or (str(error) if status is None else "")
    reason = ": ".join(filter(None, [f"HTTP {status}" if status else "", said.strip().split("\n")[0]]))
    if isinstance(error, errors.GatedRepoError):
        return AccessError(f"{repository} is gated. Accept its conditions at {url}, then {log_in}.")
    if isinstance(error, errors.RepositoryNotFoundError):
        return UnknownModelError(
            f"No repository {repository} at {constants.ENDPOINT}. Check its spelling; if it is private, {log_in}."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return UnknownModelError(
            f"{repository} has no revision '{request.revision}'. Pass a commit, branch or tag that {url} lists."
        )
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return UnknownModelError(f"{repository} has no file '{request.filename}'. Its files are at {url}/tree/main.")
    if status in (401, 403) or isinstance(error, errors.LocalTokenNotFoundError):
        return AccessError(f"No access to {repository} ({reason}). Ask for access at {url}, then {log_in}.")
    if isinstance(error, OSError) and error.errno and not isinstance(error, ConnectionError):
        return AccessError(
            f"{request.cache_dir} cannot be written ({error.strerror}), and {request} is not in it. "
            "Pass a cache_dir= that can be written, or set HF_HOME to one."
        )
    if type(error) is OSError:  # the client's own check of the length
        return IntegrityError(f"{request} arrived damaged, twice. {reason} Try again, or from another network.")
    return OfflineError(
        f"{request} is not cached, and {constants.ENDPOINT} did not send it ({reason}). "
        "Load it once with a working network; later loads need none."
    )
