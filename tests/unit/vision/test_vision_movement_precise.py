"""A search that looks at every picture of what the key frames propose: it begins and ends with the movement itself, and
what only looked like movement is none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.vision.test_vision_movement_search import GATE, PARAMETERS, SECOND, T0, Desk

from safecity.kit.errors import NotFoundError
from safecity.model.values.media import VIDEO, Unit
from safecity.vision.gate import HEIGHT, WIDTH
from safecity.vision.movement.closely import REACH_US, Closely
from safecity.vision.movement.decoder import COMMAND, KeyDecoder
from safecity.vision.movement.maps import SENSITIVITIES, Region, cells_of

CHILD = """
import os, sys
from safecity.vision.movement.wire import FROM_CHILD, MARK, RUN, SHOWN, TO_CHILD
read, out = sys.stdin.buffer.read, sys.stdout.buffer

def picture(place):
    rows = [bytearray(96) for _ in range(54)]
    for row in rows[27:40]:
        row[48 + place : 54 + place] = bytes(6 * [200])
    return b"".join(rows)

number, held = 0, []
while len(head := read(TO_CHILD.size)) == TO_CHILD.size:
    codec, sets, size = TO_CHILD.unpack(head)
    sets, data = read(sets), read(size)
    if data[1:] == b"deadly":
        os.abort()
    if not codec & RUN:
        out.write(FROM_CHILD.pack(MARK, 1) + picture(data[0]))
    else:  # as real decoders do, it shows each picture one question late
        number = 0 if sets else number + 1
        shown, held = held, [] if not data or data[1:] == b"damaged" else [(number, picture(data[0]))]
        out.write(FROM_CHILD.pack(MARK, len(shown)) + b"".join(SHOWN.pack(at) + body for at, body in shown))
    out.flush()
