"""The API may grow but not break: one story for each way to break a client, and for each way to grow."""

from __future__ import annotations

import copy
import json
from typing import Any, cast

import pytest
from tools.api_breaks import BASELINE, breaks, wordless

from safecity.web.app import create_app

OLD: dict[str, Any] = {
    "paths": {
        "/cameras": {
            "get": {
                "operationId": "list_cameras",
                "x-action": "camera.see",
                "security": [{"session": []}],
                "parameters": [
                    {"in": "query", "name": "q", "required": False, "schema": {"type": "string", "maxLength": 100}}
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}},
                    "404": {"$ref": "#/components/responses/404"},
                },
            },
            "post": {
                "operationId": "add_camera",
                "x-action": "camera.add",
                "security": [{"session": [], "csrf": []}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Camera"}}}}
                },
            },
        },
        "/setup": {"get": {"operationId": "see_setup", "x-action": "public", "security": [], "responses": {"200": {}}}},
    },
    "components": {
        "schemas": {
            "Kind": {"type": "string", "enum": ["dome", "box"]},
            "Place": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
            "Camera": {
                "type": "object",
                "required": ["name", "kind", "place", "tags", "counts", "title"],
                "properties": {
                    "name": {"type": "string"},
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "place": {"anyOf": [{"$ref": "#/components/schemas/Place"}, {"type": "null"}]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                    "title": {"type": "string", "description": "On the tile."},
                },
            },
            "Page": {
                "type": "object",
                "required": ["items", "next"],
                "properties": {
                    "items": {"type": "array", "items": {"$ref": "#/components/schemas/Camera"}},
                    "next": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
            },
            "Ask": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 200},
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "speed": {"type": "number", "minimum": 0, "maximum": 10},
                    "since": {"type": "string", "format": "date-time"},
                },
            },
            "Told": {
                "type": "object",
                "properties": {"type": {"const": "told", "type": "string"}},
                "required": ["type"],
            },
            "Rung": {
                "type": "object",
                "properties": {"type": {"const": "rung", "type": "string"}},
                "required": ["type"],
            },
            "Pushed": {
                "oneOf": [{"$ref": "#/components/schemas/Told"}, {"$ref": "#/components/schemas/Rung"}],
                "discriminator": {"propertyName": "type"},
            },
        }
    },
    "x-websockets": {"/events": {"protocol": "v1", "message": {"$ref": "#/components/schemas/Pushed"}}},
}
GET = ("paths", "/cameras", "get")
POST = ("paths", "/cameras", "post")
CAMERA = ("components", "schemas", "Camera")
ASK = ("components", "schemas", "Ask")
GONE: Any = object()


def changed(*changes: tuple[tuple[Any, ...], Any]) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    for path, value in changes:
        place: Any = new
        for part in path[:-1]:
            place = place[part]
        if value is GONE:
            del place[path[-1]]
        else:
            place[path[-1]] = value
    return new


def required(*names: str) -> tuple[tuple[Any, ...], Any]:
    return ((*ASK, "required"), list(names))


