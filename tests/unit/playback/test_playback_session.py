"""A viewer of recordings: any second, any speed, both ways, over gaps and runs."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import pytest

SECOND = 1_000_000


def whole(player: Any) -> None:
    """The viewer's line has no hole and never goes back."""
    for one, two in pairwise(player.pictures):
        assert two.media - one.media > 0, (one, two)
        assert two.media <= one.media + one.lasts + 1, (one, two)


async def test_a_seek_shows_the_very_picture(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 60, run=1)
    player = play()
    await player.tell("seek", at=t0 + 13_333_000)
    position = player.last("position")
    assert position["at"] == t0 + 13_320_000
    assert player.shown_at(position["media"]) == t0 + 13_320_000
    assert player.pictures[0].is_key
    assert player.pictures[0].taken == t0 + 12 * SECOND
    assert player.inits == 1
    order = [one["type"] for one in player.said]
    assert order == ["init", "position"]


async def test_playing_goes_on_and_stays_a_little_ahead(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 60, run=1)
    player = play()
    await player.tell("play", at=t0)
    assert 3 <= len(player.pictures) / 25 <= 5
    await player.watch(20)
    assert 22 <= len(player.pictures) / 25 <= 25
    assert [one.taken for one in player.pictures] == [t0 + n * 40_000 for n in range(len(player.pictures))]
    whole(player)


@pytest.mark.parametrize("speed", [0.5, 2, 4])
async def test_every_picture_comes_up_to_four_times_the_speed(footage: Any, play: Any, t0: int, speed: float) -> None:
    footage.record(t0, 120, run=1)
    player = play()
    await player.tell("play", at=t0, speed=speed)
    await player.watch(10)
    length = (player.pictures[-1].media - player.pictures[0].media) / 90_000
    taken = (player.pictures[-1].taken - player.pictures[0].taken) / SECOND
    assert taken / length == pytest.approx(speed, rel=0.01)
    assert 12 <= length <= 15
    assert [one.taken for one in player.pictures] == [t0 + n * 40_000 for n in range(len(player.pictures))]
    whole(player)


@pytest.mark.parametrize(("speed", "direction"), [(8, 1), (16, 1), (1, -1), (4, -1), (16, -1)])
async def test_faster_and_backwards_only_key_frames_come(
    footage: Any, play: Any, t0: int, speed: float, direction: int
) -> None:
    footage.record(t0, 400, run=1)
    player = play()
    await player.tell("play", at=t0 + 200 * SECOND, speed=speed, direction=direction)
    await player.watch(8)
    assert all(one.is_key for one in player.pictures)
    steps = {two.taken - one.taken for one, two in pairwise(player.pictures)}
    assert steps == {direction * 2 * SECOND}
    length = (player.pictures[-1].media - player.pictures[1].media) / 90_000
    taken = (player.pictures[-1].taken - player.pictures[1].taken) / SECOND
    assert taken / length == pytest.approx(speed * direction, rel=0.02)
    whole(player)


async def test_a_gap_is_told_and_jumped_over(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 4, run=1)
    footage.record(t0 + 100 * SECOND, 10, run=2)
    player = play()
    await player.tell("play", at=t0)
    await player.watch(4)
    gap = player.last("gap")
    assert (gap["start"], gap["end"], gap["cause"]) == (t0 + 4 * SECOND, t0 + 100 * SECOND, "network")
    assert player.pictures[100].taken == t0 + 100 * SECOND
    assert player.inits == 2
    whole(player)


