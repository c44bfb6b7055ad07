"""What roads cost, over the API: who may say it, and that the duty hears it before the answer."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.kit.errors import NotFoundError
from safecity.model.facts.traffic_calls import (
    ApplyTolls,
    AskRoutes,
    AskTraffic,
    FindTolled,
    RoadsFound,
    RouteFound,
    RoutesFound,
    TrafficFigures,
)

LINE = ((18.0, 59.3), (18.0, 59.31))
MORNING = {"since": "07:00", "until": "08:30", "amount": 4500, "days": ["working"], "vehicles": ["car", "truck"]}
BRIDGE = {"name": "Bridge", "gantries": [{"longitude": 18.0, "latitude": 59.3, "bearing": 90}], "prices": [MORNING]}
RING = [[18.0, 59.3], [18.1, 59.3], [18.1, 59.4]]


async def made(house: Any, admin: Any, **changes: Any) -> Any:
    house.calls.answers[FindTolled] = RoadsFound((LINE,), 1112.0)
    return await admin.ok("POST", "traffic/tolls", {**BRIDGE, **changes})


async def test_a_toll_is_told_to_the_duty_with_its_prices_before_it_is_answered(house: Any, admin: Any) -> None:
    await admin.ok("PATCH", "settings", {"currency": "SEK", "hour_worth": 12_000})
    assert (await admin.ok("GET", "traffic/tolls"))["currency"] == "SEK", "known before there is any"
    toll = await made(house, admin)
    assert (toll["metres"], toll["currency"], toll["placed"]) == (1112.0, "SEK", True)
    told = house.calls.of(ApplyTolls)[-1]
    assert (told.hour_worth, told.currency) == (12_000, "SEK")
    assert [(one.place, one.bearing, one.tables) for one in told.tolls] == [((18.0, 59.3), 90.0, toll["id"])]
    (table,) = told.tables
    assert (table.name, table.vehicles, table.days) == (toll["id"], ("car", "truck"), ("working",))
    assert table.amounts == (0,) * 28 + (4500,) * 6 + (0,) * 62
    shown = await admin.ok("GET", "traffic/tolls")
    assert [(one["id"], one["prices"]) for one in shown["items"]] == [(toll["id"], [MORNING])]
    await admin.ok("DELETE", f"traffic/tolls/{toll['id']}")
    assert house.calls.of(ApplyTolls)[-1].tolls == ()
    assert (await admin.ask("GET", f"traffic/tolls/{toll['id']}")).status_code == 404
    records = (await admin.ok("GET", "audit"))["items"]
    assert [one["action"] for one in records].count("toll.change") == 2


async def test_what_it_costs_now_is_by_the_local_clock_and_the_kind_of_day(house: Any, admin: Any) -> None:
    # The clock of the house stands on Tuesday, 14 November 2023, 22:13 UTC.
    await admin.ok("PATCH", "settings", {"zone": "Europe/Stockholm"})
    evening = {"since": "23:00", "until": "24:00", "amount": 700, "days": ["working"]}
    toll = await made(house, admin, prices=[evening])
    assert toll["now"] == dict.fromkeys(("car", "bus", "truck", "motorcycle"), 700)
    await admin.ok("PATCH", "settings", {"day_kinds": {"2023-11-14": "sunday"}})
    assert (await admin.ok("GET", f"traffic/tolls/{toll['id']}"))["now"]["car"] == 0


async def test_a_change_is_told_too_and_only_to_who_knew_what_was_before(house: Any, admin: Any) -> None:
    toll = await made(house, admin)
    house.calls.asked.clear()
    dearer = {"prices": [{**MORNING, "amount": 5000}]}
    answer = await admin.ask("PATCH", f"traffic/tolls/{toll['id']}", dearer, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    assert house.calls.of(FindTolled) == [], "it stayed where it is"
    assert max(house.calls.of(ApplyTolls)[-1].tables[0].amounts) == 5000
    late = await admin.ask("PATCH", f"traffic/tolls/{toll['id']}", dearer, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    moved = await admin.ok("PATCH", f"traffic/tolls/{toll['id']}", {"gantries": [], "border": RING, "crossing": "in"})
    assert moved["border"] == RING
    told = house.calls.of(ApplyTolls)[-1].tolls[0]
    assert (told.border, told.crossing) == (tuple(map(tuple, RING)), "in")
    off = await admin.ok("PATCH", f"traffic/tolls/{toll['id']}", {"enabled": False})
    assert (off["now"]["car"], house.calls.of(ApplyTolls)[-1].tolls) == (0, ())


async def test_a_toll_that_no_road_pays_is_not_kept_and_one_that_lost_its_road_is_said_to(
    house: Any, admin: Any
) -> None:
    house.calls.answers[FindTolled] = NotFoundError("", code="no_road_near", params={"field": "gantries", "metres": 30})
    assert (await admin.ask("POST", "traffic/tolls", BRIDGE)).status_code == 404
    assert (await admin.ok("GET", "traffic/tolls"))["items"] == []
    toll = await made(house, admin)
    house.calls.answers[AskTraffic] = TrafficFigures("ready", revision=1, unplaced_tolls=(toll["id"],))
    await house.services.closures.look()
    assert (await admin.ok("GET", f"traffic/tolls/{toll['id']}"))["placed"] is False


async def test_two_prices_for_one_passage_are_refused_in_a_sentence(house: Any, admin: Any) -> None:
    wish = {**BRIDGE, "prices": [MORNING, {"since": "08:00", "until": "09:00", "amount": 1}]}
    answer = await admin.ask("POST", "traffic/tolls", wish)
    assert (answer.status_code, answer.json()["code"]) == (400, "toll_overlap")
    assert "08:00" in answer.json()["detail"]
    both = await admin.ask("POST", "traffic/tolls", {**BRIDGE, "border": RING})
    assert (both.status_code, both.json()["code"]) == (400, "toll_places")


async def test_operators_see_tolls_and_set_none(house: Any, admin: Any) -> None:
    toll = await made(house, admin)
    user = {"username": "operator", "password": "correct horse battery", "grants": [{"role": "operator"}]}
    await admin.ok("POST", "users", user)
    client = house.client()
    await client.sign_in("operator")
    assert [one["id"] for one in (await client.ok("GET", "traffic/tolls"))["items"]] == [toll["id"]]
    for method, path in (("POST", ""), ("PATCH", f"/{toll['id']}"), ("DELETE", f"/{toll['id']}")):
        answer = await client.ask(method, f"traffic/tolls{path}", BRIDGE if method != "DELETE" else None)
        assert answer.status_code == 403


def ring(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(one) for one in (*corners, corners[0])]]}


async def test_a_district_charges_at_gantries_of_its_own_on_both_sides_of_another_and_on_no_road_of_that(
    house: Any, admin: Any
) -> None:
    """Nobody drives from gantry to gantry in the order in which they were clicked."""
    around = (
        (18.0, 59.0),
        (18.5, 59.0),
        (18.5, 59.4),
        (18.3, 59.4),
        (18.3, 59.1),
        (18.2, 59.1),
        (18.2, 59.4),
        (18.0, 59.4),
    )
    between = (18.2, 59.1), (18.3, 59.1), (18.3, 59.4), (18.2, 59.4)
    areas: dict[str, str] = {}
    for name, code, corners in (("own", "340202", around), ("foreign", "340203", between)):
        areas[name] = (await admin.ok("POST", "areas", {"name": name, "code": code}))["id"]
        await admin.ok("PUT", f"areas/{areas[name]}/outline", ring(*corners))
    grants = [{"role": "administrator", "area": areas["own"]}]
    await admin.ok("POST", "users", {"username": "chief", "password": "correct horse battery", "grants": grants})
    chief = house.client()
    await chief.sign_in("chief")
    west, middle, east = ({"longitude": longitude, "latitude": 59.3} for longitude in (18.1, 18.25, 18.4))
    toll = await made(house, chief, gantries=[west, east])
    assert toll["area"] == areas["own"]
    for elsewhere in (
        {"gantries": [west, middle]},
        {"gantries": [], "border": [[18.1, 59.2], [18.4, 59.2], [18.4, 59.3], [18.1, 59.3]]},
    ):
        assert (await chief.ask("POST", "traffic/tolls", {**BRIDGE, **elsewhere})).status_code == 403
        assert (await chief.ask("PATCH", f"traffic/tolls/{toll['id']}", elsewhere)).status_code == 403


async def test_who_only_sees_a_toll_of_another_district_neither_changes_nor_removes_it(house: Any, admin: Any) -> None:
    areas = {
        name: (await admin.ok("POST", "areas", {"name": name, "code": code}))["id"]
        for name, code in (("own", "340202"), ("foreign", "340203"))
    }
    grants = [{"role": "administrator", "area": areas["own"]}, {"role": "operator", "area": areas["foreign"]}]
    await admin.ok("POST", "users", {"username": "chief", "password": "correct horse battery", "grants": grants})
    chief = house.client()
    await chief.sign_in("chief")
    theirs = f"traffic/tolls/{(await made(house, admin, area=areas['foreign']))['id']}"
    assert (await chief.ok("GET", theirs))["name"] == "Bridge"
    assert (await chief.ask("PATCH", theirs, {"enabled": False})).status_code == 403
    assert (await chief.ask("DELETE", theirs)).status_code == 403
    assert (await admin.ok("GET", theirs))["enabled"] is True


async def test_who_changes_a_toll_while_another_does_is_told_so_and_changes_nothing(house: Any, admin: Any) -> None:
    toll = await made(house, admin)
    calls = house.calls
    real = calls.call

    async def meanwhile(address: str, message: Any, *, timeout: float) -> Any:
        if isinstance(message, FindTolled):
            calls.call = real
            await admin.ok("PATCH", f"traffic/tolls/{toll['id']}", {"name": "Other bridge"})
        return await real(address, message, timeout=timeout)

    calls.call = meanwhile
    moved = {"gantries": [{"longitude": 18.1, "latitude": 59.3}]}
    late = await admin.ask("PATCH", f"traffic/tolls/{toll['id']}", moved)
    assert late.json()["code"] == "changed_meanwhile"
    kept = await admin.ok("GET", f"traffic/tolls/{toll['id']}")
    assert (kept["name"], kept["gantries"][0]["longitude"]) == ("Other bridge", 18.0)


async def test_a_toll_whose_roads_became_those_of_others_while_the_duty_was_asked_is_not_made(
    house: Any, admin: Any
) -> None:
    areas = {
        name: (await admin.ok("POST", "areas", {"name": name, "code": code}))["id"]
        for name, code in (("own", "340202"), ("foreign", "340203"))
    }
    square = ring((18.0, 59.0), (18.5, 59.0), (18.5, 59.4), (18.0, 59.4))
    await admin.ok("PUT", f"areas/{areas['own']}/outline", square)
    grants = [{"role": "administrator", "area": areas["own"]}]
    await admin.ok("POST", "users", {"username": "chief", "password": "correct horse battery", "grants": grants})
    chief = house.client()
    await chief.sign_in("chief")
    real = house.calls.call

    async def meanwhile(address: str, message: Any, *, timeout: float) -> Any:
        if isinstance(message, FindTolled):
            house.calls.call = real
            away = ring((10.0, 59.0), (10.5, 59.0), (10.5, 59.4), (10.0, 59.4))
            await admin.ok("PUT", f"areas/{areas['own']}/outline", away)
            await admin.ok("PUT", f"areas/{areas['foreign']}/outline", square)
        return await real(address, message, timeout=timeout)

    house.calls.call = meanwhile
    inside = {"gantries": [{"longitude": 18.1, "latitude": 59.3}]}
    assert (await chief.ask("POST", "traffic/tolls", {**BRIDGE, **inside})).status_code == 403
    assert (await admin.ok("GET", "traffic/tolls"))["items"] == []


async def test_prices_do_not_become_others_by_a_currency_that_divides_otherwise(house: Any, admin: Any) -> None:
    toll = await made(house, admin)
    assert (await admin.ok("PATCH", "settings", {"currency": "EUR"}))["currency"] == "EUR"
    refused = await admin.ask("PATCH", "settings", {"currency": "JPY"})
    assert (refused.status_code, refused.json()["code"]) == (409, "toll_currency")
    assert (await admin.ok("GET", "settings"))["currency"] == "EUR"
    await admin.ok("DELETE", f"traffic/tolls/{toll['id']}")
    assert (await admin.ok("PATCH", "settings", {"currency": "JPY"}))["currency"] == "JPY"


@pytest.mark.parametrize("limit", ["MAX_TOLLS", "MAX_PLACES"])
async def test_there_are_no_more_of_them_than_the_duty_is_told_in_one_piece(
    limit: str, house: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"safecity.core.ground.tolls.service.{limit}", 2)
    for _ in range(2):
        await made(house, admin)
    refused = await admin.ask("POST", "traffic/tolls", BRIDGE)
    assert (refused.json()["code"], refused.json()["params"]["limit"]) == ("too_many", 2)
    assert len((await admin.ok("GET", "traffic/tolls"))["items"]) == 2


async def test_more_tolls_than_a_page_holds_are_on_the_next_one(house: Any, admin: Any) -> None:
    for name in ("b", "a", "c"):
        await made(house, admin, name=name)
    first = await admin.ok("GET", "traffic/tolls?limit=2")
    second = await admin.ok("GET", f"traffic/tolls?limit=2&cursor={first['next']}")
    assert [one["name"] for one in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next"] is None


async def test_a_way_is_asked_for_a_class_of_vehicles_and_without_tolls(house: Any, admin: Any) -> None:
    way = RouteFound(LINE, 1112.0, 100.0, 80.0, 130.0, 90.0, 500.0, 1.0, 4500)
    house.calls.answers[AskRoutes] = RoutesFound((way,), "SEK")
    told = await admin.ok("GET", "routes?from=18,59.3&to=18,59.31")
    assert (told["features"][0]["properties"]["toll"], told["features"][0]["properties"]["currency"]) == (4500, "SEK")
    await admin.ok("GET", "routes?from=18,59.3&to=18,59.31&vehicle=truck&avoid=tolls")
    asked = house.calls.of(AskRoutes)
    assert [(one.vehicle, one.avoid_tolls) for one in asked] == [("car", False), ("truck", True)]
    assert (await admin.ask("GET", "routes?from=18,59.3&to=18,59.31&vehicle=ship")).status_code == 422
