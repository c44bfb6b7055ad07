"""Where chunks end, where runs begin, and what the wall clock was."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import G711, H264, H264_OTHER
from safecity.media.record.chunk import NO_KEY, Flag
from safecity.media.record.cutter import MAX_BYTES, Cut, Cutter
from safecity.model.values.media import AUDIO, VIDEO, Unit

START = 1_700_000_000_000_000


def pictures(count: int, *, first: int = 0, size: int = 100, gop: int = 25, fps: int = 25, **other: Any) -> list[Unit]:
    step = 90_000 // fps
    found = []
    for number in range(first, first + count):
        dts = 900_000 + number * step
        unit = Unit(VIDEO, bytes(size), dts, dts, number % gop == 0, False, START + number * 1_000_000 // fps, H264)
        found.append(unit._replace(**other))
    return found


def spans(cuts: list[Cut]) -> list[tuple[int, int]]:
    return [(cut.wall - START, cut.end - START) for cut in cuts]


def test_a_second_of_pictures_is_one_chunk_and_chunks_touch() -> None:
    cutter = Cutter()
    cuts = cutter.feed(pictures(25)) + cutter.feed(pictures(24, first=25)) + cutter.feed(pictures(25, first=49))
    assert spans(cuts) == [(0, 1_000_000), (1_000_000, 1_960_000), (1_960_000, 2_960_000)]
    assert [cut.begins_run for cut in cuts] == [True, False, False]


def test_a_late_turn_makes_several_chunks_of_at_most_a_second() -> None:
    cuts = Cutter().feed(pictures(100))
    assert len(cuts) == 4
    assert max(cut.duration for cut in cuts) <= 1_000_000


def test_a_chunk_holds_at_most_a_mebibyte_unless_one_picture_is_larger() -> None:
    cuts = Cutter().feed(pictures(10, size=300_000) + pictures(1, first=10, size=3 * MAX_BYTES))
    assert [len(cut.tracks[0].samples) for cut in cuts] == [3, 3, 3, 1, 1]


def test_a_picture_no_chunk_can_hold_is_refused_and_counted() -> None:
    cutter = Cutter()
    cuts = cutter.feed(pictures(2) + pictures(1, first=2, size=30 << 20) + pictures(2, first=3))
    assert cutter.refused == 1
    assert sum(len(cut.tracks[0].samples) for cut in cuts) == 4


def test_recording_begins_with_a_key_frame() -> None:
    cutter = Cutter()
    cuts = cutter.feed(pictures(50, first=10))
    assert cutter.waiting == 15
    assert cuts[0].first_key == 0
    assert cuts[0].flags & Flag.KEY


def test_other_parameters_begin_a_new_run_without_a_hole() -> None:
    cuts = Cutter().feed(pictures(10) + pictures(10, first=10, parameters=H264_OTHER))
    assert [cut.begins_run for cut in cuts] == [True, True]
    assert cuts[1].parameters == (H264_OTHER,)
    assert cuts[0].end == cuts[1].wall


def test_equal_parameters_in_a_new_object_are_no_new_run() -> None:
    again = type(H264)(H264.codec, H264.width, H264.height, H264.parameter_sets, H264.codec_string)
    cuts = Cutter().feed(pictures(10) + pictures(10, first=10, parameters=again))
    assert len(cuts) == 1


def test_sound_that_appears_waits_for_the_next_key_frame_and_costs_no_picture() -> None:
    sound = [Unit(AUDIO, bytes(320), one.dts, one.dts, True, False, one.arrived_us, G711) for one in pictures(60)]
    units = pictures(10)
    for picture, piece in zip(pictures(50, first=10), sound[10:], strict=True):
        units += [picture, piece]
    cutter = Cutter()
    cuts = cutter.feed(units)
    assert sum(len(track.samples) for cut in cuts for track in cut.tracks if track.track == VIDEO) == 60
    assert [cut.parameters for cut in cuts if cut.begins_run] == [(H264, G711)]  # the batch is known as a whole
    cutter = Cutter()
    cuts = cutter.feed(pictures(10)) + cutter.feed(units[10:])
    assert sum(len(track.samples) for cut in cuts for track in cut.tracks if track.track == VIDEO) == 60
    assert [cut.parameters for cut in cuts if cut.begins_run] == [(H264,), (H264, G711)]


def test_a_device_that_begins_its_clock_anew_begins_a_new_run_with_a_key_frame() -> None:
    again = [one._replace(dts=one.dts - 500_000, pts=one.pts - 500_000) for one in pictures(40, first=10)]
    cuts = Cutter().feed(pictures(10) + again)
    assert [cut.begins_run for cut in cuts] == [True, True]
    assert cuts[1].tracks[0].samples[0].is_key


def test_a_hole_in_media_time_is_not_papered_over() -> None:
    later = [
        one._replace(dts=one.dts + 450_000, arrived_us=one.arrived_us + 5_000_000) for one in pictures(10, first=10)
    ]
    cuts = Cutter().feed(pictures(10) + later)
    assert spans(cuts) == [(0, 400_000), (5_400_000, 5_800_000)]
    assert not cuts[1].begins_run


def test_a_wall_clock_that_is_set_begins_a_new_run_and_says_so() -> None:
    cutter = Cutter()
    cuts = cutter.feed(pictures(25))
    stepped = [one._replace(arrived_us=one.arrived_us - 3_600_000_000) for one in pictures(20, first=30)]
    cuts += cutter.feed(pictures(5, first=25) + stepped, stepped_us=-3_600_000_000)
    assert spans(cuts)[1:] == [(1_000_000, 1_200_000), (-3_598_800_000, -3_598_000_000)]
    assert [bool(cut.flags & Flag.CLOCK_STEPPED) for cut in cuts] == [False, False, True]


def test_a_drifting_camera_clock_is_followed_slowly() -> None:
    cutter = Cutter()
    drift = 1.0003  # 300 ppm slow
    last: Cut | None = None
    for second in range(600):
        units = [
            one._replace(arrived_us=START + round((one.arrived_us - START) * drift))
            for one in pictures(25, first=second * 25)
        ]
        for cut in cutter.feed(units):
            assert last is None or cut.wall == last.end
            last = cut
    assert last is not None
    assert abs(last.end - START - 600 * 1_000_000 * drift) < 2_000


def test_network_jitter_does_not_move_the_timeline() -> None:
    cutter = Cutter()
    cuts: list[Cut] = []
    for second in range(60):
        late = 400_000 if second % 3 == 1 else 0
        cuts += cutter.feed([one._replace(arrived_us=one.arrived_us + late) for one in pictures(25, first=second * 25)])
    assert all(abs(cut.wall - START - number * 1_000_000) < 50_000 for number, cut in enumerate(cuts))


def test_a_recording_whose_first_second_was_held_up_is_right_soon() -> None:
    cutter = Cutter()
    cuts: list[Cut] = []
    for second in range(20):
        late = 400_000 if second == 0 else 0
        cuts += cutter.feed([one._replace(arrived_us=one.arrived_us + late) for one in pictures(25, first=second * 25)])
    assert [one.wall for one in cuts[1:]] == [one.end for one in cuts[:-1]], "chunks touch all the same"
    assert cuts[0].wall - START == 400_000
    assert all(abs(cut.wall - START - number * 1_000_000) <= 50_000 for number, cut in enumerate(cuts) if number > 11)
    assert min(cut.duration for cut in cuts) >= 950_000


@pytest.mark.parametrize("first", [-90_000, 0, 5])
def test_media_time_before_zero_is_shifted(first: int) -> None:
    units = [one._replace(dts=one.dts - 900_000 + first, pts=one.pts - 900_000 + first) for one in pictures(10)]
    cuts = Cutter().feed(units)
    assert cuts[0].tracks[0].samples[0].dts >= 0
    assert cuts[0].parts(0)
    assert cuts[0].first_key != NO_KEY


def test_damage_is_flagged() -> None:
    cuts = Cutter().feed(pictures(5) + pictures(1, first=5, damaged=True))
    assert cuts[0].flags & Flag.DAMAGED


def sounds(count: int, *, first: int = 0) -> list[Unit]:
    return [
        Unit(AUDIO, bytes(320), 900_000 + n * 3600, 900_000 + n * 3600, True, False, START + n * 40_000, G711)
        for n in range(first, first + count)
    ]


def test_what_came_in_a_burst_is_dated_by_the_last_of_it() -> None:
    """A slot was away for a second; the system kept the packets and hands them out at once."""
    cutter = Cutter()
    burst = [one._replace(arrived_us=START + 1_000_000) for one in pictures(25)]
    cuts = cutter.feed(burst + pictures(20, first=25)) + cutter.feed(pictures(25, first=45))
    assert spans(cuts)[0] == (0, 1_000_000)
    assert abs(cuts[-1].end - START - 70 * 40_000) < 1000, "footage never ends later than its last picture does"


def test_a_camera_clock_that_jumps_ahead_does_not_date_footage_back() -> None:
    units = pictures(5) + [one._replace(dts=one.dts + 60 * 90_000) for one in pictures(5, first=5)]
    assert spans(Cutter().feed(units))[0] == (0, 200_000)


def test_a_lost_picture_before_the_end_makes_the_last_one_no_longer() -> None:
    cutter = Cutter()
    cutter.feed(pictures(25))
    cuts = cutter.feed(pictures(5, first=25) + pictures(1, first=40))
    assert spans(cuts) == [(1_000_000, 1_640_000)]


def test_a_camera_that_becomes_slow_is_believed_after_two_pictures() -> None:
    cutter = Cutter()
    cuts = cutter.feed(pictures(25))
    slow = [one._replace(arrived_us=one.arrived_us + 1_000_000) for one in pictures(5, fps=5)]
    slow = [one._replace(dts=one.dts + 90_000, pts=one.pts + 90_000) for one in slow]
    cuts += cutter.feed(slow)
    assert spans(cuts)[1] == (1_000_000, 2_000_000)


def test_a_camera_of_one_picture_a_second_has_no_holes() -> None:
    cutter = Cutter()
    cuts = [cut for number in range(10) for cut in cutter.feed(pictures(1, first=number, fps=1, gop=1))]
    assert spans(cuts)[1:] == [(second * 1_000_000, second * 1_000_000 + 1_000_000) for second in range(1, 10)]


def test_sound_that_comes_before_the_first_picture_begins_no_recording_of_its_own() -> None:
    cutter = Cutter()
    early = [cutter.feed(sounds(25, first=25 * second)) for second in range(4)]
    assert early == [[], [], [], []]
    both = [unit for pair in zip(pictures(25, first=100), sounds(25, first=100), strict=True) for unit in pair]
    (cut,) = cutter.feed(both)
    assert cut.begins_run
    assert cut.parameters == (H264, G711)
    assert cut.first_key == 0


def test_sound_that_stays_alone_is_recorded_alone_after_a_while() -> None:
    cutter = Cutter()
    cuts = [cut for second in range(15) for cut in cutter.feed(sounds(25, first=25 * second))]
    assert [cut.begins_run for cut in cuts] == [True, False, False]
    assert cuts[0].parameters == (G711,)
    assert cuts[0].wall - START == 12_000_000


@pytest.mark.parametrize("first", [10, 25])
def test_a_run_that_does_not_begin_with_a_key_frame_says_that_it_continues_another(first: int) -> None:
    cuts = Cutter().feed(pictures(first) + pictures(10, first=first, parameters=H264_OTHER))
    assert [bool(cut.flags & Flag.CONTINUES) for cut in cuts] == [False, first == 10]
