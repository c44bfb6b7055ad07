"""The API as a document: other programs are generated from it, so it must be whole and true."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import create_model

from safecity.web.app import create_app
from safecity.web.described import describe
from safecity.web.guard import PUBLIC, Routes


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(create_app(cast(Any, None)))


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, o) for path, methods in document["paths"].items() for method, o in methods.items()]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(references(one) for one in value))
    return set()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = references(document)
    assert len(found) > 100
    for reference in found:
        _, kind, name = reference.removeprefix("#/").split("/")
        assert name in document["components"][kind], reference


def test_every_answer_has_a_shape(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        done = {code: answer for code, answer in operation["responses"].items() if code.startswith("2")}
        assert done, f"{method} {path} never succeeds"
        for code, answer in done.items():
            content = answer.get("content", {})
            assert (code == "204") == (not content), f"{method} {path} {code}"
            assert all(one["schema"] for one in content.values()), f"{method} {path} {code} answers anything"


FREE = {
    ("EventOut", "body"), ("Problem", "params"), ("ConfigurationOut", "parts"), ("ConfigurationAsk", "parts"),
    *(("PositionsAsk", field) for field in ("geometry", "properties", "features")),
    ("TerminalMessageAsk", "fields"), ("TerminalMessageOut", "fields"),
}  # fmt: skip
"""What differs with the kind of event, with the code, with each make of device, with the message of the standard, and
in GeoJSON of strangers: each position of it is read by itself, so that a wrong one costs no other."""


def test_only_what_cannot_be_said_beforehand_is_left_open(document: dict[str, Any]) -> None:
    def is_open(schema: dict[str, Any]) -> bool:
        choices = schema.get("anyOf", [])
        inner = [one for one in (schema.get("items"), schema.get("additionalProperties")) if isinstance(one, dict)]
        return (
            not schema
            or (schema.get("type") == "object" and schema.get("additionalProperties", True) is True)
            or any(is_open(one) for one in [*choices, *inner])
        )

    found = {
        (name, field)
        for name, schema in document["components"]["schemas"].items()
        for field, inner in schema.get("properties", {}).items()
        if is_open(inner)
    }
    assert found == FREE


def test_an_answer_always_has_all_its_fields(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if name.endswith(("Out", "Page", "Node", "Hit")):
            assert set(schema["required"]) == set(schema["properties"]), name


def test_whoever_may_call_without_a_session_is_the_same_as_in_the_code(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        if operation["x-action"] == PUBLIC:
            assert operation["security"] == [], where
        else:
            (needs,) = operation["security"]
            assert set(needs) == ({"session"} if method == "get" else {"session", "csrf"}), where
            assert {"401", "403"} <= set(operation["responses"]), where


def test_no_request_is_sent_through_a_thread_by_the_framework() -> None:
    def called(of: Dependant) -> Iterator[Any]:
        yield of.call
        for each in of.dependencies:
            yield from called(each)

    calls = {
        one
        for route in create_app(cast(Any, None)).routes
        if isinstance(route, APIRoute)
        for one in called(route.dependant)
    }
    assert len(calls) > 200
    assert not [one for one in calls if not inspect.iscoroutinefunction(one)], "it does that with plain functions"


def test_two_models_of_one_name_are_noticed() -> None:
    named, sized = create_model("Thing", name=str), create_model("Thing", size=int, __module__="elsewhere")
    app, routes = FastAPI(), Routes("things")

    @routes.get("/a", PUBLIC, response_model=named)
    def see_a() -> None: ...

    @routes.get("/b", PUBLIC, response_model=sized)
    def see_b() -> None: ...

    routes.join(app)
    with pytest.raises(ValueError, match="share a name"):
        describe(app)


async def test_a_running_platform_serves_it(house: Any, document: dict[str, Any]) -> None:
    stranger = house.client()
    assert await stranger.ok("GET", "openapi.json") == document
