"""Vehicles whose plate nobody can read: counted in the zone of their lane, told where the lane asks for it, and never
beside the same vehicle read."""

from __future__ import annotations

import math
import pickle
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.vision.plate_film import Scripted
from tests.unit.vision.test_vision_lanes import ROAD
from tests.unit.vision.test_vision_vehicles import HEIGHT, WIDTH, as_read, film, legible

from safecity.kit.clock import SECOND_US
from safecity.model.facts.vision_calls import LaneZone, PlateTask
from safecity.sim.scene.street import Truth, TruthObject
from safecity.vision.camera import without_plate
from safecity.vision.enforcement.geometry import inside
from safecity.vision.plates.watching import Passed, PassedUnread, PlateWatch, pictured
from safecity.vision.vehicles.unread import Unread, UnreadWatch

TALL, WIDE = 144, 256
STEP_US = SECOND_US // 5
LANE = LaneZone(3, ((0.3, 0.3), (0.7, 0.3), (0.7, 0.95), (0.3, 0.95)), unread=True)


class Road:
    """Moving rectangles before a watch; all in shares of the picture."""

    def __init__(self, *zones: LaneZone) -> None:
        self.watch = UnreadWatch(zones or (LANE,))
        self.at = 0

    def show(
        self, *boxes: tuple[float, float, float, float], plate: tuple[int, tuple[float, float]] | None = None
    ) -> None:
        self.at += STEP_US
        moving: NDArray[np.bool_] = np.zeros((TALL, WIDE), np.bool_)
        for left, top, right, bottom in boxes:
            moving[round(top * TALL) : round(bottom * TALL), round(left * WIDE) : round(right * WIDE)] = True
        picture = np.full((TALL, WIDE, 3), 90, np.uint8)
        self.watch.look(self.at, moving, [plate] if plate else [], picture)

    def drive(
        self, left: float, right: float, *, tall: float = 0.2, plate: int = 0, plates_at: range = range(0)
    ) -> None:
        """From the back of the picture to its front."""
        for step in range(12):
            bottom = 0.35 + step * 0.05
            read = (plate, ((left + right) / 2, bottom)) if step in plates_at else None
            self.show((left, bottom - tall, right, bottom), plate=read)

    def found(self) -> list[Unread]:
        for _ in range(10):
            self.show()
        return self.watch.found()


def test_a_car_that_drives_through_is_found_once_with_its_lane_its_times_and_its_picture() -> None:
    road = Road()
    road.drive(0.38, 0.62)
    (one,) = road.found()
    assert (one.lane, one.first) == (3, STEP_US)
    assert 11 * STEP_US <= one.last <= 12 * STEP_US
    assert one.picture is not None
    assert (one.box[0], one.box[2]) == pytest.approx((0.38, 0.62), abs=0.02)


def test_who_walks_or_rides_through_who_crosses_and_what_leans_in_is_no_vehicle_of_the_lane() -> None:
    road = Road()
    road.drive(0.45, 0.51)  # walks along the lane
    assert road.found() == []
    for step in range(20):  # crosses it
        road.show((0.1 + step * 0.04, 0.5, 0.16 + step * 0.04, 0.8))
    assert road.found() == []
    road.drive(0.05, 0.48, tall=0.4)  # a bus in the next lane
    assert road.found() == []


def test_two_one_behind_the_other_are_two_and_one_that_stops_in_between_is_one() -> None:
    road = Road()
    for step in range(18):
        near, far = 0.5 + step * 0.05, 0.2 + step * 0.05
        road.show(*((0.38, bottom - 0.18, 0.62, bottom) for bottom in (near, far) if bottom < 1.1))
    assert len(road.found()) == 2
    for step in (*range(6), *[5] * 20, *range(6, 12)):
        road.show((0.38, 0.15 + step * 0.05, 0.62, 0.35 + step * 0.05))
    assert len(road.found()) == 1


def test_a_vehicle_whose_plate_is_told_is_not_told_again_however_late_that_is_decided() -> None:
    for before in (True, False):
        road = Road()
        road.drive(0.38, 0.62, plate=7, plates_at=range(2, 5))
        if before:
            road.watch.resolved(7, told=True)
        assert road.found() == []
        road.watch.resolved(7, told=True)
        assert road.found() == []


