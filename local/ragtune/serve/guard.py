"""Who may ask a server, and what its answers may do in a browser."""

import hmac
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "ragtune"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
BODY = 256 * 1024
"""Bytes of a request."""
REQUESTS = 400
"""Requests that are in work or wait, from whomever."""
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
"""Nothing but the page's own files runs or is asked for, and no text ever becomes markup."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Access:
    """Who is let in: on loopback whoever is on this machine, else who has the token.

    ``hosts`` are the names by which the server may be called; None: any, for the token decides.
    """

    token: str = ""
    hosts: frozenset[str] | None = field(default=LOOPBACK)


class Guard:
    """ASGI middleware: lets in whom `Access` lets in, and asks browsers to be strict.

    A page elsewhere can make a browser send requests here. So the name in ``Host`` must be one of
    the server's own, or another site's name could be pointed at it (DNS rebinding); a request that
    changes or computes something must come from the page itself, where it says whence it comes;
    and its body must be JSON, which no form can send.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app, self.access, self._inside = app, access, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(message)
            await send(message)

        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if (refusal := self._refusal(scope, headers)) is not None:
            await refusal(scope, receive, strict)
            return
        if self._inside >= REQUESTS:
            busy = _error(503, f"{REQUESTS} requests are in work; ask again in a moment")
            await busy(scope, receive, strict)
            return
        self._inside += 1
        try:
            await self.app(scope, _limited(receive), strict)
        finally:
            self._inside -= 1

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        host = headers.get("host", "")
        if self.access.hosts is not None and _name(host) not in self.access.hosts:
            return _error(421, f"{_name(host) or 'no name'} is not a name of this server")
        if scope["method"] not in ("GET", "HEAD"):
            origin = headers.get("origin")
            if origin is not None and origin.partition("://")[2] != host:
                return _error(403, "requests of other sites are refused")
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return _error(415, "the body must be JSON, with content-type application/json")
            length = headers.get("content-length", "")
            if length.isdecimal() and int(length) > BODY:
                return _error(413, f"the request is longer than {BODY} bytes")
        return self._without_token(scope, headers) if self.access.token else None

    def _without_token(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """What is answered to those who have no token; the page's link is turned into a cookie."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and self._is_token(given):
            answer = RedirectResponse("/", status_code=303)
            answer.set_cookie(COOKIE, given, httponly=True, samesite="strict", path="/")
            return answer
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self._is_token(bearer.strip()):
            return None
        if self._is_token(_cookie(headers.get("cookie", ""))):
            return None
        if scope["path"] == "/":
            text = (
                "This server asks for its token: open the address that it showed when it started."
            )
            return PlainTextResponse(text, status_code=401)
        return _error(401, "the token is missing or wrong: Authorization: Bearer TOKEN")

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.access.token.encode())


class TooLong(Exception):
    """A body that is longer than it may be, or than it said."""


def _limited(receive: Receive) -> Receive:
    """The same body, as long as it is not too long."""
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > BODY:
            raise TooLong(f"the request is longer than {BODY} bytes")
        return message

    return limited


def _add(message: MutableMapping[str, Any]) -> None:
    headers = message.setdefault("headers", [])
    known = {name.lower() for name, _ in headers}
    for name, value in HEADERS.items():
        if name.encode() not in known:
            headers.append((name.encode(), value.encode()))


def _name(host: str) -> str:
    """A ``Host`` without its port."""
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return name.lower()


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _error(status: int, message: str) -> Response:
    return JSONResponse(error(message, "request_refused"), status_code=status)


def error(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """An error as OpenAI's API says it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
