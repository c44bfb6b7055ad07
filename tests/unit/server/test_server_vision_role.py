"""The duty `vision` ends when its slot does: a process that only answers would look alive and look at nothing."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from safecity.backends.calls import UnixCalls, UnixCallServer
from safecity.model.facts.vision_calls import AskVision, VisionFigures
from safecity.server.context import RoleContext
from safecity.server.roles import vision
from safecity.server.settings import Settings
from safecity.vision.slot import VisionSlot


@pytest.fixture
def context() -> Iterator[RoleContext]:
    folder = Path(tempfile.mkdtemp(prefix="sc-"))  # names of sockets are short
    calls, settings = folder / "calls", Settings(data=str(folder / "data"))
    yield RoleContext("vision", 0, settings, folder, {}, UnixCalls(calls), UnixCallServer(calls))
    shutil.rmtree(folder)


async def test_it_answers_until_it_is_told_to_stop(context: RoleContext) -> None:
    duty = asyncio.create_task(vision.main(context))
    async with asyncio.timeout(60):
        while not (context.run_dir / "calls" / "vision-0.sock").exists():
            await asyncio.wait({duty}, timeout=0.01)
        assert await context.calls.call("vision-0", AskVision(), timeout=30) == VisionFigures(())
        context.stopping.set()
        await duty
    await context.calls.close()
    await context.server.close()


async def test_a_slot_that_comes_to_an_end_ends_the_duty(context: RoleContext, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(_: VisionSlot) -> None:
        raise RuntimeError("nobody foresaw it")

    monkeypatch.setattr(VisionSlot, "run", failing)
    async with asyncio.timeout(60):
        with pytest.raises(RuntimeError, match="foresaw"):
            await vision.main(context)
    await context.server.close()