"""
"""One bright thing right of the middle, at the place that the first byte of each picture says."""
STEP = 40_000
"""Of 25 pictures in a second; a key frame each two seconds."""
Films = Callable[..., list[Unit]]


def film(place: Callable[[float], int], seconds: float = 40.0, start: int = T0) -> list[Unit]:
    """Where the thing is after so many seconds."""
    found: list[Unit] = []
    for number in range(round(seconds * 25)):
        at = start + number * STEP
        found.append(Unit(VIDEO, bytes([place(number / 25)]), 0, 0, number % 50 == 0, False, at, PARAMETERS))
    return found


class Shelf:
    """All pictures of it, beside the key frames that the desk knows."""

    def __init__(self, desk: Desk, units: Sequence[Unit]) -> None:
        self.units = list(units)
        self.asked: list[tuple[int, int]] = []
        self.gone = False
        desk.disk.units |= {one.arrived_us: one for one in units if one.is_key}
        desk.disk.pictures = self.pictures  # type: ignore[attr-defined]

    def pictures(self, channel: str, quality: Any, start: int, end: int) -> list[Unit]:
        self.asked.append((start, end))
        if self.gone:
            raise NotFoundError("deleted", code="footage_deleted")
        return [one for one in self.units if start <= one.arrived_us < end]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, (sys.executable, "-c", CHILD))
    yield made
    made.search._thread.shutdown()
    made.file.close()


def crosses(begin: float, end: float) -> Callable[[float], int]:
    """It stands, goes its way from `begin` to `end`, and stands again."""
    return lambda at: 0 if at < begin else min(round((at - begin) / (end - begin) * 24), 24)


async def test_a_find_begins_and_ends_with_the_movement_and_not_with_the_key_frames_around(desk: Desk) -> None:
    Shelf(desk, film(crosses(11.2, 14.6)))
    (coarse,) = (await desk.page()).found
    assert (coarse.start - T0, coarse.end - T0, coarse.precise) == (10 * SECOND, 16 * SECOND, False)
    page = await desk.page(precise=True)
    (exact,) = page.found
    assert exact.precise
    assert 11.2 * SECOND <= exact.start - T0 <= 11.8 * SECOND
    assert 14.4 * SECOND <= exact.end - T0 <= 14.6 * SECOND + REACH_US
    assert exact.start <= exact.peak <= exact.end
    assert (page.dismissed, page.next) == (0, 0)


async def test_pictures_before_and_behind_what_is_searched_say_nothing(desk: Desk) -> None:
    """Between the same key frames as what is searched, but not in it."""
    Shelf(desk, film(crosses(11.2, 14.6)))
    (find,) = (await desk.page(start=T0 + 12_500_000, end=T0 + 14_100_000, precise=True)).found
    assert (T0 + 12_500_000 <= find.start < find.end < T0 + 14_100_000, find.precise) == (True, True)
    gone = await desk.page(start=T0 + 15_100_000, precise=True)
    assert (gone.found, gone.dismissed) == ((), 1)


async def test_a_long_movement_is_looked_at_where_it_begins_and_where_it_ends(desk: Desk) -> None:
    shelf = Shelf(desk, film(lambda at: int(at * 5) % 24 if 20.5 <= at < 220.5 else 0, seconds=240.0))
    (exact,) = (await desk.page(precise=True)).found
    assert exact.precise
    assert 20.4 * SECOND <= exact.start - T0 <= 21 * SECOND
    assert 220.3 * SECOND <= exact.end - T0 <= 221 * SECOND
    assert sum(end - start for start, end in shelf.asked) < 20 * SECOND, "what lies between is passed over"


async def test_a_long_find_whose_last_pictures_show_nothing_is_not_cut_short(desk: Desk) -> None:
    """Who moves is gone in the middle, which is passed over; after that only the encoder breathes."""

    def breathes(unit: Unit) -> Unit:
        seconds = (unit.arrived_us - T0) / SECOND
        return unit._replace(data=bytes([8])) if unit.is_key and seconds > 120 and seconds % 4 == 0 else unit

    units = film(lambda at: int(at * 5) % 24 if 20.5 <= at < 120.5 else 0, seconds=240.0)
    Shelf(desk, [breathes(one) for one in units])
    (coarse,) = (await desk.page()).found
    assert (coarse.start - T0, coarse.end - T0) == (20 * SECOND, 238 * SECOND)
    (find,) = (await desk.page(precise=True)).found
    assert (find.start, find.end, find.precise) == (coarse.start, coarse.end, False)


async def test_what_no_picture_between_shows_is_no_find_and_is_counted(desk: Desk) -> None:
    """Key frames that alone differ: an encoder that breathes."""
    units = [
        one._replace(data=bytes([8])) if one.is_key and one.arrived_us - T0 >= 20 * SECOND else one
        for one in film(lambda at: 0)
    ]
    Shelf(desk, units)
    assert len((await desk.page()).found) == 1
    page = await desk.page(precise=True)
    assert (page.found, page.dismissed) == ((), 1)


@pytest.mark.parametrize("how", ["deleted", "damaged", "deadly"])
async def test_what_cannot_be_looked_at_closely_stays_a_find_as_the_key_frames_have_it(desk: Desk, how: str) -> None:
    units = film(crosses(11.2, 14.6))
    if how != "deleted":
        bad = f"{how}".encode()
        units = [one if one.is_key else one._replace(data=one.data + bad) for one in units]
    shelf = Shelf(desk, units)
    shelf.gone = how == "deleted"
    page = await desk.page(precise=True)
    (find,) = page.found
    assert (find.start - T0, find.end - T0, find.precise) == (10 * SECOND, 16 * SECOND, False)
    assert page.dismissed == 0
    assert bool(desk.died) == (how == "deadly")


async def test_a_page_ends_when_its_time_is_over_and_the_next_one_goes_on_with_the_find_it_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times somebody passes; looking closely at one takes longer than a page."""
    shelf = Shelf(desk, film(lambda at: min(max(int((at % 30 - 11) * 8), 0), 24) if at % 30 < 20 else 0, seconds=90.0))
    pictures = shelf.pictures

    def slow(*asked: Any) -> list[Unit]:
        desk.clock.advance(5)
        return pictures(*asked)

    desk.disk.pictures = slow  # type: ignore[attr-defined]
    whole = (await desk.page()).found
    found: list[int] = []
    start = T0
    for _ in range(2 * len(whole)):
        page = await desk.page(start=start, precise=True)
        assert len(page.found) <= 1
        found += [one.peak for one in page.found]
        if not page.next:
            break
        assert page.next > start, "each page brings the search on"
        start = page.next
    assert len(found) == len(whole)


