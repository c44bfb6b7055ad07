"""One expected or running stream of a device: who may send it, how far it came, and why it does not come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from safecity.kit.errors import Param
from safecity.media.receive.batch import peer_address
from safecity.media.receive.source import RtpSource
from safecity.media.streams import Stream
from safecity.model.values.media import Quality, StreamKey

UDP: Final = "udp"
TCP_PASSIVE: Final = "tcp_passive"
TCP_ACTIVE: Final = "tcp_active"
JT1078: Final = "jt1078"
"""A vehicle terminal connects (JT/T 1078)."""
JT1078_UDP: Final = "jt1078_udp"
"""It sends datagrams."""

STRAY_SECONDS: Final = 1.0
STRAY_BYTES: Final = 1024 * 1024
"""Packets of an unexpected SSRC that are kept until it is clear whether to accept it."""


@dataclass(slots=True)
class Stray:
    """Packets with another SSRC than the one expected."""

    ssrc: int
    peer: int
    since: float
    count: int = 0
    size: int = 0
    kept: list[tuple[bytes, int]] = field(default_factory=list[tuple[bytes, int]])
    """Datagrams and when they came."""


class SessionRecord(msgspec.Struct, frozen=True, array_like=True):
    """What a restarted slot needs to go on receiving without a new INVITE. Fields are only added at the end."""

    channel: str
    quality: Quality
    ssrc: int
    transport: str
    port: int
    peer_host: str = ""
    peer_port: int = 0
    remote_host: str = ""
    remote_port: int = 0
    confirmed: bool = False


@dataclass(slots=True, eq=False)
class Feed:
    """The receiver's record of one stream.

    hint        the host of the answer's SDP as a number, 0 where unknown; behind NAT it is wrong
    progress    monotonic time of the last unit, or of the confirmation before the first
    own         the SSRC that we asked for: an identity of the session beside what the device really uses
    """

    stream: Stream
    source: RtpSource
    transport: str
    port: int
    ssrc: int
    own: int
    prepared: float
    progress: float
    hint: int = 0
    remote_host: str = ""
    remote_port: int = 0
    confirmed: bool = False
    started: bool = False
    connected: bool = False
    blocked: str = ""
    dial_error: str = ""
    seen_units: int = 0
    seen_packets: int = 0
    seen_lost: int = 0
    flood_checked: int = 0
    other_ssrc: int = 0
    stray: Stray | None = None

    @property
    def key(self) -> StreamKey:
        """Of the stream."""
        return self.stream.key

    @property
    def received(self) -> int:
        """Packets that were accepted."""
        return self.source.packets + len(self.source.parts)

    @property
    def handled(self) -> int:
        """Packets that were taken or thrown away because they came twice: what this source costs us."""
        return self.source.packets + len(self.source.parts) + self.source.doubles

    def silent(self, us: int) -> float:
        """Seconds since its last picture or piece of one, by the wall clock; large before the first."""
        return (us - self.source.last_arrived_us) / 1e6

    def diagnosis(self) -> tuple[str, dict[str, Param]]:
        """The step that failed, in the words of the catalogue, and what fills the sentence."""
        media = self.source.media
        params: dict[str, Param] = {"port": self.port, "transport": self.transport}
        if self.blocked:
            return self.blocked, params
        if not self.received:
            if self.other_ssrc:
                return "gb_other_ssrc", {**params, "expected": f"{self.ssrc:010d}", "seen": f"{self.other_ssrc:010d}"}
            if self.transport == TCP_ACTIVE and not self.connected:
                refused: dict[str, Param] = {"host": self.remote_host, "remote_port": self.remote_port}
                return "gb_dial_failed", {**params, **refused, "error": self.dial_error}
            if self.transport == TCP_PASSIVE and not self.connected:
                return "gb_no_connection", params
            return "gb_no_packet", params
        if media.unsupported:
            return "codec_unsupported", {**params, "codec": media.unsupported}
        if media.units:
            return "gb_packets_stopped", params
        if not media.recognised:
            return "gb_no_ps_header", params
        if media.pictures is None:
            return "codec_unsupported", {**params, "codec": ""}
        return "gb_no_key_frame", params

    def record(self) -> SessionRecord:
        """For `Receiver.export_sessions`."""
        host, port = peer_address(self.source.peer) if self.source.peer else ("", 0)
        return SessionRecord(
            self.key.channel,
            self.key.quality,
            self.ssrc,
            self.transport,
            self.port,
            host,
            port,
            self.remote_host,
            self.remote_port,
            self.confirmed,
        )
