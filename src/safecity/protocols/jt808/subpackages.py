"""Messages in several packets (JT/T 808-2019, 4.4.3 and 8.4, 8.5): cut, joined, asked for again.

Parts come in any order and twice. What is held is bounded in number, bytes and time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Final

from safecity.protocols.jt808.framing import Malformed
from safecity.protocols.jt808.header import MAX_BODY, Packet, Version, write_packet

MAX_PARTS: Final = 256
MAX_BYTES: Final = 1024 * 1024
MAX_OPEN: Final = 8
"""Messages of one terminal that are being put together at the same time."""
TIMEOUT_SECONDS: Final = 30.0
ASK_SECONDS: Final = 5.0
"""So long after the last part the missing ones are asked for."""
MAX_ASKED: Final = 3


@dataclass(slots=True)
class _Open:
    id: int
    version: Version
    total: int
    opened_serial: int
    deadline: float
    ask_at: float
    parts: dict[int, bytes] = field(default_factory=dict[int, bytes])
    size: int = 0
    asked: int = 0

    def missing(self) -> tuple[int, ...]:
        return tuple(index for index in range(1, self.total + 1) if index not in self.parts)


@dataclass(frozen=True, slots=True)
class Missing:
    """Parts of the message `id` whose first packet had `serial` that did not come."""

    id: int
    serial: int
    version: Version
    parts: tuple[int, ...]
    first: bytes
    """The body of part 1, empty when it is among them."""


class Assembler:
    """Joins the parts of the messages of one connection, each phone's for themselves; told the time.

    Deadlines: a message that is not whole `TIMEOUT_SECONDS` after its last part is given up.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, int, int], _Open] = OrderedDict()
        self._pushed_out: list[Missing] = []

    def __len__(self) -> int:
        return len(self._open)

    def add(self, packet: Packet, now: float) -> Packet | Malformed | None:
        """The whole message (total 0) once its last part is here, None before; Malformed when it goes too far."""
        if packet.total <= 1:
            return replace(packet, total=0, index=0)
        if packet.total > MAX_PARTS:
            return Malformed(packet.body[:64], "jt_too_many_parts")
        key = self._key(packet)
        being = self._open.get(key)
        if being is None or being.total != packet.total:
            being = _Open(packet.id, packet.version, packet.total, packet.serial, 0.0, 0.0)
            self._open[key] = being
            if len(self._open) > MAX_OPEN:
                oldest, given_up = self._open.popitem(last=False)
                self._pushed_out.append(_lacks(oldest, given_up))
        being.deadline, being.ask_at = now + TIMEOUT_SECONDS, now + ASK_SECONDS
        if packet.index not in being.parts:
            being.parts[packet.index] = packet.body
            being.size += len(packet.body)
        if being.size > MAX_BYTES:
            del self._open[key]
            return Malformed(packet.body[:64], "jt_message_too_large")
        if len(being.parts) < being.total:
            return None
        del self._open[key]
        body = b"".join(being.parts[index] for index in range(1, being.total + 1))
        return replace(packet, serial=key[-1], completed_by=packet.serial, body=body, total=0, index=0)

    def _key(self, packet: Packet) -> tuple[str, int, int]:
        """Phone, id, first serial. Some terminals give all parts the same serial: those go to the set that began so."""
        key = packet.phone, packet.id, packet.first_serial
        if key not in self._open:
            for other, being in self._open.items():
                if (
                    other[:2] == key[:2]
                    and being.total == packet.total
                    and being.opened_serial == packet.serial
                    and packet.index not in being.parts
                ):
                    return other
        return key

    def next_deadline(self) -> float | None:
        """When `expire` is to be called."""
        return min((min(one.deadline, one.ask_at) for one in self._open.values()), default=None)

    def expire(self, now: float) -> tuple[list[Missing], list[Missing]]:
        """(what to ask for again, what has been given up)."""
        ask: list[Missing] = []
        gone, self._pushed_out = self._pushed_out, []
        for key, being in list(self._open.items()):
            lacks = _lacks(key, being)
            if now >= being.deadline:
                del self._open[key]
                gone.append(lacks)
            elif now >= being.ask_at:
                being.asked += 1
                being.ask_at = now + ASK_SECONDS if being.asked < MAX_ASKED else being.deadline
                ask.append(lacks)
        return ask, gone


def _lacks(key: tuple[str, int, int], being: _Open) -> Missing:
    return Missing(being.id, key[-1], being.version, being.missing(), being.parts.get(1, b""))


def cut(packet: Packet) -> list[Packet]:
    """The packets a message goes in: itself, or parts with consecutive serial numbers from its own on."""
    if len(packet.body) <= MAX_BODY:
        return [packet]
    bodies = [packet.body[at : at + MAX_BODY] for at in range(0, len(packet.body), MAX_BODY)]
    return [
        replace(packet, body=body, serial=(packet.serial + index) & 0xFFFF, total=len(bodies), index=index + 1)
        for index, body in enumerate(bodies)
    ]


class Sent:
    """Parts that went out, so that those that got lost can be sent again. The oldest are forgotten first."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._messages: OrderedDict[int, list[bytes]] = OrderedDict()
        self._max_bytes = max_bytes
        self._size = 0

    def keep(self, packets: list[Packet]) -> None:
        """Remember a message of several parts."""
        raws = [write_packet(packet) for packet in packets]
        self._forget(packets[0].serial)
        self._messages[packets[0].serial] = raws
        self._size += sum(map(len, raws))
        while self._size > self._max_bytes:
            self._forget(next(iter(self._messages)))

    def again(self, serial: int, parts: tuple[int, ...]) -> list[bytes]:
        """Raw packets by the serial of the first one; what is not known any more is left out."""
        raws = self._messages.get(serial, [])
        return [raws[index - 1] for index in dict.fromkeys(parts) if 1 <= index <= len(raws)]

    def last(self) -> int | None:
        """Serial of the message that was sent last."""
        return next(reversed(self._messages), None)

    def _forget(self, serial: int) -> None:
        self._size -= sum(map(len, self._messages.pop(serial, [])))
