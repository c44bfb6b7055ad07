"""Vehicles that stand on the road: who is told of them, who decides about them, and that it is written down."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.web.test_web_watches import GATE, audited, city, client_of, moment

from safecity.kit.errors import ConflictError
from safecity.model.facts.traffic_calls import (
    ApplyCounts,
    AskIncidents,
    IncidentsFound,
    JudgeIncident,
    RoadIncident,
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


async def test_whoever_may_change_traffic_in_a_district_alone_decides_about_no_road_and_hears_of_no_single_vehicle(
    house: Any, admin: Any, duty: Any, city: dict[str, Any]
) -> None:
    for name in ("officer", "viewer"):
        client = await client_of(house, name)
        told = await client.ok("GET", "traffic/incidents")
        assert (told["items"], told["least"]) == ([], 3)
        answer = await client.ask("POST", "traffic/incidents/ti_1/verdict", {"verdict": "dismissed"})
        assert answer.status_code == 403
    assert duty.of(JudgeIncident) == []
    assert await audited(admin, "traffic.change") == []


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
