"""What a visitor may do with the page, decided before Gradio sees it: from where, for what, and how much of it.

Gradio serves more than this page needs: it fetches addresses, passes requests on, runs events past the queue. So only
what the page itself asks for is let through. A page on loopback answers no other site either: neither one whose name
was turned to 127.0.0.1 ("DNS rebinding") nor a form that it sends here.
"""

import ipaddress
import json
import re
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zoo.demo.uploads import is_uploaded, nothing, uploads_bytes

UPLOAD_BYTES = 64 << 20  # of one request with files
BODY_BYTES = 1 << 20  # of any other
UPLOADS_BUDGET_BYTES = 4 << 30  # of all uploads and predictions, which are deleted after an hour
_READ = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)/?|/(static|assets|svelte|pwa_icon)/.*"
    r"|/gradio_api/(info|theme\.css|startup-events|heartbeat/\w+|upload_progress|queue/data|file=/.*)"
)
_SENT = re.compile(r"/gradio_api/(upload|queue/join|run/predict|cancel|reset|component_server)/?")


class Guard:
    """An ASGI application around the page.

    Args:
        app: The page.
        host: The address it listens on.
    """

    def __init__(self, app: ASGIApp, host: str):
        self.app, self.host = app, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":  # a web socket
            return None
        try:
            request = Request(scope)
            self._check(request)
            if request.method == "POST":
                receive = await _checked_body(request.url.path, receive)
            return await self.app(scope, receive, send)
        except HTTPException as refused:
            return await PlainTextResponse(refused.detail, refused.status_code)(scope, receive, send)

    def _check(self, request: Request) -> None:
        headers, path = request.headers, request.url.path
        if is_loopback(self.host):
            if not self._is_here(headers.get("host", "")):
                raise HTTPException(403, f"This page answers at localhost only. Open it as http://{self.host}.")
            origin = headers.get("origin")
            if origin and not self._is_here(urlsplit(origin).netloc) and not _is_of(origin, headers):
                raise HTTPException(403, "This page answers no other site.")
        allowed = {"GET": _READ, "HEAD": _READ, "POST": _SENT}.get(request.method)
        if allowed is None or not allowed.fullmatch(path):
            raise HTTPException(404, "This page does not offer that.")
        if (
            path.startswith("/gradio_api/upload")
            and request.method == "POST"
            and uploads_bytes() > UPLOADS_BUDGET_BYTES
        ):
            raise HTTPException(507, "There is no room for more uploads. Try again in an hour.")

    def _is_here(self, netloc: str) -> bool:
        """Whether a host, with or without a port, names this machine."""
        try:
            name = urlsplit(f"//{netloc}").hostname or ""
        except ValueError:
            return False
        return name == self.host.lower() or is_loopback(name)


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _checked_body(path: str, receive: Receive) -> Receive:
    """The same messages: no more bytes than fit, and no file but what was uploaded."""
    is_file = path.startswith(("/gradio_api/upload", "/gradio_api/component_server"))
    limited = _Limited(receive, UPLOAD_BYTES + BODY_BYTES if is_file else BODY_BYTES)
    if is_file:
        return limited
    body = await limited.whole()
    try:
        content = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The body is not JSON.") from error
    if _replaced(content):
        body = json.dumps(content).encode()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        return next(messages, None) or await receive()

    return replay


def _is_of(origin: str, headers: Headers) -> bool:
    """Whether a tunnel or proxy of the owner says that it serves the page there; no other site can say so."""
    return urlsplit(origin).netloc == headers.get("x-forwarded-host")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class _Limited:
    """Receives a body, and refuses it once it is longer than allowed."""

    def __init__(self, receive: Receive, limit_bytes: int):
        self.receive, self.left = receive, limit_bytes

    async def __call__(self) -> Message:
        message = await self.receive()
        self.left -= len(message.get("body", b""))
        if self.left < 0:
            raise HTTPException(413, "That is too large for this page.")
        return message

    async def whole(self) -> bytes:
        body = b""
        while True:
            message = await self()
            body += message.get("body", b"")
            if not message.get("more_body"):
                return body


def _replaced(content: Any) -> bool:
    """Point each file that was not uploaded, an address too, at nothing; returns whether there was one.

    Gradio itself looks only at files that are marked as such, and fetches what begins with http.
    """
    if isinstance(content, list):
        return any([_replaced(value) for value in content])
    if not isinstance(content, dict):
        return False
    found = any([_replaced(value) for value in content.values()])
    if "path" in content and not is_uploaded(content["path"]):
        content |= {"path": nothing(), "meta": {"_type": "gradio.FileData"}}
        found = True
    return found
