"""Tickets that open one media URL: signed by control, checked by whoever accepts the connection."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from safecity.kit.errors import ForbiddenError
from safecity.model.values.media import Quality

MAX_LIFE_SECONDS = 60


class Ticket(Struct, frozen=True, array_like=True):
    """`action` is `live`, `playback` or `download`; `start`/`end` microseconds UTC bound playback (0: unbounded).

    `slot` names the media slot that owns the stream; whoever accepts the viewer mirrors it from there.
    `not_after` (seconds since 1970) limits the opening; the opened connection lives as long as `session`.
    """

    session: str
    subject: str
    channel: str
    action: str
    quality: Quality
    not_after: int
    start: int = 0
    end: int = 0
    mask: bool = False
    nonce: str = ""
    slot: int = 0


def sign(ticket: Ticket, key: bytes) -> str:
    """URL-safe text."""
    body = base64.urlsafe_b64encode(msgspec.msgpack.encode(ticket)).rstrip(b"=")
    mark = base64.urlsafe_b64encode(hmac.digest(key, body, hashlib.sha256)[:16]).rstrip(b"=")
    return (body + b"." + mark).decode()


def verify(text: str, keys: Sequence[bytes], now_seconds: float) -> Ticket:
    """The ticket, or ForbiddenError (`ticket_forged`, `ticket_expired`)."""
    if len(text) > 1024:
        raise ForbiddenError("ticket too long", code="ticket_forged")
    body, _, mark = text.encode("utf-8", "replace").partition(b".")
    for key in keys:
        good = base64.urlsafe_b64encode(hmac.digest(key, body, hashlib.sha256)[:16]).rstrip(b"=")
        if hmac.compare_digest(good, mark):
            break
    else:
        raise ForbiddenError("ticket not signed by us", code="ticket_forged")
    ticket = msgspec.msgpack.decode(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)), type=Ticket)
    if not now_seconds <= ticket.not_after <= now_seconds + MAX_LIFE_SECONDS + 5:
        raise ForbiddenError("ticket expired", code="ticket_expired")
    return ticket
