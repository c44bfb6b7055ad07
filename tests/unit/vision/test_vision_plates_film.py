"""A film: what is read in which of its pictures, and what is read once more when a vehicle has left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from tests.unit.vision.plate_film import columns_of, read, wide

from safecity.vision.plates.clearest import bytes_of
from safecity.vision.plates.film import PlateFilm
from safecity.vision.plates.locator import Found
from safecity.vision.plates.reader import StripReading, read_columns
from safecity.vision.plates.recognise import KeptLook, PlateRead
from safecity.vision.plates.second import OPINIONS_A_SECOND, SAVED_SECONDS
from safecity.vision.plates.voting import READ_EVERY, STANDING_EVERY, PlateSeen, PlateTracks

PICTURE = np.zeros((720, 1280, 3), np.uint8)


def strip_of(text: str) -> StripReading:
    strip = read_columns(*columns_of(text))
    assert strip is not None
    return strip


class Street:
    """A film of plates that the test puts there, with a recogniser that counts what it was asked."""

    second = object()

    def __init__(self, together: str | None = None) -> None:
        self.read = self.looked_closer = 0
        self.asked: list[Sequence[KeptLook]] = []
        self.film = PlateFilm(cast("Any", self))
        self._says = together
        self._now: Sequence[PlateRead] = ()
        self._at = 0.0

    def frame(self, _: Any, known: Callable[[Found, bool], PlateRead | None]) -> list[PlateRead]:
        told: list[PlateRead] = []
        for one in self._now:
            found = Found(one.corners, one.located)
            carried = known(found, True)
            self.looked_closer += carried is None
            carried = carried or known(found, False)
            self.read += carried is None
            told.append(one if carried is None else carried)
        return told

    def together(self, seen: Sequence[KeptLook], best: PlateRead) -> PlateRead | None:
        self.asked.append(seen)
        return None if self._says is None else replace(read(self._says), corners=best.corners, second=True)

    def show(self, *reads: PlateRead) -> list[PlateSeen]:
        self._now = [replace(one, strip=strip_of(one.text)) for one in reads]
        self._at += 0.2
        return self.film.look(self._at, PICTURE)[1]

    def pause(self, seconds: float) -> None:
        """Nothing moves, nobody looks."""
        self._at += seconds

    def seen_now(self) -> list[str]:
        return [one.text for _, one in self.film.tracks.seen_at(self._at)]


def test_a_settled_plate_is_read_now_and_then_and_followed_all_the_time() -> None:
    street = Street()
    for number in range(3 + 4 * READ_EVERY):
        street.show(read("皖A12345", x=100 + 20 * number))
    assert (street.read, street.looked_closer) == (3 + 4, 15), "where it is must be known well"
    (seen,) = street.film.end()
    assert (seen.text, seen.sights, round(seen.last_seconds, 1)) == ("皖A12345", 15, 3.0)
    assert street.asked == [], "and no second opinion is needed"


def test_another_plate_in_its_place_is_read_within_three_looks() -> None:
    street = Street()
    for _ in range(4):
        street.show(read("皖A12345"))
    before = street.read
    for _ in range(READ_EVERY):
        street.show(read("京B77777"))
    assert street.read > before
    street.show(read("京B77777"))
    street.show(read("京B77777"))
    assert street.read == before + 4, "it is not settled any more"


def test_a_vehicle_that_is_not_where_it_must_be_is_read() -> None:
    street = Street()
    for number in range(4):
        street.show(read("皖A12345", x=100 + 20 * number))
    read_by_now = street.read
    street.show(read("皖A12345", x=260))
    assert street.read == read_by_now + 1


def test_writing_that_stands_still_is_read_every_tenth_time_and_a_plate_that_stands_is_not_left_alone_so_long() -> None:
    words, parked = Street(), Street()
    for _ in range(10 + 3 * STANDING_EVERY):
        words.show(read("20261127"))
        parked.show(read("皖A12345", 0.9))
    assert (words.read, words.looked_closer) == (13, 13)
    assert parked.read == 40, "nobody is sure what stands there"
    assert words.seen_now() == [], "no vehicle is looked for around it"
    assert parked.seen_now() == ["皖A12345"]
    words.film.end()
    assert words.asked == [], "no second opinion is wasted on it"


def test_what_is_too_small_to_be_read_is_read_now_and_then_until_it_has_grown() -> None:
    street = Street()
    for _ in range(1 + 2 * READ_EVERY):
        street.show(wide(read("皖A12345", 0.5), 30))
    assert street.read == 3
    for _ in range(5):
        street.show(wide(read("皖A12345", 0.5), 38))
    assert street.read == 8


def test_what_is_not_settled_is_read_once_more_out_of_its_clearest_looks_when_it_has_left() -> None:
    street = Street(together="鲁A12345")
    for number, width in enumerate((60, 80, 100, 90, 70)):
        street.show(wide(read("晋A12345", 0.9, x=100 + 20 * number), width))
    assert street.asked == [], "while it is in sight there may be better ones"
    (seen,) = street.film.end()
    assert (seen.text, seen.second, seen.doubtful, seen.best.read.text) == ("鲁A12345", True, False, "鲁A12345")
    (looks,) = street.asked
    widths = [round(float(np.hypot(*(one.corners[1] - one.corners[0])))) for one in looks]
    assert widths == [100, 90, 80]


def test_where_the_second_reader_says_nothing_the_vote_is_told() -> None:
    street = Street()
    for number in range(3):
        street.show(read("皖A12345", 0.9, x=100 + 20 * number))
    (seen,) = street.film.end()
    assert (seen.text, seen.second, len(street.asked)) == ("皖A12345", False, 1)


def test_a_parked_one_is_not_read_anew_each_time_somebody_asks_who_is_in_sight() -> None:
    street = Street(together="皖A12345")
    for _ in range(4):
        street.show(read("皖A12345", 0.9))
    assert [street.film.tracks.in_sight()[0].text for _ in range(5)] == ["皖A12345"] * 5
    assert len(street.asked) == 1


def test_a_crowd_has_no_more_second_opinions_than_there_is_time_for() -> None:
    street = Street(together="皖A12345")
    crowd = [f"皖A{number:05}" for number in range(20)]
    for number in range(3):
        street.show(*(read(text, 0.9, x=50 + 10 * number, y=20 + 34 * row) for row, text in enumerate(crowd)))
    seen = street.film.end()
    assert len(seen) == 20, "who is not asked about is told as voted"
    assert sum(map(len, street.asked)) == OPINIONS_A_SECOND * SAVED_SECONDS
    assert sum(one.second for one in seen) < 20


def test_a_clearer_look_is_asked_about_anew() -> None:
    street = Street(together="皖A12345")
    for number in range(4):
        street.show(read("皖A12345", 0.9, x=100 + number))
    street.film.tracks.in_sight()
    street.show(wide(read("皖A12345", 0.9, x=104), 110))
    street.film.tracks.in_sight()
    assert len(street.asked) == 2


def test_of_two_so_close_that_either_could_be_the_other_both_are_read() -> None:
    street = Street()
    for _ in range(8):
        street.show(read("皖A12345", x=100), read("京B77777", x=130, y=110))
    assert street.read == 16


def test_what_is_suddenly_larger_or_was_not_looked_for_a_while_is_read() -> None:
    for changed, pause in ((wide(read("皖A12345"), 110), 0.0), (read("皖A12345"), 1.0)):
        street = Street()
        for _ in range(3):
            street.show(read("皖A12345"))
        street.pause(pause)
        street.show(changed)
        assert street.read == 4


def test_writing_that_moves_is_read_each_time() -> None:
    street = Street()
    for number in range(20):
        street.show(read("20261127", x=100 + 10 * number))
    assert street.read == 20


def test_what_is_found_close_to_a_settled_plate_is_read_and_not_taken_for_it_a_second_time() -> None:
    street = Street()
    for number in range(3):
        street.show(read("皖A12345", x=100 + 5 * number))
    for number in range(3, 9):
        found = read("皖A12345", x=100 + 5 * number)
        street.show(found, read("20261127", x=100 + 5 * number, y=125))
        assert [one.text for one in street.film.tracks.in_sight()] == ["皖A12345", "20261127"]
    assert street.seen_now() == ["皖A12345", "20261127"]
    assert [(one.text, one.sights) for one in street.film.end()] == [("皖A12345", 9), ("20261127", 6)]


def test_what_is_carried_is_given_to_the_vehicle_that_it_is_known_of_or_to_nobody() -> None:
    tracks = PlateTracks()
    for number in range(3):
        tracks.see(0.2 * number, [read("皖A12345", x=100), read("京B77777", x=170)])
    found = read("皖A12345", x=100)
    carried = tracks.known(0.6, Found(found.corners, 0.9))
    assert carried is not None
    assert carried.carried
    tracks.see(0.6, [replace(carried, corners=read("皖A12345", x=900).corners)])
    assert [one.sights for one in tracks.end()] == [3, 3]


def looks_held(street: Street) -> list[int]:
    return [sum(bytes_of(look) for _, look in one.clearest) for one in street.film.tracks._tracks]


def test_a_crowd_has_looks_kept_up_to_a_size_first_of_those_that_nobody_knows_yet() -> None:
    street = Street(together="皖A12345")
    for number in range(3):
        street.show(read("京B77777", x=600 + number, y=300), read("皖A12345", 0.9, x=100 + number))
    known, open_yet = looks_held(street)
    assert known > 0 < open_yet
    street.film.tracks.max_looks_bytes = open_yet + 1
    street.show(read("京B77777", x=603, y=300), read("皖A12345", 0.9, x=103))
    assert looks_held(street)[0] == 0, "settled"
    assert looks_held(street)[1] == open_yet
    crowd = [f"皖A{number:05}" for number in range(20)]
    for number in range(4):
        street.show(*(read(text, 0.9, x=50 + 10 * number, y=20 + 34 * row) for row, text in enumerate(crowd)))
        assert sum(looks_held(street)) <= open_yet + 1
    assert len(street.film.end()) >= 20, "who has none left is told as voted"
    assert 0 < len(street.asked) <= 3


def test_the_clearest_look_at_each_vehicle_is_dropped_last() -> None:
    street = Street(together="皖A12345")
    for number, pixels in enumerate((80, 100, 90)):
        street.show(*(
            wide(read(text, 0.9, x=x + number, y=y), pixels * size)
            for text, x, y, size in (("皖A12345", 100, 100, 1.0), ("京B77777", 700, 300, 0.7))
        ))  # fmt: skip
    best = [bytes_of(one.clearest[0][1]) for one in street.film.tracks._tracks]
    street.film.tracks.max_looks_bytes = sum(best)
    street.show()
    street.film.end()
    widths = [round(float(np.hypot(*(one.corners[1] - one.corners[0])))) for (one,) in street.asked]
    assert widths == [100, 70]
