"""Patience with the Hub, and this library's error for each of its client's.

What may pass on its own is tried again, after the pause that the Hub asks for, in two ways: `with_retries` is for a
person who waits for a file, `wait_or_raise` for an upload, which is worth a minute.
"""

import contextlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from zoo.errors import AccessError, OfflineError, PublishError, UnknownModelError, ZooError
from zoo.hub.request import Request

_PATIENCE_SECONDS = 5.0  # no new try begins later: the client has its own retries for a broken body, and they are slow

PAUSES_SECONDS = (1.0, 2.0, 4.0)  # between tries of an upload; the client has its own ones for each LFS file
_LONGEST_PAUSE_SECONDS = 60.0  # what a server may ask for then
LOG_IN = "Make a token with write permission at {}/settings/tokens, then `hf auth login` or set HF_TOKEN."
_LONGEST_MESSAGE = 300  # characters of what a server says

_Answer = TypeVar("_Answer")


def with_retries(request: Request, action: Callable[[], _Answer]) -> _Answer:
    """Try up to three times what may pass on its own, and turn what remains into an error of this library."""
    started = time.monotonic()
    pauses_seconds = iter((0.5, 1.0))
    while True:
        try:
            return action()
        except (ZooError, MemoryError):
            raise
        except Exception as error:  # the client meets an odd answer with errors of any kind
            pause_seconds = next(pauses_seconds, None)
            if pause_seconds is None or not may_pass(error, RuntimeError):
                raise _not_fetched(request, error) from error
            pause_seconds = max(pause_seconds, asked_to_wait_seconds(error))
            if time.monotonic() - started + pause_seconds > _PATIENCE_SECONDS:
                raise _not_fetched(request, error) from error
        time.sleep(pause_seconds)


def wait_or_raise(
    error: BaseException,
    pause_seconds: float | None,
    repo_id: str,
    error_class: type[ZooError] = PublishError,
    *,
    after: str = "",
) -> None:
    """Rest before the next try; where a further one cannot help, raise this library's error instead.

    Args:
        error: What the client raised.
        pause_seconds: How long to rest, unless the Hub asks for more; None after the last try.
        repo_id: Where to.
        error_class: For what might have passed but did not.
        after: What is true already, the beginning of a sentence.
    """
    if isinstance(error, ZooError | MemoryError):
        raise error
    if isinstance(error, RuntimeError) and error.__cause__ is not None:  # the client's wrapping of an upload
        error = error.__cause__
    passes = may_pass(error, ConnectionError, TimeoutError)
    if passes and pause_seconds is not None:
        pause_seconds = max(pause_seconds, asked_to_wait_seconds(error))
        if pause_seconds <= _LONGEST_PAUSE_SECONDS:
            return time.sleep(pause_seconds)
    raise _not_sent(error, repo_id, error_class if passes else PublishError, after) from error


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


def status_of(error: BaseException) -> int | None:
    """The HTTP status with which the Hub answered, if it did."""
    return getattr(getattr(error, "response", None), "status_code", None)


def may_pass(error: BaseException, *unanswered: type[BaseException]) -> bool:
    """Whether it may pass on its own: transport, rate limit, or a server in trouble.

    Args:
        error: What the client raised.
        unanswered: What else it raises where nothing answered. A full disk, offline mode or a body of the wrong length
            would come back the same.
    """
    from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled  # httpx's or httpx2's, whichever the client uses

    status = status_of(error)
    if status is not None:
        return status in (408, 429) or status >= 500
    return isinstance(error, (HTTPError, *unanswered)) and not isinstance(error, OfflineModeIsEnabled)


def _not_fetched(request: Request, error: BaseException) -> ZooError:
    """The error of this library for one of the client's: what was wrong, what was expected, what to do."""
    from huggingface_hub import constants, errors

    if isinstance(error, errors.LocalEntryNotFoundError):  # the client's own way of giving up says nothing
        error = error.__cause__ or error
    repository, url = f"'{request.repo_id}'", f"{constants.ENDPOINT}/{request.repo_id}"
    log_in = "log in with `hf auth login` or set HF_TOKEN"
    status = status_of(error)
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


def _not_sent(error: BaseException, repo_id: str, error_class: type[ZooError], after: str) -> ZooError:
    from huggingface_hub import constants, errors

    status = status_of(error)
    said = said_by(error)
    reason = f"HTTP {status}: {said}" if status else said or type(error).__name__
    if status in (401, 403):
        return AccessError(f"The token may not write to '{repo_id}' ({reason}). {LOG_IN.format(constants.ENDPOINT)}")
    if isinstance(error, errors.RepositoryNotFoundError):
        return UnknownModelError(
            f"No repository '{repo_id}' at {constants.ENDPOINT} that this token can see. Check its spelling; without "
            "create_pr it is made."
        )
    return error_class(
        f"{after}'{repo_id}' got no new version: {constants.ENDPOINT} did not take it ({reason}). Publish again; what "
        "arrived is kept."
    )
