"""Frames of the unit link.

    length u32 (of what follows) | kind u8 | body

    kind 1 ask         msgspec {channel, quality}                    reader -> owner, once
    kind 2 parameters  track u8 | msgspec of the codec parameters    owner -> reader, before the first unit they rule
    kind 3 unit        track u8 | flags u8 | pts i64 | dts i64 | arrived u64 | data
    kind 4 ended       UTF-8 reason
    kind 5 skipped     u32 units the reader was too slow for

Between nodes the same frames travel over TLS.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from safecity.kit.errors import InvalidError
from safecity.model.values.media import AudioParameters, CodecParameters, Quality, StreamKey, Unit, VideoParameters

MAX_FRAME = 16 * 1024 * 1024
ASK, PARAMETERS, UNIT, ENDED, SKIPPED = range(1, 6)
_KEY, _DAMAGED = 1, 2

_head = struct.Struct(">IB")
_unit = struct.Struct(">IBBBqqQ")
_unit_body = struct.Struct(">BBqqQ")
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Ended:
    """The owner's stream is over; `reason` is a code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """The link was too slow for so many units; the next one is a key frame."""

    units: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Which stream is wanted."""

    key: StreamKey


Item = Unit | Ended | Skipped | Ask


def encode_ask(key: StreamKey) -> bytes:
    body = _encode((key.channel, key.quality))
    return _head.pack(1 + len(body), ASK) + body


def encode_ended(reason: str) -> bytes:
    body = reason.encode()[:200]
    return _head.pack(1 + len(body), ENDED) + body


def encode_skipped(units: int) -> bytes:
    return _head.pack(5, SKIPPED) + units.to_bytes(4, "big")


class UnitEncoder:
    """Units to frames; parameters travel once, and again when they change."""

    def __init__(self) -> None:
        self._sent: dict[int, CodecParameters] = {}

    def encode(self, unit: Unit) -> list[bytes]:
        """One or two buffers to write in order; the unit's data is not copied."""
        frames: list[bytes] = []
        known = self._sent.get(unit.track)
        if known is not unit.parameters and known != unit.parameters:
            video = isinstance(unit.parameters, VideoParameters)
            body = bytes((unit.track, video)) + _encode(unit.parameters)
            frames.append(_head.pack(1 + len(body), PARAMETERS) + body)
        self._sent[unit.track] = unit.parameters
        flags = unit.is_key * _KEY | unit.damaged * _DAMAGED
        size = 1 + _unit_body.size + len(unit.data)
        frames.append(_unit.pack(size, UNIT, unit.track, flags, unit.pts, unit.dts, unit.arrived_us))
        frames.append(unit.data)
        return frames


class LinkDecoder:
    """Bytes to items; InvalidError on nonsense, after which the link is to be closed."""

    def __init__(self) -> None:
        self._tail = bytearray()
        self._parameters: dict[int, CodecParameters] = {}

    def feed(self, data: bytes) -> list[Item]:
        self._tail += data
        return list(self._items())

    def _items(self) -> Iterator[Item]:
        tail, start = self._tail, 0
        try:
            while len(tail) - start >= 5:
                length = int.from_bytes(tail[start : start + 4], "big")
                if not 1 <= length <= MAX_FRAME:
                    raise InvalidError(f"unit link: frame of {length} bytes", code="link_frame")
                if len(tail) - start - 4 < length:
                    return
                kind = tail[start + 4]
                body = bytes(memoryview(tail)[start + 5 : start + 4 + length])
                start += 4 + length
                item = self._item(kind, body)
                if item is not None:
                    yield item
        finally:
            del tail[:start]

    def _item(self, kind: int, body: bytes) -> Item | None:
        try:
            match kind:
                case 3:
                    track, flags, pts, dts, arrived = _unit_body.unpack_from(body)
                    parameters = self._parameters[track]
                    data = body[_unit_body.size :]
                    return Unit(track, data, pts, dts, bool(flags & _KEY), bool(flags & _DAMAGED), arrived, parameters)
                case 2:
                    shape = VideoParameters if body[1] else AudioParameters
                    self._parameters[body[0]] = msgspec.msgpack.decode(body[2:], type=shape)
                    return None
                case 1:
                    channel, quality = msgspec.msgpack.decode(body, type=tuple[str, Quality])
                    return Ask(StreamKey(channel, quality))
                case 4:
                    return Ended(body.decode("utf-8", "replace"))
                case 5:
                    return Skipped(int.from_bytes(body[:4], "big"))
                case _:
                    return None  # a newer side may say more than we know
        except (msgspec.MsgspecError, struct.error, KeyError, IndexError) as error:
            raise InvalidError(f"unit link: {error!r}", code="link_frame") from error
