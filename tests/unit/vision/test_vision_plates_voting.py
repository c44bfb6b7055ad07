"""A film: frames disagree, the vehicle has one plate."""

from __future__ import annotations

from tests.unit.vision.plate_film import read

from safecity.vision.plates.recognise import PlateRead
from safecity.vision.plates.voting import MOST_READINGS, PlateSeen, PlateTracks
from safecity.vision.plates.watching import worth_telling


def film(*frames: list[PlateRead], step: float = 0.2) -> list[PlateSeen]:
    tracks = PlateTracks()
    seen = [one for number, reads in enumerate(frames) for one in tracks.see(number * step, reads)]
    return [*seen, *tracks.end()]


def test_a_vehicle_that_passes_is_told_once() -> None:
    seen = film(*([read("皖A12345", x=100 + 30 * number)] for number in range(10)))
    assert [(one.text, one.sights, one.doubtful) for one in seen] == [("皖A12345", 10, False)]
    assert (seen[0].first_seconds, round(seen[0].last_seconds, 2)) == (0.0, 1.8)


def test_one_wrong_frame_is_outvoted() -> None:
    wrong = read("皖A12B45", [0.99, 0.99, 0.99, 0.99, 0.7, 0.99, 0.99])
    seen = film([read("皖A12345")], [wrong], [read("皖A12345")])
    assert seen[0].text == "皖A12345"


def test_many_blurred_guesses_do_not_outvote_a_clear_sight() -> None:
    blurred = [[read("皖A12845", 0.45)] for _ in range(4)]
    seen = film(*blurred, [read("皖A12345", 0.99)], [read("皖A12345", 0.99)])
    assert seen[0].text == "皖A12345"
    assert seen[0].best.read.confidence > 0.9


def test_each_frame_sees_another_part_well() -> None:
    left = read("皖A12399", [0.99, 0.99, 0.99, 0.99, 0.99, 0.3, 0.3])
    right = read("京B77345", [0.3, 0.3, 0.3, 0.3, 0.99, 0.99, 0.99])
    whole = film([left], [right], [left], [right])
    assert whole[0].text[4] == "3"
    assert whole[0].text[:4] in {"皖A12", "京B77"}, "weighted by whole readings as well as by signs"


def test_a_reading_with_a_sign_too_few_does_not_shorten_the_plate() -> None:
    seen = film([read("皖A12345")], [read("皖A1234", 0.9)], [read("皖A12345")])
    assert seen[0].text == "皖A12345"


def test_two_vehicles_in_one_picture_stay_apart() -> None:
    frames = [[read("皖A11111", x=100 + 20 * n), read("皖B22222", x=600 - 20 * n, y=300)] for n in range(8)]
    assert sorted((one.text, one.sights) for one in film(*frames)) == [("皖A11111", 8), ("皖B22222", 8)]


def test_one_that_leaves_and_another_that_comes_are_two() -> None:
    tracks = PlateTracks()
    assert tracks.see(0.0, [read("皖A11111")]) == []
    assert tracks.see(5.0, [read("皖B22222")]) == []
    gone = tracks.see(7.0, [read("皖B22222")])
    assert [one.text for one in gone] == ["皖A11111"]
    assert [one.text for one in tracks.end()] == ["皖B22222"]
    assert tracks.end() == [], "told once"


def test_a_parked_one_is_one_however_seldom_somebody_looks() -> None:
    tracks = PlateTracks()
    for at in range(0, 600, 5):
        assert tracks.see(float(at), [read("皖A11111")]) == []
        assert tracks.forget(at + 4.0) == [], "who is not looked for is not missed"
    assert [one.text for one in tracks.end()] == ["皖A11111"]


def test_who_has_left_is_told_without_another_look() -> None:
    tracks = PlateTracks()
    tracks.see(0.0, [read("皖A11111")])
    assert tracks.see(0.2, []) == []
    assert tracks.forget(1.0) == []
    assert [one.text for one in tracks.forget(2.0)] == ["皖A11111"]


def test_writing_in_the_picture_is_no_vehicle_and_one_that_passes_is() -> None:
    clock = film(*[[read("20261", x=10)] for _ in range(20)])
    assert not any(worth_telling(one) for one in clock)
    unclear = film(*[[read("2026?", 0.3, x=10 + 20 * n)] for n in range(5)])
    assert [worth_telling(one) for one in unclear] == [True], "doubtful, but it passed"
    parked = film(*[[read("皖A11111")] for _ in range(5)])
    assert [worth_telling(one) for one in parked] == [True], "stands, but is clearly a plate"
    assert not worth_telling(film([read("皖A", 0.9)])[0])


def test_writing_in_the_picture_that_is_found_here_and_there_takes_nothing_from_a_vehicle() -> None:
    words = [read("2026", 0.9, x=10 + 300 * (n % 3), y=20) for n in range(20)]
    car = [read("皖A11111", x=60 + 40 * n, y=60 + 25 * n) for n in range(20)]
    seen = film(*[[word, vehicle] for word, vehicle in zip(words, car, strict=True)])
    assert [(one.text, one.sights) for one in seen if one.text.startswith("皖")] == [("皖A11111", 20)]


def test_two_that_pass_one_another_keep_their_plates() -> None:
    there = [read("皖A11111", x=100 + 60 * n) for n in range(10)]
    back = [read("皖B22222", x=640 - 60 * n, y=110) for n in range(10)]
    seen = film(*[[one, other] for one, other in zip(there, back, strict=True)])
    assert sorted((one.text, one.sights) for one in seen) == [("皖A11111", 10), ("皖B22222", 10)]


def test_one_that_leaps_between_two_looks_is_known_by_what_is_written() -> None:
    seen = film(*[[read("皖A11111", x=100 + 350 * n)] for n in range(4)])
    assert [one.text for one in seen] == ["皖A11111"]


def test_a_fast_one_is_followed_by_its_speed() -> None:
    steps = [0, 60, 180, 360, 540, 720]
    assert [one.sights for one in film(*([read("皖A12345", x=float(x))] for x in steps))] == [6]


def test_an_hour_in_front_of_the_camera_needs_no_more_memory() -> None:
    tracks = PlateTracks()
    for number in range(5 * MOST_READINGS):
        tracks.see(number * 0.2, [read("皖A12345", 0.98 if number == 3 else 0.9)])
    (seen,) = tracks.end()
    assert seen.sights == 5 * MOST_READINGS
    assert seen.best.at_seconds == 3 * 0.2, "the clearest sight is kept"


def test_what_was_never_sure_stays_doubtful_and_is_told_all_the_same() -> None:
    (seen,) = film([read("皖A12345", 0.5)], [read("皖A12B45", 0.5)])
    assert seen.doubtful
    assert len(seen.text) == 7


def test_a_clock_in_the_picture_is_no_plate_however_clear_it_is() -> None:
    (seen,) = film(*([read("3125200", 0.999)] for _ in range(20)))
    assert (seen.text, seen.doubtful) == ("3125200", True)


def test_a_plate_that_nobody_could_read_is_told_too() -> None:
    (seen,) = film([read("")], [read("")])
    assert (seen.text, seen.doubtful) == ("", True)
