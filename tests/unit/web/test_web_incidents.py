"""Vehicles that stand on the road: who is told of them, who decides about them, and that it is written down."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.web.test_web_watches import GATE, audited, city, client_of, moment

from safecity.kit.errors import ConflictError
from safecity.model.facts.traffic_calls import (
    ApplyCounts,
    AskIncidents,
    AskJams,
    FindRoads,
    IncidentsFound,
    Jam,
    JamsFound,
    JudgeIncident,
    RoadIncident,
    RoadsFound,
)

__all__ = ["city"]


def incident(house: Any, **more: Any) -> RoadIncident:
    now = house.clock.now_us()
    values = {"kind": "stopped", "state": "open", "place": (118.37, 31.33), "vehicles": 1, **more}
    return RoadIncident(id="ti_1", began_at=now, changed_at=now, **values)


@pytest.fixture
def duty(house: Any) -> Any:
    """It knows one incident, and does what it is told."""
    house.calls.answers[AskIncidents] = lambda asked: IncidentsFound(
        (incident(house),) if asked.least <= 1 else ()
    )  # fmt: skip
    house.calls.answers[JudgeIncident] = lambda asked: IncidentsFound(
        (incident(house, state=asked.verdict, decided_by=asked.by),)
    )
    return house.calls


@pytest.mark.usefixtures("duty")
async def test_an_operator_of_everything_confirms_it_under_their_name(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    (one,) = (await admin.ok("GET", "traffic/incidents"))["items"]
    assert (one["kind"], one["state"], one["longitude"], one["vehicles"]) == ("stopped", "open", 118.37, 1)
    said = await admin.ok("POST", f"traffic/incidents/{one['id']}/verdict", {"verdict": "confirmed", "note": "seen"})
    assert (said["state"], said["decided_by"]) == ("confirmed", "root")
    (record,) = await audited(admin, "traffic.change")
    assert (record["object"], record["details"]["verdict"], record["details"]["note"]) == ("ti_1", "confirmed", "seen")


async def test_where_no_border_is_drawn_a_district_decides_about_no_road_and_hears_of_no_single_vehicle(
    house: Any, admin: Any, duty: Any, city: dict[str, Any]
) -> None:
    for name in ("officer", "viewer"):
        client = await client_of(house, name)
        told = await client.ok("GET", "traffic/incidents")
        assert (told["items"], told["least"]) == ([], 3)
        answer = await client.ask("POST", "traffic/incidents/ti_1/verdict", {"verdict": "dismissed"})
        assert answer.status_code == (404 if name == "officer" else 403)
    duty.answers[AskIncidents] = IncidentsFound((incident(house, vehicles=3),))
    officer = await client_of(house, "officer")
    (one,) = (await officer.ok("GET", "traffic/incidents"))["items"]
    assert (one["area"], one["judgeable"]) == (None, False)
    assert (await officer.ask("POST", "traffic/incidents/ti_1/verdict", {"verdict": "dismissed"})).status_code == 403
    assert duty.of(JudgeIncident) == []
    assert await audited(admin, "traffic.change") == []


def square(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.fixture
async def drawn(admin: Any, city: dict[str, Any]) -> dict[str, Any]:
    """The two districts with their borders: the incident and the square around it are the first one's."""
    await admin.ok("PUT", f"areas/{city['own_area']}/outline", square(118.3, 31.3, 118.4, 31.4))
    await admin.ok("PUT", f"areas/{city['foreign_area']}/outline", square(118.4, 31.3, 118.5, 31.4))
    return city


