"""This library's error for each of the client's: one table, in which a file that is fetched and an upload have columns.

The first row that fits decides. Sentences name `{repo}`, `{hub}` (its address), `{page}`, `{reason}`, and for a file
that is fetched `{file}`, `{name}`, `{revision}` and `{cache}`.
"""

from collections.abc import Callable
from typing import NamedTuple

from zoo.errors import AccessError, OfflineError, UnknownModelError, ZooError
from zoo.hub.request import Request

LOG_IN = "Make a token with write permission at {hub}/settings/tokens, then `hf auth login` or set HF_TOKEN."
_READ = "log in with `hf auth login` or set HF_TOKEN"
_LONGEST_MESSAGE = 300  # characters of what a server says


class Row(NamedTuple):
    """What the client's error is about, and the sentence for it; without one the row is not for that direction."""

    fits: Callable[[BaseException], bool]
    error: type[ZooError]
    fetched: str | None = None
    sent: str | None = None


def _is(name: str) -> Callable[[BaseException], bool]:
    """Whether it is the client's error of this name. The client is imported when something went wrong."""

    def fits(error: BaseException) -> bool:
        from huggingface_hub import errors

        return isinstance(error, getattr(errors, name))

    return fits


def _is_refused(error: BaseException) -> bool:
    return status_of(error) in (401, 403)


def _is_of_the_disk(error: BaseException) -> bool:
    return isinstance(error, OSError) and bool(error.errno) and not isinstance(error, ConnectionError)


ROWS = (
    # Whoever may not write sees some repositories as none; whoever may not read is told which.
    Row(_is_refused, AccessError, sent=f"The token may not write to '{{repo}}' ({{reason}}). {LOG_IN}"),
    Row(
        _is("GatedRepoError"),
        AccessError,
        fetched=f"'{{repo}}' is gated. Accept its conditions at {{page}}, then {_READ}.",
    ),
    Row(
        _is("RepositoryNotFoundError"),
        UnknownModelError,
        fetched=f"No repository '{{repo}}' at {{hub}}. Check its spelling; if it is private, {_READ}.",
        sent="No repository '{repo}' at {hub} that this token can see. Check its spelling; without create_pr it is "
        "made.",
    ),
    Row(
        _is("RevisionNotFoundError"),
        UnknownModelError,
        fetched="'{repo}' has no revision '{revision}'. Pass a commit, branch or tag that {page} lists.",
    ),
    Row(
        _is("RemoteEntryNotFoundError"),
        UnknownModelError,
        fetched="'{repo}' has no file '{name}'. Its files are at {page}/tree/main.",
    ),
    Row(
        lambda error: _is_refused(error) or _is("LocalTokenNotFoundError")(error),
        AccessError,
        fetched=f"No access to '{{repo}}' ({{reason}}). Ask for access at {{page}}, then {_READ}.",
    ),
    Row(
        _is_of_the_disk,
        AccessError,
        fetched="{cache} cannot be written ({strerror}), and {file} is not in it. Pass a cache_dir= that can be "
        "written, or set HF_HOME to one.",
    ),
    Row(
        lambda error: True,
        OfflineError,
        fetched="{file} is not cached, and {hub} did not send it ({reason}). Load it once with a working network; "
        "later loads need none.",
        sent="'{repo}' got no new version: {hub} did not take it ({reason}). Publish again; what arrived is kept.",
    ),
)


def not_fetched(request: Request, error: BaseException) -> ZooError:
    """The error of this library for a file that did not come."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error, LocalEntryNotFoundError):  # the client's own way of giving up says nothing
        error = error.__cause__ or error
    row = next(row for row in ROWS if row.fetched is not None and row.fits(error))
    facts = {"file": request, "name": request.filename, "revision": request.revision, "cache": request.cache_dir}
    return row.error(_filled(row.fetched or "", error, request.repo_id, **facts))


def not_sent(error: BaseException, repo_id: str, otherwise: type[ZooError], after: str) -> ZooError:
    """The error of this library for an upload that did not arrive.

    Args:
        error: The client's.
        repo_id: Where to.
        otherwise: What it is where no row but the last fits.
        after: What is true already, the beginning of that sentence.
    """
    row = next(row for row in ROWS if row.sent is not None and row.fits(error))
    sentence = _filled(row.sent or "", error, repo_id)
    return otherwise(after + sentence) if row is ROWS[-1] else row.error(sentence)


def status_of(error: BaseException) -> int | None:
    """The HTTP status of the Hub's response, if there was one."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _filled(sentence: str, error: BaseException, repo_id: str, **facts: object) -> str:
    from huggingface_hub import constants

    facts |= {"repo": repo_id, "hub": constants.ENDPOINT, "page": f"{constants.ENDPOINT}/{repo_id}"}
    return sentence.format(**facts, reason=_reason(error), strerror=getattr(error, "strerror", None))


def _reason(error: BaseException) -> str:
    """What the server or the client says, as the beginning of one line, after the status where there is one."""
    status, message = status_of(error), getattr(error, "server_message", None)
    said = (message or ("" if status else str(error))).strip().partition("\n")[0][:_LONGEST_MESSAGE]
    return ": ".join(filter(None, [f"HTTP {status}" if status else "", said])) or type(error).__name__
