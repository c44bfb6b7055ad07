"""A feed of sentences: bytes in, messages out. Told the time, it touches no clock and no socket."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from safecity.protocols.ais.bits import Bits, armour, chunks, joined, unarmour
from safecity.protocols.ais.messages import AnyMessage, read_message, write_message
from safecity.protocols.ais.sentences import LineReader, Malformed, Sentence, write_sentence

PART_SECONDS: Final = 5.0
"""So long the parts of a message may take to come; their number is given again after ten messages."""
MAX_OPEN: Final = 40
"""Messages of several parts at once: ten numbers on two channels, of two stations."""
PAYLOAD_CHARS: Final = 60
"""Of one sentence, so that it keeps to 82 characters."""
MISSING: Final = "ais_parts_missing"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message; `own`: the station that heard it tells of itself."""

    message: AnyMessage
    channel: str = ""
    own: bool = False


_Key = tuple[str, bool, str, int | None, int]


@dataclass(slots=True)
class _Open:
    since: float
    parts: dict[int, Bits] = field(default_factory=dict[int, Bits])


class Feed:
    """One connection, or one sender of datagrams."""

    def __init__(self) -> None:
        self._lines = LineReader()
        self._open: OrderedDict[_Key, _Open] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Bytes that came since the last end of a line."""
        return self._lines.waiting

    def feed(self, data: bytes, now: float) -> list[Heard | Malformed]:
        """What is whole now, and what will never be."""
        found: list[Heard | Malformed] = list(self.expire(now))
        for one in self._lines.feed(data):
            found += self._take(one, now) if isinstance(one, Sentence) else [one]
        return found

    def expire(self, now: float) -> list[Malformed]:
        """Messages whose parts took too long."""
        late = [key for key, one in self._open.items() if now - one.since > PART_SECONDS]
        return [self._given_up(self._open.pop(key)) for key in late]

    def _take(self, one: Sentence, now: float) -> list[Heard | Malformed]:
        part = unarmour(one.payload, one.fill)
        if one.total == 1:
            return [self._read(part, one)]
        found: list[Heard | Malformed] = []
        key = (one.talker, one.own, one.channel, one.group, one.total)
        known = self._open.get(key)
        if known is not None and known.parts.get(one.number, part) != part:
            # The number was given to another message.
            found.append(self._given_up(self._open.pop(key)))
            known = None
        if known is None:
            known = self._open[key] = _Open(now)
            if len(self._open) > MAX_OPEN:
                found.append(self._given_up(self._open.popitem(last=False)[1]))
        known.parts[one.number] = part
        if len(known.parts) == one.total:
            del self._open[key]
            found.append(self._read(joined(known.parts[number] for number in sorted(known.parts)), one))
        return found

    def _read(self, whole: Bits, one: Sentence) -> Heard | Malformed:
        read = read_message(whole)
        return read if isinstance(read, Malformed) else Heard(read, one.channel, one.own)

    def _given_up(self, one: _Open) -> Malformed:
        return Malformed(b"", MISSING)


class Teller:
    """Messages to sentences, as a station writes them."""

    def __init__(self, talker: str = "AI") -> None:
        self._talker = talker
        self._group = 0

    def write(self, message: AnyMessage, *, channel: str = "A", own: bool = False) -> bytes:
        """One or several lines. InvalidError for a value that does not fit."""
        payload, fill = armour(write_message(message))
        parts = list(chunks(payload, PAYLOAD_CHARS))
        group = self._group if len(parts) > 1 else None
        if group is not None:
            self._group = (group + 1) % 10
        return b"".join(
            write_sentence(
                Sentence(
                    payload=part, fill=fill if number == len(parts) else 0, total=len(parts), number=number,
                    group=group, channel=channel, own=own, talker=self._talker,
                )
            )
            for number, part in enumerate(parts, 1)
        )  # fmt: skip
