"""The wire of guidance signs (docs/design/0018-signs.md): one request that says what is to be shown for how long, one
answer that says what really is. JSON, signed with a key that both sides have. No sockets, no clocks."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

PATH: Final = "/safecity/sign/v1"
CONTENT_TYPE: Final = "application/json"
MAX_MESSAGE: Final = 32 << 10
"""Bytes of a request or an answer."""
MAX_LINES: Final = 16
MAX_COLUMNS: Final = 80
LEAST_KEY: Final = 16
MOST_KEY: Final = 128
FAULTS: Final = ("dark", "pixels", "power", "door", "temperature", "other")
"""What a sign may say is wrong with it; anything else is `other`."""

Word = Annotated[str, Meta(max_length=64)]
Line = Annotated[str, Meta(max_length=MAX_COLUMNS)]
Lines = Annotated[tuple[Line, ...], Meta(max_length=MAX_LINES)]
Number = Annotated[int, Meta(ge=0, lt=1 << 53)]


class WireError(ValueError):
    """What came is no message of this protocol; `code` says why: `sign_unreadable` or `sign_key_wrong`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Show(Struct, frozen=True, kw_only=True):
    """What a sign shall show.

    boot      the run of the sign that this is for, as it said itself; empty: it only says how it is
    number    grows with each request to one sign
    content   id of the message, empty: the fallback is to be shown now
    lines     of the message
    seconds   after which the sign shows its fallback again by itself
    fallback  what it shows when there is no message, also when nobody tells it anything any more
    """

    boot: Word
    number: Number
    content: Word = ""
    lines: Lines = ()
    seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    fallback: Lines = ()


class Shown(Struct, frozen=True, kw_only=True):
    """What a sign shows.

    boot      a name that the sign gives itself at each start
    number    of the request that this answers; `last`: the highest that it has taken since its start
    taken     whether it does as it was told; not when the request was for another run or came before
    content   id of the message that it shows, empty: none
    lines     what stands on it
    seconds   for how long it has
    fault     empty, or one of `FAULTS`
    """

    boot: Annotated[str, Meta(min_length=1, max_length=64)]
    number: Number
    taken: bool
    last: Number = 0
    content: Word = ""
    lines: Lines = ()
    seconds: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    fault: Word = ""


class _Envelope(Struct, frozen=True):
    message: str
    mac: str


T = TypeVar("T", Show, Shown)


def write(message: Show | Shown, key: str) -> bytes:
    """The bytes to be sent."""
    text = msgspec.json.encode(message).decode()
    return msgspec.json.encode(_Envelope(text, _mac(type(message), text, key)))


def read(body: bytes, key: str, kind: type[T]) -> T:
    """The message in the bytes. WireError for whatever else they are."""
    if len(body) > MAX_MESSAGE:
        raise WireError("sign_unreadable")
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
    except (ValueError, RecursionError) as error:
        raise WireError("sign_unreadable") from error
    expected = _mac(kind, envelope.message, key)
    if not hmac.compare_digest(expected.encode(), envelope.mac.encode("utf-8", "replace")):
        raise WireError("sign_key_wrong")
    try:
        return msgspec.json.decode(envelope.message, type=kind)
    except (ValueError, RecursionError) as error:
        raise WireError("sign_unreadable") from error


def _mac(kind: type, text: str, key: str) -> str:
    # With the kind in it no request can be sent back as an answer.
    signed = f"{kind.__name__.lower()}\n{text}".encode("utf-8", "surrogatepass")
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


class SignFace:
    """The sign's side: what it shows, told the time. It forgets a message by itself when that is over."""

    def __init__(self, boot: str, fallback: tuple[str, ...], now: float) -> None:
        self._boot = boot
        self._fallback = fallback
        self._last = 0
        self._content = ""
        self._lines: tuple[str, ...] = ()
        self._ends = 0.0
        self._since = now
        self.fault = ""

    def take(self, show: Show, now: float) -> Shown:
        """Do as told, where it is meant for this run and is new; the answer in any case."""
        taken = show.boot == self._boot and show.number > self._last
        if taken:
            self._settle(now)
            self._last = show.number
            before = self.lines(now), self._content
            self._fallback = show.fallback
            self._content, self._lines, self._ends = show.content, show.lines, now + show.seconds
            if not show.content or show.seconds == 0:
                self._content, self._lines = "", ()
            if before != (self.lines(now), self._content):
                self._since = now
        lines = self.lines(now)
        return Shown(
            boot=self._boot, number=show.number, taken=taken, last=self._last, content=self._content, lines=lines,
            seconds=max(0.0, now - self._since), fault=self.fault,
        )  # fmt: skip

    def lines(self, now: float) -> tuple[str, ...]:
        """What stands on it now."""
        self._settle(now)
        return self._lines if self._content else self._fallback

    def _settle(self, now: float) -> None:
        if self._content and now >= self._ends:
            self._since = self._ends
            self._content, self._lines = "", ()
