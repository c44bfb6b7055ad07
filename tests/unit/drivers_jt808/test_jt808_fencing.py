"""A fence of the platform as a terminal has it: what the simulated one keeps of it, in each edition."""

from __future__ import annotations

import pytest

from safecity.drivers.jt808.ordering import body_of
from safecity.kit.errors import InvalidError
from safecity.model.facts.vehicle_calls import EraseFence, WriteFence
from safecity.protocols.jt808 import fences
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.messages import read_body
from safecity.protocols.jt808.positions import Location
from safecity.protocols.jt808.registration import Result
from safecity.protocols.jt808.terminal import Commanded, Identity
from safecity.sim.jt808.vehicle import PROFILES, Vehicle

SHAPES = {
    "circle": (((118.37, 31.33),), 200.0),
    "rectangle": (((118.38, 31.33), (118.37, 31.34)), 0.0),
    "polygon": (((118.37, 31.33), (118.38, 31.33), (118.38, 31.34)), 0.0),
    "route": (((118.37, 31.33), (118.38, 31.33)), 60.0),
}


def fence(kind: str, **more: object) -> WriteFence:
    points, metres = SHAPES[kind]
    values = {"on_enter": True, "speed_kmh": 40, "speed_seconds": 15, "name": "Yard", **more}
    return WriteFence("dv_1", 7, kind, points, metres, **values)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("kind", list(SHAPES))
def test_a_terminal_has_the_fence_and_forgets_it(kind: str, version: Version) -> None:
    vehicle = Vehicle(Identity(phone="13912345678", version=version), PROFILES[version])

    def told(order: WriteFence | EraseFence) -> Result | None:
        body = body_of(order, version)
        heard = read_body(body.ID, body.write(version), version)
        return vehicle.obey(Commanded(1, heard), Location())[0]

    assert told(fence(kind, begins="063000", ends="220000")) is Result.OK
    ((_, number),) = vehicle.fences
    assert number == 7
    (kept,) = vehicle.fences.values()
    assert (kept.begins, kept.ends) == ("000000063000", "000000220000")
    assert kept.properties & (fences.TIMED | fences.TELL_ENTER | fences.TELL_LEAVE) == fences.TIMED | fences.TELL_ENTER
    holder = kept.turns[0] if kind == "route" else kept
    assert (holder.speed_limit, holder.limit_seconds) == (40, 15)
    assert told(EraseFence("dv_1", 7, kind)) is Result.OK
    assert vehicle.fences == {}


def test_corners_are_the_upper_left_and_the_lower_right_whatever_was_given() -> None:
    body = body_of(fence("rectangle"), Version.V2019)
    assert isinstance(body, fences.SetRectangles)
    (kept,) = body.rectangles
    assert (kept.upper_left.longitude_micro, kept.upper_left.latitude_micro) == (118_370_000, 31_340_000)
    assert (kept.lower_right.longitude_micro, kept.lower_right.latitude_micro) == (118_380_000, 31_330_000)


def test_what_a_terminal_could_not_hold_is_not_sent() -> None:
    across = WriteFence("dv_1", 7, "polygon", ((-1.0, 50.0), (1.0, 50.0), (1.0, 51.0)), 0.0, on_enter=True)
    wide = WriteFence("dv_1", 7, "route", SHAPES["route"][0], 300.0, on_enter=True)
    for order in (across, wide):
        with pytest.raises(InvalidError) as error:
            body_of(order, Version.V2019)
        assert error.value.code == "fence_not_for_terminals"


def test_the_other_hemispheres_are_bits() -> None:
    body = body_of(WriteFence("dv_1", 7, "circle", ((-70.5, -33.4),), 200.0, on_enter=True), Version.V2019)
    assert isinstance(body, fences.SetCircles)
    (kept,) = body.circles
    assert kept.properties & (fences.SOUTH | fences.WEST) == fences.SOUTH | fences.WEST
    assert (kept.longitude_micro, kept.latitude_micro) == (70_500_000, 33_400_000)
