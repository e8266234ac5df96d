"""Patience with the Hub while something is published, and this library's error for what does not pass."""

import time

from zoo.errors import AccessError, PublishError, UnknownModelError, ZooError
from zoo.hub.patience import asked_to_wait_seconds, said_by

PAUSES_SECONDS = (1.0, 2.0, 4.0)  # between tries; the client has its own ones for each LFS file
LOG_IN = "Make a token with write permission at {}/settings/tokens, then `hf auth login` or set HF_TOKEN."
_LONGEST_PAUSE_SECONDS = 60.0  # what a server may ask for


def status_of(error: BaseException) -> int | None:
    """The HTTP status with which the Hub answered, if it did."""
    return getattr(getattr(error, "response", None), "status_code", None)


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
    may_pass = _may_pass(error)
    if may_pass and pause_seconds is not None:
        pause_seconds = max(pause_seconds, asked_to_wait_seconds(error))
        if pause_seconds <= _LONGEST_PAUSE_SECONDS:
            return time.sleep(pause_seconds)
    raise _explained(error, repo_id, error_class if may_pass else PublishError, after) from error


def _may_pass(error: BaseException) -> bool:
    """Whether it may pass on its own: transport, rate limit, or a server in trouble."""
    from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled

    status = status_of(error)
    if status is not None:
        return status in (408, 429) or status >= 500
    return isinstance(error, HTTPError | ConnectionError | TimeoutError) and not isinstance(error, OfflineModeIsEnabled)


def _explained(error: BaseException, repo_id: str, error_class: type[ZooError], after: str) -> ZooError:
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
