"""Mirrors of another slot's streams: whoever has died is waited for, whoever has given the stream away is not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from safecity.kit.clock import FakeClock
from safecity.media.slot.mirrors import MOVED_SECONDS, Mirrors
from safecity.media.streams import OPENING
from safecity.model.values.media import Quality, StreamKey

KEY = StreamKey("ch_1", Quality.MAIN)


async def test_viewers_ask_again_where_a_stream_is_that_its_slot_has_not_had_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.media.link.mirror.RETRY_SECONDS", 0.001)
    clock = FakeClock()
    moved: list[StreamKey] = []
    mirrors = Mirrors(tmp_path, clock, lambda stream: None, moved.append)
    stream = mirrors.want(KEY, "media-7")

    async def several_tries() -> None:
        for _ in range(50):
            await asyncio.sleep(0.001)

    await several_tries()
    assert stream.state == OPENING
    assert moved == [], "a slot that died is back in a moment"
    clock.advance(MOVED_SECONDS - 1)
    await several_tries()
    assert moved == []
    clock.advance(2)
    async with asyncio.timeout(30):
        while not moved:
            await asyncio.sleep(0.001)
    assert set(moved) == {KEY}
    mirrors.close()
    assert mirrors.get(KEY) is None
    await asyncio.sleep(0)
