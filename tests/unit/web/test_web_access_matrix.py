"""Every route, every role, things of a foreign area: nobody gets through a door that is not theirs."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from tests.unit.web.conftest import PASSWORD, TOKEN, a_house

from safecity.core.ground.access.api import REACHES, Action, Role
from safecity.core.ground.devices import api as devices
from safecity.kit.ids import fresh
from safecity.model.facts.traffic_calls import (
    AskConditions,
    AskIncidents,
    AskJams,
    AskNetwork,
    AskRoutes,
    ConditionsFound,
    IncidentsFound,
    Jam,
    JamsFound,
    JudgeIncident,
    NetworkDescribed,
    RoadIncident,
    RoutesFound,
)
from safecity.model.facts.vehicle_calls import KeepMedia
from safecity.protocols.gat1400.objects import read_object
from safecity.protocols.gat1400.resources import BY_NAME
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
    "add_cameras": {"numbers": [1]},
    "change_channel": {"name": "Other"},
    "change_device_configuration": {"basic": {"name": "Other"}},
    "change_channel_configuration": {"parts": {"FrameMirror": "0"}},
    "open_channel": {"quality": "main"},
    "open_playback": {"start": "2026-01-01T00:00:00Z"},
    "search_movement": {
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-01T01:00:00Z",
        "regions": [{"left": 0, "top": 0, "right": 1, "bottom": 1}],
    },
    "start_device_playback": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"},
    "steer_device_playback": {"action": "pause"},
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
    "add_tollgate": {"name": "Gate"},
    "change_tollgate": {"name": "Other"},
    "report_sightings": {
        "items": [{"tollgate": "{tollgate}", "reference": "r", "source": "laser", "at": "2023-11-14T22:13:20Z"}]
    },
    "accept_subscription": {"reason": ""},
    "refuse_subscription": {"reason": ""},
    "set_lower": {"url": "http://192.0.2.7:8100"},
    "subscribe_below": {"details": [13]},
    "withdraw_below": {"reason": ""},
    "propose_watch": {
        "plate": FOREIGN[:7],
        "reason": "stolen",
        "valid_until": "2023-11-15T22:13:20Z",
        "area": "{area}",
        "organisation": "{organisation}",
        "seats": ["role:operator"],
    },
    "report_hit": {"result": "caught"},
    "propose_violation": {
        "tollgate": "{tollgate}",
        "reference": "x",
        "kind": "red_light",
        "at": "2023-11-14T22:13:20Z",
    },
    "take_violations": {"queue": "first"},
    "export_violations": {"violations": ["{violation}"]},
    "void_violation": {"void_reason": "forced"},
    "put_scene": {"clock_error_ms": 100},
    "say_phases": {"items": [{"at": "2023-11-14T22:13:20Z", "colour": "red"}]},
    "open_case": {
        "number": "A-7",
        "title": "Lorry",
        "purpose": "security",
        "ground": "CPL art. 54",
        "area": "{area}",
        "organisation": "{organisation}",
    },
    "change_case": {"title": "Other"},
    "note_in_case": {"words": "seen"},
    "add_footage_to_case": {
        "channel": "{channel}",
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-01T01:00:00Z",
    },
    "add_alarm_to_case": {"alarm": "{alarm}"},
    "add_passages_to_case": {"chosen": ["{passage}"]},
    "add_route_to_case": {"plate": FOREIGN[:7], "chosen": ["{passage}"]},
    "add_companions_to_case": {"plate": FOREIGN[:7]},
    "add_clones_to_case": {"chosen": [{"start": "{passage}", "end": "{passage}"}]},
    "add_alarm_list_to_case": {"chosen": ["{alarm}"]},
    "add_violations_to_case": {"chosen": ["{violation}"]},
    "add_movement_to_case": {
        "channel": "{channel}",
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-01T01:00:00Z",
        "until": "2026-01-01T01:00:00Z",
    },
    "add_section": {
        "name": "Ring",
        "entry": "{tollgate}",
        "exit": "{second_tollgate}",
        "length_m": 1000,
        "limit_kmh": 60,
        "entry_clock_error_ms": 0,
        "exit_clock_error_ms": 0,
    },
    "change_section": {"name": "Other"},
    "add_exemption": {"plate": "A12345", "duty": "fire", "reason": "station 3", "area": "{area}"},
    "add_travel_section": {
        "name": "Way",
        "entry": "{tollgate}",
        "exit": "{second_tollgate}",
        "length_m": 1000,
    },
    "change_travel_section": {"name": "Other"},
    "begin_shift": {"consent": True, "area": "{area}"},
    "judge_road_incident": {"verdict": "confirmed"},
    "draw_outline": {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]},
    "report_counts": {
        "items": [
            {
                "tollgate": "{tollgate}",
                "source": "loops",
                "since": "2023-11-14T22:12:20Z",
                "until": "2023-11-14T22:13:20Z",
                "count": 7,
            }
        ]
    },
    "add_closure": {"kind": "works", "reason": "pipes", "line": [[18.0, 59.3]]},
    "add_toll": {
        "name": "Bridge",
        "gantries": [{"longitude": 18.0, "latitude": 59.3}],
        "prices": [{"since": "07:00", "until": "08:00", "amount": 100}],
        "area": "{area}",
    },
    "change_toll": {"name": "Other"},
    "call_tow": {"reason": "parked", "longitude": 18.0, "latitude": 59.3, "area": "{area}"},
    "move_tow": {"state": "on_site"},
    "take_vehicle_picture": {"purpose": "traffic"},
    "tell_driver": {"text": "call the station"},
    "track_vehicle": {"every_seconds": 5},
    "restart_terminal": {"confirm": "own"},
    "say_to_terminal": {"message": "8104", "confirm": "own"},
    "lock_vehicle": {"locked": True, "confirm": "own"},
    "add_fence": {
        "name": "Yard",
        "kind": "circle",
        "points": [[118.37, 31.33]],
        "metres": 100,
        "on_enter": True,
        "area": "{area}",
    },
    "change_fence": {"name": "Other"},
    "add_sign": {
        "name": "Sign",
        "address": "http://192.0.2.9/",
        "longitude": 118.37,
        "latitude": 31.33,
        "direction": 90,
        "lines": 2,
        "columns": 20,
        "area": "{area}",
    },
    "change_sign": {"name": "Other"},
    "show_sign_message": {"lines": ["SLOW"], "end": "2023-11-15T00:00:00Z", "reason": "a queue"},
    "put_volumes": {"volumes": [{"name": "main", "path": "volumes/main"}]},
}
QUERIES = {
    "see_timeline": "?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z",
    "see_days": "?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z",
    "list_device_recordings": "?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z",
    "search": "?q=x",
    "propose": "?area_code=340200",
    "list_passages": "?purpose=traffic",
    "save_passages": "?purpose=traffic",
    "see_route": "?purpose=traffic&plate=A12345",
    "see_companions": "?purpose=traffic&plate=A12345",
    "see_clones": "?purpose=traffic",
    "save_route": "?purpose=traffic&plate=A12345",
    "save_companions": "?purpose=traffic&plate=A12345",
    "save_clones": "?purpose=traffic",
    "see_passage": "?purpose=traffic",
    "preview_watch": "?plate=A12345",
    "see_passage_picture": "?purpose=traffic",
    "find_routes": "?from=18.0,59.3&to=18.1,59.4",
    "see_way": "?purpose=traffic&start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z",
    "save_way": "?purpose=traffic&start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z",
    "list_vehicle_media": "?purpose=traffic",
    "see_vehicle_medium": "?purpose=traffic",
    "see_conditions": "?box=17.9,59.2,18.2,59.5",
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
    assert public == {
        "/setup", "/setup/administrator", "/session", "/healthz", "/readyz", "/metrics", "/openapi.json",
        "/{path:path}", "/positions", "/phone/shift", "/phone/sos",
    }  # fmt: skip


def fill(template: Any, things: dict[str, str]) -> Any:
    text = template if isinstance(template, str) else json.dumps(template)
    for name, value in things.items():
        text = text.replace("{" + name + "}", value)
    return text if isinstance(template, str) else json.loads(text)


async def subscribe(house: Any, device: str, title: str) -> None:
    """As the library of that id would."""
    sender = await house.services.database.read(lambda tx: devices.find(tx, device))
    wish = {
        "SubscribeID": "1",
        "Title": title,
        "SubscribeDetail": "13",
        "ReceiveAddr": "http://10.0.0.6/",
        "EndTime": "20300101000000",
    }
    await house.services.images.subscribe(sender, [read_object(BY_NAME["Subscribe"], wish)])


async def approve_and_meet(house: Any, admin: Any, ids: dict[str, Any]) -> None:
    """A second administrator puts the watches in force, and the vehicle that passed hits the one it is meant by."""
    await admin.ok(
        "POST", "users", {"username": "second", "password": PASSWORD, "roles": ["administrator", "operator"]}
    )
    second = house.client()
    await second.sign_in("second")
    for name in ("own", "foreign"):
        await second.ok("POST", f"watches/{ids[f'{name}_watch']}/approve")
    while await house.services.relay.step() or await house.services.watch_follower.step():
        pass
    for hit in (await admin.ok("GET", "hits"))["items"]:
        ids[f"{hit['place_name']}_hit"] = hit["id"]


async def photographed(house: Any, admin: Any, device: str) -> str:
    """A picture that it took."""
    now = house.clock.now_us()
    taken = KeepMedia(device, 1, 1, "picture", "jpeg", "timer", now, now, b"no JPEG")
    assert await house.services.vehicle_media.keep(taken)
    return (await admin.ok("GET", f"devices/{device}/media?purpose=traffic"))["items"][0]["id"]


def drawn(signal: str) -> dict[str, Any]:
    """A scene with a lane that a signal holds for."""
    area = [[0, 0], [1, 0], [1, 1]]
    lane = {"number": 1, "area": area, "heading": [0, 1], "turns": ["straight"], "signals": {"straight": signal}}
    return {"clock_error_ms": 100, "lanes": [lane]}


ROADS = {"own": (100.5, 30.5), "foreign": (110.5, 30.5)}
"""Where something stands on a road of the one province and of the other."""


def on_road(name: str) -> RoadIncident:
    return RoadIncident(f"ti_{name}", "accident", "confirmed", ROADS[name], 3, 0, 0)


def around(longitude: float, latitude: float) -> dict[str, Any]:
    corners = [[longitude + x, latitude + y] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]
    return {"type": "Polygon", "coordinates": [corners]}


LIMITS = ("area", "organisation", "both")


async def settled(house: Any) -> dict[str, Any]:
    """Two provinces and two bureaux with a camera each. Viewers, operators and administrators of the first ones only:
    by area, by organisation, and by both."""
    admin, ids = house.client(), {}
    administrator = {"token": TOKEN, "username": "root", "password": PASSWORD, "language": "en"}
    admin.me = await admin.ok("POST", "setup/administrator", administrator)
    for name, code, number in (("own", "34", CODE), ("foreign", "35", FOREIGN)):
        area = (await admin.ok("POST", "areas", {"name": name, "code": code}))["id"]
        organisation = (await admin.ok("POST", "organisations", {"name": f"{name} bureau"}))["id"]
        where = {"area": area, "organisation": organisation}
        device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": number, "name": name, **where})
        ids.update({f"{name}_area": area, f"{name}_organisation": organisation, f"{name}_device": device["id"]})
        await house.online(device["id"], number)
        await house.catalogue(device["id"], {"code": number, "name": name, "ptz_type": 1})
        await house.publish(
            "alarm.received", device["id"], {"device": device["id"], "code": number, "priority": "1", "method": "5"}
        )
        ids[f"{name}_media"] = await photographed(house, admin, device["id"])
        user = {"username": f"{name}-user", "password": "correct horse battery", "organisation": organisation}
        ids[f"{name}_user"] = (await admin.ok("POST", "users", user))["id"]
        ids[f"{name}_tollgate"] = (await admin.ok("POST", "tollgates", {"name": name, **where}))["id"]
        order = {**BODIES["propose_watch"], **where}
        ids[f"{name}_watch"] = (await admin.ok("POST", "watches", order))["id"]
        sighting = {"reference": name, "source": "laser", "at": "2023-11-14T22:13:20Z", "plate": FOREIGN[:7]}
        await admin.ok("POST", "sightings", {"items": [{"tollgate": ids[f"{name}_tollgate"], **sighting}]})
        library = {"kind": "gat1400", "code": f"{number[:10]}503{number[13:]}", "name": f"{name} library", **where}
        library = (await admin.ok("POST", "devices", library))["id"]
        await subscribe(house, library, name)
        await admin.ok("PUT", f"libraries/{library}", BODIES["set_lower"])
        below = await admin.ok("POST", f"libraries/{library}/subscriptions", BODIES["subscribe_below"])
        ids |= {f"{name}_library": library, f"{name}_order": below["id"]}
        ids[f"{name}_second_tollgate"] = (await admin.ok("POST", "tollgates", {"name": f"{name} 2", **where}))["id"]
        section = fill(BODIES["add_section"], {kind: ids[f"{name}_{kind}"] for kind in ("tollgate", "second_tollgate")})
        ids[f"{name}_section"] = (await admin.ok("POST", "sections", section))["id"]
        way = {"entry": ids[f"{name}_tollgate"], "exit": ids[f"{name}_second_tollgate"]}
        ids[f"{name}_travel_section"] = (
            await admin.ok("POST", "traffic/sections", {**BODIES["add_travel_section"], **way})
        )["id"]
        loops = fill(BODIES["report_counts"], {"tollgate": ids[f"{name}_tollgate"]})
        ids[f"{name}_count_point"] = (await admin.ok("POST", "traffic/counts", loops))["items"][0]["point"]
        exempt = fill(BODIES["add_exemption"], {"area": area})
        ids[f"{name}_exemption"] = (await admin.ok("POST", "exemptions", exempt))["id"]
        offence = fill(BODIES["propose_violation"], {"tollgate": ids[f"{name}_tollgate"]})
        filed = await admin.ok("POST", "violations", {**offence, "reference": name, "plate": number[:7]})
        ids[f"{name}_violation"] = filed["violation"]["id"]
        yard = {"name": f"{name} yard", "kind": "circle", "points": [[118.37, 31.33]], "metres": 100, "on_enter": True}
        ids[f"{name}_fence"] = (await admin.ok("POST", "fences", {**yard, **where}))["id"]
        sign = await admin.ok("POST", "signs", fill(BODIES["add_sign"], {"area": area}))
        said = await admin.ok("POST", f"signs/{sign['id']}/messages", BODIES["show_sign_message"])
        ids.update({f"{name}_sign": sign["id"], f"{name}_message": said["id"]})
        case = fill(BODIES["open_case"], {kind: ids[f"{name}_{kind}"] for kind in ("area", "organisation")})
        ids[f"{name}_case"] = (await admin.ok("POST", "cases", case))["id"]
        said = await admin.ok("POST", f"cases/{ids[f'{name}_case']}/notes", {"words": "seen"})
        ids[f"{name}_entry"] = said["id"]
        works = {"kind": "works", "reason": f"{name} works", "line": [[18.0, 59.3]], "area": area}
        ids[f"{name}_closure"] = (await admin.ok("POST", "traffic/closures", works))["id"]
        bridge = fill(BODIES["add_toll"], {"area": area})
        ids[f"{name}_toll"] = (await admin.ok("POST", "traffic/tolls", bridge))["id"]
        parked = fill(BODIES["call_tow"], {"area": area})
        ids[f"{name}_tow"] = (await admin.ok("POST", "traffic/tows", parked))["id"]
        await admin.ok("PUT", f"areas/{area}/outline", around(*ROADS[name]))
        ids.update({f"{name}_road_incident": f"ti_{name}", f"{name}_jam": f"jm_{name}"})
    for subscription in (await admin.ok("GET", "subscriptions"))["items"]:
        ids[f"{subscription['title']}_subscription"] = subscription["id"]
    for passage in (await admin.ok("GET", "passages?purpose=traffic"))["items"]:
        ids[f"{passage['tollgate_name']}_passage"] = passage["id"]
    for channel in (await admin.ok("GET", "channels"))["items"]:
        ids[f"{channel['name']}_channel"] = channel["id"]
        ids[f"{channel['name']}_signal"] = f"{channel['name']}-signal"
        await admin.ok("PUT", f"channels/{channel['id']}/scene", drawn(f"{channel['name']}-signal"))
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
    await approve_and_meet(house, admin, ids)
    for alarm in (await admin.ok("GET", "alarms"))["items"]:
        ids[f"{alarm['name']}_alarm"] = alarm["id"]
    ids["view"] = (await admin.ok("POST", "views", {"name": "w", "layout": {"size": 1, "tiles": []}}))["id"]
    ids["tour"] = (await admin.ok("POST", "tours", {"name": "t", "channels": []}))["id"]
    reaches = {
        "area": {"area": ids["own_area"]},
        "organisation": {"organisation": ids["own_organisation"]},
        "both": {"area": ids["own_area"], "organisation": ids["own_organisation"]},
    }
    for role in Role:
        for limit, reach in reaches.items():
            grants = [{"role": str(role), **reach}]
            user = {"username": f"{role}-{limit}", "password": "correct horse battery", "grants": grants}
            await admin.ok("POST", "users", user)
    return ids


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> tuple[Path, dict[str, Any]]:
    """A folder with that, copied for each test: to enter it all takes longer than to ask for it all."""
    folder = tmp_path_factory.mktemp("founded")

    async def found() -> dict[str, Any]:
        async with a_house(folder, migrated) as made:
            return await settled(made)

    return folder, asyncio.run(found())


@pytest.fixture
async def house(tmp_path: Path, founded: tuple[Path, dict[str, Any]], migrated: Path) -> AsyncIterator[Any]:
    shutil.copytree(founded[0], tmp_path, dirs_exist_ok=True)
    async with a_house(tmp_path, migrated) as made:
        yield made


@pytest.fixture
async def admin(house: Any) -> Any:
    client = house.client()
    await client.sign_in("root")
    return client


@pytest.fixture
def city(house: Any, founded: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    """What stands in it; of its roads the duty that knows them tells."""
    house.calls.answers |= {
        AskRoutes: RoutesFound(()),
        AskConditions: ConditionsFound((), 0, 0),
        AskJams: JamsFound(tuple(Jam(f"jm_{name}", 0, place, 500.0, 9.0, ()) for name, place in ROADS.items())),
        AskIncidents: IncidentsFound(tuple(on_road(name) for name in ROADS)),
        JudgeIncident: lambda asked: IncidentsFound((on_road(asked.incident.removeprefix("ti_")),)),
        AskNetwork: NetworkDescribed("1a", "town", "", 0, (), 2, 1, 0, 0.1, (18.0, 59.3, 18.1, 59.4), {}),
    }
    return founded[1]


KINDS = (
    "channel",
    "device",
    "area",
    "alarm",
    "hold",
    "export",
    "organisation",
    "user",
    "tollgate",
    "passage",
    "subscription",
    "library",
    "order",
    "watch",
    "hit",
    "closure",
    "toll",
    "tow",
    "violation",
    "section",
    "travel_section",
    "count_point",
    "exemption",
    "second_tollgate",
    "fence",
    "signal",
    "sign",
    "message",
    "case",
    "entry",
    "road_incident",
    "jam",
    "media",
)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("role", [str(role) for role in Role])
async def test_every_route_against_things_of_a_foreign_area_and_organisation(
    role: str, limit: str, house: Any, admin: Any, city: dict[str, Any]
) -> None:
    client = house.client()
    await client.sign_in(f"{role}-{limit}")
    others = {
        "view": city["view"],
        "tour": city["tour"],
        "session": admin.me["session"],
        "result": fresh("cr"),
        "name": "x.mp4",
        "number": "0",
    }
    foreign = {**others, **{kind: city[f"foreign_{kind}"] for kind in KINDS}}
    own = {**others, **{kind: city[f"own_{kind}"] for kind in KINDS}}
    platform_wide = {
        "list_users", "add_user", "delete_user", "add_organisation", "change_organisation", "delete_organisation",
        "see_wizard", "list_addresses", "test_address", "list_ports", "put_platform",
        "put_volumes", "list_volumes", "finish_wizard", "remove_demo", "see_settings", "change_settings",
        "prove_audit",
    }  # fmt: skip
    if limit == "organisation":  # whoever manages an organisation manages its people and what is below it
        platform_wide -= {"list_users", "delete_user", "change_organisation", "delete_organisation"}
    asked = 0
    for route in routes(house.app):
        action = route.openapi_extra["x-action"]
        if action == PUBLIC or route.name in ("sign_out", "who_am_i"):
            continue
        (method,) = route.methods
        path = route.path.removeprefix("/api/v1").lstrip("/")
        named = "{" in path
        body = BODIES.get(route.name)
        # Of the tree that does not limit somebody the names are seen.
        shown = {"area": {"see_organisation"}, "organisation": {"see_area", "see_outline"}}.get(limit, set[str]())
        targets_thing = (named and route.name not in shown) or any(
            kind in json.dumps(body or {}) for kind in ("{channel}", "{tollgate}", "{area}", "{violation}")
        )
        for things, is_foreign in ((foreign, True), (own, False)):
            answer = await client.ask(
                method, fill(path, things) + QUERIES.get(route.name, ""), None if body is None else fill(body, things)
            )
            asked += 1
            where = f"{role} by {limit} {method} {path} -> {answer.status_code} {answer.text[:200]}"
            assert answer.status_code != 500, where
            may = action == SIGNED_IN or action in REACHES[Role(role)]
            if not may:
                assert answer.status_code == 403, where
            elif is_foreign and targets_thing:
                assert answer.status_code in (403, 404), where
            elif route.name == "judge_road_incident":
                # Roads belong to no organisation.
                assert answer.status_code == (200 if limit == "area" else 404), where
            elif route.name in platform_wide:
                assert answer.status_code == 403, where
            elif not is_foreign and path.startswith(("channels/{", "devices/{", "alarms/{")):
                assert answer.status_code != 403, where
    assert asked > 120


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("role", [str(role) for role in Role])
async def test_lists_show_nothing_of_a_foreign_area_or_organisation(
    role: str, limit: str, house: Any, city: dict[str, Any]
) -> None:
    client = house.client()
    await client.sign_in(f"{role}-{limit}")
    hidden = {kind: city[f"foreign_{kind}"] for kind in KINDS}
    # Of the tree that does not limit somebody the names are seen: one cannot be found by a way that is not shown.
    if limit != "both":
        del hidden["area" if limit == "organisation" else "organisation"]
    paths = {
        path.removeprefix("/api/v1/"): methods["get"]["operationId"]
        for path, methods in house.app.openapi()["paths"].items()
        if "get" in methods and "{" not in path and methods["get"]["x-action"] != PUBLIC
    }
    assert {"channels", "devices", "areas", "alarms", "tree", "search", "holds", "exports", "health", "audit"} <= set(
        paths
    )
    asked = {path: QUERIES.get(name, "") for path, name in paths.items()}
    asked |= {"areas": "?every=true", "organisations": "?every=true", "search": "?q=foreign"}
    for path in (path + query for path, query in asked.items()):
        answer = await client.ask("GET", path)
        if answer.status_code == 403:
            continue
        assert answer.status_code == 200, path
        assert not [kind for kind, thing in hidden.items() if thing in answer.text], path
        assert FOREIGN not in answer.text, path


@pytest.mark.parametrize("limit", LIMITS)
async def test_lists_show_what_is_ones_own(limit: str, house: Any, city: dict[str, Any]) -> None:
    client = house.client()
    await client.sign_in(f"administrator-{limit}")
    for kind in ("channel", "device", "alarm", "hold", "export", "area", "organisation"):
        found = (await client.ok("GET", f"{kind}s"))["items"]
        assert city[f"own_{kind}"] in [thing["id"] for thing in found], kind
    assert city["own_area"] in [node["id"] for node in (await client.ok("GET", "tree"))["items"]]
    things = {record["object"] for record in (await client.ok("GET", "audit"))["items"]}
    assert {city["own_device"], city["own_channel"]} <= things
    assert (await client.ok("GET", "alarms"))["counts"] == {"1": 1}


async def test_what_may_not_be_seen_looks_like_what_is_not_there(house: Any, city: dict[str, Any]) -> None:
    client = house.client()
    await client.sign_in("viewer-area")
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
