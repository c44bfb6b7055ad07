"""General answers, registration, authentication, time, parts asked for again (JT/T 808-2019, 8.1 to 8.11)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.wire import TIME, U8, U16, Blob, Body, Fixed, Many, Text, decode_text, fixed, wire


class Result(IntEnum):
    """Of a general answer. `ALARM_CONFIRMED` is the platform's alone."""

    OK = 0
    FAILED = 1
    BAD_MESSAGE = 2
    UNSUPPORTED = 3
    ALARM_CONFIRMED = 4


class RegisterResult(IntEnum):
    """Of a registration."""

    OK = 0
    VEHICLE_ALREADY = 1
    NO_SUCH_VEHICLE = 2
    TERMINAL_ALREADY = 3
    NO_SUCH_TERMINAL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalAnswer(Body):
    """General answer of a terminal to message `answered` with `serial`."""

    ID: ClassVar[int] = 0x0001
    serial: int = wire(U16)
    answered: int = wire(U16)
    result: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformAnswer(Body):
    """General answer of the platform."""

    ID: ClassVar[int] = 0x8001
    serial: int = wire(U16)
    answered: int = wire(U16)
    result: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat(Body):
    ID: ClassVar[int] = 0x0002


@dataclass(frozen=True, slots=True, kw_only=True)
class Unregister(Body):
    """Empty in all versions."""

    ID: ClassVar[int] = 0x0003


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTime(Body):
    """[2019]"""

    ID: ClassVar[int] = 0x0004


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAnswer(Body):
    """[2019] yyMMddHHmmss."""

    ID: ClassVar[int] = 0x8004
    time: str = wire(TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsMissing(Body):
    """The platform asks for parts again; `serial` is that of the first part, `parts` are indices from 1."""

    ID: ClassVar[int] = 0x8003
    serial: int = wire(U16)
    parts: tuple[int, ...] = wire(Many(U16, count=1, count_2019=2), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPartsMissing(Body):
    """[2019] The same from the terminal's side."""

    ID: ClassVar[int] = 0x0005
    serial: int = wire(U16)
    parts: tuple[int, ...] = wire(Many(U16, count=2), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Body):
    """`province` and `city` are digits 1-2 and 3-6 of GB/T 2260, 0 leaves them to the platform. `plate_colour` is that
    of JT/T 415 (JT/T 697.7 in 2019), 0: no plate yet, then `plate` is the VIN (or empty)."""

    ID: ClassVar[int] = 0x0100
    province: int = wire(U16)
    city: int = wire(U16)
    maker: str = wire(Fixed((5, 5, 11)))
    model: str = wire(Fixed((8, 20, 30)))
    terminal_id: str = wire(Fixed((7, 7, 30)))
    plate_colour: int = wire(U8)
    plate: str = wire(Text(), "")

    @property
    def terminal(self) -> str:
        """The terminal's id without filling."""
        return self.terminal_id.strip("\0 ")


MAX_REGISTER_2011 = 36
"""A longer registration behind the short header is one of 2013."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterAnswer(Body):
    """`code` is there for result 0 alone."""

    ID: ClassVar[int] = 0x8100
    serial: int = wire(U16)
    result: int = wire(U8)
    code: str = wire(Text(), "", when=lambda before: before["result"] == RegisterResult.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate(Body):
    """`code` came with the registration. [2019] adds IMEI and software version."""

    ID: ClassVar[int] = 0x0102
    whole: str = wire(Text(), "", until=Version.V2013)
    counted: bytes = wire(Blob(1), b"", since=Version.V2019)
    imei_text: str = wire(fixed(15), "", since=Version.V2019)
    software: str = wire(fixed(20), "", since=Version.V2019)

    @property
    def code(self) -> str:
        """Of whatever version."""
        return self.whole or decode_text(self.counted)

    @property
    def imei(self) -> str:
        """Fifteen digits, or empty."""
        text = self.imei_text.strip("\0 ")
        return text if len(text) == 15 and text.isascii() and text.isdigit() else ""


def authenticate(code: str, version: Version, imei: str = "", software: str = "") -> Authenticate:
    """The message for a version."""
    if version is not Version.V2019:
        return Authenticate(whole=code)
    return Authenticate(counted=code.encode("ascii"), imei_text=imei, software=software)
