"""Loops tell, cameras are counted: how many pass, how fast, and never who."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from tests.unit.web.test_web_watches import FAR_GATE, GATE, audited, city, client_of, moment

from safecity.core.upper.counts import tables
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import UnavailableError

__all__ = ["city"]
LOOP = {"source": "loops", "place": "km 12.4", "longitude": 118.37, "latitude": 31.33, "bearing": 90, "lanes": 2}


@pytest.fixture
async def noon(house: Any, admin: Any) -> None:
    """A quarter of an hour past the begin of five minutes, so that every run cuts time in the same places."""
    house.clock.advance(3600 - house.clock.now_us() // SECOND_US % 3600 + 900)
    await admin.sign_in("root")


def loop(house: Any, minute: float, *, lasts: float = 1.0, count: int = 10, **more: Any) -> dict[str, Any]:
    times = {"since": moment(house, minute), "until": moment(house, minute + lasts)}
    return {**LOOP, **times, "count": count, **more}


async def tell(client: Any, *items: dict[str, Any]) -> list[dict[str, Any]]:
    return (await client.ok("POST", "traffic/counts", {"items": [*items]}))["items"]


async def outcomes(client: Any, *items: dict[str, Any]) -> list[str]:
    return [one["code"] or one["outcome"] for one in await tell(client, *items)]


async def follow(house: Any) -> None:
    while await house.services.relay.step() or await house.services.count_follower.step():
        pass


def seen(house: Any, minute: float, name: str, **more: Any) -> dict[str, Any]:
    return {
        "tollgate": GATE, "reference": name, "source": "camera", "at": moment(house, minute), "plate": f"皖A{name:0>5}",
        "confidence": 0.9, "lane": 1, **more,
    }  # fmt: skip


async def report(house: Any, admin: Any, *items: dict[str, Any]) -> None:
    await admin.ok("POST", "sightings", {"items": [*items]})
    await follow(house)


async def points(client: Any, **asked: Any) -> list[dict[str, Any]]:
    return (await client.ok("GET", "traffic/counts", params=asked))["items"]


async def history(client: Any, point: str, **asked: Any) -> list[dict[str, Any]]:
    return (await client.ok("GET", f"traffic/counts/{point}/history", params=asked))["items"]


@pytest.mark.usefixtures("noon", "city")
async def test_what_a_loop_tells_is_shown_as_flow_speed_and_share_of_kinds(house: Any, admin: Any) -> None:
    fast = loop(house, -10, count=20, speed_kmh=60, occupancy=0.1, kinds={"car": 15, "truck": 5})
    slow = loop(house, -9, count=10, speed_kmh=30, occupancy=0.4, kinds={"car": 10})
    assert await outcomes(admin, fast, slow) == ["new", "new"]
    (point,) = await points(admin)
    assert (point["source"], point["name"], point["lane"], point["lanes"]) == ("loops", "km 12.4", None, 2)
    now = point["now"]
    assert (now["vehicles"], now["seconds"], now["flow"], now["speed_kmh"]) == (30, 120, 900.0, 50.0)
    assert (now["kinds"], now["occupancy"]) == ({"car": 25, "truck": 5}, 0.25)
    assert [one["vehicles"] for one in point["recent"]] == [30]
    minutes = await history(admin, point["id"], step=60)
    assert [(one["vehicles"], one["at"]) for one in minutes] == [(20, moment(house, -10)), (10, moment(house, -9))]
    assert await history(admin, point["id"], step=3600) == [{**now, "at": moment(house, -15)}]


@pytest.mark.usefixtures("noon", "city")
async def test_told_again_it_is_the_same_and_told_otherwise_it_replaces_what_was_told(house: Any, admin: Any) -> None:
    one = loop(house, -10, count=20, speed_kmh=60)
    assert await outcomes(admin, one, one) == ["new", "known"]
    assert await outcomes(admin, one) == ["known"]
    assert await outcomes(admin, {**one, "count": 21}) == ["corrected"]
    # Another lane, another source and the next period are something else.
    others = {**one, "lane": 1}, {**one, "source": "radar"}, loop(house, -9, count=5)
    assert await outcomes(admin, *others) == ["new"] * 3
    whole = [one["now"]["vehicles"] for one in await points(admin)]
    assert sorted(whole) == [20, 20, 26]


@pytest.mark.usefixtures("noon", "city")
async def test_what_cannot_be_true_is_refused_with_the_reason_and_keeps_back_nothing_else(
    house: Any, admin: Any
) -> None:
    good = loop(house, -20, count=100)
    told = await tell(
        admin,
        good,
        loop(house, -20, lasts=2, count=5),  # shares a minute with the first
        loop(house, -20.5, count=5),
        loop(house, 0.5, count=5),  # ends a minute and a half from now
        loop(house, -200, lasts=61, count=5),
        loop(house, -10, lasts=0.1, count=1),
        loop(house, -7 * 24 * 60, count=5),
        loop(house, -10, count=105),  # 3,000 an hour and lane, and two close behind
        loop(house, -10, count=4, speed_kmh=300),
        loop(house, -10, count=4, speed_kmh=1e-300),
        loop(house, -10, count=0, speed_kmh=50),
        loop(house, -10, count=4, kinds={"car": 5}),
        loop(house, -10, count=400, kinds={"bicycle": 400}),
    )
    assert [one["code"] for one in told] == [
        "", "count_overlaps", "count_overlaps", "count_future", "count_period", "count_period", "count_too_old",
        "count_flow", "count_speed", "count_speed", "count_speed", "count_kinds", "",
    ]  # fmt: skip
    assert told[7]["params"] == {"most": 104, "lanes": 2}
    assert "104" in told[7]["sentence"]
    (point,) = await points(admin)
    assert [one["vehicles"] for one in await history(admin, point["id"], step=60)] == [100, 400]


@pytest.mark.usefixtures("noon")
async def test_a_loop_of_a_lane_of_a_checkpoint_lies_where_the_checkpoint_lies(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    lanes = [{"number": 1, "direction": "west_east"}, {"number": 2, "direction": "west_east"}]
    await admin.ok("PATCH", f"tollgates/{city['own_gate']}", {"lanes": lanes, "longitude": 118.4, "latitude": 31.3})
    at = {"source": "loops", "tollgate": GATE, "since": moment(house, -9), "until": moment(house, -8), "count": 9}
    assert await outcomes(admin, at, {**at, "lane": 2}) == ["new", "new"]
    (point,) = await points(admin)
    assert (point["name"], point["lane"], point["lanes"]) == ("own gate", None, 2)
    assert (point["bearing"], point["longitude"]) == (90, 118.4)
    every = await points(admin, tollgate=city["own_gate"], every_lane=True)
    assert {one["lane"] for one in every} == {None, 2}
    nowhere = await admin.ask("POST", "traffic/counts", {"items": [{**at, "lane": 3}]})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "count_lane")


@pytest.mark.usefixtures("noon")
async def test_passages_are_counted_by_checkpoint_and_lane_by_themselves(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await report(
        house, admin,
        seen(house, -9.9, "1", vehicle_class="K33", speed_kmh=50), seen(house, -9.8, "2", vehicle_class="H11"),
        seen(house, -9.7, "3", lane=2, vehicle_class="K33", speed_kmh=70), seen(house, -8.5, "4", plate="", lane=2),
    )  # fmt: skip
    (gate,) = await points(admin)
    assert (gate["source"], gate["name"], gate["now"]["vehicles"], gate["now"]["flow"]) == (
        "passages", "own gate", 4, 16.0,
    )  # fmt: skip
    assert (gate["now"]["kinds"], gate["now"]["speed_kmh"], gate["now"]["timed"]) == ({"car": 2, "truck": 1}, 60.0, 2)
    every = await points(admin, tollgate=city["own_gate"], every_lane=True)
    assert {one["lane"]: one["now"]["vehicles"] for one in every} == {None: 4, 1: 2, 2: 2}
    assert [one["vehicles"] for one in await history(admin, gate["id"], step=60)] == [3, 1]
    assert [one["vehicles"] for one in await history(admin, gate["id"])] == [4]


@pytest.mark.usefixtures("noon", "city")
async def test_order_repeats_late_ones_and_a_rewound_bus_count_no_vehicle_twice(house: Any, admin: Any) -> None:
    every = [seen(house, -9.9 + number / 10, str(number)) for number in range(8)]
    for one in (*reversed(every), *every):
        await report(house, admin, one)
    await house.services.bus.rewind("counts", 0)
    await follow(house)
    await report(house, admin, seen(house, -300, "late"))
    (gate,) = await points(admin)
    assert gate["now"]["vehicles"] == 8
    assert [one["vehicles"] for one in await history(admin, gate["id"])] == [1, 8]


@pytest.mark.usefixtures("noon", "city")
async def test_a_passage_that_is_corrected_moves_and_one_that_is_withdrawn_goes(house: Any, admin: Any) -> None:
    await report(house, admin, *(seen(house, -9.9, str(number), lane=number) for number in (1, 2, 3)))
    await report(house, admin, seen(house, -3.5, "2", lane=2))  # the source says another time now
    (gate,) = await points(admin)
    assert [one["vehicles"] for one in await history(admin, gate["id"])] == [2, 1]
    await report(house, admin, seen(house, -9.9, "1", lane=1, tollgate=FAR_GATE))
    assert [one["vehicles"] for one in await history(admin, gate["id"])] == [1, 1]
    assert sorted(one["now"]["vehicles"] for one in await points(admin)) == [1, 2]


@pytest.mark.usefixtures("noon", "city")
async def test_a_passage_that_a_second_source_saw_before_the_minute_began_moves_into_that_minute(
    house: Any, admin: Any
) -> None:
    await report(house, admin, seen(house, -5 + 0.01, "1"))
    await report(house, admin, seen(house, -5 - 0.02, "2", source="laser", plate=""))
    (gate,) = await points(admin)
    minutes = await history(admin, gate["id"], step=60)
    assert [(one["vehicles"], one["at"]) for one in minutes] == [(1, moment(house, -6))]


@pytest.mark.parametrize("between", ["acknowledge", "pull"])
@pytest.mark.usefixtures("noon", "city")
async def test_who_is_killed_between_two_events_counts_nobody_twice(
    between: str, house: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: Any) -> None:
        raise UnavailableError("killed", code="killed")

    for number in range(4):
        with monkeypatch.context() as patched, pytest.raises(UnavailableError):
            patched.setattr(house.bus, between, killed)
            await report(house, admin, seen(house, -9.9 + number / 10, str(number)))
    await follow(house)
    assert [one["now"]["vehicles"] for one in await points(admin)] == [4]


@pytest.mark.usefixtures("noon", "city")
async def test_who_passes_at_next_to_no_speed_is_a_vehicle_without_one(house: Any, admin: Any) -> None:
    speeds = (1e-300, 1e-13, 36, 36)
    await report(house, admin, *(seen(house, -9, str(n), speed_kmh=speed) for n, speed in enumerate(speeds)))
    (point,) = await points(admin)
    assert (point["now"]["vehicles"], point["now"]["timed"], point["now"]["speed_kmh"]) == (4, 2, 36.0)
    assert house.services.count_follower.failed == 0


@pytest.mark.parametrize("gate", [{"purposes": ["security"]}, {"restricted": True}])
@pytest.mark.usefixtures("noon")
async def test_passages_kept_for_something_else_are_counted_by_nobody(
    gate: dict[str, Any], house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await admin.ok("PATCH", f"tollgates/{city['own_gate']}", gate)
    await report(house, admin, *(seen(house, -9, str(number)) for number in range(4)))
    assert await points(admin) == []


@pytest.mark.usefixtures("noon")
async def test_fewer_than_three_are_told_only_to_those_who_see_all_vehicles_anyway(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await report(
        house, admin, seen(house, -9.9, "1", vehicle_class="H11", speed_kmh=50), seen(house, -9.8, "2", speed_kmh=50)
    )  # fmt: skip
    officer, stranger = await client_of(house, "officer"), await client_of(house, "stranger")
    (told,) = await points(officer)
    assert (told["now"], told["recent"], told["least"]) == (None, [], 3)
    assert await history(officer, told["id"]) == []
    assert await points(stranger) == []  # another district
    assert (await stranger.ask("GET", f"traffic/counts/{told['id']}")).status_code == 404
    await report(house, admin, *(seen(house, -9.5, str(number), vehicle_class="K33") for number in (3, 4, 5)))
    (told,) = await points(officer)
    # The one lorry and the speed of two are still nobody's business.
    assert (told["now"]["vehicles"], told["now"]["kinds"], told["now"]["speed_kmh"]) == (5, {"car": 3}, None)
    assert (await points(admin))[0]["now"]["kinds"] == {"car": 3, "truck": 1}


@pytest.mark.usefixtures("noon")
async def test_a_checkpoint_that_goes_to_another_district_takes_its_counts_along_though_nobody_passes_any_more(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await report(house, admin, *(seen(house, -9, str(number)) for number in range(4)))
    times = {"since": moment(house, -9), "until": moment(house, -8)}
    assert await outcomes(admin, {"source": "loops", "tollgate": GATE, "count": 5, **times}) == ["new"]
    officer, stranger = await client_of(house, "officer"), await client_of(house, "stranger")
    every = {"every_lane": True}
    assert (len(await points(officer, **every)), len(await points(stranger, **every))) == (3, 0)
    await admin.ok("PATCH", f"tollgates/{city['own_gate']}", {"area": city["foreign_area"], "name": "elsewhere"})
    await house.services.count_teller.tell()
    assert await points(officer, **every) == []
    assert [one["name"] for one in await points(stranger, **every)] == ["elsewhere"] * 3
    assert [one["now"]["vehicles"] for one in await points(stranger, **every)] == [5, 4, 4]


@pytest.mark.usefixtures("noon")
async def test_nobody_tells_for_a_checkpoint_or_an_area_that_is_not_theirs(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    grants = [{"role": "reporter", "area": city["own_area"]}]
    await admin.ok("POST", "users", {"username": "loops", "password": "correct horse battery", "grants": grants})
    reporter = await client_of(house, "loops")
    times = {"since": moment(house, -9), "until": moment(house, -8)}
    for item in (
        {"source": "a", "tollgate": FAR_GATE, "count": 3, **times}, loop(house, -9), loop(house, -9, area="ar_none"),
    ):  # fmt: skip
        assert (await reporter.ask("POST", "traffic/counts", {"items": [item]})).status_code in (400, 404)
    assert await outcomes(reporter, loop(house, -9, area=city["own_area"])) == ["new"]
    as_us = loop(house, -9, area=city["own_area"], source="passages")
    assert (await reporter.ask("POST", "traffic/counts", {"items": [as_us]})).status_code == 422
    # The same words of somebody else are another source.
    assert await outcomes(admin, loop(house, -9, area=city["own_area"])) == ["new"]
    assert len(await points(await client_of(house, "officer"))) == 2


@pytest.mark.usefixtures("noon", "city")
async def test_sums_by_the_minute_go_after_a_week_and_those_by_five_minutes_later(house: Any, admin: Any) -> None:
    assert await outcomes(admin, loop(house, -10), loop(house, -9)) == ["new", "new"]
    (point,) = await points(admin)
    house.clock.advance(8 * 86_400)
    await house.services.counts.sweep()
    await admin.sign_in("root")
    long_ago = {"since": moment(house, -10 * 24 * 60), "until": moment(house)}
    assert await history(admin, point["id"], step=60, **long_ago) == []
    assert [one["vehicles"] for one in await history(admin, point["id"], **long_ago)] == [20]
    house.clock.advance(401 * 86_400)
    await house.services.counts.sweep()
    rows = await house.services.database.read(lambda tx: tx.rows(select(tables.buckets)))
    assert rows == []


@pytest.mark.usefixtures("noon", "city")
async def test_other_platforms_take_them_as_traffic_flow_observed(house: Any, admin: Any) -> None:
    await tell(admin, loop(house, -10, count=20, speed_kmh=60, occupancy=0.1, kinds={"truck": 5}))
    answer = await admin.ask("GET", "traffic/counts.jsonld")
    assert answer.headers["content-type"] == "application/ld+json"
    whole, trucks = answer.json()
    assert whole["type"] == "TrafficFlowObserved"
    assert whole["location"] == {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [118.37, 31.33]}}
    assert {name: whole[name]["value"] for name in ("intensity", "averageVehicleSpeed", "occupancy", "source")} == {
        "intensity": 20, "averageVehicleSpeed": 60.0, "occupancy": 0.1, "source": "loops",
    }  # fmt: skip
    assert whole["averageVehicleSpeed"]["unitCode"] == "KMH"
    assert (trucks["vehicleType"]["value"], trucks["intensity"]["value"]) == ("lorry", 5)
    assert trucks["id"] != whole["id"]
    (point,) = await points(admin)
    day = (await admin.ask("GET", f"traffic/counts.jsonld?point={point['id']}")).json()
    assert day[0]["dateObservedFrom"]["value"]["@value"] == moment(house, -10)


@pytest.mark.usefixtures("noon", "city")
async def test_a_detector_that_is_gone_is_deleted_with_its_counts_and_that_is_written_down(
    house: Any, admin: Any
) -> None:
    await tell(admin, loop(house, -10))
    (point,) = await points(admin)
    await admin.ok("DELETE", f"traffic/counts/{point['id']}")
    assert await points(admin) == []
    assert [one["object_name"] for one in await audited(admin, "traffic.change")] == ["km 12.4"]
    assert await outcomes(admin, loop(house, -10, count=3)) == ["new"]


@pytest.mark.usefixtures("noon")
async def test_who_makes_up_places_without_end_is_stopped_and_keeps_those_that_are_known(
    house: Any, admin: Any, city: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_PLACES", 2)
    told = [loop(house, -3, place=f"place {n}") for n in range(3)]
    assert await outcomes(admin, *told) == ["new", "new", "count_places"]
    assert await outcomes(admin, loop(house, -2, place="place 1"), loop(house, -2, place="place 2")) == [
        "new", "count_places",
    ]  # fmt: skip
    gate = {"source": "loops", "tollgate": GATE, "count": 1, "since": moment(house, -3), "until": moment(house, -2)}
    assert await outcomes(admin, gate) == ["new"], "checkpoints are no inventions"
    (oldest, *_) = [one for one in await points(admin) if one["place"] == "place 0"]
    await admin.ok("DELETE", f"traffic/counts/{oldest['id']}")
    assert await outcomes(admin, told[2]) == ["new"]
