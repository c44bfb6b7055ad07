"""What the platform asks of a terminal (JT/T 808-2019, 8.12 to 8.17, 8.24, 8.37, 8.38): parameters, control, texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.positions import REST_LOCATION, Location
from safecity.protocols.jt808.wire import (
    U8,
    U16,
    U32,
    Blob,
    Body,
    Digits,
    Fixed,
    Many,
    Nested,
    Part,
    Text,
    decode_text,
    encode_text,
    wire,
)

HEARTBEAT_SECONDS: Final = 0x0001
SERVER: Final = 0x0013
TCP_PORT: Final = 0x0018
REPORT_SECONDS: Final = 0x0029
SPEED_LIMIT: Final = 0x0055
SPEED_LIMIT_SECONDS: Final = 0x0056
FATIGUE_SECONDS: Final = 0x0057
MILEAGE: Final = 0x0080
PROVINCE: Final = 0x0081
CITY: Final = 0x0082
PLATE: Final = 0x0083
PLATE_COLOUR: Final = 0x0084


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Part):
    """One parameter of the terminal, its value as it is on the wire (a big-endian number or GBK text)."""

    id: int = wire(U32)
    value: bytes = wire(Blob(1))

    @property
    def number(self) -> int:
        """The value as a number."""
        return int.from_bytes(self.value, "big")

    @property
    def text(self) -> str:
        """The value as text."""
        return decode_text(self.value.rstrip(b"\0"))


def number_parameter(id_: int, value: int, size: int = 4) -> Parameter:
    """A parameter that is a number of `size` bytes."""
    return Parameter(id=id_, value=U32.write(value, Version.V2013)[-size:])


def text_parameter(id_: int, value: str) -> Parameter:
    """A parameter that is a text of at most 255 bytes."""
    return Parameter(id=id_, value=encode_text(value))


_PARAMETERS = Many(Nested(Parameter), count=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetParameters(Body):
    ID: ClassVar[int] = 0x8103
    parameters: tuple[Parameter, ...] = wire(_PARAMETERS, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAllParameters(Body):
    ID: ClassVar[int] = 0x8104


@dataclass(frozen=True, slots=True, kw_only=True)
class AskParameters(Body):
    ID: ClassVar[int] = 0x8106
    ids: tuple[int, ...] = wire(Many(U32, count=1), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersAnswer(Body):
    """Of `AskAllParameters` or `AskParameters` with `serial`."""

    ID: ClassVar[int] = 0x0104
    serial: int = wire(U16)
    parameters: tuple[Parameter, ...] = wire(_PARAMETERS, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Body):
    """`command`: 1 upgrade, 2 connect to a server (both with `parameters` divided by `;`), 3 shut down, 4 reset,
    5 factory settings, 6 close data connections, 7 close all radio."""

    ID: ClassVar[int] = 0x8105
    command: int = wire(U8)
    parameters: str = wire(Text(), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskProperties(Body):
    """[2013]"""

    ID: ClassVar[int] = 0x8107


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties(Body):
    """[2013] What the terminal is. `kind` bits say what vehicles it is for; `gnss` and `radio` what it can hear."""

    ID: ClassVar[int] = 0x0107
    kind: int = wire(U16)
    maker: str = wire(Fixed((5, 5, 11)))
    model: str = wire(Fixed((20, 20, 30)))
    terminal_id: str = wire(Fixed((7, 7, 30)))
    iccid: str = wire(Digits(10))
    hardware: str = wire(Text(1))
    firmware: str = wire(Text(1))
    gnss: int = wire(U8)
    radio: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage(Body):
    """`flag` bits: 0 urgent, 2 on the display, 3 spoken, 4 on the advertisement screen, 5 fault code. `kind` [2019]:
    1 notice, 2 service. At most 1,024 bytes of GBK."""

    ID: ClassVar[int] = 0x8300
    flag: int = wire(U8)
    kind: int = wire(U8, 1, since=Version.V2019)
    text: str = wire(Text(), "")


DOOR: Final = 0x0001


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Part):
    """[2019] One thing to be controlled: `DOOR` with 0 lock, 1 unlock."""

    id: int = wire(U16)
    value: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleControl(Body):
    """Until 2013 bit 0 of `flag` locks (1) or unlocks (0) the doors; since 2019 a list."""

    ID: ClassVar[int] = 0x8500
    flag: int = wire(U8, 0, until=Version.V2013)
    switches: tuple[Switch, ...] = wire(Many(Nested(Switch), count=2), (), since=Version.V2019)


def lock_doors(locked: bool, version: Version) -> VehicleControl:
    """The message for a version."""
    if version is Version.V2019:
        return VehicleControl(switches=(Switch(id=DOOR, value=0 if locked else 1),))
    return VehicleControl(flag=int(locked))


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleControlAnswer(Body):
    """Of `VehicleControl` with `serial`; the status of `location` says whether it was done."""

    ID: ClassVar[int] = 0x0500
    serial: int = wire(U16)
    location: Location = wire(REST_LOCATION)
