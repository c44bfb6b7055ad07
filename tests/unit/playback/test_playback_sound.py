"""Sound beside recorded pictures: at normal speed forwards, in time with them, and never in their way."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from safecity.media.formats.fmp4_read import read_init

SECOND = 1_000_000


def in_time(player: Any) -> None:
    """Each frame of sound lies on the line where the picture of the same moment lies."""
    for frame in player.voice:
        picture = next(one for one in reversed(player.pictures) if one.media <= frame.media)
        assert abs((frame.taken - picture.taken) * 9 / 100 - (frame.media - picture.media)) < 10, (frame, picture)


async def test_aac_comes_beside_the_pictures_and_in_time_with_them(footage: Any, play: Any, t0: int, aac: Any) -> None:
    footage.record(t0, 20, run=1, sound=aac)
    player = play()
    await player.tell("play", at=t0)
    await player.watch(6)
    told = player.last("init")
    assert told["mime"] == 'video/mp4; codecs="avc1.42c01e"', "no sound is promised to the pictures' buffer"
    assert told["audio"] == {
        "codec": "aac", "sample_rate": 16_000, "channels": 1, "mime": 'audio/mp4; codecs="mp4a.40.2"'
    }  # fmt: skip
    assert [read_init(one) for one in player.sound_inits] == [(aac,)]
    assert len(player.voice) > 8 * 15
    assert {two.media - one.media for one, two in pairwise(player.voice)} == {5760}, "no frame is lost or doubled"
    in_time(player)


async def test_sound_begins_with_the_key_frame_a_jump_begins_with(footage: Any, play: Any, t0: int, aac: Any) -> None:
    footage.record(t0, 60, run=1, sound=aac)
    player = play()
    for second in (31, 11, 45):
        player.pictures.clear()
        player.voice.clear()
        await player.tell("play", at=t0 + second * SECOND)
        await player.watch(2)
        assert 0 <= player.voice[0].taken - player.pictures[0].taken < 70_000
        in_time(player)


async def test_sound_that_is_missing_or_short_holds_up_no_picture(footage: Any, play: Any, t0: int, aac: Any) -> None:
    footage.record(t0, 20, run=1, sound=aac, silent=(0, 1, 5, 6, 7))
    player = play()
    await player.tell("play", at=t0)
    await player.watch(10)
    assert [one.taken for one in player.pictures] == [t0 + n * 40_000 for n in range(len(player.pictures))]
    assert {(one.taken - t0) // SECOND for one in player.voice}.isdisjoint({0, 1, 5, 6, 7})
    assert {(one.taken - t0) // SECOND for one in player.voice} >= {2, 3, 4, 8, 9}
    in_time(player)


@pytest.mark.parametrize(
    "wish",
    [
        {"type": "play", "speed": 0.5},
        {"type": "play", "speed": 2},
        {"type": "play", "speed": 4},
        {"type": "play", "speed": 16},
        {"type": "play", "direction": -1},
        {"type": "step", "direction": 1},
        {"type": "step", "direction": -1},
    ],
)
@pytest.mark.parametrize("codec", ["aac", "pcma"])
async def test_there_is_sound_at_normal_speed_forwards_only(
    footage: Any, play: Any, t0: int, wish: dict[str, Any], codec: str, request: pytest.FixtureRequest
) -> None:
    footage.record(t0, 200, run=1, sound=request.getfixturevalue(codec))
    player = play()
    await player.tell("play", at=t0)
    await player.tell("pause")
    before = len(player.voice) + len(player.raw_sound)
    assert before > 0
    player.session.message({"at": t0 + 100 * SECOND, **wish})
    await player.settle()
    await player.watch(5)
    assert abs(player.pictures[-1].taken - t0 - 100 * SECOND) < 100 * SECOND, "there are pictures"
    assert len(player.voice) + len(player.raw_sound) == before
    await player.tell("play", at=t0 + 20 * SECOND, speed=1, direction=1)
    await player.watch(2)
    assert len(player.voice) + len(player.raw_sound) > before, "and it comes back"


async def test_a_run_without_sound_follows_one_with_sound(footage: Any, play: Any, t0: int, aac: Any) -> None:
    footage.record(t0, 4, run=1, sound=aac)
    footage.record(t0 + 4 * SECOND, 4, run=2)
    footage.record(t0 + 8 * SECOND, 4, run=3, sound=aac)
    player = play()
    await player.tell("play", at=t0)
    await player.watch(12)
    assert [one["audio"] is not None for one in player.said if one["type"] == "init"] == [True, False, True]
    assert len(player.sound_inits) == 2
    assert len(player.pictures) == 300
    assert {(one.taken - t0) // SECOND for one in player.voice} == {0, 1, 2, 3, 8, 9, 10, 11}
    in_time(player)


async def test_a_silence_within_raw_sound_does_not_shift_what_follows(
    play: Any, t0: int, footage: Any, pcma: Any
) -> None:
    """The device sends nothing for 0.4 s: the last packet before lasts that long, and the bytes do not tell."""
    footage.record(t0, 2, run=1, sound=pcma)
    silent = footage.quiet(0, after_packet=9, seconds=0.4)
    player = play()
    await player.tell("play", at=t0)
    first, second = player.raw_sound[:2]
    assert second - first == silent
