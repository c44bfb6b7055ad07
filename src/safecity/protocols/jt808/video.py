"""Control of live and stored video (JT/T 1078-2016, 5.4 to 5.8): messages of JT/T 808 whose media goes another way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from safecity.protocols.jt808.wire import TIME, U8, U16, U32, U64, Body, Many, Nested, Part, Text, wire


class Medium(IntEnum):
    """`data type` of a live request."""

    BOTH = 0
    VIDEO = 1
    TALK = 2
    LISTEN = 3
    BROADCAST = 4
    TRANSPARENT = 5


class LiveCommand(IntEnum):
    """Of `LiveControl`."""

    CLOSE = 0
    SWITCH = 1
    PAUSE = 2
    RESUME = 3
    END_TALK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLive(Body):
    """Send `channel` to host and port (of TCP or of UDP, the other 0). `stream` 0 main, 1 sub."""

    ID: ClassVar[int] = 0x9101
    host: str = wire(Text(1))
    tcp_port: int = wire(U16)
    udp_port: int = wire(U16)
    channel: int = wire(U8)
    medium: int = wire(U8)
    stream: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveControl(Body):
    """`close_kind` 0 all, 1 sound, 2 video; `stream` the one to switch to."""

    ID: ClassVar[int] = 0x9102
    channel: int = wire(U8)
    command: int = wire(U8)
    close_kind: int = wire(U8, 0)
    stream: int = wire(U8, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossReport(Body):
    """Packets lost, in percent."""

    ID: ClassVar[int] = 0x9105
    channel: int = wire(U8)
    percent: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskVideoProperties(Body):
    ID: ClassVar[int] = 0x9003


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoProperties(Body):
    """Codecs as in the media packets; `sampling` 0 8 kHz, 1 22.05, 2 44.1, 3 48; `bits` 0 8, 1 16, 2 32."""

    ID: ClassVar[int] = 0x1003
    audio_codec: int = wire(U8)
    audio_tracks: int = wire(U8)
    sampling: int = wire(U8)
    bits: int = wire(U8)
    frame_bytes: int = wire(U16)
    audio_output: int = wire(U8)
    video_codec: int = wire(U8)
    audio_channels: int = wire(U8)
    video_channels: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassengerFlow(Body):
    """Who came in and went out between two times."""

    ID: ClassVar[int] = 0x1005
    begins: str = wire(TIME)
    ends: str = wire(TIME)
    entered: int = wire(U16)
    left: int = wire(U16)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPlayback(Body):
    """`storage` 0 any, 1 main, 2 spare; `mode` 0 normal, 1 fast, 2 key frames backwards, 3 key frames, 4 one picture;
    `speed` 0 none, 1..5 for 1, 2, 4, 8, 16 times."""

    ID: ClassVar[int] = 0x9201
    host: str = wire(Text(1))
    tcp_port: int = wire(U16)
    udp_port: int = wire(U16)
    channel: int = wire(U8)
    medium: int = wire(U8)
    stream: int = wire(U8)
    storage: int = wire(U8)
    mode: int = wire(U8)
    speed: int = wire(U8)
    begins: str = wire(TIME)
    ends: str = wire(TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackControl(Body):
    """`command` 0 play, 1 pause, 2 end, 3 fast, 4 key frames backwards, 5 jump to `position`, 6 key frames."""

    ID: ClassVar[int] = 0x9202
    channel: int = wire(U8)
    command: int = wire(U8)
    speed: int = wire(U8, 0)
    position: str = wire(TIME, "000000000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskResources(Body):
    """`alarms`: bits of the alarms that it is about, 0 all."""

    ID: ClassVar[int] = 0x9205
    channel: int = wire(U8)
    begins: str = wire(TIME)
    ends: str = wire(TIME)
    alarms: int = wire(U64, 0)
    medium: int = wire(U8, 0)
    stream: int = wire(U8, 0)
    storage: int = wire(U8, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Part):
    """One stored stretch."""

    channel: int = wire(U8)
    begins: str = wire(TIME)
    ends: str = wire(TIME)
    alarms: int = wire(U64)
    medium: int = wire(U8)
    stream: int = wire(U8)
    storage: int = wire(U8)
    size: int = wire(U32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources(Body):
    """Of `AskResources` with `serial`; long lists come sub-packaged."""

    ID: ClassVar[int] = 0x1205
    serial: int = wire(U16)
    resources: tuple[Resource, ...] = wire(Many(Nested(Resource), count=4), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFile(Body):
    """Put a stored stretch on an FTP server. `conditions` bits: 0 WLAN, 1 LAN, 2 mobile network."""

    ID: ClassVar[int] = 0x9206
    host: str = wire(Text(1))
    port: int = wire(U16)
    user: str = wire(Text(1))
    password: str = wire(Text(1))
    path: str = wire(Text(1))
    channel: int = wire(U8)
    begins: str = wire(TIME)
    ends: str = wire(TIME)
    alarms: int = wire(U64, 0)
    medium: int = wire(U8, 0)
    stream: int = wire(U8, 0)
    storage: int = wire(U8, 0)
    conditions: int = wire(U8, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileUploaded(Body):
    """Of `UploadFile` with `serial`: `result` 0 done, 1 failed."""

    ID: ClassVar[int] = 0x1206
    serial: int = wire(U16)
    result: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadControl(Body):
    """Of `UploadFile` with `serial`: `command` 0 pause, 1 go on, 2 give up."""

    ID: ClassVar[int] = 0x9207
    serial: int = wire(U16)
    command: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Body):
    """`direction` 0 stop, 1 up, 2 down, 3 left, 4 right; `speed` 0 to 255."""

    ID: ClassVar[int] = 0x9301
    channel: int = wire(U8)
    direction: int = wire(U8)
    speed: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lens(Body):
    """`value` 0 or 1: which way, or off and on."""

    channel: int = wire(U8)
    value: int = wire(U8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus(_Lens):
    """0 further, 1 nearer."""

    ID: ClassVar[int] = 0x9302


@dataclass(frozen=True, slots=True, kw_only=True)
class Iris(_Lens):
    """0 wider, 1 narrower."""

    ID: ClassVar[int] = 0x9303


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiper(_Lens):
    """0 stop, 1 start."""

    ID: ClassVar[int] = 0x9304


@dataclass(frozen=True, slots=True, kw_only=True)
class Infrared(_Lens):
    """0 off, 1 on."""

    ID: ClassVar[int] = 0x9305


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoom(_Lens):
    """0 larger, 1 smaller."""

    ID: ClassVar[int] = 0x9306
