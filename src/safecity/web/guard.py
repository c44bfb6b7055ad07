"""The one door: every route declares its action here, and nobody passes who is not signed in and may not do it at all.

What it is done to is judged by the core, thing by thing (`authorize`, `scope`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, TypeVar, cast

from fastapi import APIRouter, Depends, Request

from safecity.core.ground.access.api import Action, Actor, SignedIn, scope
from safecity.kit.errors import ForbiddenError, UnauthenticatedError
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
    language = "en" if request.headers.get("accept-language", "").lower().startswith("en") else "zh"
    return replace(found, actor=replace(found.actor, language=language))


def _door(action: str) -> Callable[[Request], Any]:
    async def pass_door(request: Request) -> None:
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


def _current(request: Request) -> SignedIn:
    return cast("SignedIn", request.state.signed_in)


def _actor(request: Request) -> Actor:
    return _current(request).actor


Here = Annotated[Services, Depends(services)]
Who = Annotated[Actor, Depends(_actor)]
Me = Annotated[SignedIn, Depends(_current)]


class Routes:
    """An APIRouter whose routes cannot be made without an action."""

    def __init__(self, tag: str) -> None:
        self.router = APIRouter(tags=[tag])

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
        def add(handler: _Handler) -> _Handler:
            self.router.add_api_route(
                path,
                handler,
                methods=[method],
                dependencies=[Depends(_door(str(action)))],
                openapi_extra={"x-action": str(action)},
                operation_id=handler.__name__,
                **options,
            )
            return handler

        return add
