"""Which readings of a vehicle count: those that settle its plate, and the looks that are worth keeping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.vision.plate_film import columns_of, read, wide

from safecity.vision.plates.clearest import LARGEST, clearness, kept_look, settled, width_of
from safecity.vision.plates.reader import read_columns
from safecity.vision.plates.recognise import PlateRead

SIZE = (640, 360)


def test_three_sure_readings_alike_settle_a_plate() -> None:
    assert settled([read("皖A12345")] * 2) is None
    assert settled([read("皖A12345")] * 3) == "皖A12345"
    assert settled([read("皖A12345", 0.9)] * 9) is None, "sure of every sign is not sure of the whole"


def test_a_sure_reading_of_another_text_on_a_plate_as_large_keeps_it_open() -> None:
    others = [read("皖A12845", 0.9), wide(read("皖A12845", 0.9), 40), read("皖A12845", 0.8)]
    told = [settled([read("皖A12345")] * 3 + [other]) for other in others]
    assert told == [None, "皖A12345", "皖A12345"], "as large and sure; half as large; a guess"


def test_what_no_plate_says_is_never_settled() -> None:
    assert settled([read("20261127")] * 9) is None
    assert settled([read("琼U00000")] * 9) is None, "an office that is not known"


def test_the_clearest_look_is_the_largest_that_is_whole() -> None:
    near = wide(read("皖A12345"), 120)
    assert clearness(near, SIZE) > clearness(read("皖A12345"), SIZE) > 0
    assert clearness(read("皖A12345"), SIZE) > clearness(wide(read("A12345"), 120), SIZE) > 0, "its province was lost"
    cut_off = read("皖A12345", x=600)
    few, hardly = read("皖A12"), replace(read("皖A12345"), located=0.5)
    assert [clearness(one, SIZE) for one in (cut_off, few, hardly)] == [0, 0, 0]


@pytest.mark.parametrize("x", [200.0, 1.0, 559.0])
def test_what_is_kept_of_a_look_shows_the_plate_where_its_corners_say(x: float) -> None:
    picture = np.random.default_rng(3).integers(0, 255, (360, 640, 3)).astype(np.uint8)
    one: PlateRead = read("皖A12345", x=x)
    strip = read_columns(*columns_of("皖A12345"))
    assert strip is not None
    kept = kept_look(picture, one, strip)
    left, top = kept.corners[0].astype(int)
    x0, y0 = one.corners[0].astype(int)
    assert (kept.picture[top : top + 25, left : left + 80] == picture[y0 : y0 + 25, x0 : x0 + 80]).all()
    assert kept.picture.size < picture.size / 10, "and not much more"
    picture[:] = 0
    assert kept.picture.any(), "a copy: the picture may go"


def test_a_look_holds_nothing_but_itself_and_of_a_large_plate_no_more_than_the_reader_is_shown() -> None:
    picture = np.zeros((1200, 3000, 3), np.uint8)
    near = wide(read("皖A12345", x=1500, y=600), 1600)
    left, top = near.corners[0].astype(int)
    right, bottom = near.corners[2].astype(int)
    picture[top:bottom, left:right] = 200
    signs, kinds = columns_of("皖A12345")
    strip = read_columns(np.stack([signs] * 20)[3], kinds)  # as it was read among those of other vehicles
    assert strip is not None
    kept = kept_look(picture, near, strip)
    assert width_of(replace(near, corners=kept.corners)) == pytest.approx(LARGEST, rel=0.01)
    (x0, y0), (x1, y1) = kept.corners[0].round().astype(int), kept.corners[2].round().astype(int)
    assert kept.picture[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2].min() == 200, "its corners are where the plate is"
    assert kept.picture[: y0 - 2].max() == 0
    assert kept.picture.nbytes < 0.7e6
    assert kept.strip.signs.base is None
    assert kept.strip.kinds.base is None
    assert (kept.strip.signs == signs).all()
