"""The slot's side of a decoding child: gives it units, takes its pictures, and starts another when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from safecity.model.values.media import VIDEO, Unit, VideoParameters
from safecity.vision.confined import NOT_INSTALLED
from safecity.vision.live import wire

logger = logging.getLogger(__name__)

MAX_BEHIND = 4 << 20
"""Bytes of units that wait for the child; beyond it all are dropped up to the next key frame."""
AGAIN_SECONDS = 1.0
LAST_AGAIN_SECONDS = 30.0
"""Between children that die one after the other of their first picture: what nobody can decode must cost no core."""
SILENT_SECONDS = 15.0
"""A child that is given units and says nothing for so long hangs."""
COMMAND = (sys.executable, "-m", "safecity.vision.live.child")
LEAVING_SECONDS = 1.0
_LONGEST_LIFE = 1e10  # seconds of a core: what says more, or no number, makes no sense


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a stream, shape (height, width, 3), BGR, and its wall time in microseconds UTC."""

    at: int
    picture: NDArray[np.uint8]


@dataclass(slots=True)
class Figures:
    """Since the beginning, over all children."""

    cpu_seconds: float = 0.0
    decoded: int = 0
    still: int = 0
    shown: int = 0
    missed: int = 0
    crashes: int = 0
    dropped: int = 0
    state: str = "starting"
    at: int = 0
    _base: tuple[float, int, int] = field(default=(0.0, 0, 0))

    def told(self, cpu: float, decoded: int, still: int) -> None:
        """What the child of the moment says of itself."""
        self.cpu_seconds, self.decoded, self.still = self._base[0] + cpu, self._base[1] + decoded, self._base[2] + still

    def next_child(self) -> None:
        """Its successor counts from nought."""
        self._base = (self.cpu_seconds, self.decoded, self.still)


class LiveDecoder:
    """One stream. `offer` never waits; of pictures that nobody took in time the newest is kept."""

    def __init__(
        self, name: str, fps: float, command: Sequence[str] = COMMAND, on_crash: Callable[[str], None] | None = None
    ) -> None:
        self.figures = Figures()
        self._name = name
        self._fps = fps
        self._command = command
        self._on_crash = on_crash
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._more = asyncio.Event()
        self._parameters: VideoParameters | None = None
        self._need_key = True
        self._newest: Shown | None = None
        self._shown = asyncio.Event()
        self._asked_at: float | None = None
        self._clear()

    def rate(self, fps: float) -> None:
        """Pictures in a second from now on; 0: key frames alone are decoded."""
        if fps != self._fps:
            self._need_key = self._need_key or (self._fps == 0 and fps > 0)  # what lies between was not decoded
            self._fps = fps
            self._put(self._rate())

    def offer(self, unit: Unit) -> None:
        """The next unit of the stream."""
        if unit.track != VIDEO or not isinstance(unit.parameters, VideoParameters):
            return
        if unit.parameters.codec not in wire.CODECS or len(unit.data) > wire.MAX_UNIT:
            return
        if self._bytes > MAX_BEHIND:
            self.figures.dropped += len(self._waiting)
            self._clear()
        if not unit.is_key and (self._need_key or self._fps == 0):
            return
        if self._parameters is not unit.parameters and self._parameters != unit.parameters:
            self._parameters = unit.parameters
            self._put(self._sets(unit.parameters))
        self._need_key = False
        kind = wire.KEY_UNIT if unit.is_key else wire.UNIT
        codec = wire.CODECS[unit.parameters.codec]
        self._put(wire.TO_CHILD.pack(kind, codec, unit.arrived_us, len(unit.data)) + unit.data)

    async def picture(self) -> Shown:
        """The newest picture that was not taken yet."""
        while self._newest is None:
            self._shown.clear()
            await self._shown.wait()
        found, self._newest = self._newest, None
        return found

    async def run(self) -> None:
        """Until cancelled."""
        again = AGAIN_SECONDS
        while True:
            before = self.figures.decoded
            code = await self._one_child()
            self.figures.next_child()
            self._clear()
            if code == NOT_INSTALLED:
                self.figures.state = "not_installed"
                logger.warning("no decoder is installed, nothing is looked at stream=%s", self._name)
                return
            self.figures.crashes += 1
            self.figures.state = "decoder_failed"
            logger.warning("decoder died, another is started stream=%s status=%s", self._name, code)
            if self._on_crash is not None:
                self._on_crash(str(code))
            if self.figures.decoded > before:
                again = AGAIN_SECONDS
            await asyncio.sleep(again)
            again = min(2 * again, LAST_AGAIN_SECONDS)

    async def _one_child(self) -> int | None:
        child = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, limit=1 << 20,
        )  # fmt: skip
        self._asked_at = None
        loop = asyncio.get_running_loop()
        ways = [loop.create_task(self._feed(child)), loop.create_task(self._read(child))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if ways[1].done():  # it closed its output: mostly it leaves by itself, and its status says why
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LEAVING_SECONDS):
                        await child.wait()
        finally:
            for way in ways:
                way.cancel()
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await asyncio.gather(*ways, return_exceptions=True)
            await child.communicate()  # a pipe with half a picture in it is not over, nor is a child with such a pipe
            code = await child.wait()
        return code

    async def _feed(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin is not None
        loop = asyncio.get_running_loop()
        while True:
            while not self._waiting:
                self._more.clear()
                await self._more.wait()
            piece = self._waiting.popleft()
            self._bytes -= len(piece)
            # Only pictures are answered: who is told a rate or parameters and then nothing for minutes does not hang.
            now = loop.time()
            asked_at = self._asked_at or now
            if piece[0] in (wire.UNIT, wire.KEY_UNIT):
                self._asked_at = asked_at
            # What it reads without an answer is as bad as what it does not read: a pipe takes a little of both.
            if now - asked_at > SILENT_SECONDS:
                return
            try:
                child.stdin.write(piece)
                async with asyncio.timeout_at(asked_at + SILENT_SECONDS):
                    await child.stdin.drain()
            except (OSError, TimeoutError):
                return

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None
        while True:
            try:
                head = await child.stdout.readexactly(wire.FROM_CHILD.size)
                mark, kind, at, width, height, cpu, decoded, still = wire.FROM_CHILD.unpack(head)
                if mark != wire.MARK or width * height > wire.MAX_PIXELS or not 0 <= cpu < _LONGEST_LIFE:
                    return
                body = await child.stdout.readexactly(width * height * 3) if kind == wire.PICTURE else b""
            except (asyncio.IncompleteReadError, OSError):
                return
            self._asked_at = None
            self.figures.told(cpu, decoded, still)
            self.figures.at = at
            self.figures.state = "running"
            if body:
                self.figures.missed += self._newest is not None
                self.figures.shown += 1
                self._newest = Shown(at, np.frombuffer(body, np.uint8).reshape(height, width, 3))
                self._shown.set()

    def _put(self, piece: bytes) -> None:
        self._waiting.append(piece)
        self._bytes += len(piece)
        self._more.set()

    def _clear(self) -> None:
        """Nothing waits; a decoder can begin again at the next key frame, and is told everything anew."""
        self._waiting.clear()
        self._bytes = 0
        self._need_key = True
        self._parameters = None
        self._put(self._rate())

    def _rate(self) -> bytes:
        return wire.TO_CHILD.pack(wire.RATE, 0, round(self._fps * 1000), 0)

    @staticmethod
    def _sets(parameters: VideoParameters) -> bytes:
        body = wire.packed_sets(parameters)
        return wire.TO_CHILD.pack(wire.PARAMETERS, wire.CODECS[parameters.codec], 0, len(body)) + body
