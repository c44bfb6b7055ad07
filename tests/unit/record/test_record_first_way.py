"""From unit to disk and back, the ordinary way."""

from __future__ import annotations

from typing import Any

import pytest

SECOND = 1_000_000


@pytest.mark.parametrize("layout", ["channel", "shared"])
def test_what_was_offered_is_read_back_unchanged(make_world: Any, layout: str) -> None:
    world = make_world(layout=layout)
    one, two = world.add_camera(1, sound=True), world.add_camera(2)
    start = world.clock.now_us()
    world.pass_time(130)
    world.recorder.turn()

    timeline = world.archive.timeline(one.channel, start, world.clock.now_us())
    assert len(timeline.pieces) == 1
    assert timeline.pieces[0].end - timeline.pieces[0].start >= 129 * SECOND
    assert timeline.gaps == ()
    archive = world.archive
    for key, seed in ((one, 1), (two, 2)):
        units = [
            unit for ref in archive.chunks(key.channel, start, world.clock.now_us()) for unit in archive.units(ref)
        ]
        pictures = [unit for unit in units if unit.track == 0]
        assert [int.from_bytes(unit.data[:4], "big") for unit in pictures] == list(range(130 * 25))
        assert pictures[0].dts == 90_000 * seed
        assert all(abs(unit.arrived_us - start - number * 40_000) <= 1000 for number, unit in enumerate(pictures))
