"""Whole vehicles in film of the simulated street: where all of each is, and which colour it has; what cannot be told is
not told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.vision.plate_film import Scripted, read

from safecity.kit.clock import SECOND_US
from safecity.sim.scene.street import DAY, NIGHT, Street, Truth, TruthObject
from safecity.vision.enforcement.watching import vehicle_box
from safecity.vision.plates.recognise import PlateRead
from safecity.vision.plates.watching import Passed, PlateWatch
from safecity.vision.vehicles import watching
from safecity.vision.vehicles.bodies import MOVEMENT, PLATE, body_of
from safecity.vision.vehicles.colour import BodyColour, Doubt, body_colour, light_of, told_together
from safecity.vision.vehicles.foreground import Foreground

NOON_US = 1_790_000_000 * SECOND_US
WIDTH, HEIGHT = 960, 540
Picture = NDArray[np.uint8]


def corners_of(thing: TruthObject) -> NDArray[np.float32]:
    assert thing.plate_box is not None
    left, top, wide, high = thing.plate_box
    return np.array([[left, top], [left + wide, top], [left + wide, top + high], [left, top + high]], np.float32)


def legible(thing: TruthObject) -> bool:
    left, top, wide, high = thing.plate_box or (0, 0, 0, 0)
    return wide >= 40 and left >= 0 and left + wide <= WIDTH and top + high <= HEIGHT * 14 // 15


def film(
    seconds: int, *, light: float = DAY, rain: bool = False, seed: int = 5
) -> Iterator[tuple[int, Picture, Truth]]:
    street = Street(seed=seed, channel=1, light=light, rain=rain)
    for step in range(seconds * 5):
        at = NOON_US + step * SECOND_US // 5
        frame = street.render(at, WIDTH, HEIGHT)
        yield at, np.ascontiguousarray(frame.rgb()[:, :, ::-1]), street.truth(at, WIDTH, HEIGHT)


def as_read(thing: TruthObject) -> PlateRead:
    told = read(thing.plate)
    told.corners[:] = corners_of(thing)
    return told


def watched(seconds: int, **how: Any) -> tuple[dict[str, Passed], dict[str, str], dict[tuple[str, int], TruthObject]]:
    """By plate: what was told, the true colour, and where it truly was."""
    now: list[Truth] = []
    watch = PlateWatch(cast("Any", Scripted(lambda _: [as_read(one) for one in now[-1].objects if legible(one)])))
    passed: list[Passed] = []
    colours: dict[str, str] = {}
    places: dict[tuple[str, int], TruthObject] = {}
    for at, picture, truth in film(seconds, **how):
        now.append(truth)
        colours |= {one.plate: one.colour for one in truth.objects if one.plate}
        places |= {(one.plate, at): one for one in truth.objects if one.plate}
        passed += watch.look(at, picture)
    return {one.seen.text: one for one in [*passed, *watch.end()]}, colours, places


def overlap(box: tuple[float, ...], thing: TruthObject) -> float:
    """Shared of both, as far as the thing is in the picture."""
    left, top, wide, high = thing.box
    true = max(left, 0), max(top, 0), min(left + wide, WIDTH), min(top + high, HEIGHT)
    told = box[0] * WIDTH, box[1] * HEIGHT, box[2] * WIDTH, box[3] * HEIGHT
    across = min(true[2], told[2]) - max(true[0], told[0])
    tall = min(true[3], told[3]) - max(true[1], told[1])
    both = max(across, 0.0) * max(tall, 0.0)
    areas = sum((one[2] - one[0]) * (one[3] - one[1]) for one in (true, told))
    return both / (areas - both)


@pytest.fixture(scope="module")
def by_day() -> tuple[dict[str, Passed], dict[str, str], dict[tuple[str, int], TruthObject]]:
    return watched(24)


def test_by_day_colours_are_told_and_right(by_day: Any) -> None:
    told, true, _ = by_day
    said = {plate: one.colour.colour for plate, one in told.items() if one.colour.colour}
    assert len(said) >= 0.8 * len(told) >= 5
    assert said == {plate: true[plate] for plate in said}
    assert len(set(said.values())) >= 4


def test_all_of_a_vehicle_is_cut_out_of_its_best_picture(by_day: Any) -> None:
    told, _, places = by_day
    moved = {plate: one for plate, one in told.items() if one.body.found_by == MOVEMENT}
    assert len(moved) >= 0.7 * len(told)
    found = [overlap(one.body.box, places[plate, one.at]) for plate, one in moved.items()]
    guessed = [
        overlap(vehicle_box(corners_of(places[plate, one.at]).tolist(), (WIDTH, HEIGHT)), places[plate, one.at])
        for plate, one in moved.items()
    ]
    assert min(found) > 0.5
    assert np.median(found) > 0.75
    assert np.median(found) > np.median(guessed), "better than what the plate alone says"
    for one in moved.values():
        close = cv2.imdecode(np.frombuffer(one.close, np.uint8), cv2.IMREAD_COLOR)
        wide = (one.body.box[2] - one.body.box[0]) * WIDTH
        assert 0.9 * wide <= close.shape[1] <= 1.2 * wide


@pytest.mark.parametrize("how", [{"rain": True}, {"light": NIGHT}], ids=["rain", "night"])
def test_in_rain_and_by_night_what_is_told_is_mostly_right_and_the_rest_says_why(how: dict[str, Any]) -> None:
    told, true, _ = watched(24, **how)
    said = {plate: one.colour.colour for plate, one in told.items() if one.colour.colour}
    assert said
    assert sum(true[plate] == colour for plate, colour in said.items()) >= 0.85 * len(said)
    assert all(one.colour.doubt for one in told.values() if not one.colour.colour)
    if "light" in how:
        assert not {"black", "brown"} & set(said.values()), "by night everything is dark"


def test_a_picture_by_infrared_light_and_one_under_sodium_lamps_have_no_colours() -> None:
    _, picture, truth = next(one for one in film(20) if any(legible(thing) for thing in one[2].objects))
    corners = corners_of(next(thing for thing in truth.objects if legible(thing)))
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR).astype(np.uint8)
    assert body_colour(grey, corners, light_of(grey)).doubt == Doubt.COLOURLESS
    sodium = (picture * np.array([0.1, 0.5, 1.0])).astype(np.uint8)
    assert body_colour(sodium, corners, light_of(sodium)).doubt == Doubt.TINTED


def test_glare_and_what_is_hardly_seen_have_none() -> None:
    picture = np.full((400, 600, 3), 90, np.uint8)
    picture[:, 480:, 2] = 200  # something with a hue, so that it is no infrared picture
    picture[60:80] = 10
    corners = np.array([[250, 300], [350, 300], [350, 332], [250, 332]], np.float32)
    picture[240:340, 180:420] = 255
    assert body_colour(picture, corners, light_of(picture)).doubt == Doubt.GLARE
    small = corners / 6
    assert body_colour(picture, small, light_of(picture)).doubt == Doubt.HIDDEN
    assert body_colour(picture, corners - [285, 0], light_of(picture)).doubt == Doubt.HIDDEN, "half outside"


def test_what_is_black_by_day_is_not_told_by_night_beside_a_plate_that_shines() -> None:
    corners = np.array([[250, 300], [350, 300], [350, 332], [250, 332]], np.float32)
    for surroundings, colour, doubt in ((120, "black", ""), (28, "", Doubt.DARK)):
        picture = np.full((400, 600, 3), surroundings, np.uint8)
        picture[60:80] = 0
        picture[80:140, 480:] = (20, 20, 90)
        picture[240:345, 180:420] = (45, 45, 48)
        picture[300:332, 250:350] = 250
        seen = body_colour(picture, corners, light_of(picture))
        assert (seen.colour, seen.doubt) == (colour, doubt)


def test_looks_vote_and_those_that_could_not_say_count_against() -> None:
    red, blue, dark = BodyColour("red", 0.9), BodyColour("blue", 0.5), BodyColour("", 0.0, Doubt.DARK)
    assert told_together([red, red, blue]).colour == "red"
    assert told_together([red, red, blue]).sure < 0.9
    assert told_together([red, red]).sure > told_together([red, red, dark]).sure
    assert told_together([BodyColour("red", 0.5), BodyColour("blue", 0.5)]).doubt == Doubt.BETWEEN
    assert told_together([dark, dark]) == BodyColour("", 0.0, Doubt.DARK)
    assert told_together([]).doubt == Doubt.HIDDEN


def test_paint_is_looked_at_every_other_time_and_the_light_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    paints, lights = Mock(wraps=body_colour), Mock(wraps=light_of)
    monkeypatch.setattr(watching, "body_colour", paints)
    monkeypatch.setattr(watching, "light_of", lights)
    watch = watching.VehicleWatch()
    street = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    street[60:80], street[80:140, 480:] = 0, (20, 20, 90)
    street[240:345, 340:540], street[300:325, 400:480] = (30, 30, 170), 250
    for step in range(10):
        watch.look(NOON_US + step * SECOND_US // 5, street, [(1, read("皖A12345", x=400, y=300))])
    assert (paints.call_count, lights.call_count) == (5, 2), "five looks a second, for two seconds"
    watch.look(NOON_US, street, [(2, read("粤B95H1C", x=400, y=300))])
    assert (paints.call_count, lights.call_count) == (6, 3), (
        "whoever comes anew is looked at, and so is the light after a clock was set back"
    )
    assert watch.colour(1).colour == watch.colour(2).colour != ""


PLATE_AT = [[400.0, 300.0], [480.0, 300.0], [480.0, 325.0], [400.0, 325.0]]
SIZE = (960, 540)


def test_two_that_move_as_one_have_a_half_each_and_a_parked_one_has_what_its_plate_says() -> None:
    beside = [[x + 240, y] for x, y in PLATE_AT]
    still = np.zeros((135, 240), np.bool_)
    both = still.copy()
    both[25:95, 75:205] = True
    left, right = body_of(PLATE_AT, [beside], both, SIZE), body_of(beside, [PLATE_AT], both, SIZE)
    assert left.found_by == right.found_by == MOVEMENT
    assert left.box[2] * 960 == pytest.approx(560, abs=8) == right.box[0] * 960
    assert body_of(PLATE_AT, [], still, SIZE).found_by == PLATE
    elsewhere = still.copy()
    elsewhere[:10, :20] = True
    assert body_of(PLATE_AT, [], elsewhere, SIZE).found_by == PLATE, "what moves elsewhere is not it"


def test_who_walks_before_a_car_and_what_drives_behind_it_does_not_belong_to_it() -> None:
    moving = np.zeros((135, 240), np.bool_)
    moving[45:88, 82:138] = True  # the car
    moving[30:95, 132:142] = True  # somebody beside it
    moving[20:50, 120:170] = True  # another one behind it, to the right
    box = body_of(PLATE_AT, [], moving, SIZE).box
    told = [edge * side for edge, side in zip(box, (240, 135) * 2, strict=True)]
    assert told == pytest.approx([82, 45, 142, 88], abs=1)


def test_what_moves_is_found_a_lit_lamp_is_not_and_a_switched_light_is_no_vehicle() -> None:
    street = np.full((360, 640, 3), 110, np.uint8)
    watch = Foreground()
    for step in range(10):
        assert not watch.look(step * SECOND_US // 5, street).mask.any()
    there = street.copy()
    there[150:250, 200:320] = (40, 40, 190)
    (found,) = watch.look(2 * SECOND_US, there).boxes
    assert found == pytest.approx((200 / 640, 150 / 360, 320 / 640, 250 / 360), abs=0.02)
    lamp = street.copy()
    lamp[50:56, 100:106] = 255
    assert watch.look(3 * SECOND_US, lamp).boxes == ()
    assert watch.look(4 * SECOND_US, np.full_like(street, 230)).boxes == ()
