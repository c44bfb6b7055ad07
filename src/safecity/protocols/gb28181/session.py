"""The SDP of GB/T 28181 (annex F of 2016, G of 2022): what one side offers and the other answers.

Both sides of one small value. Reading is liberal: order, unknown lines, missing lines, NTP-era times, every known
way to name the stream; the caller decides what it cannot do without.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from safecity.kit.errors import InvalidError

CONTENT_TYPE: Final = "APPLICATION/SDP"
MAX_BYTES: Final = 16 * 1024
MAX_LINES: Final = 256
_NTP_EPOCH: Final = 2_208_988_800
_NTP_FROM: Final = 2_500_000_000
VIDEO_PAYLOADS: Final = ((96, "PS/90000"), (98, "H264/90000"), (97, "MPEG4/90000"), (100, "H265/90000"))
AUDIO_PAYLOADS: Final = ((8, "PCMA/8000"), (96, "PS/90000"))


class Purpose(StrEnum):
    """`s=`."""

    PLAY = "Play"
    PLAYBACK = "Playback"
    DOWNLOAD = "Download"
    TALK = "Talk"

    @property
    def is_history(self) -> bool:
        return self in (Purpose.PLAYBACK, Purpose.DOWNLOAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class GbSession:
    """`start` and `end` are Unix seconds (0: live). `setup` tells what the author of this SDP does over TCP.

    `stream_number`: 0 main, 1 sub, None unsaid. `stream_words` are further attributes that name the stream in
    a maker's own way, written as they stand. `ssrc` None: no usable `y=`.
    """

    owner: str
    purpose: Purpose
    host: str
    port: int
    tcp: bool = False
    setup: str = ""
    direction: str = "recvonly"
    media: str = "video"
    payloads: tuple[tuple[int, str], ...] = VIDEO_PAYLOADS[:1]
    ssrc: int | None = None
    start: int = 0
    end: int = 0
    source: str = ""
    download_speed: int = 0
    file_size: int = 0
    stream_number: int | None = None
    stream_words: tuple[str, ...] = ()
    format: str = ""


def write_session(session: GbSession) -> bytes:
    """The SDP, lines ended by CRLF."""
    kind = "IP6" if ":" in session.host else "IP4"
    protocol = "TCP/RTP/AVP" if session.tcp else "RTP/AVP"
    numbers = " ".join(str(number) for number, _ in session.payloads)
    lines = [
        "v=0",
        f"o={session.owner} 0 0 IN {kind} {session.host}",
        f"s={session.purpose}",
    ]
    if session.source:
        lines.append(f"u={session.source}")
    lines += [
        f"c=IN {kind} {session.host}",
        f"t={session.start} {session.end}",
        f"m={session.media} {session.port} {protocol} {numbers}",
        f"a={session.direction}",
    ]
    lines += [f"a=rtpmap:{number} {name}" for number, name in session.payloads]
    if session.tcp:
        lines += [f"a=setup:{session.setup or 'passive'}", "a=connection:new"]
    if session.download_speed:
        lines.append(f"a=downloadspeed:{session.download_speed}")
    if session.file_size:
        lines.append(f"a=filesize:{session.file_size}")
    if session.stream_number is not None:
        lines.append(f"a=streamnumber:{session.stream_number}")
    lines += [f"a={word}" for word in session.stream_words]
    if session.ssrc is not None:
        lines.append(f"y={session.ssrc:010d}")
    if session.format:
        lines.append(f"f={session.format}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("line break inside an SDP field")
    return (text + "\r\n").encode("gb18030", "replace")


def read_session(data: bytes) -> GbSession:
    """InvalidError (`gb_bad_sdp`) where there is no media line; else whatever could be read."""
    if len(data) > MAX_BYTES:
        raise InvalidError("SDP too long", code="gb_bad_sdp")
    lines = data.decode("gb18030", "replace").replace("\r", "\n").split("\n", MAX_LINES)[:MAX_LINES]
    found = _Found()
    for line in lines:
        kind, equals, value = line.strip().partition("=")
        if equals and len(kind.strip()) == 1:
            found.take(kind.strip().lower(), value.strip())
    if not found.media:
        raise InvalidError("SDP without a media line", code="gb_bad_sdp")
    return found.session()


class _Found:
    """Gathers lines. The first video section counts; an audio section only where there is no video."""

    def __init__(self) -> None:
        self.owner = self.purpose = self.source = self.format = self.media = self.protocol = ""
        self.session_host = self.media_host = self.direction = self.setup = ""
        self.port = self.start = self.end = self.download_speed = self.file_size = 0
        self.ssrc: int | None = None
        self.stream_number: int | None = None
        self.numbers: list[int] = []
        self.names: dict[int, str] = {}
        self._skips = False

    def take(self, kind: str, value: str) -> None:
        match kind:
            case "o":
                self.owner = value.split(" ")[0][:64]
            case "s":
                self.purpose = value
            case "u":
                self.source = value[:256]
            case "t":
                times = [_time(part) for part in value.split()[:2]]
                self.start, self.end = (times[0], times[1]) if len(times) == 2 else (0, 0)
            case "c" if not self._skips:
                host = value.split(" ")[-1].partition("/")[0][:64]
                if self.media:
                    self.media_host = host
                else:
                    self.session_host = host
            case "m":
                self._media(value)
            case "a" if not self._skips:
                self._attribute(*value.partition(":")[::2])
            case "y":
                digits = value.strip()
                if digits.isdecimal() and digits.isascii() and len(digits) <= 10 and int(digits) < 1 << 32:
                    self.ssrc = int(digits)
            case "f":
                self.format = value[:128]
            case _:
                pass

    def _media(self, value: str) -> None:
        parts = value.split()
        if len(parts) < 3 or parts[0].lower() not in ("video", "audio"):
            self._skips = bool(self.media)
            return
        port = parts[1].partition("/")[0]
        if self.media == "video" or (self.media and parts[0].lower() == "audio"):
            self._skips = True
            return
        self._skips = False
        self.media = parts[0].lower()
        self.port = int(port) if port.isascii() and port.isdecimal() and int(port[:8]) < 65_536 else 0
        self.protocol = parts[2].upper()
        self.numbers = [int(part) for part in parts[3:35] if part.isascii() and part.isdecimal() and len(part) < 4]
        self.names, self.media_host, self.direction, self.setup = {}, "", "", ""

    def _attribute(self, name: str, value: str) -> None:
        name, value = name.strip().lower(), value.strip()
        match name:
            case "sendonly" | "recvonly" | "sendrecv" | "inactive":
                self.direction = name
            case "setup":
                self.setup = value.lower()[:8]
            case "rtpmap":
                number, _, encoding = value.partition(" ")
                if number.isascii() and number.isdecimal() and len(number) < 4:
                    self.names[int(number)] = encoding.strip()[:32]
            case "downloadspeed":
                self.download_speed = _number(value)
            case "filesize":
                self.file_size = _number(value)
            case "streamnumber" | "stream" | "streamprofile" | "streammode":
                words = {"main": 0, "sub": 1, "0": 0, "1": 1, "2": 2}
                self.stream_number = words.get(value.lower(), self.stream_number)
            case _:
                pass

    def session(self) -> GbSession:
        names = {"playback": Purpose.PLAYBACK, "download": Purpose.DOWNLOAD, "talk": Purpose.TALK}
        return GbSession(
            owner=self.owner,
            purpose=names.get(self.purpose.strip().lower(), Purpose.PLAY),
            host=self.media_host or self.session_host,
            port=self.port,
            tcp="TCP" in self.protocol,
            setup=self.setup,
            direction=self.direction or "sendrecv",
            media=self.media,
            payloads=tuple((number, self.names.get(number, "")) for number in self.numbers),
            ssrc=self.ssrc,
            start=self.start,
            end=self.end,
            source=self.source,
            download_speed=self.download_speed,
            file_size=self.file_size,
            stream_number=self.stream_number,
            format=self.format,
        )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _time(text: str) -> int:
    """Unix seconds; some devices count from 1900 as SDP first had it."""
    number = _number(text)
    return number - _NTP_EPOCH if number > _NTP_FROM else number
