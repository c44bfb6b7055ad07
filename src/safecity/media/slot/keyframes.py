"""Asking devices for key frames, by way of signal: while there is no picture, and when viewers wait for one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from safecity.kit.errors import SafecityError
from safecity.media.streams import RUNNING, Streams
from safecity.model.facts.signal_calls import AskKeyFrame
from safecity.model.values.media import StreamKey
from safecity.ports.calls import Calls

logger = logging.getLogger(__name__)

URGE_SECONDS = (0.2, 1.0, 2.0)
"""After a device said 200: when it is asked for a key frame while there is no picture."""
RESUMED_SECONDS = 0.05
"""The first of these for a slot that came back: the device sends already, and each moment is missing on the disk."""
STEP_SECONDS = 0.005
"""So far apart a slot that came back asks for its many streams."""


class KeyFrames:
    """`pushed` tells whether a device pushes the stream; of cameras that the slot pulls nobody is asked."""

    def __init__(self, calls: Calls, streams: Streams, pushed: Callable[[StreamKey], bool]) -> None:
        self._calls = calls
        self._streams = streams
        self._pushed = pushed
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, key: StreamKey) -> None:
        """Now, if the stream runs."""
        stream = self._streams.get(key)
        if stream is not None and stream.state == RUNNING and self._pushed(key):
            self._begin(key, (0.0,), unless_seen=False)

    def urge(self, key: StreamKey) -> None:
        """Some times, for as long as there is no picture."""
        self._begin(key, URGE_SECONDS, unless_seen=True)

    def resume(self, key: StreamKey, number: int) -> None:
        """The same for the streams of a slot that came back, the `number`th of them a little after the one before."""
        first, others = RESUMED_SECONDS, URGE_SECONDS[1:]
        self._begin(key, (first + number * STEP_SECONDS, *others), unless_seen=True)

    async def close(self) -> None:
        """Ask no more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, key: StreamKey, waits: tuple[float, ...], *, unless_seen: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._work(key, waits, unless_seen))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, key: StreamKey, waits: tuple[float, ...], unless_seen: bool) -> None:
        for wait in waits:
            await asyncio.sleep(wait)
            stream = self._streams.get(key)
            if stream is None or not self._pushed(key) or (unless_seen and stream.gop()):
                return
            try:
                await self._calls.call("signal", AskKeyFrame(key.channel, key.quality), timeout=3.0)
            except SafecityError as error:
                logger.debug("no key frame asked channel=%s why=%s", key.channel, error.code)
