"""Every route of the description, asked with values nobody would send by mistake: a problem in words, never a crash.

For each operation there is one request that could work; then every query parameter, every part of its path and every
field of its body, however deep, is replaced by hostile values in turn: by every eighth one (the next places by the
others), with SAFECITY_TEST_WHOLE=1 by each.
"""

from __future__ import annotations

import base64
import copy
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import pytest

from safecity.model.facts.media_calls import AskDays, AskStreams, AskTimeline, Days, StreamFigures
from safecity.model.facts.media_calls import Timeline as TimelineAnswer

CODE = "34020000001320000001"
MEGABYTE = "x" * (1 << 20)
NO_NUMBERS = ["NaN", "Infinity", "-Infinity"]
NEVER = [*NO_NUMBERS, "\\ud", "\\u0000", "1e999", "0" * 30]
"""Whatever holds one of these is refused, whichever field it is sent for."""
VALUES = [
    *NO_NUMBERS,
    "1e308",
    "-1e308",
    "1e999",
    str(10**30),
    str(-(10**30)),
    "9" * 5000,
    '"0000-01-01T00:00:00Z"',
    '"0001-01-01T00:00:00+23:59"',
    '"9999-12-31T23:59:59-23:59"',
    '"9999999-01-01T00:00:00Z"',
    '"99999999999999999999"',
    json.dumps(chr(0xD800)),
    json.dumps("a\0b"),
    json.dumps("x" * 100_000),
    "[" * 3000 + "]" * 3000,
    '{"a":' * 3000 + "1" + "}" * 3000,
    "[" * 40 + json.dumps(chr(0xDFFF)) + "]" * 40,
    json.dumps({chr(0xD800): 1}),
    "[null]",
    "true",
    "null",
]
TEXTS = [
    "NaN", "Infinity", "1e308", str(10**30), str(-(10**30)), "9" * 3000, "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9999999-01-01T00:00:00Z", "99999999999999999999",
    "x" * 7000, "\0", "a\r\nb", "..", "%", "٣٤٥", "²",
]  # fmt: skip
RAW = ["%ED%A0%80", "%FF%FE", "%00", "%2e%2e%2f", "%0d%0a"]
"""As they go over the wire: a lone surrogate, bytes that are no text, and what ends a line or a path elsewhere."""
FLOOD = "too_many_requests"
Place = TypeVar("Place")
SHARE = 1 if os.environ.get("SAFECITY_TEST_WHOLE") else 8
SKIPPED = {"sign_out", "end_sessions", "end_session", "delete_user"}
"""They would end the session of whoever asks. They take nothing but ids, and those are asked by the others."""


def spread(every: Iterable[Place], values: Sequence[str]) -> Iterator[tuple[Place, str]]:
    """Each place with its share of the values, so that neighbours together have met all of them."""
    for number, place in enumerate(every):
        yield from ((place, value) for value in values[number % SHARE :: SHARE])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body, outermost first."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def with_value(body: Any, path: tuple[Any, ...], raw: str) -> str:
    """The body as JSON, with `raw` at that place as it stands."""
    if not path:
        return raw
    body = copy.deepcopy(body)
    inside = body
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = "@here@"
    return json.dumps(body).replace('"@here@"', raw)


APART: dict[str, dict[str, Any]] = {
    "add_device": {"kind": "rtsp", "url": "rtsp://192.0.2.7/live", "sub_url": "rtsp://192.0.2.7/sub"},
    "add_area": {"code": "3402"},
    "add_organisation": {"code": "110000"},
    "change_settings": {"code": "34020000002000000001", "domain": "3402000000", "public_host": "192.0.2.1"},
    "put_platform": {"code": "34020000002000000001", "domain": "3402000000", "public_host": "192.0.2.1"},
    "add_export": {"channel": None},
    "add_user": {"password": "correct horse battery", "areas": ["/"]},
}
"""Where one thing of that name does not fit every route."""


