"""Errors as problems (RFC 9457) with a stable code, params, and a sentence in the caller's language."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from safecity.kit.errors import (
    ConflictError,
    ExhaustedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RefusedError,
    SafecityError,
    UnauthenticatedError,
    UnavailableError,
)
from safecity.web.texts import sentence

logger = logging.getLogger(__name__)

_STATUS: dict[type[SafecityError], int] = {
    InvalidError: 400,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    ExhaustedError: 429,
    RefusedError: 502,
    UnavailableError: 503,
}
STATUS_WORDS = {
    400: "Invalid", 401: "Sign in first", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 412: "Changed meanwhile", 413: "Too large", 414: "Address too long", 416: "No such range",
    422: "Invalid", 429: "Too many", 500: "Internal error", 502: "Refused by the other side", 503: "Unavailable",
}  # fmt: skip


class FieldProblem(BaseModel):
    """A field that was not understood; what it held is not repeated."""

    field: str
    code: str


class Problem(BaseModel):
    """An error (RFC 9457). `code` and `params` are for programs and never change their meaning; `detail` says it to a
    person in the language asked for. `errors` names the fields of `fields_invalid`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    params: dict[str, Any]
    errors: list[FieldProblem] | None = None


def language_of(request: Request) -> str:
    """`zh` or `en`, as the browser application asks."""
    return "en" if request.headers.get("accept-language", "").strip().lower().startswith("en") else "zh"


def problem(
    status: int,
    code: str,
    params: Mapping[str, Any],
    language: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """The answer itself."""
    body = {
        "type": f"urn:safecity:problem:{code}",
        "title": STATUS_WORDS.get(status, "Error"),
        "status": status,
        "detail": sentence(code, params, language),
        "code": code,
        "params": dict(params),
        **more,
    }
    return JSONResponse(body, status, dict(headers or {}), media_type="application/problem+json")


def status_of(error: SafecityError) -> int:
    """The HTTP status of an error class."""
    if error.code == "changed_meanwhile":
        return 412
    if error.code == "idempotency_key_reused":
        return 422
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def _safecity(request: Request, error: Exception) -> Response:
    error = cast("SafecityError", error)
    status = status_of(error)
    if status == 500:
        logger.error("unforeseen error code=%s", error.code, exc_info=error)
    headers = {"Retry-After": str(error.params["seconds"])} if status == 429 and "seconds" in error.params else {}
    return problem(status, error.code, error.params, language_of(request), headers)


def _validation(request: Request, error: Exception) -> Response:
    found = cast("RequestValidationError", error).errors()[:20]
    # Of what was sent nothing is echoed but the names of fields: it may be a password.
    errors = [{"field": ".".join(str(part)[:64] for part in one["loc"][1:]), "code": str(one["type"])} for one in found]
    return problem(
        422,
        "fields_invalid",
        {"fields": ", ".join(e["field"] for e in errors)[:200]},
        language_of(request),
        errors=errors,
    )


def _http(request: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    code = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}.get(error.status_code, "invalid")
    return problem(error.status_code, code, {}, language_of(request), error.headers)


def _unforeseen(request: Request, error: Exception) -> Response:
    return problem(500, "internal", {}, language_of(request))


def add_handlers(app: FastAPI) -> None:
    """All errors leave through here."""
    app.add_exception_handler(SafecityError, _safecity)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
