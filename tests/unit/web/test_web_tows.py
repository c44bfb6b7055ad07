"""Vehicles that stand in the way: a truck is called, comes, and takes them away."""

from __future__ import annotations

from typing import Any

DAY = 86_400
PARKED = {"reason": "parked", "longitude": 18.1, "latitude": 59.3, "plate": " 皖a12345 ", "words": "on the bus lane"}


async def test_a_tow_is_seen_from_the_call_until_the_vehicle_is_away(house: Any, admin: Any) -> None:
    tow = await admin.ok("POST", "traffic/tows", {**PARKED, "words": "皖A12345, white, on the bus lane"})
    assert (tow["state"], tow["plate"], tow["changeable"]) == ("called", "皖A12345", True)
    assert [one["id"] for one in (await admin.ok("GET", "traffic/tows"))["items"]] == [tow["id"]]
    path = f"traffic/tows/{tow['id']}/state"
    assert (await admin.ok("POST", path, {"state": "on_site"}))["state"] == "on_site"
    late = await admin.ask("POST", path, {"state": "called"})
    assert (late.status_code, late.json()["code"]) == (409, "tow_state")
    over = await admin.ok("POST", path, {"state": "done", "taken_to": "yard 3"})
    assert (over["state"], over["taken_to"], over["ended_at"] is not None) == ("done", "yard 3", True)
    assert (await admin.ask("POST", path, {"state": "cancelled"})).json()["code"] == "tow_state"
    assert (await admin.ok("GET", "traffic/tows"))["items"] == []
    assert [one["id"] for one in (await admin.ok("GET", "traffic/tows?over=true"))["items"]] == [tow["id"]]
    log = [one for one in (await admin.ok("GET", "audit"))["items"] if one["action"] == "traffic.change"]
    assert len(log) == 3
    assert "A12345" not in str(log), "the log outlives the plate, also where somebody wrote it into the words"


async def test_whoever_was_quicker_is_not_overwritten(house: Any, admin: Any) -> None:
    tow = await admin.ok("POST", "traffic/tows", PARKED)
    path, mine = f"traffic/tows/{tow['id']}/state", {"headers": {"if-match": f'"{tow["revision"]}"'}}
    await admin.ok("POST", path, {"state": "on_site"})
    late = await admin.ask("POST", path, {"state": "cancelled"}, **mine)
    assert late.json()["code"] == "changed_meanwhile"


async def test_a_plate_is_for_those_who_deal_with_it_and_only_as_long_as_that_takes(house: Any, admin: Any) -> None:
    tow = await admin.ok("POST", "traffic/tows", PARKED)
    await admin.ok("POST", "users", {"username": "viewer", "password": "correct horse battery", "roles": ["viewer"]})
    viewer = house.client()
    await viewer.sign_in("viewer")
    (seen,) = (await viewer.ok("GET", "traffic/tows"))["items"]
    assert (seen["plate"], seen["words"], seen["changeable"]) == ("", "on the bus lane", False)
    assert (await viewer.ask("POST", "traffic/tows", PARKED)).status_code == 403
    assert (await viewer.ask("POST", f"traffic/tows/{tow['id']}/state", {"state": "done"})).status_code == 403
    await admin.ok("POST", f"traffic/tows/{tow['id']}/state", {"state": "done"})
    for days, gone in ((29, 0), (2, 1)):
        house.clock.advance(days * DAY)
        assert await house.services.tows.sweep() == gone


async def test_one_that_was_left_open_does_not_keep_its_plate_for_ever(house: Any, admin: Any) -> None:
    left = await admin.ok("POST", "traffic/tows", PARKED)
    house.clock.advance(20 * DAY)
    await admin.sign_in("root")
    busy = await admin.ok("POST", "traffic/tows", {**PARKED, "plate": "busy"})
    house.clock.advance(11 * DAY)
    await admin.sign_in("root")
    assert await house.services.tows.sweep() == 1
    assert [one["id"] for one in (await admin.ok("GET", "traffic/tows"))["items"]] == [busy["id"]]
    assert (await admin.ask("POST", f"traffic/tows/{left['id']}/state", {"state": "done"})).status_code == 404


async def test_more_tows_than_a_page_holds_are_on_the_next_one(house: Any, admin: Any) -> None:
    made = [(await admin.ok("POST", "traffic/tows", {**PARKED, "plate": str(n)}))["plate"] for n in range(3)]
    first = await admin.ok("GET", "traffic/tows?limit=2")
    second = await admin.ok("GET", f"traffic/tows?limit=2&after={first['next']}")
    assert [one["plate"] for one in (*first["items"], *second["items"])] == made[::-1]
    assert second["next"] is None
