"""A recorded stream over its life: on demand, pre-roll, schedule, slow disk, full disk, set clock, other codec."""

from __future__ import annotations

from typing import Any

import pytest
from powercut import PowerCutFiles

from conftest import H264_OTHER
from safecity.kit.errors import UnavailableError
from safecity.media.record.facts import GapOpened, SegmentClosed
from safecity.model.facts.media_calls import RecordPolicy, Span
from safecity.model.values.media import Codec, Quality, StreamKey, VideoParameters

SECOND = 1_000_000


def test_on_demand_begins_with_the_pre_roll_and_ends_after_the_post_roll(world: Any) -> None:
    policy = RecordPolicy(mode="off", pre_roll_seconds=10, post_roll_seconds=5)
    key = world.add_camera(policy=policy)
    world.pass_time(30)
    assert world.archive.chunks(key.channel, 0, 1 << 60) == []
    _, stream = world.cameras[key]
    asked = world.clock.now_us()
    stream.start_recording()
    assert stream.demanded
    world.pass_time(10)
    stream.stop_recording()
    stopped = world.clock.now_us()
    world.pass_time(20)
    timeline = world.archive.timeline(key.channel, 0, world.clock.now_us())
    (piece,) = timeline.pieces
    assert 10 * SECOND <= asked - piece.start <= 13 * SECOND
    assert 4 * SECOND <= piece.end - stopped <= 7 * SECOND
    assert timeline.gaps == ()
    archive = world.archive
    assert archive.units(archive.chunks(key.channel, 0, 1 << 60)[0])[0].is_key


def test_a_recording_that_was_asked_for_until_a_time_ends_then(world: Any) -> None:
    key = world.add_camera(policy=RecordPolicy(mode="off", pre_roll_seconds=0, post_roll_seconds=5))
    world.pass_time(4)
    until = world.clock.now_us() + 10 * SECOND
    world.cameras[key][1].start_recording(until)
    world.pass_time(30)
    assert not world.cameras[key][1].demanded
    (piece,) = world.archive.timeline(key.channel, 0, world.clock.now_us()).pieces
    assert abs(piece.end - until) <= 1 * SECOND


def test_pre_roll_never_takes_more_memory_than_it_may(world: Any) -> None:
    """A camera of 40 Mbit/s whose pre-roll of 60 s would be 300 MB."""
    policy = RecordPolicy(mode="off", pre_roll_seconds=60)
    key = world.add_camera(policy=policy, size=200_000, gop=25)
    _, stream = world.cameras[key]
    most = 0
    for _ in range(20):
        world.pass_time(0.5)
        most = max(most, sum(len(unit.data) for unit in stream._ring))
    assert 1 << 20 < most <= (8 << 20) + 800_000
    stream.start_recording()
    world.pass_time(3)
    numbers = world.pictures(key)
    assert numbers[0] % 25 == 0
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_a_schedule_leaves_gaps_that_are_called_schedule(world: Any) -> None:
    """14 November 2023, 22:13:20 UTC is Wednesday 6:13 in Shanghai."""
    policy = RecordPolicy(
        mode="schedule", schedule=(Span(2, 6 * 60 + 14, 6 * 60 + 15), Span(2, 6 * 60 + 16, 6 * 60 + 17))
    )
    key = world.add_camera(policy=policy)
    begin = world.clock.now_us()
    world.pass_time(240)
    timeline = world.archive.timeline(key.channel, begin, world.clock.now_us())
    assert len(timeline.pieces) == 2
    assert {gap.cause for gap in timeline.gaps} == {"schedule"}
    lengths = [(one.end - one.start) / SECOND for one in timeline.pieces]
    assert all(58 < length < 75 for length in lengths)


def test_another_codec_is_a_new_run_in_the_same_footage(world: Any) -> None:
    key = world.add_camera()
    world.pass_time(10)
    world.cameras[key][0].parameters = H264_OTHER
    world.pass_time(10)
    archive = world.archive
    refs = archive.chunks(key.channel, 0, 1 << 60)
    assert len({ref.run for ref in refs}) == 2
    assert archive.parameters(refs[0])[0].width == 1920
    assert archive.parameters(refs[-1])[0].width == 1280
    assert len(archive.timeline(key.channel, 0, 1 << 60).pieces) == 1


