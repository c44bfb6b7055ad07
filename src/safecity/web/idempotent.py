"""Idempotency-Key: a request that is sent twice is done once, and answered the same.

Every POST that makes or commands something takes a key of the client's choice; it counts for a day, and only for
whoever sent it. Answers are kept sealed: some hold a password.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final
from weakref import WeakValueDictionary

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from safecity.core.ground.access.api import Actor
from safecity.core.ground.settings.once import forget, recall, remember
from safecity.kit.errors import ConflictError, InvalidError, SafecityError
from safecity.web.services import Services

HEADER: Final = "Idempotency-Key"
MAX_KEY = 100
PARAMETER: Final[dict[str, Any]] = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "description": "Of the client's choice. Sent again within a day, the request is answered again and not done again.",
    "schema": {"type": "string", "maxLength": MAX_KEY},
}
_KEPT = ("content-type", "etag")
_running: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def answer_once(
    here: Services, who: Actor, request: Request, handle: Callable[[Request], Awaitable[Response]]
) -> Response:
    """The kept answer of this key, else the handler's.

    InvalidError `idempotency_key_reused` when the key stood for another request; ConflictError `outcome_unknown` when
    the platform stopped in the middle of the first one.
    """
    key = request.headers[HEADER]
    if len(key) > MAX_KEY:
        raise InvalidError("not a key", code="idempotency_key_invalid", params={"limit": MAX_KEY})
    place = f"{who.user}/{key}"
    asked = await _digest(request)

    def keep(value: dict[str, Any]) -> Callable[[Any], None]:
        sealed = base64.b64encode(here.vault.seal(json.dumps({"asked": asked, **value}), place)).decode()
        return lambda tx: remember(tx, place, sealed, who.at)

    # Whoever asks again while the first request is under way waits for its answer.
    async with _running.setdefault(place, asyncio.Lock()):
        kept = await here.database.read(lambda tx: recall(tx, place, who.at))
        if kept is not None:
            return _again(json.loads(here.vault.open(base64.b64decode(kept), place)), asked)
        await here.database.write(keep({}))
        try:
            answer = await handle(request)
        except (SafecityError, RequestValidationError, HTTPException):
            await here.database.write(lambda tx: forget(tx, place))
            raise
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        body = base64.b64encode(bytes(answer.body)).decode()
        await here.database.write(keep({"status": answer.status_code, "headers": headers, "body": body}))
        return answer


def _again(kept: dict[str, Any], asked: str) -> Response:
    if kept["asked"] != asked:
        raise InvalidError("the key stood for another request", code="idempotency_key_reused")
    if "status" not in kept:
        raise ConflictError("how it ended is not known", code="outcome_unknown")
    return Response(base64.b64decode(kept["body"]), kept["status"], kept["headers"])


async def _digest(request: Request) -> str:
    asked = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    asked.update(await request.body())
    return asked.hexdigest()