@pytest.mark.usefixtures("duty")
async def test_an_officer_decides_about_the_roads_of_the_own_district_and_the_neighbour_hears_nothing(
    house: Any, admin: Any, drawn: dict[str, Any]
) -> None:
    officer, stranger = await client_of(house, "officer"), await client_of(house, "stranger")
    (one,) = (await officer.ok("GET", "traffic/incidents"))["items"]
    assert (one["area"], one["area_name"], one["judgeable"], one["vehicles"]) == (drawn["own_area"], "own", True, 1)
    assert (await stranger.ok("GET", "traffic/incidents"))["items"] == []
    refused = await stranger.ask("POST", "traffic/incidents/ti_1/verdict", {"verdict": "dismissed"})
    assert refused.status_code == 404
    said = await officer.ok("POST", "traffic/incidents/ti_1/verdict", {"verdict": "confirmed"})
    assert (said["state"], said["decided_by"]) == ("confirmed", "officer")
    viewer = await client_of(house, "viewer")
    assert [each["judgeable"] for each in (await viewer.ok("GET", "traffic/incidents"))["items"]] == [False]
    assert len((await admin.ok("GET", f"traffic/incidents?area={drawn['city']}"))["items"]) == 1
    assert (await admin.ok("GET", f"traffic/incidents?area={drawn['foreign_area']}"))["items"] == []


async def test_a_jam_is_told_where_it_lies(house: Any, admin: Any, drawn: dict[str, Any]) -> None:
    house.calls.answers[AskJams] = JamsFound(
        tuple(Jam(f"jm_{n}", 0, place, 500.0, 9.0, ()) for n, place in enumerate(((118.37, 31.33), (118.9, 31.33))))
    )
    seen = {
        name: [one["id"] for one in (await (await client_of(house, name)).ok("GET", "traffic/jams"))["items"]]
        for name in ("viewer", "stranger")
    }
    assert seen == {"viewer": ["jm_0", "jm_1"], "stranger": ["jm_1"]}, "outside of all borders it is everybody's"
    assert [one["area_name"] for one in (await admin.ok("GET", "traffic/jams"))["items"]] == ["own", ""]


async def test_works_signs_and_counts_lie_in_the_district_in_which_they_are(
    house: Any, admin: Any, drawn: dict[str, Any]
) -> None:
    house.calls.answers[FindRoads] = RoadsFound((), 1.0)
    officer, stranger = await client_of(house, "officer"), await client_of(house, "stranger")
    works = {"kind": "works", "reason": "pipes", "line": [[118.37, 31.33]]}
    assert (await officer.ok("POST", "traffic/closures", works))["area"] == drawn["own_area"]
    across = {**works, "line": [[118.37, 31.33], [118.43, 31.33]], "area": drawn["own_area"]}
    for client, wish in ((stranger, {**works, "area": drawn["foreign_area"]}), (officer, across)):
        assert (await client.ask("POST", "traffic/closures", wish)).status_code == 403, "a road of the neighbour's"
    assert (await admin.ok("POST", "traffic/closures", {**across, "area": None}))["area"] == drawn["city"]
    sign = {"name": "s", "address": "http://192.0.2.9/", "longitude": 118.45, "latitude": 31.33, "direction": 90,
            "lines": 1, "columns": 10}  # fmt: skip
    assert (await admin.ok("POST", "signs", sign))["area"] == drawn["foreign_area"]
    loop = {"source": "loops", "place": "x", "longitude": 118.45, "latitude": 31.33, "count": 5,
            "since": moment(house, -3), "until": moment(house, -2)}  # fmt: skip
    await admin.ok("POST", "traffic/counts", {"items": [loop]})
    assert (await officer.ok("GET", "traffic/counts"))["items"] == []
    assert [one["place"] for one in (await stranger.ok("GET", "traffic/counts"))["items"]] == ["x"]


