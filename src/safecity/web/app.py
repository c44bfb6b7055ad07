"""The application: routes, errors, headers, limits, the page. It decides nothing."""

from __future__ import annotations

from fastapi import FastAPI

from safecity.web import pages
from safecity.web.limits import Envelope
from safecity.web.problems import add_handlers
from safecity.web.routes import (
    alarms,
    channels,
    desk,
    devices,
    entry,
    events,
    exports,
    health,
    places,
    ptz,
    search,
    tree,
    wizard,
)
from safecity.web.services import Services

PREFIX = "/api/v1"
PARTS = (entry, places, devices, tree, channels, ptz, alarms, desk, exports, health, search, wizard)


def create_app(services: Services) -> FastAPI:
    """An ASGI application on these services; running them (`services.run()`) is the caller's."""
    app = FastAPI(
        title="Safecity",
        version="1",
        description="Cameras, recordings, alarms and the people who handle them.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    add_handlers(app)
    for part in PARTS:
        app.include_router(part.routes.router, prefix=PREFIX)
    app.include_router(events.router, prefix=PREFIX)
    app.include_router(health.open_routes.router)
    app.include_router(pages.routes.router)
    app.add_middleware(Envelope, services=services)
    return app
