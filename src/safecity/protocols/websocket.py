"""The server's side of WebSocket (RFC 6455) without sockets: handshake, frames, closing.

Made for one purpose: to push prepared frames to many viewers who say very little. Frames to the client are plain
bytes that may be written to any number of connections; frames from the client are small, and everything that is
not is a fault with the close code of section 7.4.1.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from safecity.kit.errors import InvalidError

MAX_HEAD_BYTES: Final = 8192
"""A request head longer than this is refused."""
MAX_MESSAGE_BYTES: Final = 4096
"""A message from a client longer than this is refused (1009)."""

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
UNSUPPORTED: Final = 1003
BAD_TEXT: Final = 1007
POLICY: Final = 1008
TOO_BIG: Final = 1009

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Fault(InvalidError):
    """The client broke the protocol; answer `close` and leave."""

    def __init__(self, message: str, close: int) -> None:
        super().__init__(message, code="bad_websocket")
        self.close = close


@dataclass(frozen=True, slots=True)
class Request:
    """A request head. Header names are in lower case; `rest` is what came behind it."""

    method: str
    target: str
    headers: Mapping[str, str]
    rest: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def key(self) -> str:
        """Sec-WebSocket-Key; InvalidError (`bad_websocket`) unless this is a good opening (section 4.2.1)."""
        names = {part.strip().lower() for part in self.headers.get("connection", "").split(",")}
        key = self.headers.get("sec-websocket-key", "")
        if self.method != "GET" or "upgrade" not in names or self.headers.get("upgrade", "").lower() != "websocket":
            raise InvalidError("no WebSocket opening", code="bad_websocket")
        if self.headers.get("sec-websocket-version") != "13":
            raise InvalidError("WebSocket version is not 13", code="bad_websocket")
        try:
            good = len(base64.b64decode(key, validate=True)) == 16
        except ValueError:
            good = False
        if not good:
            raise InvalidError("bad Sec-WebSocket-Key", code="bad_websocket")
        return key


def parse_request(data: bytes) -> Request | None:
    """The request whose head is whole in `data`, None while it is not yet; InvalidError (`bad_http`) if never."""
    end = data.find(b"\r\n\r\n")
    if end < 0 or end > MAX_HEAD_BYTES:
        if len(data) > MAX_HEAD_BYTES:
            raise InvalidError("request head too long", code="bad_http")
        return None
    try:
        first, *lines = data[:end].decode("ascii").split("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidError("request head is not ASCII", code="bad_http") from error
    parts = first.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0") or not parts[1].startswith("/"):
        raise InvalidError("no HTTP request", code="bad_http")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or not _TOKEN.issuperset(name.encode()):
            raise InvalidError("bad header line", code="bad_http")
        lower = name.lower()
        value = value.strip()
        if any(ord(letter) < 32 and letter != "\t" for letter in value):
            raise InvalidError("control letter in a header", code="bad_http")
        if lower in headers and lower in ("host", "origin", "sec-websocket-key", "sec-websocket-version"):
            raise InvalidError(f"two {lower} headers", code="bad_http")
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    return Request(parts[0], parts[1], headers, data[end + 4 :])


def accept(key: str) -> bytes:
    """The answer that opens the connection (section 4.2.2)."""
    proof = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + proof
        + b"\r\n\r\n"
    )


def plain_answer(status: int, reason: str, body: str = "") -> bytes:
    """A whole HTTP answer that closes the connection."""
    content = body.encode()
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(content)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    ).encode() + content


def frame_head(opcode: int, size: int) -> bytes:
    """Head of a whole, unmasked frame of `size` bytes (section 5.2)."""
    if size < 126:
        return struct.pack(">BB", 0x80 | opcode, size)
    if size < 65536:
        return struct.pack(">BBH", 0x80 | opcode, 126, size)
    return struct.pack(">BBQ", 0x80 | opcode, 127, size)


def text_frame(text: str) -> bytes:
    """A whole text message."""
    content = text.encode()
    return frame_head(TEXT, len(content)) + content


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; `reason` is cut to what a control frame can hold."""
    content = struct.pack(">H", code) + reason.encode()[:120]
    return frame_head(CLOSE, len(content)) + content


class Message(NamedTuple):
    """A whole message or control frame from the client."""

    opcode: int
    content: bytes


@dataclass
class FrameDecoder:
    """Frames of a client: bytes in, whole messages out; Fault when the client breaks the rules.

    A client masks every frame; unmasked ones are a fault (section 5.1). Fragments are joined.
    """

    max_bytes: int = MAX_MESSAGE_BYTES
    _tail: bytes = b""
    _parts: list[bytes] = field(default_factory=list[bytes])
    _opcode: int = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now."""
        buffer = self._tail + data if self._tail else data
        found: list[Message] = []
        at = 0
        while len(buffer) - at >= 2:
            first, second = buffer[at], buffer[at + 1]
            size, head = second & 127, 6
            self._check(first, second, size)
            if size == 126:
                if len(buffer) - at < 4:
                    break
                (size,) = struct.unpack_from(">H", buffer, at + 2)
                head = 8
            elif size == 127:
                raise Fault("message too big", TOO_BIG)
            if size + sum(map(len, self._parts)) > self.max_bytes:
                raise Fault("message too big", TOO_BIG)
            if len(buffer) - at < head + size:
                break
            mask = buffer[at + head - 4 : at + head]
            content = _unmask(buffer[at + head : at + head + size], mask)
            at += head + size
            message = self._join(first, content)
            if message is not None:
                found.append(message)
        self._tail = buffer[at:]
        return found

    def _check(self, first: int, second: int, size: int) -> None:
        opcode = first & 15
        if first & 0x70:
            raise Fault("reserved bits set", PROTOCOL_ERROR)
        if not second & 0x80:
            raise Fault("client frame without mask", PROTOCOL_ERROR)
        if opcode not in (0, TEXT, BINARY, CLOSE, PING, PONG):
            raise Fault("unknown opcode", PROTOCOL_ERROR)
        if opcode >= CLOSE and (size > 125 or not first & 0x80):
            raise Fault("bad control frame", PROTOCOL_ERROR)
        if (opcode == 0) != bool(self._opcode) and opcode < CLOSE:
            raise Fault("fragments out of order", PROTOCOL_ERROR)

    def _join(self, first: int, content: bytes) -> Message | None:
        opcode = first & 15
        if opcode >= CLOSE:
            return Message(opcode, content)
        if opcode:
            self._opcode = opcode
        if len(self._parts) > 64:
            raise Fault("too many fragments", POLICY)
        self._parts.append(content)
        if not first & 0x80:
            return None
        whole = Message(self._opcode, b"".join(self._parts))
        self._parts.clear()
        self._opcode = 0
        return whole


def _unmask(data: bytes, mask: bytes) -> bytes:
    size = len(data)
    long_mask = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(long_mask, "big")).to_bytes(size, "big")
