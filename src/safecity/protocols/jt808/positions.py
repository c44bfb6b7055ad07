"""Positions (JT/T 808-2019, 8.18 to 8.23, 8.49): one fix with its items, answers that carry one, batches."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, Final, NamedTuple, Self

from safecity.kit.errors import InvalidError
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.wire import U8, U16, U32, Blob, Body, Kind, Many, Reader, wire

_FIX: Final = struct.Struct(">IIIIHHH6s")
FIX_BYTES: Final = _FIX.size
"""Of a position without items."""
SOUTH, WEST = 1 << 2, 1 << 3
"""Bits of `Location.status`: which hemisphere, since the numbers carry no sign."""


class Item(NamedTuple):
    """One item behind a fix, as it came; `safecity.protocols.jt808.items` reads it."""

    id: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Body):
    """A fix: numbers as on the wire (millionths of a degree, metres, tenths of km/h, degrees from north, yyMMddHHmmss
    of UTC+8).

    The first 28 bytes are taken whatever follows: an item whose length is wrong costs what lies behind it (kept in
    `tail`), never the fix.
    """

    ID: ClassVar[int] = 0x0200
    alarm: int = 0
    status: int = 0
    latitude_micro: int = 0
    longitude_micro: int = 0
    height: int = 0
    speed_tenths: int = 0
    direction: int = 0
    time: str = "000000000000"
    items: tuple[Item, ...] = ()

    @classmethod
    def read(cls, data: bytes, version: Version = Version.V2013) -> Self:
        """InvalidError when it is shorter than a fix."""
        if len(data) < FIX_BYTES:
            raise InvalidError(f"a position of {len(data)} bytes, {FIX_BYTES} are needed")
        alarm, status, latitude, longitude, height, speed, direction, time = _FIX.unpack_from(data)
        items, at = _read_items(data)
        return cls(
            alarm=alarm,
            status=status,
            latitude_micro=latitude,
            longitude_micro=longitude,
            height=height,
            speed_tenths=speed,
            direction=direction,
            time=time.hex(),
            items=items,
            tail=data[at:],
        )

    @classmethod
    def read_from(cls, reader: Reader) -> Self:
        """All that is left is one position."""
        return cls.read(reader.rest(), reader.version)

    def write(self, version: Version = Version.V2013) -> bytes:
        """InvalidError for a value that does not fit."""
        try:
            fix = _FIX.pack(
                self.alarm, self.status, self.latitude_micro, self.longitude_micro,
                self.height, self.speed_tenths, self.direction, bytes.fromhex(self.time),
            )  # fmt: skip
            items = b"".join([bytes((item.id, len(item.value))) + item.value for item in self.items])
        except (struct.error, ValueError) as error:
            raise InvalidError(f"a position cannot be written: {error}") from error
        if len(self.time) != 12:
            raise InvalidError(f"not a time: {self.time[:20]!r}")
        return fix + items + self.tail

    @property
    def latitude(self) -> float:
        """Degrees, south negative."""
        return (-self.latitude_micro if self.status & SOUTH else self.latitude_micro) / 1e6

    @property
    def longitude(self) -> float:
        """Degrees, west negative."""
        return (-self.longitude_micro if self.status & WEST else self.longitude_micro) / 1e6


def _read_items(data: bytes) -> tuple[tuple[Item, ...], int]:
    """The items, and where the first lies that is not whole."""
    items: list[Item] = []
    at, size = FIX_BYTES, len(data)
    while at + 2 <= size:
        end = at + 2 + data[at + 1]
        if end > size:
            break
        items.append(Item(data[at], data[at + 2 : end]))
        at = end
    return tuple(items), at


@dataclass(frozen=True, slots=True)
class _Rest:
    """A position that fills the rest of the body, or its next `size` bytes."""

    size: int = 0

    def read(self, reader: Reader) -> Location:
        return Location.read(reader.take(self.size) if self.size else reader.rest(), reader.version)

    def write(self, value: Location | None, version: Version) -> bytes:
        if value is None:
            raise InvalidError("a position belongs here")
        raw = value.write(version)
        if self.size and len(raw) != self.size:
            raise InvalidError("a position without items belongs here")
        return raw


REST_LOCATION: Final[Kind] = _Rest()
"""A position with its items, to the end of the message."""
BARE_LOCATION: Final[Kind] = _Rest(FIX_BYTES)
"""A fix without items, inside another message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskLocation(Body):
    ID: ClassVar[int] = 0x8201


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationAnswer(Body):
    """Of `AskLocation` with `serial`."""

    ID: ClassVar[int] = 0x0201
    serial: int = wire(U16)
    location: Location = wire(REST_LOCATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(Body):
    """Report every `interval_seconds` (0: stop) for `seconds`."""

    ID: ClassVar[int] = 0x8202
    interval_seconds: int = wire(U16)
    seconds: int = wire(U32, 0, when=lambda before: before["interval_seconds"] > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAlarm(Body):
    """By hand; `serial` 0: all of this kind. `alarms` has the bits of `alarms.CONFIRMABLE`."""

    ID: ClassVar[int] = 0x8203
    serial: int = wire(U16)
    alarms: int = wire(U32)


class BatchKind(IntEnum):
    """Why positions come together."""

    NORMAL = 0
    CATCH_UP = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Body):
    """Several positions, or those of a blind area. `raw` holds each as it came: one that cannot be read does not cost
    the others."""

    ID: ClassVar[int] = 0x0704
    count: int = wire(U16)
    kind: int = wire(U8)
    raw: tuple[bytes, ...] = wire(Many(Blob(2)), ())

    @classmethod
    def read(cls, data: bytes, version: Version = Version.V2013) -> Self:
        """What is whole; the rest is in `tail`. InvalidError when there is no head, or not one position of those that
        are announced: who is told that it was received would forget them all."""
        reader = Reader(data, version)
        count, kind = U16.read(reader), U8.read(reader)
        raw: list[bytes] = []
        while reader.left >= 2 and len(raw) < count:
            start = reader.at
            size = U16.read(reader)
            if size > reader.left:
                reader.at = start
                break
            raw.append(reader.take(size))
        if count and not any(len(one) >= FIX_BYTES for one in raw):
            raise InvalidError(f"no position among {count}")
        return cls(count=count, kind=kind, raw=tuple(raw), tail=reader.rest())

    def locations(self) -> tuple[list[Location], int]:
        """The positions, and how many are missing or cannot be read."""
        found: list[Location] = []
        for one in self.raw:
            try:
                found.append(Location.read(one))
            except InvalidError:
                continue
        return found, max(0, self.count - len(found))


def batch(locations: list[Location], kind: BatchKind, version: Version = Version.V2013) -> Batch:
    """The message that carries them."""
    raw = tuple(location.write(version) for location in locations)
    return Batch(count=len(raw), kind=kind, raw=raw)


def degrees_to_wire(latitude: float, longitude: float) -> dict[str, Any]:
    """Fields of a `Location`: numbers without sign, and the bits of `status` that say which hemisphere."""
    return {
        "latitude_micro": round(abs(latitude) * 1e6),
        "longitude_micro": round(abs(longitude) * 1e6),
        "status": (SOUTH if latitude < 0 else 0) | (WEST if longitude < 0 else 0),
    }
