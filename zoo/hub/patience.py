"""Retries: temporary failures of the Hub are tried again.

They are tried after the pause that the Hub asks for, in two ways: `with_retries` is for a person who waits for a file,
`wait_or_raise` for an upload, which is worth a minute. What remains becomes an error of this library.
"""

import contextlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from zoo.errors import PublishError, ZooError
from zoo.hub.client_errors import not_fetched, not_sent, status_of
from zoo.hub.request import Request

_PATIENCE_SECONDS = 5.0  # no new try begins later: the client has its own retries for a broken body, and they are slow

PAUSES_SECONDS = (1.0, 2.0, 4.0)  # between tries of an upload; the client has its own ones for each LFS file
_LONGEST_PAUSE_SECONDS = 60.0  # what a server may ask for then

_Answer = TypeVar("_Answer")


def with_retries(request: Request, action: Callable[[], _Answer]) -> _Answer:
    """Try up to three times where the failure is temporary, and turn what remains into an error of this library."""
    started = time.monotonic()
    pauses_seconds = iter((0.5, 1.0))
    while True:
        try:
            return action()
        except (ZooError, MemoryError):
            raise
        except Exception as error:  # the client meets an odd response with errors of any kind
            pause_seconds = next(pauses_seconds, None)
            if pause_seconds is None or not is_temporary(error, RuntimeError):
                raise not_fetched(request, error) from error
            pause_seconds = max(pause_seconds, asked_to_wait_seconds(error))
            if time.monotonic() - started + pause_seconds > _PATIENCE_SECONDS:
                raise not_fetched(request, error) from error
        time.sleep(pause_seconds)


def wait_or_raise(
    error: BaseException,
    pause_seconds: float | None,
    repo_id: str,
    error_class: type[ZooError] = PublishError,
    *,
    after: str = "",
) -> None:
    """Sleep before the next attempt; where a further one cannot help, raise this library's error instead.

    Args:
        error: What the client raised.
        pause_seconds: How long to sleep, unless the Hub asks for more; None after the last try.
        repo_id: Where to.
        error_class: For a temporary failure that lasted.
        after: What is true already, the beginning of a sentence.
    """
    if isinstance(error, ZooError | MemoryError):
        raise error
    if isinstance(error, RuntimeError) and error.__cause__ is not None:  # the client's wrapping of an upload
        error = error.__cause__
    passes = is_temporary(error, ConnectionError, TimeoutError)
    if passes and pause_seconds is not None:
        pause_seconds = max(pause_seconds, asked_to_wait_seconds(error))
        if pause_seconds <= _LONGEST_PAUSE_SECONDS:
            return time.sleep(pause_seconds)
    raise not_sent(error, repo_id, error_class if passes else PublishError, after) from error


def asked_to_wait_seconds(error: BaseException) -> float:
    """How long the server asks to wait before the next try (`Retry-After`), 0 where it does not say so properly."""
    asked = getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", "")
    if re.fullmatch(r"\d{1,9}", asked, re.ASCII):
        return float(asked)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max((parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds(), 0.0)
    return 0.0


def is_temporary(error: BaseException, *unanswered: type[BaseException]) -> bool:
    """Whether the failure is temporary: transport, rate limit, or a server error.

    Args:
        error: What the client raised.
        unanswered: What else it raises without a response. A full disk, offline mode or a body of the wrong length
            would come back the same.
    """
    from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled  # httpx's or httpx2's, whichever the client uses

    status = status_of(error)
    if status is not None:
        return status in (408, 429) or status >= 500
    return isinstance(error, (HTTPError, *unanswered)) and not isinstance(error, OfflineModeIsEnabled)
