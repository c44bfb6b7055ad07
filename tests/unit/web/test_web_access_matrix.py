"""Every route, every role, things of a foreign area: nobody gets through a door that is not theirs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.routing import APIRoute

from safecity.core.ground.access.api import REACHES, Action, Role
from safecity.kit.ids import fresh
from safecity.web.guard import PUBLIC, SIGNED_IN

CODE = "34020000001320000001"
FOREIGN = "35010000001320000001"

BODIES: dict[str, Any] = {
    "sign_in": {"username": "nobody", "password": "nothing at all"},
    "make_administrator": {"token": "x", "username": "eve", "password": "correct horse battery"},
    "add_user": {"username": "new", "password": "another good phrase", "roles": ["viewer"]},
    "change_user": {"enabled": False},
    "add_area": {"name": "Site"},
    "change_area": {"name": "Other"},
    "add_organisation": {"name": "Bureau"},
    "change_organisation": {"name": "Other"},
    "add_device": {"kind": "gb28181", "code": "34020000001320000077"},
    "test_device": {"url": "rtsp://192.0.2.9/x"},
    "change_device": {"name": "Other"},
    "change_channel": {"name": "Other"},
    "open_channel": {"quality": "main"},
    "open_playback": {"start": "2026-01-01T00:00:00Z"},
    "steer": {"action": "move", "pan": 0.5},
    "start_recording": {"seconds": 10},
    "acknowledge_alarm": {"note": ""},
    "add_view": {"name": "Wall", "layout": {"size": 4, "tiles": []}},
    "change_view": {"name": "Wall", "layout": {"size": 4, "tiles": []}},
    "add_tour": {"name": "Tour", "channels": []},
    "change_tour": {"name": "Tour", "channels": []},
    "place_hold": {
        "channel": "{channel}",
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-01T01:00:00Z",
        "reason": "case",
    },
    "add_export": {"channel": "{channel}", "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"},
    "test_address": {"address": "127.0.0.1"},
    "put_platform": {"name": "Other"},
    "change_settings": {"name": "Other"},
    "put_volumes": {"volumes": [{"name": "main", "path": "volumes/main"}]},
}
QUERIES = {
    "see_timeline": "?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z",
    "see_days": "?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z",
    "search": "?q=x",
    "propose": "?area_code=340200",
}


def routes(app: Any) -> list[APIRoute]:
    found: list[APIRoute] = []

    def walk(items: Any) -> None:
        for item in items:
            if isinstance(item, APIRoute):
                found.append(item)
            else:
                inner = getattr(item, "original_router", None) or getattr(item, "router", None)
                walk(getattr(inner, "routes", []) if inner is not None else getattr(item, "routes", []) or [])

    walk(app.routes)
    return found


def test_every_route_declares_its_action(house: Any) -> None:
    found = routes(house.app)
    assert len(found) > 70
    for route in found:
        action = (route.openapi_extra or {}).get("x-action")
        assert action in {PUBLIC, SIGNED_IN, *Action}, f"{route.path} declares no action"


def test_only_the_routes_that_must_be_are_public(house: Any) -> None:
    public = {
        route.path.removeprefix("/api/v1") for route in routes(house.app) if route.openapi_extra["x-action"] == PUBLIC
    }
    assert public == {"/setup", "/setup/administrator", "/session", "/healthz", "/readyz", "/metrics", "/{path:path}"}


def fill(template: Any, things: dict[str, str]) -> Any:
    text = template if isinstance(template, str) else json.dumps(template)
    for name, value in things.items():
        text = text.replace("{" + name + "}", value)
    return text if isinstance(template, str) else json.loads(text)


@pytest.fixture
async def city(house: Any, admin: Any) -> dict[str, Any]:
    """Two provinces with a camera each; a viewer, an operator and an administrator of the first one only."""
    ids: dict[str, Any] = {}
    for name, code in (("own", "34"), ("foreign", "35")):
        ids[name] = await admin.ok("POST", "areas", {"name": name, "code": code})
    for name, code in (("own", CODE), ("foreign", FOREIGN)):
        device = await admin.ok(
            "POST", "devices", {"kind": "gb28181", "code": code, "name": name, "area": ids[name]["id"]}
        )
        await house.online(device["id"], code)
        await house.catalogue(device["id"], {"code": code, "name": name, "ptz_type": 1})
        await house.publish(
            "alarm.received", device["id"], {"device": device["id"], "code": code, "priority": "1", "method": "5"}
        )
        ids[f"{name}_device"] = device["id"]
    for channel in (await admin.ok("GET", "channels"))["items"]:
        ids[f"{channel['name']}_channel"] = channel["id"]
        hold = {
            "channel": channel["id"],
            "start": "2026-01-01T00:00:00Z",
            "end": "2026-01-01T01:00:00Z",
            "reason": "case",
        }
        ids[f"{channel['name']}_hold"] = (await admin.ok("POST", "holds", hold))["id"]
        ids[f"{channel['name']}_export"] = (
            await admin.ok("POST", "exports", {k: hold[k] for k in ("channel", "start", "end")})
        )["id"]
    for alarm in (await admin.ok("GET", "alarms"))["items"]:
        ids[f"{alarm['name']}_alarm"] = alarm["id"]
    ids["view"] = (await admin.ok("POST", "views", {"name": "w", "layout": {"size": 1, "tiles": []}}))["id"]
    ids["tour"] = (await admin.ok("POST", "tours", {"name": "t", "channels": []}))["id"]
    ids["organisation"] = (await admin.ok("POST", "organisations", {"name": "Bureau"}))["id"]
    for role in Role:
        user = {
            "username": f"{role}34",
            "password": "correct horse battery",
            "roles": [str(role)],
            "areas": [ids["own"]["id"]],
        }
        await admin.ok("POST", "users", user)
    return ids


@pytest.mark.parametrize("role", [str(role) for role in Role])
async def test_every_route_against_things_of_a_foreign_area(
    role: str, house: Any, admin: Any, city: dict[str, Any]
) -> None:
    client = house.client()
    await client.sign_in(f"{role}34")
    foreign = {
        "channel": city["foreign_channel"], "device": city["foreign_device"], "area": city["foreign"]["id"],
        "alarm": city["foreign_alarm"], "hold": city["foreign_hold"], "export": city["foreign_export"],
        "view": city["view"], "tour": city["tour"], "organisation": city["organisation"],
        "user": admin.me["user"]["id"], "session": admin.me["session"], "name": "x.mp4",
    }  # fmt: skip
    own = {**foreign, **{name: city[f"own_{name}"] for name in ("channel", "device", "alarm", "hold", "export")}}
    platform_wide = {
        "list_users", "add_user", "delete_user", "add_organisation", "change_organisation", "delete_organisation",
        "see_wizard", "list_addresses", "test_address", "list_ports", "put_platform",
        "put_volumes", "list_volumes", "finish_wizard", "remove_demo", "see_settings", "change_settings",
    }  # fmt: skip
    asked = 0
    for route in routes(house.app):
        action = route.openapi_extra["x-action"]
        if action == PUBLIC or route.name in ("sign_out", "who_am_i"):
            continue
        (method,) = route.methods
        path = route.path.removeprefix("/api/v1").lstrip("/")
        named = "{" in path
        body = BODIES.get(route.name)
        targets_thing = named or "{channel}" in json.dumps(body or {})
        for things, is_foreign in ((foreign, True), (own, False)):
            answer = await client.ask(
                method, fill(path, things) + QUERIES.get(route.name, ""), None if body is None else fill(body, things)
            )
            asked += 1
            where = f"{role} {method} {path} -> {answer.status_code} {answer.text[:200]}"
            assert answer.status_code != 500, where
            may = action == SIGNED_IN or action in REACHES[Role(role)]
            if not may:
                assert answer.status_code == 403, where
            elif is_foreign and targets_thing:
                assert answer.status_code in (403, 404), where
            elif route.name in platform_wide:
                assert answer.status_code == 403, where
    assert asked > 120


@pytest.mark.parametrize("role", [str(role) for role in Role])
async def test_lists_show_nothing_of_a_foreign_area(role: str, house: Any, city: dict[str, Any]) -> None:
    client = house.client()
    await client.sign_in(f"{role}34")
    foreign = {city[name] for name in city if name.startswith("foreign_")} | {city["foreign"]["id"]}
    for path in (
        "channels",
        "devices",
        "areas?every=true",
        "alarms",
        "tree",
        "search?q=foreign",
        "holds",
        "exports",
        "health",
        "audit",
    ):
        answer = await client.ask("GET", path)
        if answer.status_code == 403:
            continue
        assert answer.status_code == 200, path
        assert not [thing for thing in foreign if thing in answer.text], path
        assert FOREIGN not in answer.text, path


async def test_what_may_not_be_seen_looks_like_what_is_not_there(house: Any, city: dict[str, Any]) -> None:
    client = house.client()
    await client.sign_in("viewer34")
    hidden = await client.ask("GET", f"channels/{city['foreign_channel']}")
    absent = await client.ask("GET", f"channels/{fresh('ch')}")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json() == absent.json()


async def test_without_a_session_nothing_but_the_door_answers(house: Any, admin: Any) -> None:
    stranger = house.client()
    for route in routes(house.app):
        if route.openapi_extra["x-action"] == PUBLIC:
            continue
        (method,) = route.methods
        path = fill(route.path.removeprefix("/api/v1").lstrip("/"), {"channel": fresh("ch")})
        answer = await stranger.ask(method, path + QUERIES.get(route.name, ""), BODIES.get(route.name))
        assert answer.status_code == 401, f"{method} {path} -> {answer.status_code}"


async def test_a_write_without_the_csrf_token_is_refused(admin: Any) -> None:
    answer = await admin.ask("POST", "areas", {"name": "x"}, headers={"x-csrf-token": "guess"})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