async def test_a_decoder_that_shows_more_pictures_than_it_was_given_is_not_believed() -> None:
    """Whoever has taken it over may say anything, but not fill the memory of the slot."""
    floods = CHILD.replace("for at, body in shown)", "for at, body in 60 * shown)").replace(
        "len(shown)", "60 * len(shown)"
    )
    died: list[str] = []
    units = film(lambda at: 0, seconds=2.0)
    honest, flooding = (KeyDecoder(died.append, (sys.executable, "-c", code)) for code in (CHILD, floods))
    try:
        assert len(await honest.run(units) or ()) == len(units)
        assert await flooding.run(units) is None
    finally:
        await honest.close()
        await flooding.close()
    assert len(died) == 1


def test_slow_and_fast_movement_and_a_picture_that_is_damaged() -> None:
    cells = cells_of([Region(0.0, 0.0, 1.0, 1.0)])

    def look(place: Callable[[int], int]) -> Closely:
        closely = Closely(cells, SENSITIVITIES["normal"])
        for number in range(100):
            picture = np.zeros((HEIGHT, WIDTH), np.uint8)
            left = place(number)
            picture[20:30, left : left + 8] = 200
            closely.take(number * STEP, picture)
        return closely

    assert look(lambda _: 40).begin is None
    assert look(lambda number: 40 if number != 50 else 0).begin is None, "one picture alone"
    crept = look(lambda number: 20 + number // 8)  # a point in a third of a second
    assert crept.begin is not None
    fast = look(lambda number: 20 + 4 * max(0, number - 50) if number < 60 else 60)
    assert fast.begin is not None
    assert fast.end is not None
    assert 50 * STEP < fast.begin <= 54 * STEP
    assert 58 * STEP <= fast.end <= 60 * STEP + REACH_US


def test_pictures_on_both_sides_of_a_gap_are_not_held_against_each_other() -> None:
    closely = Closely(cells_of([Region(*GATE)]), SENSITIVITIES["high"])
    dark, light = np.zeros((HEIGHT, WIDTH), np.uint8), np.tile(np.arange(WIDTH, dtype=np.uint8), (HEIGHT, 1))
    for number in range(25):
        closely.take(number * STEP, dark)
    for number in range(25):
        closely.take(60 * SECOND + number * STEP, light)
    assert closely.begin is None


async def test_vehicles_of_the_simulated_street_are_confirmed_by_all_of_its_pictures(
    tmp_path: Path, units: Films
) -> None:
    pytest.importorskip("av")
    desk = Desk(tmp_path, COMMAND)
    made = units(seconds=24.0)
    begin = T0 - made[0].arrived_us
    Shelf(desk, [one._replace(arrived_us=one.arrived_us + begin) for one in made])
    road = (0.0, 0.3, 1.0, 0.9)
    coarse, page = await desk.page(road), await desk.page(road, precise=True)
    assert page.found
    assert all(one.precise for one in page.found)
    assert page.found[0].start >= coarse.found[0].start
    sky = await desk.page((0.55, 0.02, 0.98, 0.25), precise=True)
    assert sky.found == ()
    desk.search._thread.shutdown()
    desk.file.close()
