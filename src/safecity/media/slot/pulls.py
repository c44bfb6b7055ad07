"""Cameras this slot pulls itself: running while they are wanted, ended some time after."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from safecity.kit.clock import Clock
from safecity.media.streams import IDLE, LOST, Stream
from safecity.model.facts.media_calls import RtspSource
from safecity.model.values.media import StreamKey

logger = logging.getLogger(__name__)

Pull = Callable[[RtspSource, Stream], Awaitable[None]]
"""Pulls a camera into a stream until cancelled: reconnects for ever, tells states by `tell` and delivers units."""


@dataclass(slots=True)
class _Pulling:
    source: RtspSource
    task: asyncio.Task[None] | None = None
    unwanted_since: float | None = None


class Pulls:
    """All of them. `pull` None: this build pulls nothing."""

    def __init__(self, pull: Pull | None, clock: Clock, idle_close_seconds: float) -> None:
        self._pull = pull
        self._clock = clock
        self._idle_close_seconds = idle_close_seconds
        self._pulling: dict[StreamKey, _Pulling] = {}

    def __iter__(self) -> Iterator[StreamKey]:
        return iter(tuple(self._pulling))

    def set(self, key: StreamKey, source: RtspSource | None) -> None:
        """From now on this is the camera of the stream (None: it is not pulled)."""
        known = self._pulling.get(key)
        if known is not None and known.source != source:
            self.stop(key)
            known = None
        if source is not None and known is None:
            self._pulling[key] = _Pulling(source)

    def stop(self, key: StreamKey) -> None:
        """Forget it."""
        pulling = self._pulling.pop(key, None)
        if pulling is not None and pulling.task is not None:
            pulling.task.cancel()

    def tend(self, stream: Stream, wanted: bool) -> None:
        """Begin when it is wanted; end when it has not been for a while."""
        pulling = self._pulling.get(stream.key)
        if pulling is None:
            return
        now = self._clock.monotonic()
        if wanted:
            pulling.unwanted_since = None
            if self._pull is not None and (pulling.task is None or pulling.task.done()):
                work = self._run(self._pull, pulling.source, stream)
                pulling.task = asyncio.get_running_loop().create_task(work, name=f"pull {stream.key.channel}")
        elif pulling.task is not None:
            if pulling.unwanted_since is None:
                pulling.unwanted_since = now
            elif now - pulling.unwanted_since >= self._idle_close_seconds:
                pulling.task.cancel()
                pulling.task = None
                stream.tell(IDLE, self._clock.now_us())

    async def close(self) -> None:
        """End all, and wait for it."""
        tasks = [one.task for one in self._pulling.values() if one.task is not None]
        self._pulling.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, pull: Pull, source: RtspSource, stream: Stream) -> None:
        try:
            await pull(source, stream)
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("pull failed channel=%s", stream.key.channel)
            stream.tell(LOST, self._clock.now_us(), "internal")