def bodies(guess: Guess, schema: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """(body, place in it): all of it, and each part with what is required alone, so that nothing else is in its way."""
    apart = APART.get(operation["operationId"], {})
    body = guess.value(schema) | {name: value or guess.value({}, name) for name, value in apart.items()}
    yield body, ()
    yield from ((body, place) for place in places(body) if len(place) == 1)
    needed = {*guess.required(schema), *apart}
    for part in body:
        small = {name: value for name, value in body.items() if name == part or name in needed}
        if small != body:
            yield from ((small, place) for place in places(small) if place[:1] == (part,))


class Guess:
    """A request that could work, from the description alone."""

    def __init__(self, document: dict[str, Any], things: dict[str, Any]) -> None:
        self._schemas = document["components"]["schemas"]
        self._things = things

    def required(self, schema: dict[str, Any]) -> list[str]:
        while "$ref" in schema or "anyOf" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema["anyOf"][0]
        return schema.get("required", [])

    def value(self, schema: dict[str, Any], name: str = "") -> Any:
        if "$ref" in schema:
            return self.value(self._schemas[schema["$ref"].rpartition("/")[2]], name)
        if name in self._things:
            return self._things[name]
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self.value(schema[choice][0], name)
        if "enum" in schema or "const" in schema:
            return schema.get("const", (schema.get("enum") or [None])[0])
        match schema.get("type"):
            case "object":
                return {part: self.value(inner, part) for part, inner in schema.get("properties", {}).items()}
            case "array":
                return [self.value(schema["items"], name)]
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
            case _:
                return "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else "x"


class Crowd:
    """The signed-in browser from ever new addresses: the limits against floods are not what is tried here."""

    def __init__(self, house: Any, admin: Any) -> None:
        self._house, self._admin = house, admin
        self._asked = 0

    async def ask(self, method: str, url: str, body: str | None = None) -> httpx.Response:
        if self._asked % 200 == 0:
            self._house.move(self._admin, self._asked // 200)
        self._asked += 1
        headers = {"x-csrf-token": self._admin.me["csrf"], "content-type": "application/json"}
        return await self._admin.inner.request(method, url, content=body, headers=headers)


def unfit(answer: httpx.Response, operation: dict[str, Any]) -> bool:
    """What no value may lead to: a crash, or that somebody is not known any more who is signed in. Whoever guesses
    passwords may be told to wait."""
    if answer.is_error and not (told(answer) and answer.status_code != 500):
        return True
    public = operation["x-action"] == "public"
    return (answer.status_code == 401 and not public) or (answer.status_code == 429 and answer.json()["code"] == FLOOD)


def told(answer: httpx.Response) -> bool:
    """Whether it is a problem with a sentence."""
    return answer.headers["content-type"] == "application/problem+json" and bool(answer.json()["detail"])


@pytest.fixture
async def things(house: Any, admin: Any) -> dict[str, Any]:
    """One of what routes are about; and duties that answer."""
    area = await admin.ok("POST", "areas", {"name": "Wuhu", "code": "34"})
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "Gate", "area": area["id"]})
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "Gate", "ptz_type": 1})
    await house.publish("alarm.received", device["id"], {"device": device["id"], "code": CODE, "priority": "1"})
    (channel,) = (await admin.ok("GET", "channels"))["items"]
    (alarm,) = (await admin.ok("GET", "alarms"))["items"]
    house.calls.answers |= {
        AskDays: Days((0,)),
        AskTimeline: TimelineAnswer(channel["id"], (), ()),
        AskStreams: StreamFigures((), (), 0.0),
    }
    organisation = (await admin.ok("POST", "organisations", {"name": "Bureau"}))["id"]
    span = {"channel": channel["id"], "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
    return {
        "organisation": organisation,
        "view": (await admin.ok("POST", "views", {"name": "Gates", "layout": {"size": 1, "tiles": []}}))["id"],
        "tour": (await admin.ok("POST", "tours", {"name": "Round", "channels": [channel["id"]]}))["id"],
        "hold": (await admin.ok("POST", "holds", {**span, "reason": "case"}))["id"],
        "export": (await admin.ok("POST", "exports", span))["id"],
        "area": area["id"], "device": device["id"], "channel": channel["id"], "alarm": alarm["id"],
        "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z", "at": "2026-01-01T00:00:00Z",
        "until": "2099-01-01T00:00:00Z", "code": "34", "zone": "Asia/Shanghai", "area_code": "340200",
        "url": "rtsp://192.0.2.7/live", "channels": [channel["id"]], "user": admin.me["user"]["id"],
        "types": ["BasicParam"], "parent": area["id"],
    }  # fmt: skip


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    found = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation["operationId"] not in SKIPPED
    ]
    return sorted(found, key=lambda one: (one[0] == "DELETE" or "remove" in one[1], one[1]))


def address(path: str, things: dict[str, Any], changed: dict[str, str] | None = None) -> str:
    """The path with things that are there in it; `changed` are parts as they go over the wire."""
    parts = [
        (changed or {}).get(part[1:-1], quote(str(things.get(part[1:-1], "x")))) if part.startswith("{") else part
        for part in path.split("/")
    ]
    return "/".join(parts)


def query_of(guess: Guess, operation: dict[str, Any]) -> dict[str, str]:
    """What must be there."""
    found: dict[str, str] = {}
    for one in operation.get("parameters", ()):
        if one["in"] == "query" and one.get("required"):
            value = guess.value(one["schema"], one["name"])
            found[one["name"]] = str(value[0] if isinstance(value, list) else value)
    return found


async def test_no_value_in_a_body_breaks_a_route(house: Any, admin: Any, things: dict[str, Any]) -> None:
    document = house.app.openapi()
    guess, crowd = Guess(document, things), Crowd(house, admin)
    asked, broken = 0, list[str]()
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        for (body, place), raw in spread(bodies(guess, content["schema"], operation), VALUES):
            answer = await crowd.ask(method, address(path, things), with_value(body, place, raw))
            asked += 1
            never = raw.startswith(("[[[", '{"a":{"a":')) or any(bad in raw for bad in NEVER)
            if unfit(answer, operation) or (never and answer.status_code not in (400, 422)):
                broken.append(f"{operation['operationId']} {place} {raw[:40]}: {answer.status_code} {answer.text[:99]}")
    assert not broken, f"{len(broken)} of {asked}:\n" + "\n".join(broken[:100])
    assert asked > 6000 / SHARE


