"""What every request passes first: a number, a size limit, a rate limit, and the headers of every answer."""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safecity.core.ground.access.api import Buckets
from safecity.kit.ids import fresh
from safecity.kit.trace import traced
from safecity.protocols.gat1400.envelope import CONTENT_TYPE, Status, StatusCode, write_json, write_status
from safecity.web.metrics import REQUEST_SECONDS, REQUESTS
from safecity.web.problems import problem
from safecity.web.services import Services

logger = logging.getLogger(__name__)
MAX_BODY = 1 << 20
MAX_PICTURES_BODY = 16 << 20
"""Of a request that brings pictures along."""
_WITH_PICTURES = frozenset({"/api/v1/sightings", "/api/v1/violations"})
MAX_URL = 8192
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PHONE = "/phone"
"""The one page that may ask where it is."""
API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class Envelope:
    """Pure ASGI: it must not buffer answers."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services
        # Per address, and a whole control room may sit behind one: limits against floods, not against work.
        self._writes = Buckets(burst=300, seconds=0.05)
        self._reads = Buckets(burst=3000, seconds=0.003)
        # A gateway may speak for thousands of cameras, each with its keepalives and passages.
        self._devices = Buckets(burst=5000, seconds=0.002)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self._reads.take(_address(scope), time.monotonic()) > 0:
            await send({"type": "websocket.close", "code": 4429})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = scope["safecity.request"] = fresh("rq")
        with traced(request):
            await self._carry(scope, receive, send)

    async def _carry(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        status = 500
        too_large = False
        received = 0
        limit = limit_of(scope["path"])

        async def limited() -> Message:
            nonlocal received, too_large
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    too_large = True
                    # The handler sees the end of the body; its answer is replaced below.
                    return {"type": "http.request", "body": b"", "more_body": False}
            return message

        async def headed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._head(scope, message)
            await send(message)

        async def refuse_large(message: Message) -> None:
            if not too_large:
                await headed(message)

        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, headed)
        else:
            await self._app(scope, limited, refuse_large)
            if too_large:
                await _too_large(scope, limit)(scope, receive, headed)
        route: Any = scope.get("route")
        path = getattr(route, "path", "other")
        # Any word passes as a method: only the known ones become a label, or a stranger could fill the memory.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        REQUESTS.labels(method, path, str(status)).inc()
        REQUEST_SECONDS.labels(path).observe(time.monotonic() - started)

    def _refused(self, scope: Scope) -> Any:
        headers = dict(scope["headers"])
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) > MAX_URL:
            return _refusal(scope, 414, "url_too_long", {})
        # Databases end a text at a zero byte, or refuse it deep inside.
        if "\0" in scope["path"] or b"%00" in scope.get("query_string", b""):
            return _refusal(scope, 400, "text_invalid", {"field": "url"})
        length = headers.get(b"content-length", b"0")
        limit = limit_of(scope["path"])
        if not length.isdigit() or int(length) > limit:
            return _too_large(scope, limit)
        if _is_viid(scope["path"]):
            buckets = self._devices
        else:
            buckets = self._reads if scope["method"] in ("GET", "HEAD") else self._writes
        wait = buckets.take(_address(scope), time.monotonic())
        if wait > 0:
            seconds = max(1, round(wait + 0.5))
            return _refusal(scope, 429, "too_many_requests", {"seconds": seconds}, {"Retry-After": str(seconds)})
        return None

    def _head(self, scope: Scope, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        headers["X-Request-Id"] = scope["safecity.request"]
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        where = "(self)" if scope["path"] == PHONE else "()"
        headers["Permissions-Policy"] = f"camera=(), geolocation={where}, microphone=(self), payment=(), usb=()"
        headers.setdefault("Content-Security-Policy", API_POLICY)
        if scope["path"].startswith("/api/"):
            headers.setdefault("Cache-Control", "no-store")
        if self._services.web.tls:
            headers["Strict-Transport-Security"] = "max-age=31536000"


def _address(scope: Scope) -> str:
    return (scope.get("client") or ("", 0))[0]


def _language(scope: Scope) -> str:
    accept = dict(scope["headers"]).get(b"accept-language", b"")
    return "en" if accept.lower().startswith(b"en") else "zh"


def limit_of(path: str) -> int:
    """Bytes that a request there may have."""
    return MAX_PICTURES_BODY if path in _WITH_PICTURES or path.startswith("/VIID/") else MAX_BODY


def _is_viid(path: str) -> bool:
    return path.startswith(("/VIID/", "/VIAS/"))


def _refusal(
    scope: Scope, status: int, code: str, params: dict[str, Any], headers: dict[str, str] | None = None
) -> Any:
    """In the words of whoever asks: a problem for browsers, a status for capture devices."""
    if not _is_viid(scope["path"]):
        return problem(status, code, params, _language(scope), headers)
    said = Status(scope["path"], StatusCode.BUSY if status == 429 else StatusCode.INVALID_OPERATION, code)
    body = write_json(write_status(said, time.time_ns() // 1000))
    return Response(body, status, {**(headers or {}), "Content-Type": CONTENT_TYPE})


def _too_large(scope: Scope, limit: int) -> Any:
    return _refusal(scope, 413, "body_too_large", {"limit_bytes": limit})
