"""Two people change the same thing: the slower one is told, and nothing of the faster one's is lost."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.web.test_web_tolls import made

PASSWORD = "correct horse battery"
CODE = "34020000001320000001"
LAYOUT = {"size": 1, "tiles": []}


@pytest.fixture
async def things(house: Any, admin: Any) -> dict[str, str]:
    """One of each that can be changed: the name of the operation and the path of the thing."""
    area = await admin.ok("POST", "areas", {"name": "Wuhu", "code": "34"})
    office = await admin.ok("POST", "organisations", {"name": "Bureau"})
    user = await admin.ok("POST", "users", {"username": "li", "password": "correct horse battery", "roles": ["viewer"]})
    view = await admin.ok("POST", "views", {"name": "Gates", "layout": LAYOUT})
    tour = await admin.ok("POST", "tours", {"name": "Round", "channels": []})
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "Gate"})
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "Gate"})
    (channel,) = (await admin.ok("GET", "channels"))["items"]
    await admin.ok("PUT", f"channels/{channel['id']}/scene", BODIES["put_scene"])
    gate = await admin.ok("POST", "tollgates", {"name": "Gate"})
    far = await admin.ok("POST", "tollgates", {"name": "Far gate"})
    road = {
        "name": "Ring", "entry": gate["id"], "exit": far["id"], "length_m": 1000, "limit_kmh": 60,
        "entry_clock_error_ms": 0, "exit_clock_error_ms": 0,
    }  # fmt: skip
    section = await admin.ok("POST", "sections", road)
    fence = await admin.ok("POST", "fences", FENCE)
    way = {"name": "Ring", "entry": gate["id"], "exit": far["id"], "length_m": 1000}
    timed = await admin.ok("POST", "traffic/sections", way)
    sign = await admin.ok("POST", "signs", SIGN)
    case = await admin.ok("POST", "cases", CASE)
    toll = await made(house, admin)
    library = await admin.ok("POST", "devices", {"kind": "gat1400", "code": "34020000005030000001", "name": "below"})
    await admin.ok("PUT", f"libraries/{library['id']}", BODIES["set_lower"])
    return {
        "change_area": f"areas/{area['id']}",
        "change_organisation": f"organisations/{office['id']}",
        "change_user": f"users/{user['id']}",
        "change_view": f"views/{view['id']}",
        "change_tour": f"tours/{tour['id']}",
        "change_device": f"devices/{device['id']}",
        "change_tollgate": f"tollgates/{gate['id']}",
        "put_scene": f"channels/{channel['id']}/scene",
        "change_fence": f"fences/{fence['id']}",
        "change_section": f"sections/{section['id']}",
        "change_travel_section": f"traffic/sections/{timed['id']}",
        "change_sign": f"signs/{sign['id']}",
        "change_toll": f"traffic/tolls/{toll['id']}",
        "change_case": f"cases/{case['id']}",
        "change_channel": f"channels/{channel['id']}",
        "set_lower": f"libraries/{library['id']}",
        "change_settings": "settings",
        "put_platform": "wizard/platform",
        "put_volumes": "wizard/volumes",
    }


FENCE = {"name": "Yard", "kind": "circle", "points": [[118.37, 31.33]], "metres": 100, "on_enter": True}
SIGN = {
    "name": "Gate", "address": "http://192.0.2.9/safecity/sign/v1", "longitude": 118.37, "latitude": 31.33,
    "direction": 90, "lines": 1, "columns": 20, "fallback": ["x"],
}  # fmt: skip
CASE = {"number": "2026-1", "title": "Gate", "purpose": "security", "ground": "article 136"}
TITLED = {"change_case": "title", "set_lower": "username"}
"""What says what a thing is called, where it is not its name."""
BODIES: dict[str, dict[str, Any]] = {
    "change_view": {"layout": LAYOUT},
    "change_tour": {"channels": []},
    "put_scene": {"clock_error_ms": 100},
    "set_lower": {"url": "http://192.0.2.7:8100"},
}
DECISIONS = {"approve_watch": 409, "refuse_watch": 409, "withdraw_watch": 200}
"""What happens to a watch once; the answer to who decides on an approved one that they have seen as it is."""
CASES = {"close_case", "reopen_case", "delete_case"}
"""Those of a case are held against a slower one below."""
VIOLATIONS = {"review_violation", "confirm_violation", "void_violation"}
"""Those of a violation are held against a slower one in `test_web_violations`."""
TOWS = {"move_tow"}
"""Held against a slower one in `test_web_tows`."""
SEEN_AT = {"put_platform": "settings", "put_volumes": "settings"}


def changing(app: Any) -> dict[str, str]:
    """Operations that take If-Match, with their method."""
    return {
        operation["operationId"]: method.upper()
        for methods in app.openapi()["paths"].values()
        for method, operation in methods.items()
        if any(one["name"].lower() == "if-match" for one in operation.get("parameters", ()))
    }


async def test_the_slower_one_is_told_and_looks_again(house: Any, admin: Any, things: dict[str, str]) -> None:
    methods = changing(house.app)
    assert set(methods) == set(things) | set(DECISIONS) | VIOLATIONS | CASES | TOWS
    for name, path in things.items():
        seen = await admin.ask("GET", SEEN_AT.get(name, path))
        etag = seen.headers["etag"]
        assert etag == f'"{seen.json()["revision"]}"', name

        def body(word: str, name: str = name) -> dict[str, Any]:
            word = f"{word}-{name}"
            if name == "put_volumes":
                return {"volumes": [{"name": word, "path": "volumes/main"}]}
            return {TITLED.get(name, "name"): word, **BODIES.get(name, {})}

        quick = await admin.ask(methods[name], path, body("quick"), headers={"if-match": etag})
        assert quick.status_code == 200, f"{name}: {quick.text}"
        slow = await admin.ask(methods[name], path, body("slow"), headers={"if-match": etag})
        assert (slow.status_code, slow.json()["code"]) == (412, "changed_meanwhile"), name
        now = await admin.ask("GET", SEEN_AT.get(name, path))
        assert now.headers["etag"] != etag, name
        assert f"slow-{name}" not in now.text, name
        again = await admin.ask(methods[name], path, body("slow"), headers={"if-match": now.headers["etag"]})
        assert again.status_code == 200, name


@pytest.mark.parametrize("name", DECISIONS)
async def test_who_decides_on_a_watch_that_another_has_decided_on_is_told(name: str, house: Any, admin: Any) -> None:
    await admin.ok("POST", "users", {"username": "wang", "password": PASSWORD, "roles": ["administrator"]})
    wang = house.client()
    await wang.sign_in("wang")
    wish = {"plate": "A12345", "reason": "stolen", "valid_until": "2023-12-01T00:00:00Z", "seats": ["role:operator"]}
    path = f"watches/{(await admin.ok('POST', 'watches', wish))['id']}"
    first = (await wang.ask("GET", path)).headers["etag"]
    quick = await wang.ask("POST", f"{path}/approve", {"reason": "quick"}, headers={"if-match": first})
    assert (quick.status_code, quick.headers["etag"]) == (200, f'"{quick.json()["revision"]}"')
    verb = f"{path}/{name.removesuffix('_watch')}"
    slow = await wang.ask("POST", verb, {"reason": "slow"}, headers={"if-match": first})
    assert (slow.status_code, slow.json()["code"]) == (412, "changed_meanwhile")
    now = await wang.ask("GET", path)
    assert (now.headers["etag"], "slow" in now.text) == (quick.headers["etag"], False)
    again = await wang.ask("POST", verb, {"reason": "slow"}, headers={"if-match": now.headers["etag"]})
    assert again.status_code == DECISIONS[name]


async def test_nobody_closes_or_deletes_a_case_that_another_has_changed(admin: Any, things: dict[str, str]) -> None:
    path = things["change_case"]
    first = (await admin.ask("GET", path)).headers["etag"]
    await admin.ok("PATCH", path, {"title": "Two gates"})
    for method, verb in (("POST", "/close"), ("POST", "/reopen"), ("DELETE", "")):
        slow = await admin.ask(method, f"{path}{verb}", {} if verb else None, headers={"if-match": first})
        assert (slow.status_code, slow.json()["code"]) == (412, "changed_meanwhile"), verb
    now = await admin.ask("GET", path)
    assert (now.json()["state"], now.json()["title"]) == ("open", "Two gates")


async def test_every_answer_with_a_revision_carries_it_as_etag(house: Any, admin: Any, things: dict[str, str]) -> None:
    for name, path in things.items():
        if name in SEEN_AT:
            continue
        method = changing(house.app)[name]
        answer = await admin.ask(method, path, {TITLED.get(name, "name"): "Other", **BODIES.get(name, {})})
        assert answer.headers["etag"] == f'"{answer.json()["revision"]}"', name


@pytest.mark.parametrize("mark", ["x", '"-1"', "W/x", '"1" , "2"', "9" * 40])
async def test_a_mark_that_is_none_of_ours_is_refused(admin: Any, mark: str, things: dict[str, str]) -> None:
    answer = await admin.ask("PATCH", "settings", {"name": "Other"}, headers={"if-match": mark})
    assert (answer.status_code, answer.json()["code"]) == (400, "etag_invalid")


async def test_whoever_does_not_mind_says_so(admin: Any, things: dict[str, str]) -> None:
    assert (await admin.ask("PATCH", "settings", {"name": "Other"}, headers={"if-match": "*"})).status_code == 200
