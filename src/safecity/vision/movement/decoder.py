"""The slot's side of the child that makes key frames small: what dies of a picture is the child, and then another is
started for the next one."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from safecity.kit.errors import UnavailableError
from safecity.model.values.media import Codec, Unit, VideoParameters
from safecity.protocols.nalbits import with_lengths
from safecity.vision.gate import HEIGHT, WIDTH
from safecity.vision.live import wire as live
from safecity.vision.movement.wire import FROM_CHILD, MARK, NOT_INSTALLED, SMALL_BYTES, TO_CHILD

COMMAND = (sys.executable, "-m", "safecity.vision.movement.child")
SILENT_SECONDS = 20.0
"""For one picture, on a machine that has hardly any time for analysis; a child that says nothing for longer hangs."""
MAX_DEATHS = 3
"""One after the other without a picture between: what is left of the block is not tried, for each costs a child."""

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
        """Since the last picture that was answered; whoever begins with other footage sets it back."""

    async def small(self, units: Sequence[Unit]) -> list[Small | None]:
        """Each picture small, None where it cannot be decoded. UnavailableError `decoder_missing` without one."""
        found: list[Small | None] = []
        while len(found) < len(units):
            asked = [_question(one) for one in units[len(found) :]]
            if self.deaths >= MAX_DEATHS:
                return found + [None] * len(asked)
            if not await self._ask(asked, found):
                self.deaths += 1
                found.append(None)  # the one it died of
        return found

    async def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _ask(self, asked: Sequence[bytes | None], found: list[Small | None]) -> bool:
        """False when it died before it had answered all."""
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        child = self._child
        assert child.stdin is not None
        assert child.stdout is not None
        # All answers together are smaller than a pipe and its reader hold: nobody waits for the other for ever.
        child.stdin.writelines(one for one in asked if one is not None)
        try:
            for one in asked:
                found.append(None if one is None else await self._answer(child))
                self.deaths = 0
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
            await self._bury(child)
            return False
        except BaseException:
            await self.close()  # whoever asks next must not get the answers to this
            raise
        return True

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

    async def _bury(self, child: asyncio.subprocess.Process) -> None:
        self._child = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):  # mostly it leaves by itself, and its status says why
                await child.wait()
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        status = await child.wait()
        if status == NOT_INSTALLED:
            raise UnavailableError("no decoder is installed", code="decoder_missing")
        self._died(str(status))


def _question(unit: Unit) -> bytes | None:
    """None for what no decoder is asked."""
    parameters = unit.parameters
    if not isinstance(parameters, VideoParameters) or parameters.codec not in live.CODECS:
        return None
    sets = list(parameters.parameter_sets)
    body = b"".join(sets) if parameters.codec is Codec.MPEG4 else with_lengths(sets)
    if len(body) + len(unit.data) > live.MAX_UNIT:
        return None
    return TO_CHILD.pack(live.CODECS[parameters.codec], len(body), len(unit.data)) + body + unit.data
