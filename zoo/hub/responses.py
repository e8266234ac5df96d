"""Bounds for the responses of a Hub: how long they may take, and how large they may be."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

SHORT_BYTES = 32 << 20  # of a response that is not a file: a repository of 100,000 files fits

_Answer = TypeVar("_Answer")


def within(seconds: float, action: Callable[[], _Answer]) -> _Answer:
    """Run it in a thread, and abandon it once it takes too long: a server may send a header for days.

    Raises:
        TimeoutError: It took longer than that.
        As `action`.
    """
    outcomes: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def act() -> None:
        try:
            outcomes.put((action(), None))
        except BaseException as error:
            outcomes.put((None, error))

    threading.Thread(target=act, daemon=True).start()
    try:
        response, error = outcomes.get(timeout=max(seconds, 0.0))
    except queue.Empty:
        raise TimeoutError(f"no response within {seconds:g} seconds") from None
    if error is not None:
        raise error
    return response


@contextlib.contextmanager
def short_responses() -> Iterator[None]:
    """Within it, the client reads no response that is long or compressed: it would keep it in memory, whatever its
    size.

    Such a response raises the client's own error for one that cannot be read.
    """
    from huggingface_hub import get_session
    from huggingface_hub.utils import httpx

    class Short(httpx.SyncByteStream):
        def __init__(self, stream: Any):
            self.stream = stream

        def __iter__(self) -> Iterator[bytes]:
            left = SHORT_BYTES
            for piece in self.stream:
                left -= len(piece)
                if left < 0:
                    raise httpx.ReadError(f"it is longer than {SHORT_BYTES:,} bytes")
                yield piece

        def close(self) -> None:
            self.stream.close()

    def bound(response: Any) -> None:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise httpx.ReadError(f"it is packed ({response.headers['Content-Encoding']}), which was not asked for")
        response.stream = Short(response.stream)

    client = get_session()
    hooks = client.event_hooks
    client.event_hooks = {**hooks, "response": [*hooks.get("response", ()), bound]}
    try:
        yield
    finally:
        client.event_hooks = hooks
