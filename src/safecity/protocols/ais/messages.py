"""Messages of ships, base stations and aids to navigation (ITU-R M.1371-5, annex 8). Knots, degrees, metres.

None is "not available"; what no value of its field can be is None as well, and `doubts` says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from safecity.kit.errors import InvalidError
from safecity.protocols.ais.bits import Bits, Flag, Form, Letters, Number, Spare, bits, read_fields, write_fields
from safecity.protocols.ais.sentences import Malformed

BAD_LONGITUDE: Final = "ais_bad_longitude"
BAD_LATITUDE: Final = "ais_bad_latitude"
BAD_COURSE: Final = "ais_bad_course"
BAD_HEADING: Final = "ais_bad_heading"
BAD_TIME: Final = "ais_bad_time"
BAD_ETA: Final = "ais_bad_eta"
UNKNOWN: Final = "ais_unread_message"
"""Of a kind that says nothing of places and names (binary, safety, links of data)."""
FASTEST_KNOTS: Final = 102.2
"""So fast or faster (table 48)."""
MAX_MMSI: Final = 999_999_999

_DEGREES: Final = 600_000
_TENTHS: Final = 600
_LONGITUDE: Final = Number(
    28, missing=181 * _DEGREES, parts=_DEGREES, signed=True, low=-180 * _DEGREES, high=180 * _DEGREES
)
_LATITUDE: Final = Number(
    27, missing=91 * _DEGREES, parts=_DEGREES, signed=True, low=-90 * _DEGREES, high=90 * _DEGREES
)
_SPEED: Final = Number(10, missing=1023, parts=10)
_COURSE: Final = Number(12, missing=3600, parts=10, high=3599)
_HEADING: Final = Number(9, missing=511, high=359)
_SECOND: Final = Number(6, missing=60)
_FAR_LONGITUDE: Final = Number(
    18, missing=181 * _TENTHS, parts=_TENTHS, signed=True, low=-180 * _TENTHS, high=180 * _TENTHS
)
_FAR_LATITUDE: Final = Number(
    17, missing=91 * _TENTHS, parts=_TENTHS, signed=True, low=-90 * _TENTHS, high=90 * _TENTHS
)
_NUMBER30: Final = Number(30)


def _bit(*, before: int = 0) -> Any:
    return bits(Flag(), before=before, default=False)


def _whole(size: int, *, before: int = 0, default: int = 0) -> Any:
    return bits(Number(size), before=before, default=default)


def _longitude(form: Form = _LONGITUDE) -> Any:
    return bits(form, doubt=BAD_LONGITUDE)


def _latitude(form: Form = _LATITUDE) -> Any:
    return bits(form, doubt=BAD_LATITUDE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What every message begins with. `repeat`: how often it was passed on, 3: not any more.

    SIZE is how long it is, LEAST how short receivers make it: bits at its end that they leave out are 0.
    """

    TYPES: ClassVar[tuple[int, ...]] = ()
    SIZE: ClassVar[int] = 168
    LEAST: ClassVar[int] = 168

    type: int = bits(Number(6), default=0)
    repeat: int = bits(Number(2), default=0)
    mmsi: int = bits(_NUMBER30, default=0)
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassAPosition(Message):
    """Messages 1, 2, 3 (table 48). `status` 0 under way, 1 at anchor, 5 moored, ... 15 not defined; `turn` is the
    rate of turn as written (see `turn_degrees`), `second` that of UTC: 60 none, 61 by hand, 62 reckoned, 63 out of
    order."""

    TYPES: ClassVar[tuple[int, ...]] = (1, 2, 3)

    status: int = _whole(4, default=15)
    turn: int | None = bits(Number(8, missing=-128, signed=True))
    speed: float | None = bits(_SPEED)
    accurate: bool = _bit()
    longitude: float | None = _longitude()
    latitude: float | None = _latitude()
    course: float | None = bits(_COURSE, doubt=BAD_COURSE)
    heading: int | None = bits(_HEADING, doubt=BAD_HEADING)
    second: int | None = bits(_SECOND)
    manoeuvre: int = _whole(2)
    raim: bool = _bit(before=3)
    radio: int = _whole(19)


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseStation(Message):
    """Message 4 (table 51): where a station on land is, and its time in UTC."""

    TYPES: ClassVar[tuple[int, ...]] = (4,)

    year: int | None = bits(Number(14, missing=0, high=9999), doubt=BAD_TIME)
    month: int | None = bits(Number(4, missing=0, high=12), doubt=BAD_TIME)
    day: int | None = bits(Number(5, missing=0, high=31), doubt=BAD_TIME)
    hour: int | None = bits(Number(5, missing=24, high=23), doubt=BAD_TIME)
    minute: int | None = bits(Number(6, missing=60, high=59), doubt=BAD_TIME)
    second: int | None = bits(Number(6, missing=60, high=59), doubt=BAD_TIME)
    accurate: bool = _bit()
    longitude: float | None = _longitude()
    latitude: float | None = _latitude()
    fixed_by: int = _whole(4)
    transmits: bool = _bit()
    raim: bool = _bit(before=9)
    radio: int = _whole(19)


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticAndVoyage(Message):
    """Message 5 (table 52). Metres from the antenna to bow, stern, port and starboard (511 and 63: so much or more);
    `draught` in metres (25.5: so much or more)."""

    TYPES: ClassVar[tuple[int, ...]] = (5,)
    SIZE: ClassVar[int] = 424
    LEAST: ClassVar[int] = 420

    version: int = _whole(2)
    imo: int | None = bits(Number(30, missing=0))
    call_sign: str = bits(Letters(42), default="")
    name: str = bits(Letters(120), default="")
    ship_type: int = _whole(8)
    bow: int = _whole(9)
    stern: int = _whole(9)
    port: int = _whole(6)
    starboard: int = _whole(6)
    fixed_by: int = _whole(4)
    month: int | None = bits(Number(4, missing=0, high=12), doubt=BAD_ETA)
    day: int | None = bits(Number(5, missing=0), doubt=BAD_ETA)
    hour: int | None = bits(Number(5, missing=24, high=23), doubt=BAD_ETA)
    minute: int | None = bits(Number(6, missing=60, high=59), doubt=BAD_ETA)
    draught: float | None = bits(Number(8, missing=0, parts=10))
    destination: str = bits(Letters(120), default="")
    no_terminal: bool = _bit()


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassBPosition(Message):
    """Message 18 (table 67)."""

    TYPES: ClassVar[tuple[int, ...]] = (18,)

    speed: float | None = bits(_SPEED, before=8)
    accurate: bool = _bit()
    longitude: float | None = _longitude()
    latitude: float | None = _latitude()
    course: float | None = bits(_COURSE, doubt=BAD_COURSE)
    heading: int | None = bits(_HEADING, doubt=BAD_HEADING)
    second: int | None = bits(_SECOND)
    carrier_sense: bool = _bit(before=2)
    display: bool = _bit()
    dsc: bool = _bit()
    whole_band: bool = _bit()
    takes_orders: bool = _bit()
    assigned: bool = _bit()
    raim: bool = _bit()
    radio: int = _whole(20)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassBExtended(Message):
    """Message 19 (table 68): where it is and what it is."""

    TYPES: ClassVar[tuple[int, ...]] = (19,)
    SIZE: ClassVar[int] = 312
    LEAST: ClassVar[int] = 306

    speed: float | None = bits(_SPEED, before=8)
    accurate: bool = _bit()
    longitude: float | None = _longitude()
    latitude: float | None = _latitude()
    course: float | None = bits(_COURSE, doubt=BAD_COURSE)
    heading: int | None = bits(_HEADING, doubt=BAD_HEADING)
    second: int | None = bits(_SECOND)
    name: str = bits(Letters(120), before=4, default="")
    ship_type: int = _whole(8)
    bow: int = _whole(9)
    stern: int = _whole(9)
    port: int = _whole(6)
    starboard: int = _whole(6)
    fixed_by: int = _whole(4)
    raim: bool = _bit()
    no_terminal: bool = _bit()
    assigned: bool = _bit()