def test_both_half_past_twos_of_a_set_clock_can_be_played(world: Any) -> None:
    key = world.add_camera()
    begin = world.clock.now_us()
    world.pass_time(100)
    world.clock.step_wall(-3600)
    world.pass_time(20)
    numbers = world.pictures(key)
    assert sorted(numbers) == list(range(len(numbers)))
    assert len(numbers) >= 119 * 25
    timeline = world.archive.timeline(key.channel, begin - 3600 * SECOND, begin + 200 * SECOND)
    assert len(timeline.pieces) == 2
    assert world.check().good


def test_main_and_sub_streams_of_a_channel_do_not_mix(world: Any) -> None:
    main = world.add_camera(1)
    sub = world.add_camera(2, key=StreamKey(main.channel, Quality.SUB), size=300)
    world.pass_time(10)
    archive = world.archive
    for key, seed in ((main, 1), (sub, 2)):
        refs = archive.chunks(key.channel, 0, 1 << 60, key.quality)
        assert archive.units(refs[0])[0].dts == 90_000 * seed


@pytest.mark.parametrize("priorities", [(1, 5), (3, 3)])
def test_a_disk_that_is_too_slow_costs_the_least_important_and_blocks_nobody(make_world: Any, priorities: Any) -> None:
    world = make_world()
    world.recorder._pending.limits = type(world.recorder._pending.limits).of(600_000)
    keys = [
        world.add_camera(seed, size=2000, policy=RecordPolicy(priority=priority))
        for seed, priority in enumerate(priorities, 1)
    ]
    world.pass_time(4)
    world.pass_time(5.4, turns=False)  # the disk hangs
    world.recorder.turn()
    world.pass_time(10)
    shed = [world.cameras[key][1].shed for key in keys]
    if priorities == (1, 5):
        assert shed[0] == 0
        assert world.pictures(keys[0]) == list(range(len(world.pictures(keys[0]))))
    assert shed[1] > 0
    gaps = world.archive.timeline(keys[1].channel, 0, world.clock.now_us(), 500).gaps
    assert gaps == () or [gap.cause for gap in gaps] == ["disk"]
    assert world.recorder.waiting_bytes < 600_000


def test_a_disk_full_of_others_things_is_offline_and_comes_back(make_world: Any) -> None:
    files = PowerCutFiles()
    world = make_world(files, extent_bytes=256 << 10, max_bytes=0)
    key = world.add_camera(size=2000)
    begin = world.clock.now_us()
    world.pass_time(10)
    files.full = True
    files.free_bytes = 0
    world.pass_time(15)
    figure = world.recorder.figures()[0]
    assert figure.state in ("full", "offline")
    assert figure.code == "volume_full"
    files.full = False
    files.free_bytes = 1 << 40
    world.pass_time(30)
    assert world.recorder.figures()[0].state == "ready"
    gaps = world.archive.timeline(key.channel, begin, world.clock.now_us()).gaps
    assert {gap.cause for gap in gaps if gap.end - gap.start > 2 * SECOND} <= {"disk", "deleted"}
    assert world.check().good


def test_a_volume_unmounted_under_way_stops_and_its_streams_move(make_world: Any) -> None:
    files = PowerCutFiles()
    world = make_world(files)
    world.names.append("two")
    world.recorder.close()
    world.start()
    keys = [world.add_camera(seed + 1) for seed in range(2)]
    world.pass_time(5)
    files.unmounted.add(world.folder / "one")
    world.pass_time(10)
    figures = {one.name: one for one in world.recorder.figures()}
    assert figures["one"].code == "volume_offline"
    files.unmounted.clear()
    world.pass_time(15)
    assert {one.state for one in world.recorder.figures()} == {"ready"}
    for key in keys:
        numbers = sorted(set(world.pictures(key)))
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= 29 * 25


def test_retention_in_days_frees_what_is_older(make_world: Any) -> None:
    world = make_world(extent_bytes=256 << 10)
    key = world.add_camera(size=1000, policy=RecordPolicy(retention_days=1))
    world.pass_time(30)
    old = world.clock.now_us()
    world.clock.advance(86_400 * 2)
    world.pass_time(70)
    assert world.archive.chunks(key.channel, 0, old - 15 * SECOND) == []
    assert world.archive.chunks(key.channel, old + SECOND, 1 << 60)


def test_minutes_are_told_when_they_are_closed(world: Any) -> None:
    key = world.add_camera()
    world.pass_time(130)
    closed = [fact for fact in world.facts if isinstance(fact, SegmentClosed)]
    assert len(closed) == 2
    assert closed[0].key == key
    assert closed[1].start == closed[0].end


