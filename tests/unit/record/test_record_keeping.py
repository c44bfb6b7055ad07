"""Point 6 of the contract through a whole recorder: what people set is what the volumes do, also on a volume that was
away when it was set, and also for channels that are not recorded any more."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from powercut import PowerCutFiles

from safecity.media.record.janitor import Hold
from safecity.media.record.place import channel_bytes
from safecity.model.facts.media_calls import RecordPolicy

SECOND = 1_000_000
DAY = 86_400


def rows(world: Any, sql: str, name: str = "one") -> list[Any]:
    index = sqlite3.connect(world.folder / name / "shelf-0" / "index.db")
    found = index.execute(sql).fetchall()
    index.close()
    return found


def test_a_channel_over_its_bytes_gives_its_own_oldest_and_nobody_elses(make_world: Any) -> None:
    world = make_world(extent_bytes=256 << 10)
    small = world.add_camera(1, size=1000, policy=RecordPolicy(max_bytes=1 << 20))
    other = world.add_camera(2, size=1000)
    begin = world.clock.now_us()
    world.pass_time(130)
    archive = world.archive
    kept = sum(ref.payload for ref in archive.chunks(small.channel, 0, 1 << 60))
    assert kept <= (1 << 20) + (512 << 10)  # what is under way is not finished yet
    assert archive.chunks(other.channel, 0, 1 << 60)[0].start <= begin + SECOND
    assert {reason for (reason,) in rows(world, "SELECT reason FROM deletion")} == {"quota"}


@pytest.mark.parametrize("floor_days", [1, 0])
def test_one_camera_at_ten_times_the_rate_takes_nobodys_floor(make_world: Any, floor_days: int) -> None:
    """Without a floor the oldest goes first, whosever it is; with one whoever has most gives first."""
    world = make_world(extent_bytes=128 << 10, max_bytes=3 << 20)
    policy = RecordPolicy(floor_days=floor_days)
    world.add_camera(1, size=4000, policy=policy)
    light = [world.add_camera(seed, size=200, policy=policy) for seed in (2, 3)]
    begin = world.clock.now_us()
    world.pass_time(70)
    assert rows(world, "SELECT count(*) FROM deletion")[0][0] > 0
    archive = world.archive
    firsts = [archive.chunks(key.channel, 0, 1 << 60)[0].start for key in light]
    assert all(first <= begin + SECOND for first in firsts) is bool(floor_days)


def test_other_days_for_a_running_channel_are_in_force_at_once(make_world: Any) -> None:
    world = make_world(extent_bytes=128 << 10)
    key = world.add_camera(size=1000, policy=RecordPolicy(retention_days=30))
    begin = world.clock.now_us()
    world.pass_time(30)
    world.clock.advance(2 * DAY)
    world.pass_time(70)
    assert world.archive.chunks(key.channel, 0, begin + 10 * SECOND)
    world.cameras[key][1].apply(RecordPolicy(retention_days=1), 1)
    world.pass_time(70)
    assert world.archive.chunks(key.channel, 0, begin + 10 * SECOND) == []
    assert world.archive.chunks(key.channel, begin + DAY * SECOND, 1 << 60)


@pytest.mark.parametrize("told", [True, False])
def test_footage_of_a_channel_that_is_not_recorded_any_more_still_goes_when_it_is_due(
    make_world: Any, told: bool
) -> None:
    """After a restart nobody opens the channel: its days are told by who knows it, else the shelf remembers them."""
    world = make_world(extent_bytes=128 << 10)
    key = world.add_camera(size=1000, policy=RecordPolicy(retention_days=30 if told else 1))
    world.pass_time(70)
    world.cameras.clear()
    world.recorder.close()
    world.start()
    if told:
        world.recorder.keep(key.channel, RecordPolicy(mode="off", retention_days=1))
    world.clock.advance(2 * DAY)
    world.pass_time(70)
    assert world.archive.chunks(key.channel, 0, 1 << 60) == []
    assert {reason for (reason,) in rows(world, "SELECT reason FROM deletion")} == {"expired"}


def test_a_hold_is_durable_when_it_is_answered_and_a_released_one_holds_nothing(make_world: Any) -> None:
    world = make_world(extent_bytes=128 << 10)
    key = world.add_camera(size=1000, policy=RecordPolicy(retention_days=1))
    begin = world.clock.now_us()
    world.pass_time(70)
    placed = world.recorder.place_hold("h", key.channel, begin + 20 * SECOND, begin + 30 * SECOND, "case 1")
    world.recorder._run_commands()
    placed.result(0)
    world.die()
    assert rows(world, "SELECT id, reason FROM hold") == [("h", "case 1")]
    world.reopen()
    world.clock.advance(2 * DAY)
    world.pass_time(70)
    kept = world.archive.chunks(key.channel, 0, begin + 70 * SECOND)
    assert kept[0].start <= begin + 20 * SECOND
    assert kept[-1].end >= begin + 30 * SECOND - 1000
    assert world.recorder.figures()[0].held_bytes > 0
    world.recorder.release_hold("h")
    world.pass_time(70)
    assert world.archive.chunks(key.channel, 0, begin + 70 * SECOND) == []


@pytest.mark.parametrize("restart", [False, True])
def test_a_volume_that_was_away_hears_of_holds_and_releases_before_it_deletes_anything(
    make_world: Any, restart: bool
) -> None:
    files = PowerCutFiles()
    world = make_world(files, extent_bytes=128 << 10)
    world.names.append("two")
    world.recorder.close()
    world.start()
    keys = [world.add_camera(seed + 1, size=1000, policy=RecordPolicy(retention_days=1)) for seed in range(2)]
    begin = world.clock.now_us()
    world.pass_time(30)
    away = next(key for key in keys if world.recorder._lines[key].place.spec.name == "two")
    first = world.recorder.place_hold("released", away.channel, begin, begin + 10 * SECOND)
    world.recorder._run_commands()
    first.result(0)
    for name in world.names:
        assert rows(world, "SELECT id FROM hold", name) == [("released",)]
    files.unmounted.add(world.folder / "two")
    world.pass_time(6)
    assert {one.name: one.state for one in world.recorder.figures()}["two"] == "offline"
    placed = world.recorder.place_hold("placed", away.channel, begin + 15 * SECOND, begin + 25 * SECOND)
    world.recorder.release_hold("released")
    world.pass_time(1)
    placed.result(0)
    if restart:
        world.recorder.close()
        world.start()
        hold = Hold(channel_bytes(away.channel), begin + 15 * SECOND, begin + 25 * SECOND, "", 0)
        world.recorder.use_holds({"released": None, "placed": hold})
        world.recorder.turn()
        world.cameras.clear()
    world.clock.advance(2 * DAY)
    files.unmounted.clear()
    world.pass_time(30)
    assert {one.name: one.state for one in world.recorder.figures()}["two"] == "ready"
    assert [name for (name,) in rows(world, "SELECT id FROM hold", "two")] == ["placed"]
    archive = world.archive
    kept = archive.chunks(away.channel, begin, begin + 30 * SECOND)
    assert kept[0].start <= begin + 15 * SECOND
    assert kept[-1].end >= begin + 25 * SECOND - 1000
    assert archive.chunks(away.channel, begin, begin + 5 * SECOND) == []


def test_a_volume_that_fills_up_within_a_second_loses_no_picture_to_it(make_world: Any) -> None:
    """Nobody looked for room in time: what does not fit any more is written to the sibling in the same turn."""
    world = make_world(layout="channel", extent_bytes=256 << 10, max_bytes=1 << 20)
    world.names.append("two")
    world.recorder.close()
    world.start()
    key = world.add_camera(1, size=4000)
    world.recorder.place_hold("all", key.channel, 0, 1 << 60)
    world.recorder.turn()
    for place in world.recorder._places:
        place._check_at = 1 << 62
    begin = world.clock.now_us()
    world.pass_time(16)
    assert len({ref.shelf for ref in world.archive.chunks(key.channel, 0, 1 << 60)}) == 2
    numbers = world.pictures(key)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 14 * 25
    assert world.archive.timeline(key.channel, begin, world.clock.now_us()).gaps == ()