@dataclass(frozen=True, kw_only=True, slots=True)
class AidToNavigation(Message):
    """Message 21 (table 70): a buoy, a beacon, a light; `virtual`: nothing floats there. Its name is up to 34 letters
    long, of which those over 20 stand at the end (`more`)."""

    TYPES: ClassVar[tuple[int, ...]] = (21,)
    SIZE: ClassVar[int] = 272
    LEAST: ClassVar[int] = 268

    aid_type: int = _whole(5)
    name: str = bits(Letters(120), default="")
    accurate: bool = _bit()
    longitude: float | None = _longitude()
    latitude: float | None = _latitude()
    bow: int = _whole(9)
    stern: int = _whole(9)
    port: int = _whole(6)
    starboard: int = _whole(6)
    fixed_by: int = _whole(4)
    second: int | None = bits(_SECOND)
    off_place: bool = _bit()
    status: int = _whole(8)
    raim: bool = _bit()
    virtual: bool = _bit()
    assigned: bool = _bit()
    spare: None = bits(Spare(1))
    more: str = ""

    @property
    def whole_name(self) -> str:
        return self.name + self.more


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassBName(Message):
    """Message 24, part A (table 73)."""

    TYPES: ClassVar[tuple[int, ...]] = (24,)
    SIZE: ClassVar[int] = 160
    LEAST: ClassVar[int] = 160

    part: int = _whole(2)
    name: str = bits(Letters(120), default="")


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassBStatic(Message):
    """Message 24, part B (table 74). Of a boat that belongs to a ship (MMSI 98...) the four measures are that ship's
    MMSI instead, see `mother`."""

    TYPES: ClassVar[tuple[int, ...]] = (24,)
    LEAST: ClassVar[int] = 162

    part: int = _whole(2, default=1)
    ship_type: int = _whole(8)
    vendor: str = bits(Letters(18), default="")
    unit: int = _whole(4)
    serial: int = _whole(20)
    call_sign: str = bits(Letters(42), default="")
    bow: int = _whole(9)
    stern: int = _whole(9)
    port: int = _whole(6)
    starboard: int = _whole(6)
    fixed_by: int = _whole(4)

    @property
    def mother(self) -> int | None:
        """MMSI of the ship it belongs to."""
        if self.mmsi // 10_000_000 != 98:
            return None
        return self.bow << 21 | self.stern << 12 | self.port << 6 | self.starboard


