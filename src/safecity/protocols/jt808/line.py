"""What both sides share: bytes to whole messages and back, serial numbers, parts asked for again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from safecity.protocols.jt808.framing import FrameReader, Malformed, frame
from safecity.protocols.jt808.header import Packet, Version, read_packet, write_packet
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.subpackages import Assembler, Missing, Sent, cut

MAX_NONSENSE: Final = 200
"""So many bad frames without one good packet: this is no terminal."""


class Part(NamedTuple):
    """A part of a message that is not whole yet."""

    packet: Packet


class Line:
    """One connection. `version` is what we write; `phone` what we write it to."""

    def __init__(self, version: Version = Version.V2013, phone: str = "0") -> None:
        self.version = version
        self.phone = phone
        self.protocol = 1
        self.nonsense = 0
        self._reader = FrameReader()
        self._assembler = Assembler()
        self._sent = Sent()
        self._serial = 0

    def feed(self, data: bytes, now: float) -> list[Packet | Part | Malformed]:
        """Whole messages (total 0), parts of messages, and what was neither."""
        found: list[Packet | Part | Malformed] = []
        for raw in self._reader.feed(data):
            packet = read_packet(raw) if isinstance(raw, bytes) else raw
            if isinstance(packet, Malformed):
                self.nonsense += 1
                found.append(packet)
                continue
            self.nonsense = 0
            whole = self._assembler.add(packet, now)
            found.append(Part(packet) if whole is None else whole)
        return found

    @property
    def next_serial(self) -> int:
        """The serial number the next packet will have."""
        return self._serial

    def write(self, body: AnyBody) -> tuple[bytes, int]:
        """A message's bytes, and its serial number. InvalidError for a value that does not fit."""
        packet = Packet(
            id=body.ID, phone=self.phone, serial=self._serial, body=body.write(self.version), version=self.version,
            protocol=self.protocol,
        )  # fmt: skip
        packets = cut(packet)
        if len(packets) > 1:
            self._sent.keep(packets)
        data = b"".join([frame(write_packet(one)) for one in packets])
        self._serial = (self._serial + len(packets)) & 0xFFFF
        return data, packet.serial

    def again(self, serial: int | None, parts: tuple[int, ...]) -> bytes:
        """Parts of a message that was sent, None: of the last one."""
        wanted = self._sent.last() if serial is None else serial
        return b"" if wanted is None else b"".join([frame(raw) for raw in self._sent.again(wanted, parts)])

    def learn(self, packet: Packet, version: Version | None = None) -> None:
        """Write as the other side does."""
        self.version = version or packet.version
        self.phone = packet.phone
        self.protocol = packet.protocol

    def expire(self, now: float) -> tuple[list[Missing], list[Missing]]:
        """As `Assembler.expire`."""
        return self._assembler.expire(now)

    def next_deadline(self) -> float | None:
        """When `expire` is to be called."""
        return self._assembler.next_deadline()


def as_version(packet: Packet, version: Version) -> Packet:
    """The same packet under the older version that the registration told."""
    return packet if packet.version is Version.V2019 else replace(packet, version=version)