@pytest.mark.parametrize("speed", [0.5, 1, 2])
@pytest.mark.parametrize("codec", ["aac", "pcma"])
async def test_a_camera_that_paused_for_a_moment_leaves_no_hole_on_the_line(
    footage: Any, play: Any, t0: int, speed: float, codec: str, request: pytest.FixtureRequest
) -> None:
    """A browser waits for ever before one, though all that follows is there."""
    pause, sound = 300_000, request.getfixturevalue(codec)
    footage.record(t0, 2, run=1, sound=sound)
    behind = t0 + 2 * SECOND + pause
    footage.record(behind, 4, run=1, sound=sound, begins=2 + pause / SECOND)
    player = play()
    await player.tell("play", at=t0, speed=speed)
    await player.watch(12)
    for one, two in pairwise(player.pictures):
        assert one.media + one.lasts == two.media, (one, two)
    at = next(n for n, one in enumerate(player.pictures) if one.taken == behind)
    after = [one.media - player.pictures[0].media for one in player.pictures[at + 1 :]]
    assert after[0] == round(2.34 * 90_000 / speed), "what follows is shown at its own time"
    for one in player.pictures[at : at + 2]:
        assert player.heads[one.media] == one.taken, "each is told with its own time, which steps go by"


@pytest.mark.parametrize("ask", ["seek", "step"])
async def test_no_two_pictures_claim_the_moment_that_is_jumped_to(footage: Any, play: Any, t0: int, ask: str) -> None:
    """How long the last picture of a chunk lasts was a guess: a browser would show it instead of the one behind it."""
    early = 5_000
    footage.record(t0, 2, run=1)
    behind = t0 + 2 * SECOND - early
    footage.record(behind, 2, run=1, begins=2 - early / SECOND, key_at=3)
    player = play()
    await player.tell(ask, at=behind if ask == "seek" else behind - 40_000 + early, direction=1)
    assert player.last("position")["at"] == behind
    assert player.shown_at(player.last("position")["media"]) == behind
    for one, two in pairwise(player.pictures):
        assert one.media + one.lasts == two.media, (one, two)


async def test_a_seek_into_a_gap_lands_behind_it(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 4, run=1)
    footage.record(t0 + 100 * SECOND, 10, run=2)
    player = play()
    await player.tell("seek", at=t0 + 50 * SECOND)
    assert player.last("position")["at"] == t0 + 100 * SECOND
    assert player.last("gap")["end"] == t0 + 100 * SECOND


@pytest.mark.parametrize("ask", ["seek", "play", "step"])
async def test_footage_that_begins_with_sound_alone_shows_its_first_picture(
    footage: Any, play: Any, t0: int, ask: str
) -> None:
    """A camera's sound is there before its first key frame: up to a whole group of pictures of it is recorded."""
    footage.record_sound_alone(t0, 5, run=1)
    footage.record(t0 + 5 * SECOND, 10, run=2)
    player = play()
    await player.tell(ask, at=t0 + SECOND)
    position = player.last("position")
    assert position["at"] == t0 + 5 * SECOND
    assert player.shown_at(position["media"]) == t0 + 5 * SECOND
    assert not [one for one in player.said if one["type"] == "end_of_footage"]


async def test_backwards_nothing_is_before_sound_alone(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 4, run=1)
    footage.record_sound_alone(t0 + 4 * SECOND, 5, run=2)
    footage.record(t0 + 9 * SECOND, 4, run=3)
    player = play()
    await player.tell("step", at=t0 + 9 * SECOND, direction=-1)
    assert player.last("position")["at"] == t0 + 4 * SECOND - 40_000
    await player.tell("step", at=t0 + 4 * SECOND - 40_000, direction=1)
    assert player.last("position")["at"] == t0 + 9 * SECOND
    await player.tell("play", at=t0 + 7 * SECOND, direction=-1)
    assert player.last("position")["at"] == t0 + 2 * SECOND
    await player.tell("seek", at=t0 + 7 * SECOND)
    assert player.last("position")["at"] == t0 + 2 * SECOND, "still backwards"
    await player.tell("play", at=t0 + 7 * SECOND, direction=1)
    assert player.last("position")["at"] == t0 + 9 * SECOND


async def test_a_changed_codec_gets_a_new_init_and_plays_on(footage: Any, play: Any, t0: int, wide: Any) -> None:
    footage.record(t0, 4, run=1)
    footage.record(t0 + 4 * SECOND, 4, run=2, parameters=wide)
    player = play()
    await player.tell("play", at=t0)
    await player.watch(6)
    inits = [one for one in player.said if one["type"] == "init"]
    assert [one["width"] for one in inits] == [640, 1280]
    assert len(player.pictures) == 200
    assert not [one for one in player.said if one["type"] == "gap"]
    whole(player)