@dataclass(frozen=True, kw_only=True, slots=True)
class LongRange(Message):
    """Message 27 (table 77): heard by satellites, to a tenth of a minute; `late`: its place is older than 5 s."""

    TYPES: ClassVar[tuple[int, ...]] = (27,)
    SIZE: ClassVar[int] = 96
    LEAST: ClassVar[int] = 96

    accurate: bool = _bit()
    raim: bool = _bit()
    status: int = _whole(4, default=15)
    longitude: float | None = _longitude(_FAR_LONGITUDE)
    latitude: float | None = _latitude(_FAR_LATITUDE)
    speed: int | None = bits(Number(6, missing=63))
    course: int | None = bits(Number(9, missing=511, high=359), doubt=BAD_COURSE)
    late: bool = _bit()


AnyMessage = (
    ClassAPosition | BaseStation | StaticAndVoyage | ClassBPosition | ClassBExtended | AidToNavigation | ClassBName
    | ClassBStatic | LongRange
)  # fmt: skip
Position = ClassAPosition | BaseStation | ClassBPosition | ClassBExtended | AidToNavigation | LongRange
"""Those that say where something is."""
_KINDS: Final[dict[int, type[Any]]] = {
    number: kind
    for kind in (
        ClassAPosition, BaseStation, StaticAndVoyage, ClassBPosition, ClassBExtended, AidToNavigation, ClassBName,
        LongRange,
    )
    for number in kind.TYPES
}  # fmt: skip
_MORE: Final = 84
"""Bits that a name of message 21 may go on for."""


def read_message(whole: Bits) -> AnyMessage | Malformed:
    """One message, or why there is none."""
    number = whole.take(0, 6)
    kind = _KINDS.get(number)
    if kind is None:
        return _bad(whole, UNKNOWN)
    if number == 24 and whole.take(38, 2):
        if whole.take(38, 2) != 1:
            return _bad(whole, UNKNOWN)
        kind = ClassBStatic
    if whole.size < kind.LEAST:
        return _bad(whole, "ais_cut_message")
    values, doubts = read_fields(kind, whole)
    if not 0 < values["mmsi"] <= MAX_MMSI:
        return _bad(whole, "ais_bad_mmsi")
    if kind is AidToNavigation:
        size = min(max(0, whole.size - kind.SIZE), _MORE)
        values["more"] = Letters(size).read(whole.take(kind.SIZE, size))[0]
    return kind(**values, doubts=doubts)


def write_message(message: AnyMessage) -> Bits:
    """Its bits. InvalidError for a value that does not fit. `type` 0: the first of its kind."""
    if not 0 < message.mmsi <= MAX_MMSI:
        raise InvalidError(f"{message.mmsi} is no MMSI")
    typed = message if message.type in message.TYPES else replace(message, type=message.TYPES[0])
    whole = write_fields(typed, message.SIZE)
    if isinstance(message, AidToNavigation) and message.more:
        form = Letters(6 * len(message.more))
        more = Bits(form.write(message.more), form.size)
        if more.size > _MORE:
            raise InvalidError("a name is too long")
        whole += more + Bits(0, -(whole.size + more.size) % 8)
    return whole


def turn_degrees(turn: int | None) -> float | None:
    """Degrees a minute, to starboard positive (table 48); None where only the direction is known, or nothing."""
    if turn is None or abs(turn) == 127:
        return None
    return (turn / 4.733) ** 2 * (1 if turn >= 0 else -1)


def length_of(one: StaticAndVoyage | ClassBExtended | AidToNavigation | ClassBStatic) -> int | None:
    """Metres; None where it is not told."""
    return one.bow + one.stern or None


def _bad(whole: Bits, reason: str) -> Malformed:
    return Malformed(whole.value.to_bytes((whole.size + 7) // 8, "big")[:32], reason)
