"""A single vehicle that stands on a street: in the way of others, or as vehicles stand on streets all day."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.unit.traffic.standstill import STREET, Road

from safecity.core.upper.traffic.incidents import Incident

PLACE = 1_500.0
"""Metres along the street, in the middle of its second kilometre."""
STOPS = 600.0
"""Seconds from the beginning, after ten minutes of traffic."""
Speed = Callable[[float, float], float]


def flowing(_second: float, _metres: float) -> float:
    return 45.0


def held_up(second: float, metres: float) -> float:
    """Whoever comes to the place after somebody stopped there passes at a walk, and drives on as before."""
    return 9.0 if second > STOPS and PLACE - 250 < metres < PLACE + 20 else 45.0


def crawling(_second: float, metres: float) -> float:
    return 9.0 if 1_250 < metres < 1_520 else 45.0


def jammed(second: float, metres: float) -> float:
    """Everybody stops and goes, also behind the place."""
    return 9.0 if second > STOPS and metres > PLACE - 250 else 45.0


def dense(second: float, metres: float) -> float:
    """No jam, but nobody is free behind the place either."""
    return 9.0 if second > STOPS and PLACE - 250 < metres < PLACE + 20 else 26.0 if second > STOPS else 45.0


def racing(second: float, metres: float) -> float:
    """Who drove much faster than usual drives as usual past it."""
    return 45.0 if metres > 2_000 else 36.0 if second > STOPS else 75.0


@pytest.fixture
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    made = Road(tmp_path)
    await made.begin()
    yield made
    await made.bus.close()
    await made.database.close()


async def seen(
    road: Road, speed: Speed, *, stands: float = 420, at: float = PLACE, every: float = 45
) -> list[Incident]:
    """What is found at the end, when one vehicle stands so long at a place and others drive along the street."""
    said: list[tuple[float, str, float, float]] = []
    end, number = STOPS + stands, 0
    start = 0.0
    while start < end - 60:
        second, metres = start, 200.0
        while second < end and metres < 3_900:
            said.append((second, f"v{number}", metres, speed(second, metres) / 3.6))
            for _ in range(10):
                metres += speed(second, metres) / 3.6
                second += 1
        number += 1
        start += every
    for n in range(6):
        said.append((STOPS - 30 + 5 * n, "it", at - 300 + 50 * n, 10.0))
    said += [(STOPS + 10 * n, "it", at, 0.0) for n in range(int(stands // 10) + 1)]
    for second, vehicle, metres, metres_per_second in sorted(said):
        await road.say(vehicle, second, metres, on=STREET, speed=metres_per_second)
    return await road.look(end + 1)


async def test_who_stands_in_the_lane_is_found_by_those_who_have_to_drive_around(road: Road) -> None:
    (one,) = await seen(road, held_up)
    assert (one.kind, one.state, one.vehicles, one.longitude) == ("stopped", "open", 1, STREET)
    await road.say("it", STOPS + 430, PLACE + 300, on=STREET, speed=12)
    assert await road.look(STOPS + 435) == []


async def test_who_parks_while_others_drive_past_is_no_incident(road: Road) -> None:
    assert await seen(road, flowing) == []


async def test_a_street_that_was_slow_before_is_not_held_up_by_who_stops_there(road: Road) -> None:
    assert await seen(road, crawling) == []


async def test_who_stands_in_a_jam_that_goes_on_ahead_is_no_incident(road: Road) -> None:
    assert await seen(road, jammed) == []


async def test_who_stands_where_it_is_slow_ahead_too_is_no_incident(road: Road) -> None:
    assert await seen(road, dense) == []


async def test_who_only_makes_others_drive_as_usual_is_no_incident(road: Road) -> None:
    assert await seen(road, racing) == []


async def test_a_light_or_a_bus_stop_is_over_before_it_is_an_incident(road: Road) -> None:
    assert await seen(road, held_up, stands=290, every=20) == []


async def test_who_waits_at_the_stop_line_is_no_incident(road: Road) -> None:
    def turning(second: float, metres: float) -> float:
        return 9.0 if second > STOPS and 1_700 < metres < 1_985 else 45.0

    assert await seen(road, turning, at=1_980) == []


async def test_where_hardly_anybody_drives_nobody_can_tell(road: Road) -> None:
    assert await seen(road, held_up, every=400) == []
