"""The slot's side of the child that makes key frames small: what dies of a picture is the child, and then another is
started, for the same picture once more and then for the next one."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from safecity.kit.errors import UnavailableError
from safecity.model.values.media import Unit, VideoParameters
from safecity.vision.confined import NOT_INSTALLED
from safecity.vision.gate import HEIGHT, WIDTH
from safecity.vision.live import wire as live
from safecity.vision.movement.wire import FROM_CHILD, MARK, MOST_SHOWN, RUN, SHOWN, SMALL_BYTES, TO_CHILD

COMMAND = (sys.executable, "-m", "safecity.vision.movement.child")
SILENT_SECONDS = 20.0
"""For one picture, on a machine that has hardly any time for analysis; a child that says nothing for longer hangs."""
MAX_DEATHS = 3
"""One after the other without a picture between: what is left of the block is not tried, for each costs a child."""
SILENT = 1 << 16
"""No status of a process: it said nothing and was ended."""
OWN_DEATHS = frozenset(-one for one in (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV))
"""A status that a picture may be the cause of. Who is killed from outside or has no memory dies of something else, and
what makes no sense is ended by us."""

Small = NDArray[np.uint8]
"""Grey, shape (HEIGHT, WIDTH)."""


class KeyDecoder:
    """One child for the footage of one channel: what takes it over sees no other camera. `died` gets the status of each
    that died, `-N` for signal N."""

    def __init__(self, died: Callable[[str], None], command: Sequence[str] = COMMAND) -> None:
        self._died = died
        self._command = command
        self._child: asyncio.subprocess.Process | None = None
        self.deaths = 0
        """Since the last picture that was answered."""
        self.settled = True
        """Every None so far is one for good: the decoder refused the picture, or died of it twice."""

    def begin(self) -> None:
        """Other footage comes now."""
        self.deaths, self.settled = 0, True

    async def small(self, units: Sequence[Unit]) -> list[Small | None]:
        """Each picture small, None where it was not decoded. UnavailableError `decoder_missing` without a decoder."""
        found: list[Small | None] = []
        suspect: tuple[int, int] | None = None
        while len(found) < len(units):
            asked = [_question(one) for one in units[len(found) :]]
            if self.deaths >= MAX_DEATHS:
                self.settled = False
                return found + [None] * len(asked)
            status = await self._ask(asked, found)
            if status is None:
                continue
            self.deaths += 1
            at = len(found)
            # A second one for it: who was killed from outside did not die of the picture. Silence is not waited for
            # twice, a page has no time for that.
            if status == SILENT or (suspect is not None and suspect[0] == at):
                own = suspect is not None and suspect[0] == at and {suspect[1], status} <= OWN_DEATHS
                self.settled = self.settled and own
                found.append(None)
            else:
                suspect = at, status
        return found

    async def run(self, units: Sequence[Unit]) -> list[tuple[int, Small]] | None:
        """Pictures that follow one another, the first a key frame: each small, with when it was taken (microseconds
        UTC), in order of time; those that are damaged are left out. None where the decoder died of them, or is not
        asked. UnavailableError `decoder_missing` without a decoder."""
        asked = [_question(one, run=True, first=number == 0) for number, one in enumerate(units)]
        if self.deaths >= MAX_DEATHS or not asked or None in asked:
            return None
        codec = TO_CHILD.unpack_from(asked[0] or b"")[0]
        found: list[tuple[int, Small]] = []
        child = await self._started()
        assert child.stdin is not None
        child.stdin.writelines([*(one for one in asked if one is not None), TO_CHILD.pack(codec, 0, 0)])
        try:
            for _ in range(len(asked) + 1):
                found += [(taken_at(units[number]), small) for number, small in await _shown(child, len(units))]
                if len(found) > len(units):
                    raise ValueError("more pictures than it was given")
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            await self._bury(child)
            self.deaths += 1
            return None
        except BaseException:
            await self.close()
            raise
        self.deaths = 0
        return sorted(found, key=lambda one: one[0])

    async def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await _over(child)

    async def _ask(self, asked: Sequence[bytes | None], found: list[Small | None]) -> int | None:
        """None when it answered all, else what it died with before that."""
        child = await self._started()
        assert child.stdin is not None
        assert child.stdout is not None
        # All answers together are smaller than a pipe and its reader hold: nobody waits for the other for ever.
        child.stdin.writelines(one for one in asked if one is not None)
        try:
            for one in asked:
                found.append(None if one is None else await self._answer(child))
                self.deaths = 0
        except TimeoutError:
            await self._bury(child)
            return SILENT
        except (OSError, asyncio.IncompleteReadError, ValueError):
            return await self._bury(child)
        except BaseException:
            await self.close()  # whoever asks next must not get the answers to this
            raise
        return None

    async def _started(self) -> asyncio.subprocess.Process:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        return self._child

    @staticmethod
    async def _answer(child: asyncio.subprocess.Process) -> Small | None:
        assert child.stdin is not None
        assert child.stdout is not None
        async with asyncio.timeout(SILENT_SECONDS):
            mark, read = FROM_CHILD.unpack(await child.stdout.readexactly(FROM_CHILD.size))
            if mark != MARK or read > 1:
                raise ValueError("not one of its answers")
            if not read:
                return None
            body = await child.stdout.readexactly(SMALL_BYTES)
        return np.frombuffer(body, np.uint8).reshape(HEIGHT, WIDTH)

    async def _bury(self, child: asyncio.subprocess.Process) -> int:
        self._child = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):  # mostly it leaves by itself, and its status says why
                await child.wait()
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        status = await _over(child)
        if status == NOT_INSTALLED:
            raise UnavailableError("no decoder is installed", code="decoder_missing")
        self._died(str(status))
        return status


async def _over(child: asyncio.subprocess.Process) -> int:
    """The status of a child that was killed. What it had said is taken off it first: it is not over before that."""
    await child.communicate()
    return await child.wait()


def taken_at(unit: Unit) -> int:
    """When a recorded picture was taken, microseconds UTC: units come in the order they are decoded in."""
    return unit.arrived_us + (unit.pts - unit.dts) * 100 // 9


async def _shown(child: asyncio.subprocess.Process, asked: int) -> list[tuple[int, Small]]:
    """The answer to one picture of a run. ValueError for what makes no sense."""
    assert child.stdout is not None
    found: list[tuple[int, Small]] = []
    async with asyncio.timeout(SILENT_SECONDS):
        mark, count = FROM_CHILD.unpack(await child.stdout.readexactly(FROM_CHILD.size))
        if mark != MARK or count > MOST_SHOWN:
            raise ValueError("not one of its answers")
        for _ in range(count):
            (number,) = SHOWN.unpack(await child.stdout.readexactly(SHOWN.size))
            body = await child.stdout.readexactly(SMALL_BYTES)
            if number >= asked:
                raise ValueError("a picture that nobody asked for")
            found.append((number, np.frombuffer(body, np.uint8).reshape(HEIGHT, WIDTH)))
    return found


def _question(unit: Unit, *, run: bool = False, first: bool = True) -> bytes | None:
    """None for what no decoder is asked."""
    parameters = unit.parameters
    if not isinstance(parameters, VideoParameters) or parameters.codec not in live.CODECS:
        return None
    body = live.packed_sets(parameters) if first else b""
    if len(body) + len(unit.data) > live.MAX_UNIT:
        return None
    codec = live.CODECS[parameters.codec] | (RUN if run else 0)
    return TO_CHILD.pack(codec, len(body), len(unit.data)) + body + unit.data