BREAKS: dict[str, tuple[str, str, list[tuple[tuple[Any, ...], Any]]]] = {
    "a path": ("path", "/setup", [(("paths", "/setup"), GONE)]),
    "an operation": ("operation", "POST /cameras", [(POST, GONE)]),
    "the name of an operation": ("name", "GET /cameras", [((*GET, "operationId"), "cameras")]),
    "a session where none was needed": (
        "auth",
        "GET /setup",
        [(("paths", "/setup", "get", "security"), [{"session": []}])],
    ),
    "a header beside the session": ("auth", "GET /cameras", [((*GET, "security"), [{"session": [], "csrf": []}])]),
    "another right": ("auth", "GET /cameras", [((*GET, "x-action"), "camera.change")]),
    "a parameter": ("parameter", "GET /cameras query q", [((*GET, "parameters"), [])]),
    "a parameter that must be sent": (
        "required",
        "GET /cameras query q",
        [((*GET, "parameters", 0, "required"), True)],
    ),
    "a shorter parameter": (
        "limit",
        "GET /cameras query q",
        [((*GET, "parameters", 0, "schema"), {"type": "string", "maxLength": 50})],
    ),
    "the status of an answer": (
        "status",
        "POST /cameras answer",
        [((*POST, "responses"), {"200": OLD["paths"]["/cameras"]["post"]["responses"]["201"]})],
    ),
    "the content of an answer": (
        "content",
        "GET /cameras answer",
        [((*GET, "responses", "200", "content"), {"text/csv": {"schema": {"type": "string"}}})],
    ),
    "the content of a request": (
        "content",
        "POST /cameras body",
        [((*POST, "requestBody", "content"), {"text/csv": {"schema": {"type": "string"}}})],
    ),
    "a body where none was needed": (
        "required",
        "GET /cameras body",
        [((*GET, "requestBody"), OLD["paths"]["/cameras"]["post"]["requestBody"])],
    ),
    "a field of an answer": (
        "property",
        "GET /cameras answer .items[] .name",
        [
            ((*CAMERA, "properties", "name"), GONE),
            ((*CAMERA, "required"), ["kind", "place", "tags", "counts", "title"]),
        ],
    ),
    "a field called like a word of OpenAPI": (
        "property",
        "GET /cameras answer .items[] .title",
        [((*CAMERA, "properties", "title"), GONE)],
    ),
    "a field that is not always there": (
        "optional",
        "GET /cameras answer .items[] .tags",
        [((*CAMERA, "required"), ["name", "kind", "place", "counts", "title"])],
    ),
    "another type in an answer": (
        "type",
        "GET /cameras answer .items[] .name",
        [((*CAMERA, "properties", "name"), {"type": "integer"})],
    ),
    "null where there was always something": (
        "type",
        "GET /cameras answer .items[] .name",
        [((*CAMERA, "properties", "name"), {"anyOf": [{"type": "string"}, {"type": "null"}]})],
    ),
    "another type of items": (
        "type",
        "GET /cameras answer .items[] .tags[]",
        [((*CAMERA, "properties", "tags", "items"), {"type": "integer"})],
    ),
    "another type of counts": (
        "type",
        "GET /cameras answer .items[] .counts .*",
        [((*CAMERA, "properties", "counts", "additionalProperties"), {"type": "string"})],
    ),
    "a list of values that became any text": (
        "type",
        "GET /cameras answer .items[] .kind",
        [((*CAMERA, "properties", "kind"), {"type": "string"})],
    ),
    "another type deep inside": (
        "type",
        "GET /cameras answer .items[] .place .x",
        [(("components", "schemas", "Place", "properties", "x"), {"type": "string"})],
    ),
    "a value": (
        "value",
        "GET /cameras answer .items[] .kind",
        [(("components", "schemas", "Kind", "enum"), ["dome"])],
    ),
    "a new field that must be sent": (
        "required",
        "POST /cameras body .area",
        [((*ASK, "properties", "area"), {"type": "string"}), required("name", "area")],
    ),
    "an old field that must be sent now": ("required", "POST /cameras body .kind", [required("name", "kind")]),
    "a field of a request": ("property", "POST /cameras body .speed", [((*ASK, "properties", "speed"), GONE)]),
    "a narrower type in a request": (
        "type",
        "POST /cameras body .speed",
        [((*ASK, "properties", "speed", "type"), "integer")],
    ),
    "another format": ("type", "POST /cameras body .since", [((*ASK, "properties", "since", "format"), "date")]),
    "any text that became a list of values": (
        "type",
        "POST /cameras body .name",
        [((*ASK, "properties", "name"), {"type": "string", "enum": ["a", "b"]})],
    ),
    "a lower maximum": ("limit", "POST /cameras body .speed", [((*ASK, "properties", "speed", "maximum"), 5)]),
    "a higher minimum": ("limit", "POST /cameras body .speed", [((*ASK, "properties", "speed", "minimum"), 1)]),
    "a pattern": ("limit", "POST /cameras body .name", [((*ASK, "properties", "name", "pattern"), "^a")]),
    "a message of a socket": (
        "variant",
        "WebSocket /events",
        [(("components", "schemas", "Pushed", "oneOf", 1), GONE)],
    ),
    "a socket": ("operation", "WebSocket /events", [(("x-websockets",), {})]),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_a_client_is_found_and_named(name: str) -> None:
    kind, where, changes = BREAKS[name]
    found = breaks(OLD, changed(*changes))
    assert {one.kind for one in found} == {kind}, found
    assert where in {one.where for one in found}


GROWS: dict[str, list[tuple[tuple[Any, ...], Any]]] = {
    "nothing": [],
    "a path": [(("paths", "/new"), OLD["paths"]["/setup"])],
    "an operation": [(("paths", "/setup", "post"), OLD["paths"]["/cameras"]["post"])],
    "an optional parameter": [
        (
            (*GET, "parameters"),
            [
                *OLD["paths"]["/cameras"]["get"]["parameters"],
                {"in": "query", "name": "n", "schema": {"type": "integer"}},
            ],
        )
    ],
    "a longer parameter": [((*GET, "parameters", 0, "schema", "maxLength"), 200)],
    "a field of an answer": [((*CAMERA, "properties", "more"), {"type": "string"})],
    "an optional field of a request": [((*ASK, "properties", "more"), {"type": "string"})],
    "a field that need not be sent any more": [required()],
    "a value": [(("components", "schemas", "Kind", "enum"), ["dome", "box", "fisheye"])],
    "a wider type of a request": [((*ASK, "properties", "kind"), {"type": "string"})],
    "whole numbers in an answer": [(("components", "schemas", "Place", "properties", "x"), {"type": "integer"})],
    "a place that is always known": [((*CAMERA, "properties", "place"), {"$ref": "#/components/schemas/Place"})],
    "no session any more": [((*GET, "security"), [])],
    "a new failure": [((*GET, "responses", "409"), {"$ref": "#/components/responses/409"})],
    "other words": [((*CAMERA, "properties", "title", "description"), "Above the tile.")],
    "another name of a shape": [
        (("components", "schemas", "Spot"), OLD["components"]["schemas"]["Place"]),
        ((*CAMERA, "properties", "place", "anyOf", 0), {"$ref": "#/components/schemas/Spot"}),
    ],
    "a message of a socket": [
        (("components", "schemas", "Asked"), OLD["components"]["schemas"]["Told"]),
        (
            ("components", "schemas", "Pushed", "oneOf"),
            [{"$ref": f"#/components/schemas/{name}"} for name in ("Told", "Rung", "Asked")],
        ),
    ],
}


@pytest.mark.parametrize("name", GROWS)
def test_growing_breaks_nobody(name: str) -> None:
    assert breaks(OLD, changed(*GROWS[name])) == []


def test_a_shape_that_holds_itself_ends() -> None:
    new = changed(((*CAMERA, "properties", "beside"), {"$ref": "#/components/schemas/Camera"}))
    assert breaks(new, new) == []


def test_the_released_description_keeps_fields_that_are_called_like_words_of_openapi() -> None:
    kept = wordless(OLD)
    assert "title" in kept["components"]["schemas"]["Camera"]["properties"]
    assert "description" not in json.dumps(kept)
    assert breaks(OLD, kept) == breaks(kept, OLD) == []


def test_the_api_of_now_breaks_nothing_that_was_released() -> None:
    now = create_app(cast(Any, None)).openapi()
    assert [str(one) for one in breaks(json.loads(BASELINE.read_text("utf-8")), now)] == []