def test_days_and_keys_are_found(world: Any) -> None:
    key = world.add_camera(gop=50)
    begin = world.clock.now_us()
    world.pass_time(20)
    archive = world.archive
    assert len(archive.days(key.channel, begin - 86_400 * SECOND, begin + 86_400 * SECOND)) == 1
    ref = archive.key_before(key.channel, begin + 9_500_000)
    assert ref is not None
    assert begin + 7_900_000 <= ref.key <= begin + 9_500_000
    after = archive.key_after(key.channel, begin + 9_500_000)
    assert after is not None
    assert after.key >= begin + 9_500_000
    assert archive.key_before(key.channel, begin - SECOND) is None


def test_other_settings_of_a_volume_cost_no_picture(make_world: Any) -> None:
    world = make_world()
    world.names.append("two")
    world.recorder.close()
    world.start()
    keys = [world.add_camera(seed + 1) for seed in range(2)]
    world.pass_time(5)
    world.settings["max_bytes"] = 32 << 20
    world.recorder.set_volumes(world.specs())
    world.pass_time(5)
    world.names.remove("two")
    world.recorder.set_volumes(world.specs())
    world.pass_time(5)
    world.names.append("two")
    assert len(world.recorder.figures()) == 1
    for key in keys:
        numbers = world.pictures(key)
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > 14 * 25
    # Whoever had to change the volume went on within a group of pictures, and says so.
    begun = [how for key in keys for how in world.beginnings(key)]
    assert set(begun) == {"key", "continues"}


def test_the_epoch_of_its_placement_stands_in_each_chunk(world: Any) -> None:
    """So that two who recorded the same channel can be told apart."""
    key = world.add_camera()
    world.pass_time(3)
    world.cameras[key][1].apply(RecordPolicy(), 5)
    world.pass_time(3)
    world.recorder.close()
    world.reopen()  # under the next one
    world.pass_time(3)
    archive = world.archive
    epochs = [archive.read_chunk(ref).header.epoch for ref in archive.chunks(key.channel, 0, 1 << 60)]
    assert epochs == sorted(epochs)
    assert set(epochs) == {1, 5, 6}


def test_without_direct_writes_the_volume_says_so_and_records(make_world: Any) -> None:
    files = PowerCutFiles()
    files.direct = lambda folder: False
    world = make_world(files)
    key = world.add_camera()
    world.pass_time(10)
    assert world.recorder.figures()[0].mode == "buffered"
    assert len(world.pictures(key)) > 8 * 25


def test_a_hold_that_no_volume_can_keep_is_refused(world: Any) -> None:
    key = world.add_camera()
    world.pass_time(3)
    volume = world.folder / "one"
    (volume / "safecity-volume.json").rename(volume / "away.json")
    world.pass_time(6)
    placed = world.recorder.place_hold("h", key.channel, 0, 1)
    world.recorder.turn()
    with pytest.raises(UnavailableError):
        placed.result(0)
    (volume / "away.json").rename(volume / "safecity-volume.json")


def test_a_stream_nobody_can_decode_is_a_gap_of_the_camera_and_harms_no_other(world: Any) -> None:
    good, bad = world.add_camera(1), world.add_camera(2)
    world.cameras[bad][0].parameters = VideoParameters(Codec.H264, 0, 0, (b"", b"\x68"), "")
    world.pass_time(20)
    assert len(world.pictures(good)) > 18 * 25
    assert world.archive.chunks(bad.channel, 0, 1 << 60) == []
    gaps = [fact for fact in world.facts if isinstance(fact, GapOpened)]
    assert {(fact.key, fact.cause) for fact in gaps} == {(bad, "camera")}


def test_what_was_deleted_while_the_disk_went_away_does_not_come_back(make_world: Any) -> None:
    """Between the two phases of a deletion the mount is lost: the second one waits for it."""
    files = PowerCutFiles()
    world = make_world(files, extent_bytes=256 << 10, layout="channel")
    key = world.add_camera(size=2000, policy=RecordPolicy(retention_days=1))
    world.pass_time(30)
    old = world.clock.now_us()
    janitor = world.recorder._places[0].janitor
    second = janitor._free_extents

    def lose_the_disk() -> None:
        files.unmounted.add(world.folder / "one")
        second()

    janitor._free_extents = lose_the_disk
    world.clock.advance(86_400 * 2)
    world.pass_time(5)
    assert world.recorder.figures()[0].code == "volume_offline"
    files.unmounted.clear()
    world.pass_time(20)
    assert world.recorder.figures()[0].state == "ready"
    assert world.archive.chunks(key.channel, 0, old - 15 * SECOND) == []
    assert any(path.parent.name == "free" for path in files.entries)
    assert world.check().good
