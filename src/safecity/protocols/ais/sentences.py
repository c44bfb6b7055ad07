"""Sentences of receivers (IEC 61162-1, NMEA 0183): `!AIVDM,2,1,3,A,payload,0*hh`, each on a line of its own.

Tag blocks (`\\g:1-2-7*hh\\`) before a sentence are skipped. A damaged line costs itself alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_LINE: Final = 1024
"""Bytes of a line, tag block included. The standard says 82, receivers that put times in front write more."""
MAX_PARTS: Final = 9
_KEPT: Final = 64
"""So many bytes of what was dropped are kept, for the log."""
_ENDS: Final = re.compile(rb"[\r\n]+")
_PAYLOAD: Final = re.compile(rb"[0-W`-w]*")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class Malformed:
    """What was no sentence or no message: `reason` is one of the codes in docs/standards/ais.md."""

    data: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One part of a message: `number` of `total`, those of one message share `group` (None: it has one part).

    `own`: the station tells of itself (VDO), it did not hear it (VDM). `payload` is armoured, `fill` bits at its end
    are none of the message's.
    """

    payload: str
    fill: int = 0
    total: int = 1
    number: int = 1
    group: int | None = None
    channel: str = ""
    own: bool = False
    talker: str = "AI"


def checksum(body: bytes) -> int:
    """Exclusive or of what stands between `!` and `*`."""
    check = 0
    for byte in body:
        check ^= byte
    return check


def write_sentence(one: Sentence) -> bytes:
    """A line with its end."""
    group = "" if one.group is None else str(one.group)
    body = (
        f"{one.talker}{'VDO' if one.own else 'VDM'},{one.total},{one.number},{group},{one.channel},{one.payload},"
        f"{one.fill}"
    ).encode("ascii")
    return b"!%b*%02X\r\n" % (body, checksum(body))


def read_sentence(line: bytes) -> Sentence | Malformed | None:
    """A line without its end; None for a sentence that is none of AIS (the receiver's own place and time)."""
    bare = line
    if bare.startswith(b"\\"):
        _, _, bare = bare[1:].partition(b"\\")
    body, star, check = bare[1:].partition(b"*")
    if bare[:1] not in (b"!", b"$"):
        return _bad(line, "nmea_noise")
    if not star or not _HEX.fullmatch(check.strip()):
        return _bad(line, "nmea_no_checksum")
    if int(check, 16) != checksum(body):
        return _bad(line, "nmea_bad_checksum")
    fields = body.split(b",")
    formatter = fields[0][-3:]
    if bare[:1] == b"$" or formatter not in (b"VDM", b"VDO"):
        return None
    return _read_fields(fields) or _bad(line, "nmea_bad_fields")


def _read_fields(fields: list[bytes]) -> Sentence | None:
    if len(fields) != 7 or len(fields[0]) != 5 or not (fields[0].isalnum() and fields[0].isascii()):
        return None
    total, number, group = (_digit(one) for one in fields[1:4])
    fill = _digit(fields[6])
    if total is None or number is None or fill is None or not 1 <= number <= total or fill > 5:
        return None
    if (total > 1 and group is None) or (group is None and fields[3]):
        return None
    channel, payload = fields[4], fields[5]
    if len(channel) > 1 or not (channel.isalnum() or not channel) or not channel.isascii():
        return None
    if not payload or not _PAYLOAD.fullmatch(payload):
        return None
    return Sentence(
        payload=payload.decode("ascii"), fill=fill, total=total, number=number, group=group if total > 1 else None,
        channel=channel.decode("ascii"), own=fields[0].endswith(b"VDO"), talker=fields[0][:2].decode("ascii"),
    )  # fmt: skip


def _digit(field: bytes) -> int | None:
    return int(field) if len(field) == 1 and b"0" <= field <= b"9" else None


def _bad(line: bytes, reason: str) -> Malformed:
    return Malformed(line[:_KEPT], reason)


class LineReader:
    """Bytes in, sentences out, at any split. `waiting`: bytes since the last end of a line, kept or not."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._tail = b""
        self._max_line = max_line
        self.waiting = 0

    def feed(self, data: bytes) -> list[Sentence | Malformed]:
        """What is whole now."""
        *lines, tail = _ENDS.split(self._tail + data)
        self.waiting = len(tail) if lines else self.waiting + len(data)
        self._tail = tail[: self._max_line + 1]  # one byte over is enough to refuse it at its end
        found = (self._read(line) for line in lines if line)
        return [one for one in found if one is not None]

    def _read(self, line: bytes) -> Sentence | Malformed | None:
        if len(line) > self._max_line:
            return _bad(line, "nmea_line_too_long")
        return read_sentence(line)
