"""Points 1, 2, 3 and 5 of the contract: what a power cut may and may not do."""

from __future__ import annotations

from typing import Any

import pytest
from powercut import PowerCut, PowerCutFiles

LIMIT = 2.0


def live_until_cut(world: Any, operation: int, seconds: float = 5.0) -> None:
    world.files.cut_at = world.files.operations + operation
    with pytest.raises(PowerCut):
        for _ in range(100):
            world.pass_time(seconds)


@pytest.mark.parametrize("layout", ["channel", "shared"])
@pytest.mark.parametrize("operation", [*range(1, 22), *range(23, 60, 6)])
def test_point_1_2_3_a_cut_at_any_operation_costs_two_seconds_and_leaves_no_lie(
    make_world: Any, layout: str, operation: int
) -> None:
    world = make_world(PowerCutFiles(), layout=layout, extent_bytes=256 << 10)
    keys = [world.add_camera(1, size=500), world.add_camera(2, size=300, sound=True)]
    world.pass_time(4)
    live_until_cut(world, operation)
    world.cut_power(operation)
    died = world.clock.now_us()

    world.clock.advance(20)
    world.start()
    report = world.check()
    assert report.findings == []
    for key in keys:
        last = world.archive.chunks(key.channel, 0, 1 << 60)[-1]
        assert died - last.end <= LIMIT * 1_000_000
        numbers = world.pictures(key)
        assert numbers == list(range(numbers[-1] + 1))


@pytest.mark.parametrize("seed", range(8))
def test_point_5_extents_that_change_hands_survive_a_cut(make_world: Any, seed: int) -> None:
    """Retention at work: renames may be lost, old content must never come back as new footage."""
    world = make_world(PowerCutFiles(), extent_bytes=128 << 10, max_bytes=1 << 20, layout="shared")
    key = world.add_camera(seed, size=800)
    world.pass_time(60)
    live_until_cut(world, 40 + 7 * seed)
    world.cut_power(seed)
    world.start()
    assert world.check().findings == []
    numbers = world.pictures(key)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