def test_writing_on_a_vehicle_that_is_no_plate_leaves_it_unread() -> None:
    road = Road()
    road.drive(0.38, 0.62, plate=7, plates_at=range(2, 5))
    assert road.found() == [], "nobody knows yet"
    road.watch.resolved(7, told=False)
    assert len(road.found()) == 1


def test_a_plate_that_was_read_before_the_zone_is_awaited_in_it() -> None:
    road = Road()
    for step in range(4):
        road.show(plate=(7, (0.5, 0.1 + step * 0.05)))
    road.watch.resolved(7, told=True)
    road.drive(0.38, 0.62)
    assert road.found() == []
    road.drive(0.38, 0.62)
    assert len(road.found()) == 1, "but it answers for one vehicle only"


def test_a_queue_that_lasts_for_hours_needs_no_more_memory_and_is_one() -> None:
    road = Road()
    sizes: list[int] = []
    for step in range(600):
        bottom = 0.35 + min(step, 9) * 0.05 + 0.01 * (step % 3)
        road.show((0.38, bottom - 0.2, 0.62, bottom))
        sizes.append(len(pickle.dumps(road.watch._passing)))
    assert max(sizes[300:]) <= max(sizes[:300]) + 8, "but for numbers that have become larger"
    (one,) = road.found()
    assert one.looks >= 600


def test_a_stream_that_ends_forgets_nobody_who_had_passed() -> None:
    road = Road()
    road.drive(0.38, 0.62, plate=7, plates_at=range(2, 5))
    road.watch.end()
    assert len(road.watch.found()) == 1


def hidden(thing: TruthObject) -> bool:
    """Half of the plates are dirty."""
    return sum(map(ord, thing.plate)) % 2 == 0


def filmed(
    zones: tuple[LaneZone, ...],
) -> tuple[list[Passed], list[PassedUnread], dict[tuple[str, int], list[int]], PlateWatch]:
    """What was told of half a minute of street, and when vehicles with dirty plates truly were in which lane's zone."""
    now: list[Truth] = []
    reads = Scripted(lambda _: [as_read(one) for one in now[-1].objects if legible(one) and not hidden(one)])
    watch = PlateWatch(cast("Any", reads), zones=zones)
    passed, unread, true = list[Passed](), list[PassedUnread](), dict[tuple[str, int], list[int]]()
    for at, picture, truth in film(32):
        now.append(truth)
        for one in truth.objects:
            foot = (one.box[0] + one.box[2] / 2) / WIDTH, (one.box[1] + one.box[3]) / HEIGHT
            if one.plate and hidden(one) and inside(ROAD[int(one.id[0])].area, foot):
                true.setdefault((one.plate, int(one.id[0]) + 1), []).append(at)
        passed += watch.look(at, picture)
        unread += watch.unread()
    passed += watch.end()
    return passed, [*unread, *watch.unread()], true, watch


def test_film_of_a_street_with_dirty_plates_half_of_them_are_told_without_and_few_are_missed() -> None:
    asked = tuple(msgspec.structs.replace(ROAD[number], unread=True) for number in range(3))
    passed, unread, true, watch = filmed((*asked, ROAD[3]))
    wanted = {name: moments for name, moments in true.items() if name[1] < 4 and len(moments) >= 5}
    assert len(wanted) >= 4
    found = [
        name
        for name, moments in wanted.items()
        if any(one.lane == name[1] and one.first <= moments[-1] and one.last >= moments[0] for one in unread)
    ]
    assert len(found) >= math.ceil(0.75 * len(wanted))
    assert len(unread) <= 1.25 * len(wanted) + 1
    assert {one.lane for one in unread} <= {1, 2, 3}, "lane 4 does not ask"
    assert watch.not_read > len(unread), "it is counted all the same"
    assert all(one.seen.text for one in passed)
    assert all(one.scene[:2] == b"\xff\xd8" and one.close for one in unread)


def test_it_is_told_to_control_without_a_plate_with_its_lane_and_pictures() -> None:
    road = Road()
    road.drive(0.38, 0.62)
    (one,) = road.found()
    told = without_plate(PlateTask("ch_1", "media-0", "tg_1", zones=(LANE,)), pictured(one))
    assert (told.plate, told.lane, told.tollgate, told.colour) == ("", 3, "tg_1", "")
    assert [picture.kind for picture in told.pictures] == ["14", "09"]
    assert told.body_from == "movement"
