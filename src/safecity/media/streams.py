"""The point where everything about one stream meets: one source in, any number of readers out.

A `Stream` keeps the last group of pictures, so that whoever joins has a picture at once, counts what passes, and
tells readers of units without ever waiting for one of them.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from safecity.kit.errors import Param
from safecity.model.values.media import AUDIO, VIDEO, CodecParameters, StreamKey, Unit

logger = logging.getLogger(__name__)

GOP_UNITS: Final = 1500
GOP_BYTES: Final = 8 * 1024 * 1024
RATE_SECONDS: Final = 5
RESUME_GAP_90K: Final = 3_600

IDLE: Final = "idle"
OPENING: Final = "opening"
RUNNING: Final = "running"
LOST: Final = "lost"


class Reader(Protocol):
    """Somebody who wants the units of a stream. Both calls come in the stream's own thread."""

    def offer(self, unit: Unit) -> None:
        """Take one unit; never block, never raise; bounded inside."""
        ...

    def ended(self, reason: str) -> None:
        """There will be no more units."""
        ...


class Stream:
    """One channel and quality in this slot. Not thread-safe: it belongs to the slot's loop.

    state       `idle`, `opening`, `running` or `lost`; changed with `tell`
    step        code of the failed step in words of the catalogue, with `params`
    since_us    when the state was entered
    parameters  of the tracks seen so far, video before audio
    readers     who is attached now
    """

    __slots__ = (
        "_audio",
        "_frame_90k",
        "_gop",
        "_gop_bytes",
        "_gop_bytes_limit",
        "_gop_units_limit",
        "_gop_whole",
        "_last_dts",
        "_readers",
        "_samples",
        "_video",
        "bytes",
        "key",
        "last_us",
        "on_state",
        "opened_us",
        "packets",
        "packets_lost",
        "params",
        "pictures",
        "reconnects",
        "since_us",
        "state",
        "step",
        "transport",
        "units",
        "units_damaged",
    )

    def __init__(self, key: StreamKey, *, gop_units: int = GOP_UNITS, gop_bytes: int = GOP_BYTES) -> None:
        self.key = key
        self.state = IDLE
        self.step = ""
        self.params: dict[str, Param] = {}
        self.since_us = 0
        self.transport = ""
        self.opened_us = 0
        self.reconnects = 0
        # Counters of the carrier, kept up to date by whoever receives.
        self.packets = 0
        self.packets_lost = 0
        # Counters of units.
        self.units = 0
        self.units_damaged = 0
        self.bytes = 0
        self.last_us = 0
        self.pictures = 0
        self.on_state: Callable[[Stream], None] | None = None
        self._video: CodecParameters | None = None
        self._audio: CodecParameters | None = None
        self._gop: list[Unit] = []
        self._gop_bytes = 0
        self._gop_whole = False
        self._gop_units_limit = gop_units
        self._gop_bytes_limit = gop_bytes
        self._readers: tuple[Reader, ...] = ()
        self._samples: deque[tuple[float, int, int]] = deque(maxlen=RATE_SECONDS + 1)
        self._last_dts = 0
        self._frame_90k = RESUME_GAP_90K

    # --- what readers use -----------------------------------------------------------------------------------

    @property
    def parameters(self) -> tuple[CodecParameters, ...]:
        """Of the tracks seen so far."""
        return tuple(one for one in (self._video, self._audio) if one is not None)

    @property
    def readers(self) -> tuple[Reader, ...]:
        """Who is attached now."""
        return self._readers

    def gop(self) -> Sequence[Unit]:
        """From the last key frame on, all tracks; empty when there is none, or when it grew past the limits."""
        return tuple(self._gop) if self._gop_whole else ()

    def attach(self, reader: Reader) -> None:
        """The reader gets every unit from now on; for the beginning it takes `gop()` in the same breath."""
        if not any(one is reader for one in self._readers):
            self._readers = (*self._readers, reader)

    def detach(self, reader: Reader) -> None:
        """No more units; nothing happens when it was not attached."""
        self._readers = tuple(one for one in self._readers if one is not reader)

    # --- what sources use -----------------------------------------------------------------------------------

    def deliver(self, unit: Unit) -> None:
        """Pass one unit on. Hot: called once per picture."""
        size = len(unit.data)
        self.units += 1
        self.bytes += size
        if unit.damaged:
            self.units_damaged += 1
        self.last_us = unit.arrived_us
        if unit.track == VIDEO:
            self.pictures += 1
            self._last_dts = unit.dts
            if unit.parameters is not self._video:
                self._video = unit.parameters
            if unit.is_key:
                self._gop = [unit]
                self._gop_bytes = size
                self._gop_whole = True
            else:
                self._keep(unit, size)
        else:
            if unit.track == AUDIO:
                self._audio = unit.parameters
                if self._video is None:
                    self._last_dts = unit.dts
            self._keep(unit, size)
        for reader in self._readers:
            reader.offer(unit)

    def _keep(self, unit: Unit, size: int) -> None:
        if not self._gop_whole:
            return
        self._gop.append(unit)
        self._gop_bytes += size
        if len(self._gop) > self._gop_units_limit or self._gop_bytes > self._gop_bytes_limit:
            # A group this long is of no use to who joins; keeping half of it would be of none either.
            self._gop = []
            self._gop_whole = False

    def resume_at(self, now_us: int) -> int:
        """The media time (1/90,000 s) at which a new session of the source should begin: time never goes back."""
        if not self.last_us:
            return 90_000
        elapsed = max(0, now_us - self.last_us) * 9 // 100
        return self._last_dts + max(RESUME_GAP_90K, elapsed)

    def tell(self, state: str, now_us: int, step: str = "", params: dict[str, Param] | None = None) -> None:
        """Enter a state (or another step in it); logged once per change."""
        if state == self.state and step == self.step:
            self.params = params or {}
            return
        if state == RUNNING:
            if self.opened_us and self.state == LOST:
                self.reconnects += 1
            self.opened_us = self.opened_us or now_us
        if state in (LOST, IDLE) and self.state == RUNNING:
            self._gop = []  # an old picture must not be shown as a live one
            self._gop_whole = False
        if state == LOST:
            logger.warning("stream lost channel=%s quality=%s step=%s", self.key.channel, self.key.quality, step)
        elif state == RUNNING:
            logger.info("stream running channel=%s quality=%s", self.key.channel, self.key.quality)
        self.state, self.step, self.params, self.since_us = state, step, params or {}, now_us
        if self.on_state is not None:
            self.on_state(self)

    def end(self, reason: str) -> None:
        """Tell the readers that nothing will come any more, and let them go."""
        readers, self._readers = self._readers, ()
        self._gop = []
        self._gop_whole = False
        for reader in readers:
            reader.ended(reason)

    # --- rates ----------------------------------------------------------------------------------------------

    def sample(self, now: float) -> None:
        """Called about once a second by the owner (monotonic seconds), for the rates below."""
        self._samples.append((now, self.bytes, self.pictures))

    def rates(self) -> tuple[float, float]:
        """(bits per second, pictures per second) over the last 5 s."""
        if len(self._samples) < 2:
            return 0.0, 0.0
        first, last = self._samples[0], self._samples[-1]
        span = last[0] - first[0]
        if span <= 0:
            return 0.0, 0.0
        return (last[1] - first[1]) * 8 / span, (last[2] - first[2]) / span


class Streams:
    """All streams of a slot, by key."""

    def __init__(self) -> None:
        self._streams: dict[StreamKey, Stream] = {}

    def get(self, key: StreamKey) -> Stream | None:
        """The stream, when there is one."""
        return self._streams.get(key)

    def ensure(self, key: StreamKey) -> Stream:
        """The stream, made when it is new."""
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = Stream(key)
        return stream

    def drop(self, key: StreamKey, reason: str) -> None:
        """End the stream and forget it."""
        stream = self._streams.pop(key, None)
        if stream is not None:
            stream.end(reason)

    def __iter__(self) -> Iterator[Stream]:
        return iter(tuple(self._streams.values()))

    def __len__(self) -> int:
        return len(self._streams)