async def test_no_value_in_an_address_breaks_a_route(house: Any, admin: Any, things: dict[str, Any]) -> None:
    document = house.app.openapi()
    guess, crowd = Guess(document, things), Crowd(house, admin)
    wire = [*RAW, *(quote(text, safe="") for text in TEXTS)]
    asked, broken = 0, list[str]()
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        body = None if content is None else json.dumps(guess.value(content["schema"]))
        query = query_of(guess, operation)
        for one, text in spread(operation.get("parameters", ()), wire):
            if one["in"] == "path":
                url = address(path, things, {one["name"]: text})
                rest = query
            elif one["in"] == "query":
                url = address(path, things)
                rest = {name: value for name, value in query.items() if name != one["name"]}
                url += f"?{one['name']}={text}"
            else:
                continue
            if rest:
                url += ("&" if "?" in url else "?") + "&".join(f"{name}={quote(value)}" for name, value in rest.items())
            answer = await crowd.ask(method, url, body)
            asked += 1
            if unfit(answer, operation):
                broken.append(f"{method} {url[:150]}: {answer.status_code} {answer.text[:99]}")
    assert not broken, f"{len(broken)} of {asked}:\n" + "\n".join(broken[:100])
    assert asked > 2000 / SHARE


async def test_a_megabyte_in_any_field_is_refused(house: Any, admin: Any, things: dict[str, Any]) -> None:
    document = house.app.openapi()
    guess, crowd = Guess(document, things), Crowd(house, admin)
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        body = guess.value(content["schema"])
        for place in list(places(body))[:4]:
            answer = await crowd.ask(method, address(path, things), with_value(body, place, json.dumps(MEGABYTE)))
            # Too much for the door, or, where pictures may come in, for the field.
            assert answer.status_code in (413, 422), operation["operationId"]
            assert told(answer), operation["operationId"]


def cursors(turn: int) -> list[str]:
    """Texts that no list gave: no base64, no JSON, no list, and lists of wrong length with every kind of value.

    Pairs of plain values are always there, of the others those whose turn it is.
    """
    kinds = ["", "x", "a\0b", chr(0xD800), 0, -1, 1 << 62, 1 << 63, -(1 << 63) - 1, 10**60, 1.5, float("nan"),
             float("inf"), True, None, [], {}, ["x"], "~" * 100, "9" * 90]  # fmt: skip
    plain = {1, 4}
    pairs = [
        [a, b]
        for i, a in enumerate(kinds)
        for j, b in enumerate(kinds)
        if {i, j} <= plain or (i + j + turn) % (SHARE * SHARE) == 0
    ]
    made = [[a] for a in kinds] + pairs
    texts = [json.dumps(one) for one in made] + ["", "[", "{}", "null", "7", '"x"', "[1,2,3]", "[" * 100, "[1e999]"]
    wrapped = [base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode() for text in texts if text]
    return [*wrapped, "x", "=", "====", "%", "é", "\0", " ", "W" * 5000, "Ww==", "-_-_", "WyJh\n"]


def of_a_good_shape(cursor: str, shape: list[type]) -> bool:
    """Whether a list with such places could have given it: then it may answer, from wherever that is."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        return False
    return isinstance(place, list) and [type(one) for one in place] == shape


async def test_a_forged_cursor_is_refused_by_every_list(house: Any, admin: Any, things: dict[str, Any]) -> None:
    document = house.app.openapi()
    guess, crowd = Guess(document, things), Crowd(house, admin)
    lists = [
        (path, operation)
        for method, path, operation in operations(document)
        if method == "GET" and any(one["name"] == "cursor" for one in operation.get("parameters", ()))
    ]
    assert len(lists) >= 7
    entered = 0
    shapes = [[str], [str, str], [int], [int, str], [str, int], [int, int]]
    for turn, (path, operation) in enumerate(lists):
        query = query_of(guess, operation)
        taken: set[tuple[type, ...]] = set()
        for cursor in cursors(turn):
            rest = "".join(f"&{name}={quote(value)}" for name, value in query.items())
            answer = await crowd.ask("GET", f"{address(path, things)}?cursor={quote(cursor, safe='')}{rest}")
            said = f"{path} {cursor[:60]!r}: {answer.status_code} {answer.text[:200]}"
            if answer.status_code == 200:
                fits = [shape for shape in shapes if of_a_good_shape(cursor, shape)]
                assert fits, said
                taken.add(tuple(fits[0]))
            else:
                assert answer.status_code in (400, 422), said
                assert told(answer), said
        # A list whose places are ids besides may refuse them all.
        assert len(taken) <= 1, f"{path} takes places of several shapes: {taken}"
        entered += len(taken)
    assert entered >= 4
