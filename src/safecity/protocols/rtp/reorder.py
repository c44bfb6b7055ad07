"""Put packets back in order, wait a little for what is late, count what is lost (RFC 3550 A.1 in spirit).

The caller keeps the fast path to itself: while `sequence == expected` it need not call anything here but may just
count `expected` on. Everything else goes through `push`.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

T = TypeVar("T")

RING: Final = 512
HOLD_SECONDS: Final = 0.2
RESTART: Final = 3_000
"""A sequence number further away than this is a sender that began anew."""


class Reorder(Generic[T]):
    """Out of `push` and `expire` come packets in order; `gap` before a packet tells that some are missing before it.

    expected    the next sequence number, -1 before the first packet
    received    packets taken, doubles and late ones left out
    lost        packets given up
    doubles     packets that came twice, or too late to be used
    swapped     packets that came out of order and were put back
    """

    __slots__ = (
        "_held",
        "cycles",
        "doubles",
        "expected",
        "first",
        "hold_seconds",
        "lost",
        "restarts",
        "swapped",
    )

    def __init__(self, hold_seconds: float = HOLD_SECONDS) -> None:
        self.hold_seconds = hold_seconds
        self.expected = -1
        self.first = -1
        self.cycles = 0
        self.lost = self.doubles = self.swapped = self.restarts = 0
        self._held: dict[int, tuple[T, float]] = {}  # with the time each came, earliest first

    @property
    def holding(self) -> int:
        """Packets that wait for an earlier one."""
        return len(self._held)

    def push(self, sequence: int, packet: T, now: float) -> list[tuple[bool, T]]:
        """Take one packet; (gap before it, packet) for all that may go on, in order."""
        expected = self.expected
        if expected < 0:
            self.expected = (sequence + 1) & 0xFFFF
            self.first = sequence
            return [(False, packet)]
        ahead = (sequence - expected) & 0xFFFF
        if ahead >= 0x8000:
            if 0x10000 - ahead > RESTART:
                return self._restart(sequence, packet)
            self.doubles += 1
            return []
        if ahead == 0:
            out = [(False, packet)]
            self.expected = (sequence + 1) & 0xFFFF
            self._run(out)
            return out
        if ahead > RESTART:
            return self._restart(sequence, packet)
        if sequence in self._held:
            self.doubles += 1
            return []
        self._held[sequence] = (packet, now)
        return self._give_up(now)

    def expire(self, now: float) -> list[tuple[bool, T]]:
        """What has waited long enough: the missing packets are given up."""
        return self._give_up(now) if self._held else []

    def _run(self, out: list[tuple[bool, T]]) -> None:
        held = self._held
        while self.expected in held:
            out.append((False, held.pop(self.expected)[0]))
            self.expected = (self.expected + 1) & 0xFFFF
            self.swapped += 1

    def _give_up(self, now: float) -> list[tuple[bool, T]]:
        """Skip every hole that was waited for long enough. A hole is as old as the first packet that came behind it,
        not as the end of the one before: else many losses in a second would put the stream ever further behind."""
        out: list[tuple[bool, T]] = []
        held = self._held
        while held and (now - next(iter(held.values()))[1] > self.hold_seconds or self._reach() >= RING):
            expected = self.expected
            ahead, sequence = min(((number - expected) & 0xFFFF, number) for number in held)
            self.lost += ahead
            self.expected = (sequence + 1) & 0xFFFF
            out.append((True, held.pop(sequence)[0]))
            self._run(out)
        return out

    def _reach(self) -> int:
        """How far ahead the newest packet held is."""
        return (next(reversed(self._held)) - self.expected) & 0xFFFF

    def _restart(self, sequence: int, packet: T) -> list[tuple[bool, T]]:
        """The sender began anew (reboot, new encoder session): what was held is given up, the rest follows."""
        self.restarts += 1
        expected = self.expected
        held = sorted(self._held, key=lambda number: (number - expected) & 0xFFFF)
        out: list[tuple[bool, T]] = []
        for number in held:
            missing = (number - self.expected) & 0xFFFF
            self.lost += missing
            self.expected = (number + 1) & 0xFFFF
            out.append((missing > 0, self._held.pop(number)[0]))
        self.expected = (sequence + 1) & 0xFFFF
        out.append((True, packet))
        return out
