"""Two lanes before one camera: which of them a vehicle drove in, and when nobody can say."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.vision.plate_film import Scripted, read

from safecity.kit.clock import SECOND_US
from safecity.model.facts.vision_calls import LaneZone
from safecity.sim.scene.street import Street, Truth, TruthObject
from safecity.vision.enforcement.geometry import inside, simple, size
from safecity.vision.lanes import lane_of
from safecity.vision.plates.recognise import PlateRead
from safecity.vision.plates.watching import Passed, PlateWatch

NOON_US = 1_790_000_000 * SECOND_US
LEFT = LaneZone(1, ((0.0, 0.4), (0.5, 0.4), (0.5, 1.0), (0.0, 1.0)))
RIGHT = LaneZone(2, ((0.5, 0.4), (1.0, 0.4), (1.0, 1.0), (0.5, 1.0)))
BOTH = (LEFT, RIGHT)


def test_a_vehicle_belongs_to_the_lane_in_which_it_was_seen_most() -> None:
    assert lane_of(BOTH, [(0.2, 0.6), (0.2, 0.8)]) == 1
    assert lane_of(BOTH, [(0.49, 0.5), (0.51, 0.6), (0.52, 0.8)]) == 2, "one that trembles over the line"
    assert lane_of(BOTH, [(0.8, 0.2), (0.8, 0.3), (0.8, 0.5)]) == 2, "where it was before the zone does not count"


def test_on_the_line_and_outside_nobody_can_say() -> None:
    assert lane_of(BOTH, [(0.49, 0.6), (0.51, 0.8)]) is None
    assert lane_of(BOTH, [(0.2, 0.1), (0.3, 0.2)]) is None
    assert lane_of((LEFT, LaneZone(3, LEFT.area)), [(0.2, 0.6)]) is None, "zones that lie on one another"


@pytest.mark.parametrize(
    ("corners", "good"),
    [
        ([(0, 0), (1, 0), (1, 1), (0, 1)], True),
        ([(0, 0), (1, 1), (1, 0), (0, 1)], False),  # a bow
        ([(0, 0), (1, 0), (1, 1), (1, 0), (0, 1)], False),  # out and back on the same edge
        ([(0, 0), (0.5, 0.5), (1, 0), (1, 1), (0.5, 0.5), (0, 1)], False),  # touches itself at a corner
        ([(0, 0), (0, 0), (1, 0), (1, 1)], False),  # one corner twice
        ([(0, 0), (0.5, 0), (1, 0), (1, 1), (0, 1)], True),  # a corner on a straight edge
        ([(0, 0), (1, 0), (0.5, 0.4), (1, 1), (0, 1)], True),  # with a bay
    ],
)
def test_a_drawn_area_may_not_cross_itself(corners: list[tuple[float, float]], good: bool) -> None:
    for turn in range(len(corners)):
        assert simple([*corners[turn:], *corners[:turn]]) is good, "wherever one begins to draw it"
        assert simple([*corners[turn:], *corners[:turn]][::-1]) is good


@given(st.lists(st.floats(0.1, 0.5), min_size=3, max_size=12))
def test_a_star_shape_is_simple_holds_its_middle_and_has_the_area_of_its_triangles(reach: list[float]) -> None:
    angles = np.linspace(0, 2 * np.pi, len(reach), endpoint=False)
    corners = [(0.5 + r * float(np.cos(a)), 0.5 + r * float(np.sin(a))) for r, a in zip(reach, angles, strict=True)]
    assert simple(corners)
    assert inside(corners, (0.5, 0.5))
    step = float(np.sin(2 * np.pi / len(reach)))
    assert size(corners) == pytest.approx(sum(a * b * step / 2 for a, b in pairwise([*reach, reach[0]])))


WIDTH, HEIGHT = 640, 360
ROAD = {  # the lanes of the simulated street, from the vanishing point to the front of the picture
    number: LaneZone(
        number + 1,
        tuple(
            (min(max((640 + (160 * (2 * number - 3) + side * 160) * scale) / 1280, 0.0), 1.0),
             min((250 + 470 * scale) / 720, 1.0))
            for side, scale in ((-1, 0.3), (1, 0.3), (1, 1.0), (-1, 1.0))
        ),
    )
    for number in range(4)
}  # fmt: skip


def as_read(thing: TruthObject) -> PlateRead:
    """What a reader that makes no mistakes says of it."""
    assert thing.plate_box is not None
    left, top, wide, high = thing.plate_box
    told = read(thing.plate)
    told.corners[:] = [[left, top], [left + wide, top], [left + wide, top + high], [left, top + high]]
    return told


def whole(thing: TruthObject) -> bool:
    left, top, wide, high = thing.plate_box or (0, 0, 0, 0)
    return wide >= 20 and left >= 0 and left + wide <= WIDTH and top + high <= HEIGHT * 14 // 15


def test_film_of_a_street_each_vehicle_is_told_with_the_lane_it_truly_drove_in() -> None:
    """Half a minute over four lanes, two of them with a zone: who drives in the others is told without a lane."""
    street = Street(seed=5, channel=1, light=1.0)
    now: list[Truth] = []
    watch = PlateWatch(
        cast("Any", Scripted(lambda _: [as_read(one) for one in now[-1].objects if one.plate and whole(one)])),
        zones=(ROAD[2], ROAD[3]),
    )
    passed: list[Passed] = []
    lanes: dict[str, int] = {}
    for step in range(150):
        at = NOON_US + step * SECOND_US // 5
        now.append(street.truth(at, WIDTH, HEIGHT))
        lanes |= {one.plate: int(one.id.split("-")[0]) + 1 for one in now[-1].objects if one.plate}
        frame = street.render(at, WIDTH, HEIGHT)
        passed += watch.look(at, np.ascontiguousarray(frame.rgb()[:, :, ::-1]))
    passed += watch.end()
    told = {one.seen.text: one.lane for one in passed}
    assert len({plate for plate in told if lanes[plate] in (3, 4)}) >= 5
    assert told == {plate: lanes[plate] if lanes[plate] in (3, 4) else None for plate in told}
    assert {1, 2} & {lanes[plate] for plate in told}, "and nobody was dropped for want of a lane"
