"""Video that was coded once and is sent for ever: many cameras for little work, to load a platform.

Cameras of one group share each picture and its payloads; only the RTP heads differ. Groups are staggered over the time
of one picture, as unrelated cameras are. Pictures of H.264 say when they were sent (`sim.stamp`).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from safecity.kit.clock import SECOND_US, SystemClock
from safecity.model.values.media import CLOCK_HZ, Codec
from safecity.sim.encode import Coded, VideoEncoder, VideoSpec
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.muxing import Muxer
from safecity.sim.scene.street import Street
from safecity.sim.stamp import stamped

PAYLOAD = 1400
Joined = Callable[[list[bytes], int], None]
"""Takes the payloads of one picture and its RTP timestamp."""


@functools.lru_cache(maxsize=4)
def coded_loop(video: VideoSpec, seconds: float = 4.0) -> tuple[Coded, ...]:
    """A few seconds of a street, filled up to the bit rate asked for with filler NAL units."""
    street, encoder = Street(seed=3, channel=255, title="LOAD", light=1.0), VideoEncoder(video)
    start_us, units = 1_700_000_000 * SECOND_US, list[Coded]()
    for number in range(round(seconds * video.fps)):
        at_us = start_us + number * SECOND_US // video.fps
        coded = encoder.encode(street.render(at_us, video.width, video.height), at_us, key=number == 0)
        if coded is not None:
            units.append(coded)
    wanted = round(video.kbps * 125 * seconds)
    missing = wanted - sum(len(each.data) for each in units)
    if missing > 0 and video.codec is Codec.H264:
        # Filler data (ITU-T H.264, 7.3.2.7): decoders throw it away, the wire and the disk carry it.
        each_misses = missing // len(units)
        filler = b"\0\0\0\1\x0c" + b"\xff" * max(0, each_misses - 6) + b"\x80"
        units = [unit._replace(data=unit.data + filler) for unit in units]
    return tuple(units)


class LoopGroup:
    """Sends one loop to all senders that joined. `late_ms` is the worst delay of a picture so far."""

    def __init__(self, video: VideoSpec, phase: float) -> None:
        self._units = coded_loop(video)
        self._interval = 1 / video.fps
        self._ticks = CLOCK_HZ // video.fps
        self._phase = phase
        self._joined: dict[object, Joined] = {}
        self._waiting: set[object] = set()
        self._muxer = Muxer(video.codec, None, Faults())
        self._clock = SystemClock() if video.codec is Codec.H264 else None
        self._task: asyncio.Task[None] | None = None
        self._key_wanted = False
        self.pictures = 0
        self.late_ms = 0.0

    def join(self, who: object, sink: Joined) -> None:
        """From the next key frame on."""
        self._joined[who] = sink
        self._waiting.add(who)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, who: object) -> None:
        """No more."""
        self._joined.pop(who, None)
        self._waiting.discard(who)

    def want_key(self) -> None:
        """The next picture is a key frame, as that of a camera that was asked for one: the loop begins anew."""
        self._key_wanted = True

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self._phase * self._interval
        number = place = 0
        while self._joined:
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.late_ms = max(self.late_ms, (loop.time() - due) * 1000)
            due += self._interval
            if self._key_wanted:
                place, self._key_wanted = 0, False
            unit = self._units[place % len(self._units)]
            pts = number * self._ticks
            data = unit.data if self._clock is None else stamped(unit.data, self._clock.now_us())
            body = self._muxer.write(unit._replace(data=data, pts=pts))
            payloads = [body[at : at + PAYLOAD] for at in range(0, len(body), PAYLOAD)]
            for who, sink in list(self._joined.items()):
                if who in self._waiting:
                    if not unit.is_key:
                        continue
                    self._waiting.discard(who)
                sink(payloads, pts)
            self.pictures += 1
            number += 1
            place += 1
        self._task = None
