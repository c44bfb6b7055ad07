"""Active safety alarms and their attachments (T/JSATL 12-2017, chapters 4 and 5): items 64 to 67 of a position, and the
messages by which the pictures and clips of an alarm are fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from safecity.protocols.jt808.wire import TIME, U8, U16, U32, Blob, Body, Many, Nested, Part, Text, fixed, wire


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMark(Part):
    """What an alarm and its attachments are told by: 16 bytes."""

    terminal_id: str = wire(fixed(7))
    time: str = wire(TIME)
    number: int = wire(U8)
    attachments: int = wire(U8)
    reserved: int = wire(U8, 0)


_MARK = Nested(AlarmMark)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverAssistance(Body):
    """Item 64. `flag` 0 not usable, 1 begins, 2 ends. `kind`: 1 forward collision, 2 lane departure, 3 too close,
    4 pedestrian, 5 frequent lane changes, 6 sign exceeded, 7 obstacle, 16 sign seen, 17 picture taken."""

    ID: ClassVar[int] = 0x64
    alarm_id: int = wire(U32)
    flag: int = wire(U8)
    kind: int = wire(U8)
    level: int = wire(U8)
    front_speed: int = wire(U8)
    front_distance: int = wire(U8)
    deviation: int = wire(U8)
    sign: int = wire(U8)
    sign_value: int = wire(U8)
    speed: int = wire(U8)
    height: int = wire(U16)
    latitude_micro: int = wire(U32)
    longitude_micro: int = wire(U32)
    time: str = wire(TIME)
    vehicle_status: int = wire(U16)
    mark: AlarmMark = wire(_MARK)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverState(Body):
    """Item 65. `kind`: 1 fatigue, 2 phone, 3 smoking, 4 distracted, 5 driver not seen, 16 picture taken, 17 driver
    changed."""

    ID: ClassVar[int] = 0x65
    alarm_id: int = wire(U32)
    flag: int = wire(U8)
    kind: int = wire(U8)
    level: int = wire(U8)
    fatigue: int = wire(U8)
    reserved: bytes = wire(Blob(size=4), b"\0\0\0\0")
    speed: int = wire(U8)
    height: int = wire(U16)
    latitude_micro: int = wire(U32)
    longitude_micro: int = wire(U32)
    time: str = wire(TIME)
    vehicle_status: int = wire(U16)
    mark: AlarmMark = wire(_MARK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tyre(Part):
    """One tyre: what is wrong (bits), kPa, degrees Celsius, percent of its battery."""

    position: int = wire(U8)
    alarms: int = wire(U16)
    pressure_kpa: int = wire(U16)
    celsius: int = wire(U16)
    battery_percent: int = wire(U16)


@dataclass(frozen=True, slots=True, kw_only=True)
class TyrePressure(Body):
    """Item 66."""

    ID: ClassVar[int] = 0x66
    alarm_id: int = wire(U32)
    flag: int = wire(U8)
    speed: int = wire(U8)
    height: int = wire(U16)
    latitude_micro: int = wire(U32)
    longitude_micro: int = wire(U32)
    time: str = wire(TIME)
    vehicle_status: int = wire(U16)
    mark: AlarmMark = wire(_MARK)
    tyres: tuple[Tyre, ...] = wire(Many(Nested(Tyre), count=1), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpot(Body):
    """Item 67. `kind`: 1 behind, 2 left behind, 3 right behind."""

    ID: ClassVar[int] = 0x67
    alarm_id: int = wire(U32)
    flag: int = wire(U8)
    kind: int = wire(U8)
    speed: int = wire(U8)
    height: int = wire(U16)
    latitude_micro: int = wire(U32)
    longitude_micro: int = wire(U32)
    time: str = wire(TIME)
    vehicle_status: int = wire(U16)
    mark: AlarmMark = wire(_MARK)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadAttachments(Body):
    """The platform tells where the attachments of an alarm are to go; `number` is its own name for the alarm."""

    ID: ClassVar[int] = 0x9208
    host: str = wire(Text(1))
    tcp_port: int = wire(U16)
    udp_port: int = wire(U16)
    mark: AlarmMark = wire(_MARK)
    number: str = wire(fixed(32))
    reserved: bytes = wire(Blob(size=16), bytes(16))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(Part):
    """A file's name and size."""

    name: str = wire(Text(1))
    size: int = wire(U32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments(Body):
    """What will come. `kind` 0 ordinary, 1 sent again after a loss."""

    ID: ClassVar[int] = 0x1210
    terminal_id: str = wire(fixed(7))
    mark: AlarmMark = wire(_MARK)
    number: str = wire(fixed(32))
    kind: int = wire(U8)
    files: tuple[Attachment, ...] = wire(Many(Nested(Attachment), count=1), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBegins(Body):
    """`kind`: 0 picture, 1 sound, 2 video, 3 text, 4 other."""

    ID: ClassVar[int] = 0x1211
    name: str = wire(Text(1))
    kind: int = wire(U8)
    size: int = wire(U32)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEnds(Body):
    """All of it has been sent."""

    ID: ClassVar[int] = 0x1212
    name: str = wire(Text(1))
    kind: int = wire(U8)
    size: int = wire(U32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch(Part):
    """Bytes of a file."""

    offset: int = wire(U32)
    size: int = wire(U32)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnswer(Body):
    """Whether it is whole (`result` 0), or what is missing (1)."""

    ID: ClassVar[int] = 0x9212
    name: str = wire(Text(1))
    kind: int = wire(U8)
    result: int = wire(U8)
    missing: tuple[Stretch, ...] = wire(Many(Nested(Stretch), count=1), ())
