"""The API as a document: what FastAPI describes, and what holds for every route alike (OpenAPI 3.1).

Clients are generated from it and a change that breaks one fails the checks, so it says the truth and nothing else.
"""

from __future__ import annotations

from typing import Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from safecity.web.guard import PUBLIC, Routes
from safecity.web.problems import STATUS_WORDS, Problem
from safecity.web.pushes import Pushed

DOCUMENT: Final = "/openapi.json"
_REFERENCE: Final = "#/components/schemas/{model}"
_EVERYWHERE: Final = (400, 413, 414, 422, 429, 503)
_SESSION: Final = {
    "type": "apiKey",
    "in": "cookie",
    "name": "__Host-safecity",
    "description": "The session begun by `POST /session`; without TLS its name is `safecity`.",
}
_CSRF: Final = {
    "type": "apiKey",
    "in": "header",
    "name": "X-CSRF-Token",
    "description": "`csrf` of the session, on everything but reads.",
}
_ETAG: Final = {
    "description": "The revision, to be sent back as If-Match with a change: then 412 when somebody was faster.",
    "schema": {"type": "string"},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, servers=[{"url": "/"}]
        )
        schemas = document["components"]["schemas"]
        for methods in document["paths"].values():
            for method, operation in methods.items():
                _complete(method, operation, schemas)
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for model in (Problem, Pushed):
            _add(schemas, model)
        names = _named(schemas)
        document["paths"] = _tidied(document["paths"], names)
        document["components"] = {
            "schemas": {names[old]: _tidied(schemas[old], names) for old in sorted(schemas, key=names.__getitem__)},
            "responses": {str(status): _problem(words) for status, words in STATUS_WORDS.items()},
            "securitySchemes": {"session": _SESSION, "csrf": _CSRF},
        }
        document["x-websockets"] = {
            "/api/v1/events": {
                "protocol": "safecity.v1",
                "description": "What changes, pushed. `after` is the position of the last event seen.",
                "message": {"$ref": _REFERENCE.format(model="Pushed")},
            }
        }
        app.openapi_schema = document
    return app.openapi_schema


def _complete(method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Who may call it, and how it can fail."""
    reads = method == "get"
    public = operation["x-action"] == PUBLIC
    needs: dict[str, list[str]] = {"session": []} if reads else {"session": [], "csrf": []}
    operation["security"] = [] if public else [needs]
    fails = {*_EVERYWHERE, *operation.pop("x-fails", ())}
    if not public:
        fails |= {401, 403, 404, 502}
    if not reads and not public:
        fails |= {409}
    if any(one["name"].lower() == "if-match" for one in operation.get("parameters", ())):
        fails |= {412}
    answers = {code: answer for code, answer in operation["responses"].items() if code.startswith("2")}
    for answer in answers.values():
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        if "revision" in schemas.get(schema.get("$ref", "").rpartition("/")[2], {}).get("properties", {}):
            answer["headers"] = {"ETag": _ETAG}
    operation["responses"] = answers | {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(fails)
    }


def _problem(words: str) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(model="Problem")}
    return {"description": words, "content": {"application/problem+json": {"schema": schema}}}


def _add(schemas: dict[str, Any], model: Any) -> None:
    made = TypeAdapter(model).json_schema(mode="serialization", ref_template=_REFERENCE)
    schemas.update(made.pop("$defs", {}))
    schemas[made["title"]] = made


def _named(schemas: dict[str, Any]) -> dict[str, str]:
    """Every schema's own short name. ValueError when two models of ours share one."""
    names = {old: str(schema.get("title", old)) for old, schema in schemas.items()}
    if len(set(names.values())) != len(names):
        raise ValueError(f"two models share a name: {sorted(names.items())}")
    return names


def _tidied(value: Any, names: dict[str, str]) -> Any:
    """References by the short names, and no titles: those that pydantic makes repeat the names."""
    if isinstance(value, dict):
        known: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return {key: _tidied(one, names) for key, one in known.items() if not (key == "title" and isinstance(one, str))}
    if isinstance(value, list):
        return [_tidied(one, names) for one in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, str) and value.startswith(_REFERENCE.format(model="")):
        return _REFERENCE.format(model=names[value.rpartition("/")[2]])
    return value


routes = Routes("description")


@routes.get(DOCUMENT, PUBLIC, include_in_schema=False)
async def see_description(request: Request) -> dict[str, Any]:
    """What this page is made of."""
    return describe(cast("FastAPI", request.app))
