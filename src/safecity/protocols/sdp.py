"""SDP (RFC 4566) as GB/T 28181 and RTSP write it: parse liberally, write strictly.

GB/T 28181 adds the lines `y=` (SSRC, ten decimal digits) and `f=` (wished codecs), and uses `u=` for the channel of a
recording (annex F). Everything that comes in is hostile: sizes and counts are bounded, numbers out of range refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from safecity.kit.errors import InvalidError

MAX_BYTES = 64 * 1024
MAX_LINES = 1024
MAX_MEDIA = 16
MAX_PAYLOAD_TYPES = 64

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RtpMap:
    """`a=rtpmap:96 PS/90000[/channels]`."""

    payload_type: int
    encoding: str
    clock_rate: int
    channels: int = 1


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One `m=` section. `host` is its own `c=`, else that of the session. `formats` are the words of the m line."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    host: str = ""
    attributes: Attributes = ()

    @property
    def is_tcp(self) -> bool:
        """True for TCP/RTP/AVP and its kin."""
        return self.protocol.upper().startswith("TCP")

    @property
    def payload_types(self) -> tuple[int, ...]:
        """The formats that are numbers of RTP payload types."""
        return tuple(int(text) for text in self.formats if text.isascii() and text.isdigit() and int(text) < 128)

    @property
    def rtpmaps(self) -> dict[int, RtpMap]:
        """By payload type; broken ones are left out."""
        maps: dict[int, RtpMap] = {}
        for value in self.all("rtpmap"):
            rtpmap = _rtpmap(value)
            if rtpmap is not None:
                maps.setdefault(rtpmap.payload_type, rtpmap)
        return maps

    def fmtp(self, payload_type: int) -> dict[str, str]:
        """The format's parameters by lower-case name, empty where there are none."""
        for value in self.all("fmtp"):
            number, _, rest = value.partition(" ")
            if number.strip() == str(payload_type):
                pairs = (part.strip().partition("=") for part in rest.split(";")[:64])
                return {name.strip().lower(): text.strip() for name, _, text in pairs if name.strip()}
        return {}

    def get(self, name: str) -> str | None:
        """The value of the first attribute of that name (empty for a flag), None where there is none."""
        return _first(self.attributes, name)

    def all(self, name: str) -> list[str]:
        """The values of all attributes of that name."""
        return [value for key, value in self.attributes if key == name]

    @property
    def direction(self) -> str:
        """sendrecv, sendonly, recvonly, inactive; empty where none is said."""
        return next((key for key, _ in self.attributes if key in _DIRECTIONS), "")

    @property
    def setup(self) -> str:
        """`active`, `passive` or empty: what the author of the SDP does on TCP."""
        return (self.get("setup") or "").strip().lower()

    @property
    def download_speed(self) -> float | None:
        """a=downloadspeed."""
        return _number(self.get("downloadspeed"))

    @property
    def file_size(self) -> int | None:
        """a=filesize, bytes."""
        size = _number(self.get("filesize"))
        return None if size is None else int(size)

    @property
    def stream_number(self) -> int | None:
        """0 main, 1 sub: a=streamnumber (2022), else what the field writes: a=stream, a=streamprofile, a=streamMode."""
        for name in ("streamnumber", "stream", "streamprofile", "streamMode"):
            value = self.get(name)
            if value is None:
                continue
            word = value.strip().lower()
            if word in _STREAM_WORDS:
                return _STREAM_WORDS[word]
            number = _number(word)
            if number is not None and number < 16:
                return int(number)
        return None


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole SDP. `name` is s= (Play, Playback, Download, Talk); `start`/`end` are the two numbers of t= as written
    (GB/T 28181: seconds since 1970). `ssrc` and `wish` are y= and f=; `subject` is u=."""

    media: tuple[MediaDescription, ...]
    name: str = "Play"
    owner: str = "-"
    host: str = ""
    subject: str = ""
    start: int = 0
    end: int = 0
    ssrc: str = ""
    wish: str = ""
    attributes: Attributes = ()
    origin_host: str = ""
    origin_id: str = "0"
    origin_version: str = "0"
    network: str = field(default="IP4")

    @property
    def ssrc_number(self) -> int | None:
        """y= as the 32-bit number that stands in RTP, None where it is absent or unusable."""
        return int(self.ssrc) if self.ssrc.isascii() and self.ssrc.isdigit() and int(self.ssrc) < 1 << 32 else None

    @property
    def is_history(self) -> bool:
        """Playback or Download."""
        return self.name.lower() in ("playback", "download")

    def get(self, name: str) -> str | None:
        """The value of the first attribute of the session of that name."""
        return _first(self.attributes, name)

    def first(self, kind: str) -> MediaDescription | None:
        """The first `m=` of that kind (`video`, `audio`)."""
        return next((media for media in self.media if media.kind == kind), None)

    def encode(self) -> bytes:
        """The bytes on the wire. ValueError where a value holds a line break."""
        host = self.host or "0.0.0.0"  # noqa: S104
        network = "IP6" if ":" in host else self.network
        owner = self.owner or "-"
        lines = [
            "v=0",
            f"o={owner} {self.origin_id} {self.origin_version} IN {network} {self.origin_host or host}",
            f"s={self.name or '-'}",
        ]
        if self.subject:
            lines.append(f"u={self.subject}")
        lines += [f"c=IN {network} {host}", f"t={self.start} {self.end}"]
        lines += _attribute_lines(self.attributes)
        for media in self.media:
            lines.append(f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}")
            if media.host and media.host != self.host:
                lines.append(f"c=IN {'IP6' if ':' in media.host else 'IP4'} {media.host}")
            lines += _attribute_lines(media.attributes)
        # GB/T 28181 puts its own two lines behind the media sections (annex G).
        if self.ssrc:
            lines.append(f"y={self.ssrc}")
        if self.wish:
            lines.append(f"f={self.wish}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("line break inside an SDP value")
        return ("\r\n".join(lines) + "\r\n").encode()


def parse_sdp(data: bytes) -> SessionDescription:
    """InvalidError (`sdp_invalid`, with `reason`) for what cannot be understood; unknown lines are read over."""
    if len(data) > MAX_BYTES:
        raise _invalid("too long")
    text = _decode(data)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MAX_LINES:
        raise _invalid("too many lines")
    reader = _Reader()
    for line in lines:
        line = line.strip(" \t\0")
        if not line:
            continue
        kind, equals, value = line.partition("=")
        if not equals or len(kind.strip()) != 1:
            continue  # the field writes all sorts of lines between the known ones
        reader.line(kind.strip().lower(), value.strip())
    return reader.finish()


class _Reader:
    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._host = ""
        self._origin: list[str] = []
        self._times = (0, 0)
        self._attributes: list[tuple[str, str]] = []
        self._media: list[tuple[MediaDescription, list[tuple[str, str]], list[str]]] = []
        self._seen = False

    def line(self, kind: str, value: str) -> None:
        self._seen = self._seen or kind in "vom"
        if kind == "m":
            if len(self._media) >= MAX_MEDIA:
                raise _invalid("too many media")
            self._media.append((_media_line(value), [], []))
        elif kind == "a":
            name, _, rest = value.partition(":")
            attribute = (_canonical(name.strip()), rest.strip())
            (self._media[-1][1] if self._media else self._attributes).append(attribute)
        elif kind == "c":
            host = _connection_host(value)
            if self._media:
                self._media[-1][2].append(host)
            else:
                self._host = host
        elif kind == "o":
            self._origin = value.split()
        elif kind == "t":
            self._times = _times(value)
        elif kind in "suyf":
            self._values.setdefault(kind, value)

    def finish(self) -> SessionDescription:
        if not self._seen:
            raise _invalid("not SDP")
        origin = self._origin
        media = tuple(
            MediaDescription(
                kind=line.kind,
                port=line.port,
                protocol=line.protocol,
                formats=line.formats,
                host=hosts[0] if hosts else self._host,
                attributes=tuple(attributes),
            )
            for line, attributes, hosts in self._media
        )
        return SessionDescription(
            media=media,
            name=self._values.get("s", ""),
            owner=origin[0] if origin else "-",
            origin_id=origin[1] if len(origin) > 2 else "0",
            origin_version=origin[2] if len(origin) > 2 else "0",
            origin_host=origin[5] if len(origin) > 5 else "",
            host=self._host or (media[0].host if media else ""),
            subject=self._values.get("u", ""),
            start=self._times[0],
            end=self._times[1],
            ssrc=_ssrc(self._values.get("y", "")),
            wish=self._values.get("f", ""),
            attributes=tuple(self._attributes),
        )


_DIRECTIONS = frozenset(("sendrecv", "sendonly", "recvonly", "inactive"))
_STREAM_WORDS = {"main": 0, "sub": 1, "third": 2}
_NAMES = {
    name.lower(): name
    for name in (
        "rtpmap", "fmtp", "setup", "connection", "downloadspeed", "filesize", "streamnumber", "stream", "streamprofile",
        "streamMode", "control", "range", "framerate", "sendrecv", "sendonly", "recvonly", "inactive", "username",
        "password", "ssvcratio",
    )
}  # fmt: skip


def _canonical(name: str) -> str:
    return _NAMES.get(name.lower(), name)


def _media_line(value: str) -> MediaDescription:
    words = value.split()
    if len(words) < 3:
        raise _invalid("malformed m line")
    port = words[1].partition("/")[0]
    if not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise _invalid("port out of range")
    return MediaDescription(words[0].lower(), int(port), words[2], tuple(words[3 : 3 + MAX_PAYLOAD_TYPES]))


def _connection_host(value: str) -> str:
    words = value.split()
    host = words[2].partition("/")[0] if len(words) > 2 else ""
    if len(host) > 255:
        raise _invalid("host too long")
    return host


def _times(value: str) -> tuple[int, int]:
    words = value.split()
    numbers = [int(word) for word in words[:2] if word.isascii() and word.isdigit() and len(word) < 16]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)


def _ssrc(value: str) -> str:
    value = value.strip()
    return value if value.isascii() and value.isdigit() and len(value) <= 10 else ""


def _rtpmap(value: str) -> RtpMap | None:
    number, _, rest = value.strip().partition(" ")
    parts = rest.strip().split("/")
    if not (number.isascii() and number.isdigit() and len(number) < 4 and int(number) < 128 and parts[0]):
        return None
    rate = _number(parts[1]) if len(parts) > 1 else None
    channels = _number(parts[2]) if len(parts) > 2 else None
    return RtpMap(
        int(number),
        parts[0],
        int(rate) if rate and rate < 10_000_000 else 90_000,
        int(channels) if channels and channels < 64 else 1,
    )


def _number(text: str | None) -> float | None:
    text = (text or "").strip()
    whole, _, part = text.partition(".")
    good = text.isascii() and len(text) < 20 and (whole + part).isdigit()
    return float(text) if good else None


def _first(attributes: Attributes, name: str) -> str | None:
    return next((value for key, value in attributes if key == name), None)


def _attribute_lines(attributes: Iterable[tuple[str, str]]) -> list[str]:
    return [f"a={name}:{value}" if value else f"a={name}" for name, value in attributes]


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def _invalid(reason: str) -> InvalidError:
    return InvalidError(f"SDP: {reason}", code="sdp_invalid", params={"reason": reason})
