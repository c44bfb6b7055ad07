"""What loops count beside a road: on its right direction, weighed with those who drive there, told as its flow."""

from __future__ import annotations

import pytest
from tests.ladder import STEP
from tests.unit.traffic.test_traffic_city import MINUTE_US, NOW, WIDE, city, driven, edge

from safecity.core.upper.traffic.city import City
from safecity.core.upper.traffic.counted import edge_at
from safecity.model.facts.traffic_calls import RoadCount

__all__ = ["city"]
BESIDE = (18.0001, 59.3 + 1.5 * STEP)
"""Six metres east of the western street, in its second block."""


def counted(
    point: str = "a", *, site: str = "a", bearing: float | None = 0.0, vehicles: int = 20, kmh: float | None = 10.0,
    minutes: int = 5, place: tuple[float, float] = BESIDE,
) -> RoadCount:  # fmt: skip
    return RoadCount(point, site, place, bearing, NOW - minutes * MINUTE_US, NOW, vehicles, kmh)


def speed(city: City, *counts: RoadCount) -> float:
    city.counted.take(counts, anew=True)
    city.live.observe(city.counted.observed(NOW))
    return float(city.live.refresh(NOW).speed[edge(city, 101)]) * 3.6


def test_a_detector_lies_on_the_direction_that_it_looks_at(city: City) -> None:
    north, south = edge(city, 101), edge(city, 101, north=False)
    assert edge_at(city.network, BESIDE, 0) == edge_at(city.network, BESIDE, 45) == north
    assert edge_at(city.network, BESIDE, 180) == edge_at(city.network, BESIDE, 225) == south
    assert edge_at(city.network, BESIDE, 90) is None, "no road runs like that there"
    assert edge_at(city.network, BESIDE, None) is None, "one of two directions, nobody knows which"
    assert edge_at(city.network, (18.002, BESIDE[1]), 0) is None, "too far from any road"


def test_a_counted_speed_is_one_more_observation_with_its_own_weight(city: City) -> None:
    assert speed(city, counted(kmh=10)) == pytest.approx(10, abs=0.1)
    city.live.take([driven(edge(city, 101), 50, minute=-1, vehicles=10)])
    # Harmonic: twenty vehicles count like seven and a half that drove the 400 m.
    assert speed(city, counted(kmh=10)) == pytest.approx(17.5 / (7.5 / 10 + 10 / 50), rel=0.02)
    assert speed(city, counted(kmh=None)) == pytest.approx(50, rel=0.01)
    assert speed(city) == pytest.approx(50, rel=0.01), "what is no longer told is gone"


def test_a_queue_before_a_loop_is_a_jam_and_the_way_leads_round_it(city: City) -> None:
    speed(city, counted(kmh=4, vehicles=30))
    assert city.live.now.jammed[edge(city, 101)]
    assert not city.live.now.jammed[edge(city, 101, north=False)]


def test_flows_of_lanes_are_summed_and_of_several_sources_the_one_that_counted_most_speaks(city: City) -> None:
    city.counted.take(
        [counted("a/1", vehicles=20), counted("a/2", vehicles=30), counted("b", site="b", vehicles=45, kmh=None)],
        anew=True,
    )
    city.counted.take([counted("c", site="c", bearing=180, vehicles=2)], anew=False)
    city.live.observe(city.counted.observed(NOW))
    city.live.refresh(NOW)
    told = {one.edge: one.flow for one in city.conditions(WIDE).edges}
    assert told == {edge(city, 101): 600.0, edge(city, 101, north=False): 24.0}
    few = WIDE.__class__(17, 59, 19, 60, 3, everything=True)
    assert [one.flow for one in city.conditions(few).edges if one.flow is not None] == [600.0]
    assert city.counted.observed(NOW + 16 * MINUTE_US) == [], "a quarter of an hour later it is not now"
    assert city.counted.flows() == {}
