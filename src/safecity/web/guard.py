"""The one door: every route declares its action here, and nobody passes who is not signed in and may not do it at all.

What it is done to is judged by the core, thing by thing (`authorize`, `scope`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

from safecity.core.ground.access.api import Action, Actor, SignedIn, scope
from safecity.kit.errors import ForbiddenError, UnauthenticatedError
from safecity.web.bodies import PlainRequest
from safecity.web.idempotent import HEADER, PARAMETER, answer_once
from safecity.web.problems import language_of
from safecity.web.services import Services

PUBLIC = "public"
"""For the few routes that answer before anybody signed in."""
SIGNED_IN = "signed_in"
"""For what everybody may do who is signed in, to what is theirs."""

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def services(request: Request) -> Services:
    """What the application stands on."""
    return cast("Services", request.app.state.services)


def client_address(request: Request) -> str:
    """The peer's address; headers of proxies count only where uvicorn was told to trust them."""
    return request.client.host if request.client else ""


async def signed_in(request: Request) -> SignedIn | None:
    """Who the cookie stands for."""
    here = services(request)
    token = request.cookies.get(here.web.cookie, "")
    if not token:
        return None
    request_id = str(request.scope.get("safecity.request", ""))
    found = await here.access.who(token, address=client_address(request), request=request_id)
    if found is None:
        return None
    return replace(found, actor=replace(found.actor, language=language_of(request)))


def same_origin(connection: HTTPConnection) -> bool | None:
    """Whether it comes from a page of ours; None where nobody says so: programs do not, browsers do with every write
    and every socket."""
    origin = connection.headers.get("origin")
    if origin is None:
        return None
    try:
        return urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()
    except ValueError:
        return False


def _door(action: str) -> Callable[[Request], Awaitable[None]]:
    async def pass_door(request: Request) -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS") and same_origin(request) is False:
            # Signing somebody in unasked is an attack too, and for that no token is needed.
            raise ForbiddenError("a foreign page", code="foreign_page")
        if action == PUBLIC:
            return
        found = await signed_in(request)
        if found is None:
            raise UnauthenticatedError("nobody is signed in", code="unauthenticated")
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            services(request).access.check_csrf(found, request.headers.get("x-csrf-token", ""))
        if action != SIGNED_IN and scope(found.actor, Action(action)).empty:
            raise ForbiddenError(f"{found.actor.name} may not {action}", code="not_allowed", params={"action": action})
        request.state.signed_in = found

    return pass_door


# Coroutines, although none waits: the framework would send each plain function through a thread, and back.
async def _services(request: Request) -> Services:
    return services(request)


async def _current(request: Request) -> SignedIn:
    return cast("SignedIn", request.state.signed_in)


async def _actor(request: Request) -> Actor:
    return (await _current(request)).actor


Here = Annotated[Services, Depends(_services)]
Who = Annotated[Actor, Depends(_actor)]
Me = Annotated[SignedIn, Depends(_current)]


class _PlainRoute(APIRoute):
    """Looks a body through before its fields are read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def looked_through(request: Request) -> Response:
            # Whoever sent a key has had the body read already, and a server has it only once.
            body = await request.body()
            plain = PlainRequest(request.scope, _once_more(body, request.receive))
            if body:
                with contextlib.suppress(ValueError):  # what is no JSON at all the framework says in its own way
                    await plain.json()
            return await handle(plain)

        return looked_through


def _once_more(body: bytes, receive: Receive) -> Receive:
    """A body that was read, and then whatever comes behind it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


class _OnceRoute(_PlainRoute):
    """Nobody gets a kept answer who does not come through the door."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        door = _door((self.openapi_extra or {})["x-action"])

        async def guarded(request: Request) -> Response:
            if not request.headers.get(HEADER):
                return await handle(request)
            await door(request)
            return await answer_once(services(request), await _actor(request), request, handle)

        return guarded


class Routes:
    """Routes that cannot be declared without an action. They are made once, for the application they join: to make one
    takes milliseconds, and there are hundreds.

    `fails`: statuses of problems beyond those that any route may answer (`described.py`). `once` false: a POST whose
    answer would be worth nothing the second time, so it takes no Idempotency-Key.
    """

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._declared: list[tuple[str, Callable[..., Any], dict[str, Any]]] = []

    def join(self, app: FastAPI, prefix: str = "") -> None:
        """Make them routes of the application, each below `prefix`."""
        for path, handler, options in self._declared:
            app.router.add_api_route(prefix + path, handler, tags=[self._tag], **options)

    def get(self, path: str, action: Action | str, **options: Any) -> Callable[[_Handler], _Handler]:
        return self._route("GET", path, action, options)

    def post(self, path: str, action: Action | str, **options: Any) -> Callable[[_Handler], _Handler]:
        return self._route("POST", path, action, options)

    def put(self, path: str, action: Action | str, **options: Any) -> Callable[[_Handler], _Handler]:
        return self._route("PUT", path, action, options)

    def patch(self, path: str, action: Action | str, **options: Any) -> Callable[[_Handler], _Handler]:
        return self._route("PATCH", path, action, options)

    def delete(self, path: str, action: Action | str, **options: Any) -> Callable[[_Handler], _Handler]:
        return self._route("DELETE", path, action, options)

    def _route(
        self, method: str, path: str, action: Action | str, options: dict[str, Any]
    ) -> Callable[[_Handler], _Handler]:
        extra: dict[str, Any] = {"x-action": str(action), "x-fails": options.pop("fails", ())}
        options |= {"methods": [method], "dependencies": [Depends(_door(str(action)))], "openapi_extra": extra}
        options["route_class_override"] = _PlainRoute
        if options.pop("once", True) and method == "POST" and action != PUBLIC:
            extra["parameters"] = [PARAMETER]
            options["route_class_override"] = _OnceRoute

        def add(handler: _Handler) -> _Handler:
            self._declared.append((path, handler, {"operation_id": handler.__name__, **options}))
            return handler

        return add
