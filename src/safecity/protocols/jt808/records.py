"""Driver cards, pictures and sounds, transparent data, keys (JT/T 808-2019, 8.48, 8.52 to 8.63)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.positions import BARE_LOCATION, Location
from safecity.protocols.jt808.wire import TIME, U8, U16, U32, Blob, Body, Digits, Many, Text, fixed, wire


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDriver(Body):
    """[2013] Report the driver's card."""

    ID: ClassVar[int] = 0x8702


def _inserted(before: Mapping[str, Any]) -> bool:
    return before["status"] == 1


def _card_read(before: Mapping[str, Any]) -> bool:
    return before["status"] == 1 and before["result"] == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverCard(Body):
    """[2013] `status` 1 the card was put in, 2 taken out. `result` 0: it could be read, and the rest is there."""

    ID: ClassVar[int] = 0x0702
    status: int = wire(U8)
    time: str = wire(TIME)
    result: int = wire(U8, 0, when=_inserted)
    name: str = wire(Text(1), "", when=_card_read)
    certificate: str = wire(fixed(20), "", when=_card_read)
    issuer: str = wire(Text(1), "", when=_card_read)
    valid_until: str = wire(Digits(4), "", when=_card_read)
    identity: str = wire(fixed(20), "", when=_card_read, since=Version.V2019)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverCard2011(Body):
    """[2011]"""

    ID: ClassVar[int] = 0x0702
    name: str = wire(Text(1))
    identity: str = wire(fixed(20))
    certificate: str = wire(fixed(40))
    issuer: str = wire(Text(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaEvent(Body):
    """Something was taken. `kind` 0 picture, 1 sound, 2 video; `format` 0 JPEG, 1 TIF, 2 MP3, 3 WAV, 4 WMV; `event` 0
    ordered, 1 timer, 2 robbery, 3 collision or roll-over, 4 door opens, 5 door closes, 6 it drives on with its doors
    closed, 7 a distance was driven."""

    ID: ClassVar[int] = 0x0800
    media_id: int = wire(U32)
    kind: int = wire(U8)
    format: int = wire(U8)
    event: int = wire(U8)
    channel: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaData(Body):
    """The thing itself; nearly always sub-packaged."""

    ID: ClassVar[int] = 0x0801
    media_id: int = wire(U32)
    kind: int = wire(U8)
    format: int = wire(U8)
    event: int = wire(U8)
    channel: int = wire(U8)
    location: Location | None = wire(BARE_LOCATION, None, since=Version.V2013)
    data: bytes = wire(Blob(), b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaAnswer(Body):
    """Of `MediaData`; `missing` lists the parts (from 1) that are to be sent again, none: it is whole."""

    ID: ClassVar[int] = 0x8800
    media_id: int = wire(U32)
    missing: tuple[int, ...] | None = wire(Many(U16, count=1), None)

    @classmethod
    def read(cls, data: bytes, version: Version = Version.V2013) -> MediaAnswer:
        """A whole one has no list at all."""
        if len(data) == 4:
            return cls(media_id=int.from_bytes(data, "big"))
        return super(MediaAnswer, cls).read(data, version)

    def write(self, version: Version = Version.V2013) -> bytes:
        """The whole body."""
        head = U32.write(self.media_id, version)
        return head + self.tail if not self.missing else head + Many(U16, count=1).write(self.missing, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakePicture(Body):
    """`command` 0 stop, 0xFFFF record, else so many pictures; `interval_seconds` between them or length of the
    recording; `save` 1 keep, 0 send; brightness to chroma 0 to 255 (contrast, saturation 0 to 127)."""

    ID: ClassVar[int] = 0x8801
    channel: int = wire(U8)
    command: int = wire(U16)
    interval_seconds: int = wire(U16, 0)
    save: int = wire(U8, 0)
    resolution: int = wire(U8, 1)
    quality: int = wire(U8, 5)
    brightness: int = wire(U8, 128)
    contrast: int = wire(U8, 64)
    saturation: int = wire(U8, 64)
    chroma: int = wire(U8, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureAnswer(Body):
    """Of `TakePicture` with `serial`: `result` 0 done, 1 failed, 2 channel not supported."""

    ID: ClassVar[int] = 0x0805
    serial: int = wire(U16)
    result: int = wire(U8)
    media_ids: tuple[int, ...] = wire(Many(U32, count=2), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class TransparentUp(Body):
    """Of whatever stands behind the terminal: `kind` 0 GNSS, 0x0B IC card, 0x41 serial port 1, 0x42 port 2, from 0xF0
    own."""

    ID: ClassVar[int] = 0x0900
    kind: int = wire(U8)
    data: bytes = wire(Blob(), b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransparentDown(Body):
    ID: ClassVar[int] = 0x8900
    kind: int = wire(U8)
    data: bytes = wire(Blob(), b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformKey(Body):
    """RSA public key {e, n} of the platform."""

    ID: ClassVar[int] = 0x8A00
    e: int = wire(U32)
    n: bytes = wire(Blob(size=128))


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalKey(Body):
    """RSA public key {e, n} of the terminal."""

    ID: ClassVar[int] = 0x0A00
    e: int = wire(U32)
    n: bytes = wire(Blob(size=128))