async def test_frame_steps_both_ways(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 10, run=1)
    player = play()
    at = t0 + 4 * SECOND
    for direction, expected in ((1, 40_000), (1, 80_000), (-1, 40_000), (-1, 0), (-1, -40_000)):
        await player.tell("step", direction=direction, at=at)
        position = player.last("position")
        at = position["at"]
        assert at == t0 + 4 * SECOND + expected
        assert player.shown_at(position["media"]) == at
    await player.tell("play")
    assert player.last("position")["at"] == at
    assert player.pictures[-1].taken >= t0 + 6 * SECOND


@pytest.mark.parametrize("told", [-50, -1, 0, 1, 700, 20_000, 39_500], ids=lambda us: f"{us} us beside its start")
async def test_a_step_goes_from_the_picture_that_is_shown(footage: Any, play: Any, t0: int, told: int) -> None:
    footage.record(t0, 10, run=1)
    player = play()
    shown = t0 + 5 * SECOND
    await player.tell("step", direction=-1, at=shown + told)
    assert player.last("position")["at"] == shown - 40_000, "back from any moment within the picture"
    await player.tell("step", direction=1, at=shown + told)
    assert player.last("position")["at"] == shown + 40_000


async def test_a_step_back_leaves_a_group_of_pictures_that_begins_within_a_chunk(
    footage: Any, play: Any, t0: int
) -> None:
    """The picture before a key frame needs the key frame before it, though both lie in one chunk."""
    footage.record(t0, 10, run=1, key_at=10)
    player = play()
    key = t0 + 4 * SECOND + 10 * 40_000
    for direction, expected in ((-1, -40_000), (1, 0), (1, 40_000)):
        await player.tell("step", direction=direction, at=key + min(0, expected - direction * 40_000))
        position = player.last("position")
        assert position["at"] == key + expected
        assert player.shown_at(position["media"]) == position["at"], "the picture was sent"
    first = t0 + 10 * 40_000
    await player.tell("step", direction=-1, at=first)
    position = player.last("position")
    assert position["at"] == first, "what lies before it nobody can show"
    assert player.shown_at(position["media"]) == first


async def test_a_step_crosses_a_gap(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 2, run=1)
    footage.record(t0 + 100 * SECOND, 2, run=2)
    player = play()
    await player.tell("step", direction=1, at=t0 + 2 * SECOND - 40_000)
    assert player.last("position")["at"] == t0 + 100 * SECOND
    await player.tell("step", direction=-1, at=t0 + 100 * SECOND)
    assert player.last("position")["at"] == t0 + 2 * SECOND - 40_000


async def test_the_first_and_the_last_picture_are_the_end_of_stepping(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 2, run=1)
    player = play()
    await player.tell("step", direction=-1, at=t0)
    assert player.last("end_of_footage")["at"] == t0 or player.last("position")["at"] == t0
    await player.tell("step", direction=1, at=t0 + 2 * SECOND - 40_000)
    assert player.last("position")["at"] == t0 + 2 * SECOND - 40_000


async def test_thumbnails_are_whole_pictures(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 10, run=1)
    player = play()
    await player.tell("thumb", at=t0 + 5 * SECOND)
    [(wall, data)] = player.thumbs
    assert wall == t0 + 4 * SECOND
    assert data[4:8] == b"ftyp"
    assert b"moof" in data
    assert io.BytesIO(data).read()[-8:] == (t0 + 4 * SECOND).to_bytes(8, "big")


