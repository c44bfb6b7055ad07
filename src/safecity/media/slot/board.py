"""Which streams are wanted, and telling those who open them: the answer to `WatchStreams`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable

from safecity.media.streams import Stream
from safecity.model.facts.media_calls import StreamState
from safecity.model.values.media import StreamKey


class _Watcher:
    """Somebody who is told; only the newest state of a stream waits, so a slow one costs nothing."""

    def __init__(self) -> None:
        self.waiting: dict[StreamKey, StreamState] = {}
        self.ring = asyncio.Event()


class Board:
    """The state of every stream of the slot.

    wanted    whether somebody needs the stream now
    viewers   how many watch it
    recording whether it is written to disk now
    """

    def __init__(
        self,
        wanted: Callable[[StreamKey], bool],
        viewers: Callable[[StreamKey], int],
        recording: Callable[[StreamKey], bool] = lambda _: False,
    ) -> None:
        self._wanted = wanted
        self._viewers = viewers
        self._recording = recording
        self._last: dict[StreamKey, StreamState] = {}
        self._watchers: set[_Watcher] = set()

    def tell(self, stream: Stream) -> StreamState:
        """Look at the stream anew; whoever watches hears of a change."""
        key = stream.key
        state = StreamState(
            channel=key.channel,
            quality=key.quality,
            state=stream.state,
            wanted=self._wanted(key),
            step=stream.step,
            params=dict(stream.params),
            viewers=self._viewers(key),
            since=stream.since_us,
            recording=self._recording(key),
        )
        if state != self._last.get(key):
            self._last[key] = state
            self._spread(key, state)
        return state

    def tell_all(self, streams: Iterable[Stream]) -> None:
        """Look at all of them."""
        for stream in streams:
            self.tell(stream)

    def forget(self, key: StreamKey) -> None:
        """The stream is no longer ours: it is idle and nobody here wants it."""
        last = self._last.pop(key, None)
        if last is not None:
            self._spread(key, StreamState(channel=key.channel, quality=key.quality, state="idle", wanted=False))

    def last(self, key: StreamKey) -> StreamState | None:
        """As last told."""
        return self._last.get(key)

    async def watch(self) -> AsyncGenerator[StreamState]:
        """First each stream, then each change, until the caller leaves."""
        watcher = _Watcher()
        watcher.waiting.update(self._last)
        watcher.ring.set()
        self._watchers.add(watcher)
        try:
            while True:
                await watcher.ring.wait()
                watcher.ring.clear()
                while watcher.waiting:
                    yield watcher.waiting.pop(next(iter(watcher.waiting)))
        finally:
            self._watchers.discard(watcher)

    def _spread(self, key: StreamKey, state: StreamState) -> None:
        for watcher in self._watchers:
            watcher.waiting[key] = state
            watcher.ring.set()