async def test_nobody_draws_a_border_around_what_is_not_theirs(house: Any, admin: Any, city: dict[str, Any]) -> None:
    grants = [{"role": "administrator", "area": city["own_area"]}]
    await admin.ok("POST", "users", {"username": "chief2", "password": "correct horse battery", "grants": grants})
    chief, wish = await client_of(house, "chief2"), square(118.3, 31.3, 118.5, 31.4)
    path = f"areas/{city['own_area']}/outline"
    assert (await chief.ask("PUT", path, wish)).status_code == 403
    await admin.ok("PUT", path, wish)
    assert (await chief.ask("DELETE", path)).status_code == 403
    assert (await chief.ok("GET", path))["coordinates"] == [wish["coordinates"]]
    site = await chief.ok("POST", "areas", {"name": "market", "parent": city["own_area"]})
    await chief.ok("PUT", f"areas/{site['id']}/outline", square(118.36, 31.32, 118.38, 31.34))
    shown = {one["name"]: one["outlined"] for one in (await admin.ok("GET", "areas?every=true"))["items"]}
    assert shown == {"city": False, "own": True, "foreign": False, "market": True}
    await chief.ok("DELETE", f"areas/{site['id']}")
    assert (await chief.ask("GET", f"areas/{site['id']}/outline")).status_code == 404
    open_ring = {"type": "Polygon", "coordinates": [wish["coordinates"][0][:4]]}
    refused = await admin.ask("PUT", path, open_ring)
    assert (refused.status_code, refused.json()["code"]) == (400, "outline_open")


async def test_nobody_decides_about_one_that_they_may_not_know_of_nor_unwritten(
    house: Any, admin: Any, duty: Any
) -> None:
    known = {"single": incident(house), "none": incident(house, state="dismissed")}
    for name, told in {"single": (), "none": (known["none"],)}.items():
        duty.answers[AskIncidents] = lambda asked, told=told: IncidentsFound(told if asked.dismissed else ())
        answer = await admin.ask("POST", "traffic/incidents/ti_1/verdict", {"verdict": "confirmed"})
        assert answer.status_code == (404 if name == "single" else 200)
    assert len(duty.of(JudgeIncident)) == len(await audited(admin, "traffic.change")) == 1


async def test_what_the_duty_refuses_is_said_in_words(house: Any, admin: Any, duty: Any) -> None:
    refusal = ConflictError("over", code="incident_state", params={"state": "ended"})
    duty.answers[JudgeIncident] = refusal
    answer = await admin.ask("POST", "traffic/incidents/ti_1/verdict", {"verdict": "cleared"})
    assert (answer.status_code, answer.json()["code"]) == (409, "incident_state")
    assert answer.json()["detail"] != ""
    strange = await admin.ask("POST", "traffic/incidents/ti_1/verdict", {"verdict": "perhaps"})
    assert strange.status_code == 422


async def test_the_duty_is_told_again_and_again_what_was_counted_in_the_last_quarter_of_an_hour(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    lanes = [{"number": 1, "direction": "south_north"}, {"number": 2, "direction": "north_south"}]
    place = {"longitude": 118.4, "latitude": 31.3, "lanes": lanes}
    await admin.ok("PATCH", f"tollgates/{city['own_gate']}", place)
    teller = house.services.count_teller
    assert await teller.tell() == 0
    assert house.calls.of(ApplyCounts) == []
    times = {"since": moment(house, -3), "until": moment(house, -2)}
    gate = {"source": "loops", "tollgate": GATE, "count": 9, "speed_kmh": 36, **times}
    beside = {"source": "loops", "place": "x", "longitude": 118.5, "latitude": 31.3, "bearing": 90, "count": 5, **times}
    items = [gate, {**gate, "lane": 1}, {**gate, "lane": 2, "count": 4}, beside, {**beside, "lane": 1}]
    await admin.ok("POST", "traffic/counts", {"items": items})
    assert await teller.tell() == 3
    (told,) = house.calls.of(ApplyCounts)
    # Of a checkpoint with two directions the lanes, of a place beside a road the whole.
    assert sorted((one.bearing, one.vehicles, one.speed_kmh) for one in told.counts) == [
        (0.0, 9, 36.0), (90.0, 5, None), (180.0, 4, 36.0),
    ]  # fmt: skip
    assert told.anew
    house.clock.advance(1_200)
    assert await teller.tell() == 0
    assert house.calls.of(ApplyCounts)[-1].counts == (), "what is over is taken back"
    await teller.tell()
    assert len(house.calls.of(ApplyCounts)) == 2
