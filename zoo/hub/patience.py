"""Patience with the Hub's client, and this library's error for each of its own."""

import contextlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from zoo.errors import AccessError, OfflineError, UnknownModelError, ZooError
from zoo.hub.request import Request

_PATIENCE_SECONDS = 5.0  # no new try begins later: the client has its own retries for a broken body, and they are slow

_LONGEST_MESSAGE = 300  # characters of what a server says

_Answer = TypeVar("_Answer")


def patiently(request: Request, action: Callable[[], _Answer]) -> _Answer:
    """Try up to three times what may pass on its own, and turn what remains into an error of this library."""
    started = time.monotonic()
    pauses_seconds = iter((0.5, 1.0))
    while True:
        try:
            return action()
        except (ZooError, MemoryError):
            raise
        except Exception as error:  # the client meets an odd answer with errors of any kind
            pause_seconds = _pause(error, next(pauses_seconds, None))
            if pause_seconds is None or time.monotonic() - started + pause_seconds > _PATIENCE_SECONDS:
                raise _explained(request, error) from error
        time.sleep(pause_seconds)


def asked_to_wait_seconds(error: BaseException) -> float:
    """How long the server asks to wait before the next try (`Retry-After`), 0 where it does not say so properly."""
    asked = getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", "")
    if re.fullmatch(r"\d{1,9}", asked, re.ASCII):
        return float(asked)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max((parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds(), 0.0)
    return 0.0


def said_by(error: BaseException) -> str:
    """What the server or the client said, as the beginning of one line."""
    said = (getattr(error, "server_message", None) or str(error)).strip()
    return said.partition("\n")[0][:_LONGEST_MESSAGE]


def _pause(error: Exception, pause_seconds: float | None) -> float | None:
    """How long to wait before the next try; None if a further try cannot help or the tries are spent."""
    from huggingface_hub.errors import HTTPError  # httpx's or httpx2's, whichever this version of the client uses

    if pause_seconds is None:
        return None
    response = getattr(error, "response", None)
    if response is None:  # a full disk, offline mode or a body of the wrong length would come back the same
        return pause_seconds if isinstance(error, (HTTPError, RuntimeError)) else None
    if response.status_code not in (408, 429) and response.status_code < 500:
        return None
    return max(pause_seconds, asked_to_wait_seconds(error))


def _explained(request: Request, error: BaseException) -> ZooError:
    """The error of this library for one of the client's: what was wrong, what was expected, what to do."""
    from huggingface_hub import constants, errors

    if isinstance(error, errors.LocalEntryNotFoundError):  # the client's own way of giving up says nothing
        error = error.__cause__ or error
    repository, url = f"'{request.repo_id}'", f"{constants.ENDPOINT}/{request.repo_id}"
    log_in = "log in with `hf auth login` or set HF_TOKEN"
    status = getattr(getattr(error, "response", None), "status_code", None)
    said = said_by(error) if status is None or getattr(error, "server_message", None) else ""
    reason = ": ".join(filter(None, [f"HTTP {status}" if status else "", said])) or type(error).__name__
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
    return OfflineError(
        f"{request} is not cached, and {constants.ENDPOINT} did not send it ({reason}). "
        "Load it once with a working network; later loads need none."
    )
