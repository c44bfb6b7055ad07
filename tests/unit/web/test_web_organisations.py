"""Rights by organisation: who belongs where, what belongs to whom, and what stays as it was when it was born."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.core.ground.intake.api import placed
from safecity.model.facts.envelope import Event

PASSWORD = "correct horse battery"
CODE = "34020000001320000001"


@pytest.fixture
async def command(house: Any, admin: Any) -> dict[str, Any]:
    """A bureau with a station below it, another bureau, and a camera of the station."""
    ids: dict[str, Any] = {}
    for name, parent in (("bureau", None), ("station", "bureau"), ("other", None)):
        ask = {"name": name, "parent": ids[parent] if parent else None}
        ids[name] = (await admin.ok("POST", "organisations", ask))["id"]
    device = await admin.ok(
        "POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate", "organisation": ids["station"]}
    )
    ids["device"] = device["id"]
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "gate", "ptz_type": 1})
    ids["channel"] = (await admin.ok("GET", "channels"))["items"][0]["id"]
    return ids


async def person(house: Any, admin: Any, name: str, *grants: dict[str, Any], **more: Any) -> Any:
    ask = {"username": name, "password": PASSWORD, "grants": list(grants), **more}
    made = await admin.ok("POST", "users", ask)
    client = house.client()
    await client.sign_in(name)
    assert client.me["user"]["id"] == made["id"]
    return client


async def test_a_camera_belongs_where_its_device_belongs_and_goes_where_it_goes(
    house: Any, admin: Any, command: dict[str, Any]
) -> None:
    of_bureau = await person(house, admin, "li", {"role": "viewer", "organisation": command["bureau"]})
    of_other = await person(house, admin, "wang", {"role": "viewer", "organisation": command["other"]})
    assert (await of_bureau.ok("GET", f"channels/{command['channel']}"))["organisation"] == command["station"]
    assert (await of_other.ok("GET", "channels"))["items"] == []
    await admin.ok("PATCH", f"devices/{command['device']}", {"organisation": command["other"]})
    assert (await of_bureau.ok("GET", "channels"))["items"] == []
    assert [c["id"] for c in (await of_other.ok("GET", "channels"))["items"]] == [command["channel"]]
    await admin.ok("PATCH", f"channels/{command['channel']}", {"organisation": None})
    assert (await of_other.ok("GET", "channels"))["items"] == []
    assert [d["id"] for d in (await of_other.ok("GET", "devices"))["items"]] == [command["device"]]


async def test_what_happened_stays_with_whom_it_happened_to(house: Any, admin: Any, command: dict[str, Any]) -> None:
    of_bureau = await person(house, admin, "li", {"role": "operator", "organisation": command["bureau"]})
    of_other = await person(house, admin, "wang", {"role": "operator", "organisation": command["other"]})
    body = {"device": command["device"], "code": CODE, "priority": "1", "method": "5"}
    await house.publish("alarm.received", command["channel"], body)
    told = Event(kind="stream.lost", subject=command["channel"], at=1, seen=1)
    (born,) = await house.services.database.read(lambda tx: placed(tx, [told]))
    await admin.ok("PATCH", f"devices/{command['device']}", {"organisation": command["other"]})
    assert len((await of_bureau.ok("GET", "alarms"))["items"]) == 1
    assert (await of_other.ok("GET", "alarms"))["items"] == []
    (alarm,) = (await of_bureau.ok("GET", "alarms"))["items"]
    await of_bureau.ok("POST", f"alarms/{alarm['id']}/acknowledge", {"note": "seen"})
    station = (await admin.ok("GET", f"organisations?parent={command['bureau']}"))["items"][0]["path"]
    assert (born.area, born.organisation) == ("/", station)


async def test_events_carry_their_place_from_the_door_of_the_bus_on(
    house: Any, admin: Any, command: dict[str, Any]
) -> None:
    events = [
        Event(kind="device.went_offline", subject=command["device"], at=1, seen=1),
        Event(kind="volume.changed", subject="main", at=1, seen=1),
        Event(kind="stream.lost", subject="ch_" + "0" * 26, at=1, seen=1),
        Event(kind="stream.lost", subject=command["channel"], at=1, seen=1, area="/35/"),
        Event(kind="device.refused", subject="dv_not an id", at=1, seen=1),
    ]
    born = await house.services.database.read(lambda tx: placed(tx, events))
    assert [event.area for event in born] == ["/", "", "", "/35/", ""]
    assert [bool(event.organisation) for event in born] == [True, False, False, False, False]
    assert [event.id for event in born] == [event.id for event in events]


async def test_both_limits_together_reach_only_what_meets_both(house: Any, admin: Any, command: dict[str, Any]) -> None:
    area = (await admin.ok("POST", "areas", {"name": "Wuhu", "code": "3402"}))["id"]
    grant = {"role": "operator", "area": area, "organisation": command["bureau"]}
    li = await person(house, admin, "li", grant)
    assert (await li.ok("GET", "channels"))["items"] == []
    await admin.ok("PATCH", f"channels/{command['channel']}", {"area": area})
    assert len((await li.ok("GET", "channels"))["items"]) == 1
    assert (await li.ask("POST", f"channels/{command['channel']}/recording", {"seconds": 5})).status_code == 204
    await admin.ok("PATCH", f"channels/{command['channel']}", {"organisation": command["other"]})
    assert (await li.ok("GET", "channels"))["items"] == []


async def test_a_deny_for_an_organisation_wins(house: Any, admin: Any, command: dict[str, Any]) -> None:
    grants = ({"role": "viewer"}, {"role": "viewer", "organisation": command["station"], "deny": True})
    li = await person(house, admin, "li", *grants)
    assert (await li.ok("GET", "channels"))["items"] == []
    assert (await li.ask("GET", f"channels/{command['channel']}")).status_code == 404
    await admin.ok("PATCH", f"channels/{command['channel']}", {"organisation": command["bureau"]})
    assert len((await li.ok("GET", "channels"))["items"]) == 1


async def test_who_manages_an_organisation_manages_its_people_and_no_others(
    house: Any, admin: Any, command: dict[str, Any]
) -> None:
    chief = await person(house, admin, "chief", {"role": "administrator", "organisation": command["bureau"]})
    ask = {"username": "li", "password": PASSWORD, "organisation": command["station"]}
    ask["grants"] = [{"role": "operator", "organisation": command["station"]}]
    li = await chief.ok("POST", "users", ask)
    assert li["organisation"] == command["station"]
    names = [user["username"] for user in (await chief.ok("GET", "users"))["items"]]
    assert names == ["li"], "the chief belongs to nobody, and the first administrator neither"
    for refused in (
        {**ask, "username": "qian", "organisation": None},
        {**ask, "username": "qian", "organisation": command["other"]},
        {**ask, "username": "qian", "grants": [{"role": "viewer"}]},
        {**ask, "username": "qian", "grants": [{"role": "viewer", "organisation": command["other"]}]},
    ):
        assert (await chief.ask("POST", "users", refused)).status_code == 403
    root = admin.me["user"]["id"]
    for method, path, body in (
        ("PATCH", f"users/{root}", {"password": "another good phrase"}),
        ("DELETE", f"users/{root}", None),
        ("DELETE", f"users/{root}/sessions", None),
        ("GET", f"users/{root}/sessions", None),
        ("PATCH", f"users/{li['id']}", {"organisation": command["other"]}),
        ("PATCH", f"users/{li['id']}", {"roles": ["administrator"], "areas": []}),
    ):
        answer = await chief.ask(method, path, body)
        assert answer.status_code in (400, 403, 404), f"{method} {path} {answer.text}"
    await admin.ok("PATCH", f"users/{li['id']}", {"grants": [{"role": "viewer"}]})
    answer = await chief.ask("PATCH", f"users/{li['id']}", {"password": "another good phrase"})
    assert (answer.status_code, answer.json()["code"]) == (403, "grant_beyond_own"), "who may more is out of reach"


async def test_the_line_of_command_grows_only_below_ones_own_place(
    house: Any, admin: Any, command: dict[str, Any]
) -> None:
    chief = await person(house, admin, "chief", {"role": "administrator", "organisation": command["bureau"]})
    await chief.ok("POST", "organisations", {"name": "squad", "parent": command["station"]})
    for parent in (None, command["other"]):
        assert (await chief.ask("POST", "organisations", {"name": "x", "parent": parent})).status_code == 403
    assert (await chief.ask("PATCH", f"organisations/{command['other']}", {"name": "x"})).status_code == 403
    tops = [one["name"] for one in (await chief.ok("GET", "organisations"))["items"]]
    assert tops == ["bureau"]


async def test_an_organisation_or_area_that_rights_hang_on_is_not_removed(
    house: Any, admin: Any, command: dict[str, Any]
) -> None:
    for thing in ("station", "bureau"):
        answer = await admin.ask("DELETE", f"organisations/{command[thing]}")
        assert (answer.status_code, answer.json()["code"]) == (409, "organisation_in_use"), thing
    await admin.ok("POST", "users", {"username": "li", "password": PASSWORD, "organisation": command["other"]})
    assert (await admin.ask("DELETE", f"organisations/{command['other']}")).status_code == 409
    area = (await admin.ok("POST", "areas", {"name": "Wuhu", "code": "3402"}))["id"]
    made = await admin.ok(
        "POST", "users", {"username": "wang", "password": PASSWORD, "roles": ["viewer"], "areas": [area]}
    )
    answer = await admin.ask("DELETE", f"areas/{area}")
    assert (answer.status_code, answer.json()["code"]) == (409, "area_in_use"), (
        "made anew it would give the rights back"
    )
    await admin.ok("PATCH", f"users/{made['id']}", {"grants": []})
    await admin.ok("DELETE", f"areas/{area}")


async def test_nothing_is_pushed_into_an_organisation_one_has_no_rights_in(
    house: Any, admin: Any, command: dict[str, Any]
) -> None:
    chief = await person(house, admin, "chief", {"role": "administrator", "organisation": command["bureau"]})
    for target in (command["other"], None):
        for path in (f"devices/{command['device']}", f"channels/{command['channel']}"):
            assert (await chief.ask("PATCH", path, {"organisation": target})).status_code == 403
    ask = {"kind": "gb28181", "code": "34020000001320000002"}
    assert (await chief.ask("POST", "devices", ask)).status_code == 403
    assert (await chief.ask("POST", "devices", {**ask, "organisation": command["other"]})).status_code == 403
    assert (await chief.ask("POST", "devices", {**ask, "organisation": "og_" + "0" * 26})).status_code == 404
    await chief.ok("POST", "devices", {**ask, "organisation": command["station"]})


async def test_a_shared_view_is_seen_by_those_who_see_the_organisation(
    house: Any, admin: Any, command: dict[str, Any]
) -> None:
    li = await person(house, admin, "li", {"role": "operator", "organisation": command["bureau"]})
    wang = await person(house, admin, "wang", {"role": "operator", "organisation": command["bureau"]})
    other = await person(house, admin, "zhao", {"role": "operator", "organisation": command["other"]})
    view = {"name": "gate", "layout": {"size": 1, "tiles": [command["channel"]]}, "shared": True}
    await li.ok("POST", "views", view)
    assert [v["name"] for v in (await wang.ok("GET", "views"))["items"]] == ["gate"]
    assert (await other.ok("GET", "views"))["items"] == []


async def test_new_roles_keep_the_limits_that_the_old_ones_had(house: Any, admin: Any, command: dict[str, Any]) -> None:
    grants = [
        {"role": "viewer", "organisation": command["bureau"], "tags": ["gate"], "until": "2030-01-01T00:00:00Z"},
        {"role": "viewer", "organisation": command["station"], "deny": True},
    ]
    made = await admin.ok("POST", "users", {"username": "li", "password": PASSWORD, "grants": grants})
    changed = await admin.ok("PATCH", f"users/{made['id']}", {"roles": ["operator"]})
    assert [{**grant, "role": "operator"} for grant in made["grants"] if not grant["deny"]] == [
        grant for grant in changed["grants"] if not grant["deny"]
    ]
    assert [g for g in made["grants"] if g["deny"]] == [g for g in changed["grants"] if g["deny"]]
    answer = await admin.ask("PATCH", f"users/{made['id']}", {"areas": []})
    assert (answer.status_code, answer.json()["code"]) == (400, "grants_finer")


async def test_the_last_administrator_is_one_whose_rights_last(house: Any, admin: Any) -> None:
    me = admin.me["user"]["id"]
    root = {"role": "administrator"}
    for grants in (
        [{**root, "until": "2099-01-01T00:00:00Z"}],
        [root, {**root, "deny": True}],
        [root, {**root, "deny": True, "until": "2099-01-01T00:00:00Z"}],
    ):
        answer = await admin.ask("PATCH", f"users/{me}", {"grants": grants})
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")


async def test_an_administrator_elsewhere_steers_here_as_what_he_is_here(
    house: Any, admin: Any, command: dict[str, Any]
) -> None:
    path = f"channels/{command['channel']}/ptz/lock"
    here = {"role": "operator", "organisation": command["bureau"]}
    elsewhere = {"role": "administrator", "organisation": command["other"]}
    li = await person(house, admin, "li", here)
    guest = await person(house, admin, "guest", here, elsewhere)
    boss = await person(house, admin, "boss", {"role": "administrator", "organisation": command["bureau"]})
    await li.ok("PUT", path)
    answer = await guest.ask("PUT", path)
    assert (answer.status_code, answer.json()["code"]) == (409, "ptz_locked")
    assert (await boss.ok("PUT", path))["mine"] is True
    assert (await li.ask("PUT", path)).status_code == 409


async def test_a_clock_that_is_set_back_does_not_lock_a_camera_for_good(
    house: Any, admin: Any, command: dict[str, Any]
) -> None:
    path = f"channels/{command['channel']}/ptz/lock"
    grant = {"role": "operator", "organisation": command["bureau"]}
    li, wang = await person(house, admin, "li", grant), await person(house, admin, "wang", grant)
    await li.ok("PUT", path)
    assert (await wang.ask("PUT", path)).status_code == 409
    house.clock.step_wall(-3600)
    assert (await wang.ok("PUT", path))["mine"] is True
