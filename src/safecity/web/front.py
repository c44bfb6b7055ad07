"""What answers on the port of the API from the first moment on: why there is no platform yet, then the platform.

A disk that is full, or a database that is not there, must not leave people before a page that does not load: they are
told in words what is wrong, and it goes away by itself once that is mended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from safecity.kit.errors import Param, SafecityError, UnavailableError
from safecity.web import pages
from safecity.web.limits import Envelope
from safecity.web.problems import add_handlers, language_of, problem
from safecity.web.services import Services, WebSettings

RETRY_SECONDS = 5.0


@dataclass(frozen=True)
class _WebOnly:
    """As much of the services as the page and the headers need."""

    web: WebSettings


class Front:
    """An ASGI application that stands before another one which may come later."""

    def __init__(self, web: WebSettings) -> None:
        self._why: SafecityError = UnavailableError("still starting", code="starting")
        self._waiting = _waiting(web, self)
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._app or self._waiting)(scope, receive, send)

    def waits(self, why: SafecityError | OSError) -> None:
        """Nothing serves; this is what people are told."""
        self._app = None
        if isinstance(why, SafecityError):
            self._why = why
        else:
            params: dict[str, Param] = {"why": why.strerror or type(why).__name__}
            self._why = UnavailableError("not opened", code="not_opened", params=params)

    def serves(self, app: ASGIApp) -> None:
        """From now on it is this one that answers."""
        self._app = app

    @property
    def why(self) -> SafecityError:
        return self._why


def _waiting(web: WebSettings, front: Front) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.services = _WebOnly(web)
    add_handlers(app)

    async def refuse(request: Request) -> JSONResponse:
        retry = {"Retry-After": str(round(RETRY_SECONDS))}
        return problem(503, front.why.code, front.why.params, language_of(request), retry)

    async def is_alive() -> dict[str, str]:
        return {"status": "ok"}

    app.add_api_route("/healthz", is_alive)
    for path in ("/readyz", "/metrics", "/api/{path:path}"):
        app.add_api_route(path, refuse, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    pages.routes.join(app)
    app.add_middleware(Envelope, services=cast("Services", app.state.services))
    return app
