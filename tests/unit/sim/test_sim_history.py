"""A device's own recordings: what there is of them, and how they are steered."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import av
import pytest

from safecity.kit.clock import SECOND_US
from safecity.model.values.media import Codec
from safecity.sim.camera import Camera, CameraSpec, RecordedFile, recorded_files, recorded_stretch
from safecity.sim.encode import Coded, VideoSpec
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.muxing import Muxer
from safecity.sim.history import History
from safecity.sim.scene.strip import read_clock

NOON = 1_763_697_600 * SECOND_US  # 12:00 in Beijing
VIDEO = VideoSpec(width=256, height=144, fps=25, kbps=300, gop_seconds=0.4)


@pytest.fixture
def painter() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


class Player:
    """Takes what a recording sends, and waits for it."""

    def __init__(self, painter: ThreadPoolExecutor, files: list[RecordedFile], seconds: float, scale: float) -> None:
        self.units: list[Coded] = []
        self.over = asyncio.Event()
        self.came = asyncio.Event()
        camera = Camera(CameraSpec(number=1, title="", main=VIDEO, light=1.0), painter)
        end = NOON + round(seconds * SECOND_US)
        self.history = History(camera, files, NOON, end, self.take, self.over.set, scale=scale)
        self.history.start()

    def take(self, unit: Coded) -> None:
        self.units.append(unit)
        self.came.set()

    async def more(self, count: int) -> None:
        wanted = len(self.units) + count
        async with asyncio.timeout(60):
            while len(self.units) < wanted:
                self.came.clear()
                await self.came.wait()

    async def end(self) -> None:
        async with asyncio.timeout(60):
            await self.over.wait()
        await self.history.close()


def seconds_of(units: list[Coded]) -> list[float]:
    """Seconds after noon that the pictures show, read from the pictures themselves."""
    muxer = Muxer(Codec.H264, None, Faults())
    data = b"".join(muxer.write(each) for each in units)
    with av.open(io.BytesIO(data), format="mpeg") as opened:
        clocks = [read_clock(frame.to_ndarray(format="rgb24")) for frame in opened.decode(video=0)]
    return [(clock - NOON) / SECOND_US for clock in clocks if clock is not None]


WHOLE = [RecordedFile(NOON - 3600 * SECOND_US, NOON + 3600 * SECOND_US)]


async def test_a_window_is_played_whole_and_then_ends(painter: ThreadPoolExecutor) -> None:
    player = Player(painter, WHOLE, 1.0, scale=4.0)
    await player.end()
    shown = seconds_of(player.units)
    assert len(player.units) == 25
    assert shown == sorted(shown)
    assert shown[0] == 0.0
    assert shown[-1] == pytest.approx(0.96)


async def test_a_seek_goes_there_with_a_key_frame(painter: ThreadPoolExecutor) -> None:
    player = Player(painter, WHOLE, 60.0, scale=4.0)
    await player.more(5)
    player.history.resume(at_seconds=30.0)
    before = len(player.units)
    await player.more(10)
    await player.history.close()
    after = next(number for number, each in enumerate(player.units) if each.at_us >= NOON + 30 * SECOND_US)
    assert after <= before + 1, "one picture may have been under way"
    assert player.units[after].is_key
    assert seconds_of(player.units[after:])[0] == pytest.approx(30.0)
    times = [each.pts for each in player.units]
    assert times == sorted(times), "media time never goes back"


async def test_a_seek_while_a_picture_waits_for_its_time_begins_with_a_key_frame_all_the_same(
    painter: ThreadPoolExecutor,
) -> None:
    player = Player(painter, WHOLE, 60.0, scale=0.5)
    await player.more(2)  # the next one is chosen already, and 80 ms away
    await asyncio.sleep(0)
    player.history.resume(at_seconds=30.0)
    await player.more(4)
    await player.history.close()
    first = next(each for each in player.units if each.at_us >= NOON + 30 * SECOND_US)
    assert first.is_key


async def test_a_pause_sends_nothing_until_it_is_over(painter: ThreadPoolExecutor) -> None:
    player = Player(painter, WHOLE, 60.0, scale=1.0)
    await player.more(3)
    player.history.pause()
    await asyncio.sleep(0.1)
    still = len(player.units)
    await asyncio.sleep(0.3)
    assert len(player.units) == still
    player.history.resume()
    await player.more(3)
    await player.history.close()


async def test_backwards_the_groups_come_in_reverse_and_their_pictures_forward(painter: ThreadPoolExecutor) -> None:
    player = Player(painter, WHOLE, 60.0, scale=1.0)
    player.history.resume(at_seconds=10.0)
    player.history.resume(scale=-4.0)
    await player.more(25)
    await player.history.close()
    units = [each for each in player.units if each.at_us < NOON + 10 * SECOND_US]
    firsts = [each.at_us for each in units if each.is_key]
    assert len(firsts) >= 2
    assert firsts == sorted(firsts, reverse=True)
    group = units[:10]
    assert [each.at_us for each in group] == sorted(each.at_us for each in group)


async def test_a_stretch_without_footage_is_jumped_over(painter: ThreadPoolExecutor) -> None:
    files = [RecordedFile(NOON, NOON + SECOND_US // 2), RecordedFile(NOON + 5 * SECOND_US, NOON + 60 * SECOND_US)]
    player = Player(painter, files, 5.5, scale=4.0)
    await player.end()
    shown = seconds_of(player.units)
    assert not [second for second in shown if 0.5 <= second < 5.0]
    assert max(shown) > 5.3


def test_files_are_half_hours_with_a_nightly_hole() -> None:
    day = NOON - 12 * 3600 * SECOND_US
    files = recorded_files(day, day + 86_400 * SECOND_US, day - SECOND_US, NOON + 86_400 * SECOND_US)
    assert len(files) == 48
    assert all(one.end_us <= two.start_us for one, two in itertools.pairwise(files))
    holes = [two.start_us - one.end_us for one, two in itertools.pairwise(files)]
    assert sorted(holes)[-1] == 600 * SECOND_US
    assert sum(holes) == 600 * SECOND_US
    assert {each.kind for each in files} == {"time", "alarm"}


def test_no_file_is_older_than_the_disk_or_younger_than_now() -> None:
    files = recorded_files(NOON - 7200 * SECOND_US, NOON + 7200 * SECOND_US, NOON - 1000 * SECOND_US, NOON)
    assert files[0].start_us == NOON - 1000 * SECOND_US
    assert files[-1].end_us == NOON
    assert recorded_files(NOON + SECOND_US, NOON + 2 * SECOND_US, 0, NOON) == []


@pytest.mark.parametrize("minute", range(0, 24 * 60, 35))
def test_a_stretch_that_was_recorded_whole_is_found_at_any_hour(minute: int) -> None:
    now, length = NOON + minute * 60 * SECOND_US, 1800 * SECOND_US
    start = recorded_stretch(3600 * SECOND_US, length, now)
    assert 3600 * SECOND_US <= now - start < 3 * 3600 * SECOND_US
    files = recorded_files(start, start + length, 0, now)
    assert files[0].start_us <= start
    assert files[-1].end_us >= start + length
    assert all(one.end_us == two.start_us for one, two in itertools.pairwise(files))
