"""A loop that loads a platform behaves as a camera does."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from safecity.sim.encode import VideoSpec
from safecity.sim.loop import LoopGroup

SYSTEM_HEADER = b"\0\0\x01\xbb"
"""Goes before key frames alone (GB/T 28181, annex C)."""


async def test_who_is_asked_for_a_key_frame_sends_it_with_the_next_picture() -> None:
    group = LoopGroup(VideoSpec(width=176, height=144, fps=25, kbps=100, gop_seconds=4.0), 0.0)
    pictures: list[tuple[bool, int]] = []
    enough = asyncio.Event()

    def take(payloads: list[bytes], pts: int) -> None:
        pictures.append((SYSTEM_HEADER in payloads[0], pts))
        if len(pictures) == 3:
            group.want_key()
        if len(pictures) == 6:
            enough.set()

    group.join("camera", take)
    await enough.wait()
    group.leave("camera")
    assert [key for key, _ in pictures[:6]] == [True, False, False, True, False, False]
    stamps = [pts for _, pts in pictures]
    assert [b - a for a, b in pairwise(stamps)] == [3600] * (len(stamps) - 1), "its clock goes on"
