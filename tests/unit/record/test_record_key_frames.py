"""The key frames of a recording, for a search that never asks the recorder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safecity.backends.sqlitefile import open_reader
from safecity.kit.errors import SafecityError
from safecity.media.playback.keys import ShelfKeys
from safecity.model.values.media import Quality, VideoParameters

SECOND = 1_000_000


def keys_of(world: Any) -> ShelfKeys:
    return ShelfKeys([world.folder / name for name in world.names], open_reader)


def test_each_key_frame_is_found_once_with_its_time_its_bytes_and_what_decodes_it(world: Any) -> None:
    begin = world.clock.now_us()
    key = world.add_camera()
    other = world.add_camera(2)
    world.pass_time(20.2)
    keys = keys_of(world)
    places = keys.places(key.channel, Quality.MAIN, begin, begin + 19 * SECOND)
    assert [round((one.at - begin) / SECOND, 2) for one in places] == [
        0.0,
        2.0,
        4.0,
        6.0,
        8.0,
        10.0,
        12.0,
        14.0,
        16.0,
        18.0,
    ]
    for number, place in enumerate(places):
        unit = keys.load(place)
        assert int.from_bytes(unit.data[:4], "big") == number * 50
        assert unit.is_key
        assert unit.arrived_us == place.at
        assert isinstance(unit.parameters, VideoParameters)
        assert unit.parameters.width == 1920
    within = keys.places(key.channel, Quality.MAIN, begin + 3 * SECOND, begin + 6 * SECOND)
    assert [one.mark for one in within] == [places[2].mark], "half-open"
    assert len({one.mark for one in places}) == len(places)
    assert keys.places(other.channel, Quality.SUB, begin, begin + 20 * SECOND) == []
    assert keys.first(key.channel, Quality.MAIN) == places[0].at
    assert keys.first("ch_01m8be1thae1090251pjh5j05q", Quality.MAIN) is None
    keys.close()


def test_where_nothing_is_recorded_it_says_so_also_before_and_behind_all_footage(world: Any) -> None:
    begin = world.clock.now_us()
    key = world.add_camera()
    world.pass_time(10)
    world.pass_time(12, silent=frozenset({key}))
    world.pass_time(10)
    found = keys_of(world).absences(key.channel, Quality.MAIN, begin - 30 * SECOND, begin + 60 * SECOND)
    spans = [(round((one.start - begin) / SECOND), round((one.end - begin) / SECOND)) for one in found]
    assert spans[0] == (-30, 0)
    assert spans[1][0] in (10, 11)
    assert spans[1][1] in (22, 23, 24)
    assert spans[-1][0] in (31, 32)
    assert spans[-1][1] == 60
    assert all(one.cause for one in found)


def test_a_hole_at_the_edge_of_the_footage_is_told_whole_not_only_what_is_known_of_it(world: Any) -> None:
    begin = world.clock.now_us()
    key = world.add_camera()
    world.pass_time(20)
    world.recorder.erase(key.channel, begin - SECOND, begin + 9 * SECOND, "asked for")
    world.pass_time(3)
    found = keys_of(world).absences(key.channel, Quality.MAIN, begin - 30 * SECOND, begin + 19 * SECOND)
    assert [one.cause for one in found] == ["unknown", "deleted"], "before the first picture nothing was recorded"
    assert found[0][:2] == (begin - 30 * SECOND, found[1].start)
    assert found[1].end == pytest.approx(begin + 9 * SECOND, abs=SECOND)


def test_what_was_erased_is_not_found_and_what_goes_meanwhile_is_told(world: Any) -> None:
    begin = world.clock.now_us()
    key = world.add_camera()
    world.pass_time(30)
    keys = keys_of(world)
    before = keys.places(key.channel, Quality.MAIN, begin, begin + 30 * SECOND)
    done = world.recorder.erase(key.channel, begin + 9 * SECOND, begin + 15 * SECOND, "asked for")
    world.pass_time(3)
    done.result(timeout=0)
    after = keys.places(key.channel, Quality.MAIN, begin, begin + 30 * SECOND)
    gone = {one.mark for one in before} - {one.mark for one in after}
    assert len(gone) == 3, "the key frames at 10, 12 and 14 s"
    for place in before:
        if place.mark in gone:
            with pytest.raises(SafecityError):
                keys.load(place)
    assert len([keys.load(one) for one in after]) == len(after)


def test_a_volume_that_is_away_is_passed_over(world: Any, tmp_path: Path) -> None:
    begin = world.clock.now_us()
    key = world.add_camera()
    world.pass_time(5)
    paths = [tmp_path / "nowhere", *(world.folder / name for name in world.names)]
    keys = ShelfKeys(paths, open_reader)
    assert len(keys.places(key.channel, Quality.MAIN, begin, begin + 4 * SECOND)) == 2
