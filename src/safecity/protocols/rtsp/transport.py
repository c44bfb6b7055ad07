"""The fields Transport, Session, RTP-Info and the URLs of RTSP (RFC 2326, 12.39, 12.37, 12.33; C.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

DEFAULT_TIMEOUT = 60


@dataclass(frozen=True, slots=True)
class Transport:
    """One way the media of a track goes. Ports and channels are pairs: RTP, RTCP."""

    tcp: bool
    channels: tuple[int, int] | None = None
    client_ports: tuple[int, int] | None = None
    server_ports: tuple[int, int] | None = None
    ssrc: int | None = None
    multicast: bool = False

    def __str__(self) -> str:
        parts = ["RTP/AVP/TCP" if self.tcp else "RTP/AVP", "unicast"]
        if self.channels is not None:
            parts.append(f"interleaved={self.channels[0]}-{self.channels[1]}")
        if self.client_ports is not None:
            parts.append(f"client_port={self.client_ports[0]}-{self.client_ports[1]}")
        if self.server_ports is not None:
            parts.append(f"server_port={self.server_ports[0]}-{self.server_ports[1]}")
        if self.ssrc is not None:
            parts.append(f"ssrc={self.ssrc:08X}")
        return ";".join(parts)


def parse_transports(text: str) -> list[Transport]:
    """Every alternative of a Transport field that is RTP; broken numbers are left out."""
    found: list[Transport] = []
    for alternative in text.split(",")[:8]:
        head, *params = (part.strip() for part in alternative.split(";")[:32])
        if not head.upper().startswith("RTP/"):
            continue
        pairs = {name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in params)}
        found.append(
            Transport(
                tcp=head.upper().endswith("/TCP"),
                channels=_pair(pairs.get("interleaved", ""), 255),
                client_ports=_pair(pairs.get("client_port", ""), 65535),
                server_ports=_pair(pairs.get("server_port", ""), 65535),
                ssrc=_hex(pairs.get("ssrc", "")),
                multicast="multicast" in pairs,
            )
        )
    return found


def parse_session(text: str) -> tuple[str, int]:
    """(id, time-out in seconds)."""
    session, *params = (part.strip() for part in text.split(";")[:8])
    for param in params:
        name, _, value = param.partition("=")
        if name.strip().lower() == "timeout":
            digits = value.strip()
            if digits.isascii() and digits.isdigit() and len(digits) < 6 and int(digits) > 0:
                return session, int(digits)
    return session, DEFAULT_TIMEOUT


def parse_rtp_info(text: str) -> dict[str, int]:
    """The rtptime by URL, where it is said."""
    times: dict[str, int] = {}
    for element in text.split(",")[:16]:
        pairs = {
            name.strip().lower(): value.strip() for name, _, value in (p.partition("=") for p in element.split(";"))
        }
        stamp = pairs.get("rtptime", "")
        if "url" in pairs and stamp.isascii() and stamp.isdigit() and len(stamp) <= 10:
            times[pairs["url"]] = int(stamp) & 0xFFFFFFFF
    return times


@dataclass(frozen=True, slots=True)
class RtspUrl:
    """`rtsp://host:port/path?query` without credentials, as it stands in requests."""

    scheme: str
    host: str
    port: int
    rest: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 322 if self.scheme == "rtsps" else 554
        port = "" if self.port == default else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.rest}"

    @property
    def tls(self) -> bool:
        """True for rtsps."""
        return self.scheme == "rtsps"


def parse_rtsp_url(text: str) -> RtspUrl:
    """ValueError for other schemes, blanks, control characters and what is no URL. Credentials are cut off."""
    if len(text) > 2000 or any(ord(letter) <= 32 or ord(letter) == 127 for letter in text):
        raise ValueError("not an RTSP URL")
    parts = urlsplit(text)
    scheme = parts.scheme.lower()
    if scheme not in ("rtsp", "rtsps") or not parts.hostname:
        raise ValueError("not an RTSP URL")
    port = parts.port or (322 if scheme == "rtsps" else 554)
    return RtspUrl(scheme, parts.hostname, port, urlunsplit(("", "", parts.path, parts.query, "")))


def control_url(url: RtspUrl, base: str, control: str) -> str:
    """The URL of a track. Base and control come from the camera: host and port in them are replaced by ours, since
    behind NAT they are wrong, and nobody may send us elsewhere."""
    whole = str(url)
    if base:
        whole = _on_our_host(url, base) or whole
    control = control.strip()
    if control in ("", "*"):
        return whole
    if "://" in control:
        return _on_our_host(url, control) or whole
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in control):
        return whole
    # The field appends, also behind a query (RFC 3986 would replace the last segment).
    return whole + control if whole.endswith("/") or control.startswith(("/", "?")) else f"{whole}/{control}"


def _on_our_host(url: RtspUrl, other: str) -> str:
    try:
        return str(RtspUrl(url.scheme, url.host, url.port, parse_rtsp_url(other).rest))
    except ValueError:
        return ""


def _pair(text: str, limit: int) -> tuple[int, int] | None:
    first, _, second = text.partition("-")
    numbers = [int(part) for part in (first, second) if part.isascii() and part.isdigit() and len(part) < 6]
    if not numbers or max(numbers) > limit:
        return None
    return numbers[0], numbers[1] if len(numbers) > 1 else min(limit, numbers[0] + 1)


def _hex(text: str) -> int | None:
    try:
        return int(text, 16) & 0xFFFFFFFF if 0 < len(text) <= 10 else None
    except ValueError:
        return None
