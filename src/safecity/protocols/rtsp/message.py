"""RTSP messages and the packets between them (RFC 2326, 4-7 and 10.12): any split, bounded, never raising."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

MAX_HEAD: Final = 16 * 1024
MAX_BODY: Final = 256 * 1024
MAX_FIELDS: Final = 64
MAX_HUNT: Final = 256 * 1024

Fields = tuple[tuple[str, str], ...]

REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
    453: "Not Enough Bandwidth", 454: "Session Not Found", 455: "Method Not Valid in This State",
    459: "Aggregate Operation Not Allowed", 461: "Unsupported Transport", 500: "Internal Server Error",
    501: "Not Implemented", 503: "Service Unavailable", 505: "RTSP Version Not Supported",
}  # fmt: skip

_REQUEST_LINE = re.compile(r"([A-Z_]{1,32}) +(\S{1,2048}) +RTSP/(\d)\.\d\s*$", re.ASCII)
_STATUS_LINE = re.compile(r"RTSP/\d\.\d +(\d{3})(?: +(.*))?$", re.ASCII)


def find_field(fields: Fields, name: str) -> str:
    """The first value of the field, names compared without case; empty where there is none."""
    name = name.lower()
    return next((value for key, value in fields if key.lower() == name), "")


class RtspRequest(NamedTuple):
    """`METHOD url RTSP/1.0`."""

    method: str
    url: str
    fields: Fields
    body: bytes = b""

    def get(self, name: str) -> str:
        """The first value of the field, empty where there is none."""
        return find_field(self.fields, name)

    def encode(self) -> bytes:
        """The bytes on the wire. ValueError for a line break in a field."""
        return _encode(f"{self.method} {self.url} RTSP/1.0", self.fields, self.body)


class RtspResponse(NamedTuple):
    """`RTSP/1.0 status reason`."""

    status: int
    reason: str
    fields: Fields
    body: bytes = b""

    def get(self, name: str) -> str:
        """The first value of the field, empty where there is none."""
        return find_field(self.fields, name)

    def all(self, name: str) -> list[str]:
        """Every value of the field."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def encode(self) -> bytes:
        """The bytes on the wire. ValueError for a line break in a field."""
        return _encode(f"RTSP/1.0 {self.status} {self.reason}", self.fields, self.body)


class Interleaved(NamedTuple):
    """A packet of RTP or RTCP between the messages."""

    channel: int
    data: bytes


class Malformed(NamedTuple):
    """A message that cannot be understood."""

    reason: str


Item = RtspRequest | RtspResponse | Interleaved | Malformed


def response_to(
    request: RtspRequest, status: int, fields: Iterable[tuple[str, str]] = (), body: bytes = b""
) -> RtspResponse:
    """An answer with the CSeq of the request."""
    number = request.get("CSeq")
    return RtspResponse(status, REASONS.get(status, "Unknown"), (("CSeq", number or "0"), *fields), body)


def interleave(channel: int, packet: bytes) -> bytes:
    """A packet as it stands between the messages. ValueError above 65,535 bytes."""
    if len(packet) > 0xFFFF:
        raise ValueError("packet too long to interleave")
    return bytes((0x24, channel)) + len(packet).to_bytes(2, "big") + packet


class RtspDecoder:
    """Bytes in, messages and packets out. Once `broken` the connection is to be closed.

    `skipped` counts bytes that belonged to nothing: some cameras slip between packets, and are found again.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._hunted = 0
        self._hunting = False
        self.skipped = 0
        self.broken = False

    @property
    def waiting(self) -> bool:
        """True while something has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Item]:
        """What is whole now."""
        if self.broken:
            return []
        buffer = self._buffer
        buffer += data
        items: list[Item] = []
        at, size = 0, len(buffer)
        while at < size and not self.broken:
            if self._hunting:
                at = self._hunt(at, size)
                if self._hunting:
                    break
            first = buffer[at]
            if first == 0x24:
                if at + 4 > size:
                    break
                end = at + 4 + (buffer[at + 2] << 8 | buffer[at + 3])
                if end > size:
                    break
                items.append(Interleaved(buffer[at + 1], bytes(buffer[at + 4 : end])))
                self._hunted = 0
                at = end
            elif first in b"\r\n \0":
                at += 1
            elif 65 <= first <= 90 or 97 <= first <= 122:
                step = self._message(at, size, items)
                if step < 0:
                    break
                at = step
            else:
                at = self._lose(at)
        del buffer[:at]
        if self.broken:
            buffer.clear()
        return items

    def _message(self, at: int, size: int, items: list[Item]) -> int:
        """Where the message at `at` ends, or -1 while bytes are missing."""
        buffer = self._buffer
        end, gap = buffer.find(b"\r\n\r\n", at, at + MAX_HEAD), 4
        bare = buffer.find(b"\n\n", at, at + MAX_HEAD if end < 0 else end)
        if bare >= 0:
            end, gap = bare, 2
        if end < 0:
            return -1 if size - at < MAX_HEAD else self._lose(at)
        if b"RTSP/" not in buffer[at : buffer.find(b"\n", at)]:
            return self._lose(at)
        parsed = _parse_head(bytes(buffer[at:end]))
        if isinstance(parsed, Malformed):
            items.append(parsed)
            return end + gap
        length = find_field(parsed.fields, "Content-Length").strip() or "0"
        if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > MAX_BODY:
            items.append(Malformed("Content-Length unusable"))
            self.broken = True
            return end + gap
        body_end = end + gap + int(length)
        if body_end > size:
            return -1
        items.append(parsed._replace(body=bytes(buffer[end + gap : body_end])))
        self._hunted = 0
        return body_end

    def _lose(self, at: int) -> int:
        """Here begins nothing we know."""
        self._hunting = True
        self.skipped += 1
        self._hunted += 1
        return at + 1

    def _hunt(self, at: int, size: int) -> int:
        """Pass over bytes up to the next possible beginning."""
        places = (self._buffer.find(mark, at) for mark in (b"$", b"RTSP/1."))
        found = min((place for place in places if place >= 0), default=-1)
        self._hunting = found < 0
        if found < 0:
            found = max(at, size - 6)  # the beginning of a beginning may already be there
        self.skipped += found - at
        self._hunted += found - at
        if self._hunted > MAX_HUNT:
            self.broken = True
        return found


def _parse_head(head: bytes) -> RtspRequest | RtspResponse | Malformed:
    text = head.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    start, *lines = text.replace("\n ", " ").replace("\n\t", " ").split("\n")
    if len(lines) > MAX_FIELDS:
        return Malformed("too many fields")
    pairs = (line.partition(":") for line in lines if ":" in line)
    fields = tuple((name.strip(), value.strip()) for name, _, value in pairs if name.strip())
    status = _STATUS_LINE.match(start)
    if status is not None:
        return RtspResponse(int(status.group(1)), (status.group(2) or "").strip(), fields)
    request = _REQUEST_LINE.match(start)
    if request is None:
        return Malformed("malformed start line")
    return RtspRequest(request.group(1), request.group(2), fields)


def _encode(start: str, fields: Fields, body: bytes) -> bytes:
    lines = [start, *(f"{name}: {value}" for name, value in fields)]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("line break inside a field")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
