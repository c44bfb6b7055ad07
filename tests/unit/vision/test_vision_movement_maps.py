"""Heat maps and what is made of them: a known thing moves in a known part, and only there is it found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray

from safecity.vision.gate import HEIGHT, WIDTH
from safecity.vision.movement.judge import JOIN_US, Judge
from safecity.vision.movement.maps import (
    COLUMNS,
    COMPARED,
    FIRST,
    POINTS,
    ROWS,
    SENSITIVITIES,
    UNREADABLE,
    Moment,
    Region,
    cells_of,
    compare,
    pack,
    unpack,
)

SECOND = 1_000_000
GATE = Region(0.5, 0.5, 0.75, 0.75)
WALL = Region(0.0, 0.0, 0.25, 0.25)


def street(person: int | None = None, light: int = 0) -> NDArray[np.uint8]:
    """A still street, perhaps with somebody of 4 x 8 points at this column of the gate, and another light."""
    columns = np.arange(WIDTH, dtype=np.int16)
    picture = np.tile(columns, (HEIGHT, 1)) + 60 + light
    if person is not None:
        picture[28:36, person : person + 4] = 220
    return picture.astype(np.uint8)


def judged(pictures: list[NDArray[np.uint8]], region: Region, sensitivity: str = "normal", **more: Any) -> Judge:
    """A key frame every two seconds from 100 s on."""
    judge = Judge(cells_of([region]), SENSITIVITIES[sensitivity], more.get("start", 0), more.get("end", 10**15))
    at, before, moments = 100 * SECOND, None, list[Moment]()
    for picture in pictures:
        heat = None if before is None else compare(before, picture)
        moments.append(
            Moment(at, FIRST if heat is None else COMPARED, at - 2 * SECOND if heat is not None else 0, heat)
        )
        before, at = picture, at + 2 * SECOND
    judge.take(moments)
    return judge


def test_who_walks_through_the_gate_is_found_there_and_nowhere_else() -> None:
    pictures = [street(), street(52), street(60), street(), street()]
    at_gate = judged(pictures, GATE)
    [find] = at_gate.finds
    assert (find.start, find.end) == (100 * SECOND, 106 * SECOND), "from the picture without to the next one without"
    left, top, right, bottom = find.box
    assert left <= 52 / WIDTH
    assert right >= 64 / WIDTH
    assert top <= 28 / HEIGHT < 36 / HEIGHT <= bottom
    assert right - left < 0.2, "and not the whole picture"
    assert not find.everywhere
    assert judged(pictures, WALL).finds == []
    assert len(at_gate.looked) == 5


def test_a_cloud_is_no_movement_and_a_camera_that_turns_is_told_as_such() -> None:
    assert judged([street(), street(light=70), street(light=5)], GATE, "high").finds == []
    turned = street()[:, ::-1].copy()
    [find] = judged([street(), turned], GATE).finds
    assert find.everywhere


def test_noise_of_the_sensor_moves_single_points_and_finds_nothing() -> None:
    noise = np.random.default_rng(7)
    pictures: list[NDArray[np.uint8]] = []
    for _ in range(40):
        pictures.append((street() + noise.normal(0, 4.5, (HEIGHT, WIDTH))).astype(np.uint8))
    whole = Region(0, 0, 1, 1)
    assert judged(pictures, whole).finds == []
    assert judged([street(), street(52)], whole).finds, "while somebody in all of the picture is found"


def test_sensitivity_decides_how_small_a_thing_is_found() -> None:
    bird = street()
    bird[30:31, 50:52] = 220
    assert judged([street(), bird], GATE, "high").finds
    assert judged([street(), bird], GATE).finds == []
    assert judged([street(), street(52)], GATE).finds
    assert judged([street(), street(52)], GATE, "low").finds


def test_movement_after_a_short_rest_is_one_find_and_after_a_long_one_two() -> None:
    rest = [street()] * 4
    assert len(judged([street(), street(52), *rest, street(60), street()], GATE).finds) == 1
    long = [street()] * (JOIN_US // (2 * SECOND) + 3)
    assert len(judged([street(), street(52), *long, street(60), street()], GATE).finds) == 2


def test_what_is_asked_for_alone_is_looked_at() -> None:
    judge = judged([street(), street(52), street(), street(60)], GATE, start=101 * SECOND, end=104 * SECOND)
    assert judge.looked == [(102 * SECOND, True)]
    assert [(one.start, one.end) for one in judge.finds] == [(101 * SECOND, 102 * SECOND)]


def test_a_find_that_may_go_on_is_left_to_the_next_page_whole() -> None:
    pictures = [street(), street(), street(52), street(60)]
    judge = judged(pictures, GATE, start=99 * SECOND)
    following = judge.close(107 * SECOND)
    assert judge.finds == []
    assert [at for at, _ in judge.looked] == [100 * SECOND, 102 * SECOND]
    again = judged([*pictures, street()], GATE, start=following)
    assert [(one.start, one.end) for one in again.finds] == [(102 * SECOND + 1, 108 * SECOND)]
    assert [at for at, _ in again.looked] == [104 * SECOND, 106 * SECOND, 108 * SECOND], "nothing is counted twice"


def test_a_find_that_fills_a_page_is_told_with_it() -> None:
    judge = judged([street(), street(52), street(60)], GATE, start=100 * SECOND)
    assert judge.close(105 * SECOND) == 105 * SECOND
    assert len(judge.finds) == 1


def test_a_rectangle_smaller_than_a_cell_searches_the_cell() -> None:
    cells = cells_of([Region(0.51, 0.51, 0.511, 0.511)])
    assert cells.sum() == 1
    assert cells[int(0.51 * ROWS), int(0.51 * COLUMNS)]
    assert cells_of([Region(0, 0, 1, 1)]).all()
    assert cells_of([GATE, WALL]).sum() == cells_of([GATE]).sum() + cells_of([WALL]).sum()


@given(some.lists(some.tuples(some.sampled_from([FIRST, COMPARED, UNREADABLE]), some.integers(0, 2**32)), max_size=9))
def test_maps_come_back_as_they_were_kept(states: list[tuple[int, int]]) -> None:
    moments: list[Moment] = []
    before = 5
    for number, (state, seed) in enumerate(states):
        at = 1000 + number
        if state == COMPARED:
            heat = np.random.default_rng(seed).integers(0, POINTS + 1, (ROWS, COLUMNS)).astype(np.uint8)
            moments.append(Moment(at, state, before, heat))
        else:
            moments.append(Moment(at, state))
        before = at if state != UNREADABLE else before
    back = unpack(pack(moments))
    assert [(one.at, one.state) for one in back] == [(one.at, one.state) for one in moments]
    for mine, theirs in zip(moments, back, strict=True):
        if mine.heat is not None:
            assert theirs.heat is not None
            assert (mine.heat == theirs.heat).all()
            assert theirs.before == mine.before


@pytest.mark.parametrize("body", [b"", b"nonsense", pack([Moment(1, FIRST)])[:-6]])
def test_what_the_disk_garbled_is_no_map(body: bytes) -> None:
    with pytest.raises(ValueError, match="heat maps"):
        unpack(body)
