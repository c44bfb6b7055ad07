"""One channel of a vehicle terminal that is expected or comes (JT/T 1078), and who sends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from safecity.kit.errors import Param
from safecity.media.receive.feed import JT1078, JT1078_UDP, SessionRecord
from safecity.media.receive.tcp import MediaConnection
from safecity.media.streams import Stream
from safecity.model.values.media import StreamKey
from safecity.protocols.jt1078.frames import MediaStream
from safecity.protocols.jt1078.order import PacketOrder

_NEVER: Final = float("-inf")


@dataclass(slots=True, eq=False)
class DatagramSource:
    """Whoever sends datagrams of a terminal to a port."""

    port: int
    peer: tuple[str, int]
    terminal: str = ""
    transport: str = JT1078_UDP
    is_open: bool = True
    datagrams: int = 0
    """So many came since it was last looked who floods."""

    def close(self, reason: str) -> None:
        """Nothing more of it is taken."""
        self.is_open = False


Speaker = MediaConnection | DatagramSource
"""Of either kind."""


@dataclass(slots=True, eq=False)
class VehicleFeed:
    """One channel of a terminal that is expected or comes. `host`: where the terminal is known to be, empty: nowhere;
    `transport`: `jt1078` or `jt1078_udp`; `aal2`: how it packs G.726 (see `Voice`).

    `intruders` counts connections that named it and were turned away; `other` is the terminal that one named which came
    to its port and was not expected there, `other_number` the camera of its own terminal that was not. `blocked`: why
    nothing of it is taken for a while.
    """

    stream: Stream
    phone: str
    number: int
    port: int
    host: str
    prepared: float
    progress: float
    transport: str = JT1078
    aal2: bool = False
    confirmed: bool = False
    connection: Speaker | None = None
    media: MediaStream | None = None
    order: PacketOrder | None = None
    heard: float = _NEVER
    packets: int = 0
    seen_packets: int = 0
    seen_units: int = 0
    seen_lost: int = 0
    seen_left_out: int = 0
    intruders: int = 0
    other: str = ""
    other_number: int | None = None
    blocked: str = ""

    @property
    def key(self) -> StreamKey:
        """Of the stream."""
        return self.stream.key

    def diagnosis(self) -> tuple[str, dict[str, Param]]:
        """The step that failed, in the words of the catalogue."""
        params: dict[str, Param] = {"port": self.port, "transport": self.transport, "channel": self.number}
        media = self.media
        if self.blocked:
            return self.blocked, params
        if media is None:
            if self.other_number is not None:
                return "jt_other_channel", {**params, "expected": self.number, "seen": self.other_number}
            if self.other:
                return "jt_other_number", {**params, "expected": self.phone, "seen": self.other}
            return ("jt_no_datagram" if self.transport == JT1078_UDP else "jt_no_connection"), params
        if media.units:
            return "jt_packets_stopped", params
        if media.unsupported:
            return "codec_unsupported", {**params, "codec": media.unsupported}
        return ("jt_no_key_frame" if self.packets else "jt_no_packet"), params

    def record(self) -> SessionRecord:
        """That there was one: it cannot be gone on with after a restart, but that it broke is to be told."""
        return SessionRecord(self.key.channel, self.key.quality, 0, self.transport, self.port, "", 0)
