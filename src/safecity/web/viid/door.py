"""Requests below `/VIID`: who it is, what it wants, and an answer in the standard's words for everything."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from safecity.core.ground.devices.api import Device
from safecity.kit.errors import (
    ConflictError,
    ExhaustedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    SafecityError,
    UnavailableError,
)
from safecity.protocols.gat1400.attendance import Standing
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.envelope import (
    CONTENT_TYPE,
    Status,
    StatusCode,
    media_type_fits,
    read_body,
    read_device_id,
    write_json,
    write_status,
    write_time,
)
from safecity.protocols.gat1400.login import Verdict
from safecity.protocols.gat1400.resources import RESOURCES
from safecity.web.viid.library import Library
from safecity.web.viid.presence import Presence

logger = logging.getLogger(__name__)
PREFIX: Final = "/VIID"
ANALYSIS: Final = "/VIAS"
"""Of analysis systems, which we are none of."""
MAX_SYSTEM_BODY: Final = 64 << 10
_WRAPPERS: Final = {"register": "RegisterObject", "unregister": "UnRegisterObject", "keepalive": "KeepaliveObject"}
_HTTP: Final[tuple[tuple[type[SafecityError], int, StatusCode], ...]] = (
    (InvalidError, 400, StatusCode.JSON_CONTENT),
    (ForbiddenError, 403, StatusCode.INVALID_OPERATION),
    (NotFoundError, 404, StatusCode.INVALID_OPERATION),
    (ConflictError, 409, StatusCode.INVALID_OPERATION),
    (ExhaustedError, 429, StatusCode.BUSY),
    (UnavailableError, 503, StatusCode.BUSY),
)


Entered = Callable[[Device], Awaitable[None]]


class Refusal(Exception):
    """An answer that ends the matter. `challenges` become `WWW-Authenticate`."""

    def __init__(self, status: int, code: StatusCode, text: str, challenges: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.challenges = tuple(challenges)


class ViidDoor:
    """An ASGI application; mounted below `/VIID` and `/VIAS`."""

    def __init__(self, presence: Presence, library: Library, entered: Entered) -> None:
        """`entered`: somebody registered, and may have begun anew."""
        self._presence = presence
        self._library = library
        self._entered = entered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        now = self._library.now()
        path = request.scope["path"]
        try:
            status, body = await self._answer(request)
            return _response(status, body)
        except Refusal as refusal:
            body = write_status(Status(path, refusal.code, str(refusal)), now)
            return _response(refusal.status, write_json(body), refusal.challenges)
        except SafecityError as error:
            status, code = next(
                ((http, code) for kind, http, code in _HTTP if isinstance(error, kind)), (500, StatusCode.OTHER)
            )
            if status == 500:
                logger.error("unforeseen error code=%s", error.code, exc_info=error)
            code = StatusCode.JSON_FORMAT if error.code == "viid_json" else code
            code = StatusCode.XML_FORMAT if error.code.startswith("xml_") else code
            status = 413 if error.code in ("viid_too_many", "xml_too_long") else status
            text = f"{error.code} {error.params.get('field') or error.params.get('reason') or ''}".strip()
            return _response(status, write_json(write_status(Status(path, code, text), now)))

    async def _answer(self, request: Request) -> tuple[int, bytes]:
        if request.scope["path"].startswith(ANALYSIS):
            raise Refusal(404, StatusCode.INVALID_OPERATION, "no analysis system")
        parts = [unquote(part) for part in request.scope["path"].removeprefix(PREFIX).strip("/").split("/")]
        kind = parts[0].lower()
        if kind == "system":
            return await self._system(request, parts[1].lower() if len(parts) == 2 else "")
        resource = RESOURCES.get(kind)
        if resource is None or len(parts) > 3:
            raise Refusal(404, StatusCode.INVALID_OPERATION, "no such resource")
        if not media_type_fits(request.headers.get("content-type", "")) and request.method in ("POST", "PUT"):
            raise Refusal(415, StatusCode.INVALID_OPERATION, "JSON or XML only")
        sender = await self._sender(request)
        status, body = await self._library.handle(sender, resource, parts[1:], request)
        return status, body

    async def _system(self, request: Request, call: str) -> tuple[int, bytes]:
        now = self._library.now()
        if call == "time":
            self._only(request, "GET")
            return 200, write_json(write_time(await self._library.code(), now))
        wrapper = _WRAPPERS.get(call)
        if wrapper is None:
            raise Refusal(404, StatusCode.INVALID_OPERATION, "no such call")
        self._only(request, "POST")
        identity = read_device_id(read_body(request.headers.get("content-type", ""), await _small(request)), wrapper)
        claimed = clean_id(request.headers.get("user-identify"))
        if claimed and claimed != identity:
            raise Refusal(403, StatusCode.INVALID_OPERATION, "User-Identify is somebody else")
        if call == "keepalive":
            await self._standing(request, identity)
        else:
            device = await self._proved(request, identity)
            if call == "unregister":
                await self._presence.left(device)
            else:
                await self._entered(device)
        return 200, write_json(write_status(Status(request.scope["path"], id=identity), now))

    async def _sender(self, request: Request) -> Device:
        """Who sends, before anything of the body is read."""
        identity = clean_id(request.headers.get("user-identify"))
        if not identity:
            raise Refusal(
                401, StatusCode.INVALID_OPERATION, "User-Identify is missing", await self._presence.challenge("")
            )
        if request.headers.get("authorization"):
            return await self._proved(request, identity)
        return await self._standing(request, identity)

    async def _standing(self, request: Request, identity: str) -> Device:
        standing, device = await self._presence.standing(identity, _peer(request))
        if standing is Standing.FOREIGN:
            raise Refusal(403, StatusCode.INVALID_OPERATION, "this identity is somebody else's")
        if device is None:
            challenges = await self._presence.challenge(identity)
            raise Refusal(401, StatusCode.INVALID_OPERATION, "register first", challenges)
        return device

    async def _proved(self, request: Request, identity: str) -> Device:
        raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        query: bytes = request.scope.get("query_string", b"")
        target = (raw.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")
        given = request.headers.get("authorization", "")
        verdict, device = await self._presence.login(identity, given, request.method, target, _peer(request))
        if device is None:
            stale = verdict is Verdict.STALE
            challenges = () if verdict is Verdict.LOCKED else await self._presence.challenge(identity, stale=stale)
            raise Refusal(401, StatusCode.INVALID_OPERATION, "sign in", challenges)
        return device

    @staticmethod
    def _only(request: Request, method: str) -> None:
        if request.method != method:
            raise Refusal(405, StatusCode.INVALID_OPERATION, "method not allowed")


async def _small(request: Request) -> bytes:
    """The body of a call that anybody may make; it names a device and nothing else."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_SYSTEM_BODY:
            raise Refusal(413, StatusCode.INVALID_OPERATION, "too large")
    return bytes(body)


def _peer(request: Request) -> tuple[str, int]:
    client: Any = request.scope.get("client") or ("", 0)
    return str(client[0]), int(client[1])


def _response(status: int, body: bytes, challenges: Sequence[str] = ()) -> Response:
    response = Response(body, status, media_type=None)
    response.headers["Content-Type"] = CONTENT_TYPE
    for challenge in challenges:
        response.headers.append("WWW-Authenticate", challenge)
    return response
