"""What the API says of roads, and to whom; closures are in force when they are answered."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.kit.errors import NotFoundError, UnavailableError
from safecity.model.facts.traffic_calls import (
    ApplyTraffic,
    AskConditions,
    AskRoutes,
    AskTraffic,
    ConditionsFound,
    EdgeCondition,
    FindRoads,
    RoadsFound,
    RouteFound,
    RoutesFound,
    TrafficFigures,
)

LINE = ((18.0, 59.3), (18.0, 59.31))
WORKS = {"kind": "works", "reason": "water main", "line": [[18.0, 59.3]]}


async def viewer(house: Any, admin: Any, area: str | None = None) -> Any:
    """A viewer of one area, or of everything."""
    grants = [{"role": "viewer", "area": area}] if area else [{"role": "viewer"}]
    user = {"username": f"viewer-{area}", "password": "correct horse battery", "grants": grants}
    await admin.ok("POST", "users", user)
    client = house.client()
    await client.sign_in(user["username"])
    return client


async def test_a_way_is_told_with_its_arrival_and_how_sure_that_is(house: Any, admin: Any) -> None:
    house.calls.answers[AskRoutes] = RoutesFound((RouteFound(LINE, 1112.0, 100.0, 80.0, 130.0, 90.0, 500.0),))
    answer = await admin.ok("GET", "routes?from=18,59.3&to=18,59.31&depart=2023-11-15T00:00:00Z&alternatives=2")
    way = answer["features"][0]
    assert way["geometry"] == {"type": "LineString", "coordinates": [[18.0, 59.3], [18.0, 59.31]]}
    assert way["properties"]["departure"] == "2023-11-15T00:00:00.000000Z"
    assert way["properties"]["arrival"] == "2023-11-15T00:01:40.000000Z"
    assert way["properties"]["arrival_low"] == "2023-11-15T00:01:20.000000Z"
    assert way["properties"]["arrival_high"] == "2023-11-15T00:02:10.000000Z"
    asked = house.calls.of(AskRoutes)[0]
    assert (asked.start, asked.end, asked.count) == ((18.0, 59.3), (18.0, 59.31), 2)


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [
        (NotFoundError("", code="no_road_near", params={"field": "from", "metres": 300}), 404, "no_road_near"),
        (NotFoundError("", code="no_route"), 404, "no_route"),
        (UnavailableError("", code="traffic_no_network"), 503, "traffic_no_network"),
        (UnavailableError("", code="traffic_not_installed"), 503, "traffic_not_installed"),
        (UnavailableError("", code="duty_down", params={"duty": "traffic"}), 503, "traffic_loading"),
    ],
)
async def test_why_there_is_no_way_is_said_in_a_sentence(
    house: Any, admin: Any, trouble: Exception, status: int, code: str
) -> None:
    house.calls.answers[AskRoutes] = trouble
    answer = await admin.ask("GET", "routes?from=18,59.3&to=18,59.31")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "went wrong" not in answer.json()["detail"]


@pytest.mark.parametrize("query", ["from=18&to=18,59", "from=x,y&to=18,59", "from=18,91&to=18,59", "from=nan,1&to=1,1"])
async def test_what_is_no_place_is_refused(house: Any, admin: Any, query: str) -> None:
    answer = await admin.ask("GET", f"routes?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "place_invalid")
    assert house.calls.of(AskRoutes) == []


async def test_a_road_that_few_drove_on_is_shown_to_those_who_see_all_vehicles_alone(house: Any, admin: Any) -> None:
    edge = EdgeCondition(3, LINE, 5, 54.0, 20.0, "E", 4, 12.0)
    house.calls.answers[AskConditions] = ConditionsFound((edge,), 0, house.clock.now_us())
    area = (await admin.ok("POST", "areas", {"name": "own", "code": "34"}))["id"]
    for client, least in (
        (admin, 1), (await viewer(house, admin), 1), (await viewer(house, admin, area), 3)
    ):  # fmt: skip
        shown = await client.ok("GET", "traffic/conditions?box=17,58,19,60")
        assert shown["least"] == least == house.calls.of(AskConditions)[-1].least
        assert shown["features"][0]["properties"]["level"] == "E"


async def test_a_closure_is_told_to_the_duty_before_it_is_answered(house: Any, admin: Any) -> None:
    house.calls.answers[FindRoads] = RoadsFound((LINE,), 1112.0)
    made = await admin.ok("POST", "traffic/closures", {**WORKS, "end": "2023-11-20T00:00:00Z"})
    assert (made["metres"], len(made["roads"]), made["created_by"]) == (1112.0, 1, "root")
    told = house.calls.of(ApplyTraffic)[-1]
    assert [(one.id, one.line, one.both_ways) for one in told.closures] == [(made["id"], ((18.0, 59.3),), True)]
    assert [one["id"] for one in (await admin.ok("GET", "traffic/closures"))["items"]] == [made["id"]]
    await admin.ok("DELETE", f"traffic/closures/{made['id']}")
    again = house.calls.of(ApplyTraffic)[-1]
    assert (again.closures, again.revision) == ((), told.revision + 1)
    assert (await admin.ok("GET", "traffic/closures"))["items"] == []
    records = (await admin.ok("GET", "audit"))["items"]
    assert [one["reason"] for one in records if one["action"] == "traffic.change"] == ["water main"] * 2


async def test_a_closure_that_fits_no_road_is_not_kept(house: Any, admin: Any) -> None:
    house.calls.answers[FindRoads] = NotFoundError("", code="no_road_near", params={"field": "line", "metres": 30})
    assert (await admin.ask("POST", "traffic/closures", WORKS)).status_code == 404
    assert (await admin.ok("GET", "traffic/closures"))["items"] == []
    house.calls.answers[FindRoads] = RoadsFound((LINE,), 1112.0)
    bad = await admin.ask("POST", "traffic/closures", {**WORKS, "start": "2023-11-20T00:00:00Z",
                                                       "end": "2023-11-20T00:00:00Z"})  # fmt: skip
    assert (bad.status_code, bad.json()["code"]) == (400, "closure_invalid")


async def test_a_duty_that_began_anew_is_told_all_closures_again(house: Any, admin: Any) -> None:
    house.calls.answers[FindRoads] = RoadsFound((LINE,), 1112.0)
    made = await admin.ok("POST", "traffic/closures", WORKS)
    revision = house.calls.of(ApplyTraffic)[-1].revision
    house.calls.asked.clear()
    house.calls.answers[AskTraffic] = TrafficFigures("ready", revision=revision)
    await house.services.closures.look()
    assert house.calls.of(ApplyTraffic) == []
    house.calls.answers[AskTraffic] = TrafficFigures("ready", revision=0)
    await house.services.closures.look()
    assert [one.id for one in house.calls.of(ApplyTraffic)[-1].closures] == [made["id"]]


async def test_a_viewer_sees_closures_and_makes_none(house: Any, admin: Any) -> None:
    house.calls.answers[FindRoads] = RoadsFound((LINE,), 1112.0)
    made = await admin.ok("POST", "traffic/closures", WORKS)
    client = await viewer(house, admin)
    assert [one["id"] for one in (await client.ok("GET", "traffic/closures"))["items"]] == [made["id"]]
    assert (await client.ask("POST", "traffic/closures", WORKS)).status_code == 403
    assert (await client.ask("DELETE", f"traffic/closures/{made['id']}")).status_code == 403


async def test_the_duty_is_told_of_holidays_as_soon_as_they_are_set(house: Any, admin: Any) -> None:
    house.calls.answers[AskTraffic] = TrafficFigures("ready", revision=0)
    await house.services.closures.look()
    told = house.calls.of(ApplyTraffic)[-1]
    house.calls.answers[AskTraffic] = TrafficFigures("ready", revision=told.revision)
    days = {"2026-10-01": "sunday", "2026-10-10": "working"}
    assert (await admin.ok("PATCH", "settings", {"day_kinds": days}))["day_kinds"] == days
    await house.services.closures.look()
    assert (told.days, house.calls.of(ApplyTraffic)[-1].days) == ({}, days)
    for bad in ({"2026-13-01": "sunday"}, {"2026-1-1": "sunday"}, {"2026-10-01": "feast"}):
        assert (await admin.ask("PATCH", "settings", {"day_kinds": bad})).status_code in (400, 422)
    assert (await admin.ok("GET", "settings"))["day_kinds"] == days
