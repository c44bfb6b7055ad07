"""The application: routes, errors, headers, limits, the page. It decides nothing."""

from __future__ import annotations

from functools import partial
from typing import cast

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from safecity.web import described, pages
from safecity.web.limits import Envelope
from safecity.web.problems import add_handlers
from safecity.web.routes import (
    alarms,
    audit,
    case_entries,
    case_findings,
    cases,
    channels,
    configuration,
    counts,
    desk,
    device_recordings,
    devices,
    entry,
    events,
    exports,
    fences,
    fleet,
    heads,
    health,
    incidents,
    lowers,
    movement,
    outlines,
    passages,
    phone,
    places,
    positions,
    ptz,
    scenes,
    search,
    signs,
    subscriptions,
    tollgates,
    tolls,
    tows,
    traffic,
    travel,
    tree,
    vehicle_media,
    vehicle_tables,
    vehicles,
    violation_rules,
    violations,
    watches,
    ways,
    wizard,
)
from safecity.web.services import Services
from safecity.web.viid.door import ANALYSIS as PREFIX_OF_VIAS
from safecity.web.viid.door import PREFIX as PREFIX_OF_VIID

PREFIX = "/api/v1"
PARTS = (
    entry, places, outlines, devices, configuration, tree, channels, device_recordings, ptz, heads, alarms, desk,
    exports, health, audit, search, wizard, tollgates, passages, vehicles, vehicle_tables, subscriptions,
    lowers, watches, violations, violation_rules, scenes, cases, case_entries, case_findings,
    traffic, tolls, tows, travel, counts, incidents, signs,
    fleet, fences, ways, vehicle_media, positions, phone,
    movement,
)  # fmt: skip


def create_app(services: Services) -> FastAPI:
    """An ASGI application on these services; running them (`services.run()`) is the caller's."""
    app = FastAPI(
        title="Safecity",
        version="1",
        description="Cameras, recordings, alarms and the people who handle them.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    add_handlers(app)
    for part in PARTS:
        part.routes.join(app, PREFIX)
    app.include_router(events.router, prefix=PREFIX)
    described.routes.join(app, PREFIX)
    health.open_routes.join(app)
    app.mount(PREFIX_OF_VIID, _viid)
    app.mount(PREFIX_OF_VIAS, _viid)
    pages.routes.join(app)
    app.add_middleware(Envelope, services=services)
    app.openapi = partial(described.describe, app)
    return app


async def _viid(scope: Scope, receive: Receive, send: Send) -> None:
    """Devices and libraries come by their own door, with their own logins; no cookie counts there."""
    await cast("Services", scope["app"].state.services).viid(scope, receive, send)
