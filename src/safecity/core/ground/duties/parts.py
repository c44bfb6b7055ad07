"""What does not fit into one message goes in several. Pure.

The other side collects the parts of a revision and acts when the last one came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from safecity.model.facts.media_calls import ApplyAssignments, Assignment, PlaceHold
from safecity.model.facts.signal_calls import AisShip, ApplySignal, GbChannel, GbDevice, JtChannel, JtTerminal

PART_BYTES = 700_000
"""Of one message; a frame of the calls holds 1 MiB."""
T = TypeVar("T")


def signal_parts(whole: ApplySignal, limit: int = PART_BYTES) -> list[ApplySignal]:
    """The same in messages of about `limit` bytes at most; one where it fits."""
    parts = _shared([*whole.devices, *whole.channels, *whole.terminals, *whole.ships, *whole.terminal_channels], limit)
    return [
        ApplySignal(
            whole.revision,
            whole.identity,
            _only(one, GbDevice),
            _only(one, GbChannel),
            number,
            len(parts),
            _only(one, JtTerminal),
            _only(one, AisShip),
            _only(one, JtChannel),
        )
        for number, one in enumerate(parts)
    ]


def slot_parts(whole: ApplyAssignments, limit: int = PART_BYTES) -> list[ApplyAssignments]:
    """The same in messages of about `limit` bytes at most; one where it fits."""
    parts = _shared([*whole.assignments, *whole.holds, *whole.released], limit)
    return [
        ApplyAssignments(
            whole.revision, _only(one, Assignment), number, len(parts), _only(one, PlaceHold), _only(one, str)
        )
        for number, one in enumerate(parts)
    ]


def _shared(things: Sequence[object], limit: int) -> list[list[object]]:
    """In their order, each list of about `limit` bytes at most; at least one list."""
    parts: list[list[object]] = [[]]
    size = 0
    encode = msgspec.msgpack.encode
    for thing in things:
        length = len(encode(thing))
        if parts[-1] and size + length > limit:
            parts.append([])
            size = 0
        parts[-1].append(thing)
        size += length
    return parts


def _only(things: Iterable[object], kind: type[T]) -> tuple[T, ...]:
    return tuple(one for one in things if isinstance(one, kind))
