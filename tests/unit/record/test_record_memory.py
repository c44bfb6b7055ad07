"""A slow disk costs memory while it is slow, and no longer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safecity.kit.memory import give_back_memory
from safecity.media.record.tide import CALM_TURNS, FLOOD_BYTES, Tide

MIB = 1 << 20


def test_memory_is_given_back_once_when_the_flood_has_passed() -> None:
    tide = Tide()
    calm = [tide.ebbed(20 * MIB) for _ in range(30)]
    flood = [tide.ebbed(200 * MIB) for _ in range(3)]
    after = [tide.ebbed(20 * MIB) for _ in range(60)]
    assert not any(calm + flood)
    assert [number for number, gave in enumerate(after) if gave] == [CALM_TURNS - 1]


def test_what_a_busy_slot_holds_each_turn_is_no_flood() -> None:
    busy, idle = Tide(), Tide()
    assert not any(busy.ebbed(size * MIB) for _ in range(50) for size in (60, 110, 90))
    assert not any(idle.ebbed(size) for _ in range(50) for size in (0, FLOOD_BYTES - 1))


def test_a_recorder_whose_disk_was_slow_gives_its_memory_back(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(
        "safecity.media.record.recorder.give_back_memory", lambda: given.append(world.recorder.waiting_bytes)
    )
    world.add_camera(size=200_000, gop=25)
    world.pass_time(10)
    assert given == []
    world.pass_time(8, turns=False)  # the disk hangs: 40 MB wait
    world.pass_time(20)
    assert len(given) == 1
    assert given[0] < 10 * MIB


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_pages_between_what_is_in_use_go_back_to_the_system() -> None:
    held = [bytes(4000) for _ in range(40_000)]
    kept = held[::500]  # spread over the whole heap: none of it lies at the end alone
    held.clear()
    before = _resident()
    if not give_back_memory():
        pytest.skip("this C library cannot give memory back")
    assert before - _resident() > 0.5 * 40_000 * 4000
    assert len(kept) == 80


def _resident() -> int:
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("RssAnon"))
    return int(line.split()[1]) * 1024