async def test_a_thumbnail_never_runs_ahead_of_the_pointer(footage: Any, play: Any, t0: int) -> None:
    """Chunks of the store begin anywhere in a group of pictures."""
    footage.record(t0, 4, run=1, key_at=20)
    footage.record(t0 + 60 * SECOND, 4, run=2, key_at=20)
    player = play()
    for at, taken in ((2.5, 0.8), (2.9, 2.8), (0.5, 0.8), (30, 2.8), (60.5, 60.8), (70, 62.8)):
        await player.tell("thumb", at=t0 + round(at * SECOND))
        assert player.thumbs[-1][0] == t0 + round(taken * SECOND), at


async def test_a_thumbnail_says_which_wish_it_answers(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 10, run=1)
    player = play(start=t0, bound=t0 + 10 * SECOND)
    wishes = [t0 + 5 * SECOND + 1, t0 + 5 * SECOND, t0 - 3600 * SECOND, t0 + 3600 * SECOND, 0]
    for at in wishes:
        await player.tell("thumb", at=at)
    await player.tell("thumb", at=-1)
    assert player.asked == [*wishes, 0], "as it was said, also where nothing is shown of that moment"
    assert [wall - t0 for wall, _ in player.thumbs] == [one * SECOND for one in (4, 4, 0, 8, 0, 0)]


async def test_the_ticket_bounds_what_is_shown(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 60, run=1)
    player = play(start=t0 + 10 * SECOND, bound=t0 + 14 * SECOND)
    await player.tell("play", at=t0)
    await player.watch(10)
    assert player.pictures[0].taken >= t0 + 10 * SECOND
    assert player.pictures[-1].taken < t0 + 14 * SECOND
    assert player.last("end_of_footage")


async def test_pause_stops_the_flow(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 60, run=1)
    player = play()
    await player.tell("play", at=t0)
    await player.tell("pause")
    before = len(player.pictures)
    await player.watch(10)
    assert len(player.pictures) == before
    await player.tell("play")
    await player.watch(4)
    assert len(player.pictures) > before


async def test_a_full_connection_gets_no_more(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 60, run=1)
    player = play()
    await player.tell("play", at=t0)
    player.full = True
    before = len(player.pictures)
    await player.watch(5)
    assert len(player.pictures) == before


async def test_an_empty_channel_says_so(footage: Any, play: Any, t0: int) -> None:
    player = play()
    await player.tell("play", at=t0)
    assert player.last("end_of_footage")["at"] == t0


async def test_near_the_present_playback_waits_for_what_is_being_recorded(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 4, run=1)
    player = play()
    player.clock.advance(-3600 + 4.5)
    await player.tell("play", at=t0 + 2 * SECOND)
    await player.watch(2)
    assert not [one for one in player.said if one["type"] == "end_of_footage"]
    footage.record(t0 + 4 * SECOND, 2, run=1)
    await player.watch(2)
    assert player.pictures[-1].taken >= t0 + 5 * SECOND


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "seek", "at": "x"},
        {"type": "seek", "at": 1e300},
        {"type": "play", "speed": "fast", "at": None},
        {"type": "play", "speed": -5, "direction": "left"},
        {"type": "ahead", "ms": -1},
        {"type": "step", "direction": None},
        {"type": "thumb"},
        {"type": "dance"},
    ],
)
async def test_nonsense_from_a_viewer_is_survived(footage: Any, play: Any, t0: int, fields: dict[str, Any]) -> None:
    footage.record(t0, 4, run=1)
    player = play()
    player.session.message(fields)
    await player.settle()
    await player.tell("seek", at=t0)
    assert player.last("position")["at"] == t0
    assert player.ended == ""


async def test_who_takes_nothing_cannot_fill_the_memory_with_jumps(footage: Any, play: Any, t0: int) -> None:
    footage.record(t0, 60, run=1)
    player = play()
    player.waiting_bytes = 17_000_000
    for second in range(50):
        await player.tell("seek", at=t0 + second * SECOND)
        await player.tell("thumb", at=t0 + second * SECOND)
    assert player.pictures == []
    assert player.thumbs == []
    player.waiting_bytes = 0
    player.session.drained()
    await player.settle()
    assert player.last("position")["at"] == t0 + 49 * SECOND, "the last wish is still heard"
