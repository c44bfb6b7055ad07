"""Packets of one channel that came as datagrams, put in order again: networks overtake and double them."""

from __future__ import annotations

from typing import Final

from safecity.protocols.jt1078.packets import Kind, MediaPacket

HELD_SECONDS: Final = 0.1
"""So long what came too early waits for what is missing before it. Nothing is held without a hole, so that no timer is
needed: a stream goes on, and the next packet finds the wait over."""
MAX_HELD: Final = 64
_HALF: Final = 0x8000


class PacketOrder:
    """Some makers count all packets of a channel, some each kind by itself: a packet is next when it fits either.

    `late` counts those that came twice, or after they were given up.
    """

    def __init__(self) -> None:
        self.late = 0
        self._any: int | None = None
        self._next: dict[int, int] = {}
        self._held: list[MediaPacket] = []
        self._since = 0.0

    def add(self, packet: MediaPacket, now: float) -> list[MediaPacket]:
        """What is in order now."""
        found: list[MediaPacket] = []
        if self._fits(packet):
            self._pass(packet, found)
        elif self._ahead(packet) >= _HALF:
            self.late += 1
        elif all(self._place(packet) != self._place(one) for one in self._held):
            self._since = self._since if self._held else now
            self._held.append(packet)
        if self._held and (now - self._since >= HELD_SECONDS or len(self._held) > MAX_HELD):
            self._give_up(found, now)
        return found

    def _fits(self, packet: MediaPacket) -> bool:
        """The first of a kind may begin a count of its own."""
        return packet.sequence in (self._any, self._next.get(_group(packet), packet.sequence))

    def _ahead(self, packet: MediaPacket) -> int:
        """Of the next one of its kind."""
        return (packet.sequence - self._next[_group(packet)]) & 0xFFFF

    @staticmethod
    def _place(packet: MediaPacket) -> tuple[int, int]:
        return _group(packet), packet.sequence

    def _pass(self, packet: MediaPacket, found: list[MediaPacket]) -> None:
        """And whatever waited for it."""
        following: MediaPacket | None = packet
        while following is not None:
            found.append(following)
            after = self._next[_group(following)] = (following.sequence + 1) & 0xFFFF
            if self._any is None or (after - self._any) & 0xFFFF < _HALF:
                self._any = after
            following = next((one for one in self._held if self._fits(one)), None)
            if following is not None:
                self._held.remove(following)

    def _give_up(self, found: list[MediaPacket], now: float) -> None:
        """What is missing is lost: go on behind the hole."""
        first = min(self._held, key=self._ahead)
        self._held.remove(first)
        self._pass(first, found)
        self._held = [one for one in self._held if self._ahead(one) < _HALF]
        self._since = now


def _group(packet: MediaPacket) -> int:
    return Kind.I_FRAME if packet.is_video else packet.kind
