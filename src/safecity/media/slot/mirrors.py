"""Streams of other slots shown to viewers who came to this one, and ours shown to theirs.

Whoever accepts a connection serves it: the system hands new connections to any slot that listens. A mirror is a
`Stream` whose source is another slot, one per stream however many viewers it has here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from safecity.kit.clock import Clock
from safecity.media.link.mirror import mirror
from safecity.media.streams import OPENING, RUNNING, Stream
from safecity.model.values.media import StreamKey, Unit

LINGER_SECONDS = 5.0
MOVED_SECONDS = 5.0
"""A slot that died is back much sooner: whoever has no such stream for so long has given it away."""


class LinkReader(Protocol):
    """The far end of a link."""

    def offer(self, unit: Unit) -> None: ...
    def ended(self, reason: str) -> None: ...


class Lent:
    """A stream of ours as the link sees it; while it is lent it is wanted."""

    def __init__(self, stream: Stream, lent: Counter[StreamKey], changed: Callable[[StreamKey], None]) -> None:
        self._stream = stream
        self._lent = lent
        self._changed = changed

    def attach_from_gop(self, reader: LinkReader) -> None:
        """See `media.link.server.Source`."""
        for unit in self._stream.gop():
            reader.offer(unit)
        self._stream.attach(reader)
        self._lent[self._stream.key] += 1
        self._changed(self._stream.key)

    def detach(self, reader: LinkReader) -> None:
        """See `media.link.server.Source`."""
        key = self._stream.key
        self._stream.detach(reader)
        self._lent[key] -= 1
        if self._lent[key] <= 0:
            del self._lent[key]
        self._changed(key)


class Mirrors:
    """The mirrors of a slot. `folder` holds the sockets of the links; `state` hears of each mirror's state."""

    def __init__(
        self, folder: Path, clock: Clock, state: Callable[[Stream], None], moved: Callable[[StreamKey], None]
    ) -> None:
        """`moved` hears of a stream that its owner does not have any more."""
        self._folder = folder
        self._clock = clock
        self._state = state
        self._moved = moved
        self._streams: dict[StreamKey, tuple[Stream, asyncio.Task[None]]] = {}
        self._leaving: dict[StreamKey, asyncio.TimerHandle] = {}

    def get(self, key: StreamKey) -> Stream | None:
        """The mirror, when there is one."""
        found = self._streams.get(key)
        return found[0] if found is not None else None

    def want(self, key: StreamKey, owner: str) -> Stream:
        """The mirror of a stream that slot `owner` has; begun now if it is new."""
        leaving = self._leaving.pop(key, None)
        if leaving is not None:
            leaving.cancel()
        found = self.get(key)
        if found is not None:
            return found
        stream = Stream(key)
        stream.on_state = self._state
        stream.tell(OPENING, self._clock.now_us())

        silent_since: list[float] = []

        def deliver(unit: Unit) -> None:
            if stream.state != RUNNING:
                silent_since.clear()
                stream.tell(RUNNING, self._clock.now_us())
            stream.deliver(unit)

        def lost(reason: str) -> None:
            stream.tell(OPENING, self._clock.now_us(), reason)
            now = self._clock.monotonic()
            silent_since.append(now)
            del silent_since[1:]
            if now - silent_since[0] >= MOVED_SECONDS:
                self._moved(key)

        work = mirror(self._folder / f"{owner}.sock", key, deliver, lost)
        self._streams[key] = (stream, asyncio.get_running_loop().create_task(work, name=f"mirror {key.channel}"))
        return stream

    def unwant(self, key: StreamKey) -> None:
        """Nobody watches it here; a moment later it goes."""
        if key in self._streams and key not in self._leaving:
            loop = asyncio.get_running_loop()
            self._leaving[key] = loop.call_later(LINGER_SECONDS, self.drop, key)

    def close(self) -> None:
        """End all."""
        for key in list(self._streams):
            self.drop(key)

    def drop(self, key: StreamKey) -> None:
        """End it now, if there is one."""
        leaving = self._leaving.pop(key, None)
        if leaving is not None:
            leaving.cancel()
        found = self._streams.pop(key, None)
        if found is not None:
            found[1].cancel()
            found[0].end("not_watched")
