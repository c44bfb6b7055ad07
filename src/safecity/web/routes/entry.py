"""First administrator, signing in and out, and people."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Header, Query, Request, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Grant, Role, Session, SignedIn, User, permissions
from safecity.core.ground.access.secrets import same
from safecity.core.ground.places.api import areas_by_path, find_area
from safecity.kit.errors import ForbiddenError, InvalidError, NotFoundError
from safecity.ports.database import Tx
from safecity.web.guard import PUBLIC, SIGNED_IN, Here, Me, Routes, Who, client_address
from safecity.web.media import end_media
from safecity.web.shapes import (
    Answer,
    Ask,
    Moment,
    OptionalMoment,
    Page,
    Secret,
    Text,
    ThingId,
    read_cursor,
    read_revision,
    write_cursor,
)

routes = Routes("people")
Username = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x20\x7f<>\"'&|]+$")]
RoleName = Literal["administrator", "operator", "viewer"]
ROLES: tuple[RoleName, ...] = ("administrator", "operator", "viewer")
Language = Literal["zh", "en", "zh-CN"]


class SetupState(Answer):
    """`needed`: nobody can sign in yet."""

    needed: bool
    administrator: bool
    language: str


class SetupAsk(Ask):
    """The token is that of the one-time link."""

    token: Secret
    username: Username
    password: Secret
    language: Language = "zh-CN"


class SignInAsk(Ask):
    """A name and a password."""

    username: Secret
    password: Secret


class Person(Answer):
    """Who is meant."""

    id: str
    username: str
    name: str


class MeOut(Answer):
    """The signed-in person, and what the page needs for every write."""

    user: Person
    roles: list[str]
    permissions: list[str]
    csrf: str
    language: str
    zone: str
    session: str


class GrantShape(Ask):
    """A role under an area (null: everywhere), perhaps only for tags; `deny` takes it away there."""

    role: RoleName
    area: ThingId | None = None
    tags: Annotated[list[Text], Field(max_length=20, default_factory=list)]
    deny: bool = False
    until: OptionalMoment = None


class GrantOut(Answer):
    """`area_path` is `/` everywhere."""

    role: str
    area_path: str
    tags: list[str]
    deny: bool
    until: OptionalMoment


class UserOut(Answer):
    """A person, without anything secret."""

    id: str
    username: str
    name: str
    roles: list[str]
    areas: list[str]
    grants: list[GrantOut]
    language: str
    zone: str
    enabled: bool
    created_at: Moment
    revision: int


class UserAsk(Ask):
    """`roles` and `areas` together are short for grants: each role in each area."""

    username: Username
    password: Secret
    name: Text = ""
    language: Language = "zh-CN"
    zone: Text = "Asia/Shanghai"
    roles: Annotated[list[RoleName], Field(max_length=3, default_factory=list)]
    areas: Annotated[list[ThingId], Field(max_length=200, default_factory=list)]
    grants: Annotated[list[GrantShape], Field(max_length=200)] | None = None


class UserPatch(Ask):
    """What is to change."""

    password: Secret | None = None
    name: Text | None = None
    language: Language | None = None
    zone: Text | None = None
    enabled: bool | None = None
    roles: Annotated[list[RoleName], Field(max_length=3)] | None = None
    areas: Annotated[list[ThingId], Field(max_length=200)] | None = None
    grants: Annotated[list[GrantShape], Field(max_length=200)] | None = None


class SessionOut(Answer):
    """A signed-in browser."""

    id: str
    address: str
    user_agent: str
    created_at: Moment
    last_seen: Moment
    current: bool


@routes.get("/setup", PUBLIC)
async def see_setup(here: Here) -> SetupState:
    """Whether the first administrator is still to be made."""
    needed = await here.access.nobody_yet()
    platform = await here.settings.read()
    return SetupState(needed=needed, administrator=not needed, language=platform.language)


@routes.post("/setup/administrator", PUBLIC, status_code=201)
async def make_administrator(ask: SetupAsk, here: Here, request: Request, response: Response) -> MeOut:
    """Make the first administrator with the one-time token, and sign in."""
    # The same answer whether there is no token, a wrong one, or one that was used.
    if not here.web.setup_token or not same(ask.token, here.web.setup_token) or not await here.access.nobody_yet():
        raise ForbiddenError("not the token of the one-time link", code="setup_token")
    platform = await here.settings.read()
    await here.access.first_administrator(ask.username, ask.password, _language(ask.language), platform.zone)
    return await _begin(here, request, response, ask.username, ask.password)


@routes.post("/session", PUBLIC)
async def sign_in(ask: SignInAsk, here: Here, request: Request, response: Response) -> MeOut:
    """Sign in; a session that the browser still has ends with it."""
    old = request.cookies.get(here.web.cookie, "")
    me = await _begin(here, request, response, ask.username, ask.password)
    before = await here.access.who(old, address="", request="") if old else None
    if before is not None:
        await here.access.end_session(before.actor, before.session.id)
        await end_media(here, [before.session.id])
    return me


@routes.get("/session", SIGNED_IN)
async def who_am_i(me: Me) -> MeOut:
    """Who is signed in."""
    return _me(me)


@routes.delete("/session", SIGNED_IN, status_code=204)
async def sign_out(me: Me, here: Here, response: Response) -> None:
    """End the session; its pictures end within a second."""
    await here.access.end_session(me.actor, me.session.id)
    response.delete_cookie(here.web.cookie, path="/", secure=here.web.tls, httponly=True, samesite="lax")
    await end_media(here, [me.session.id])


@routes.get("/users", Action.USER_SEE)
async def list_users(
    who: Who,
    here: Here,
    cursor: Annotated[str, Query(max_length=500)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[UserOut]:
    """People, by name."""
    place = read_cursor(cursor, str)
    found = await here.access.users(who, place[0] if place else "", limit + 1)
    items = [_user(user) for user in found[:limit]]
    return Page(items=items, next=write_cursor(found[limit - 1].username.casefold()) if len(found) > limit else None)


@routes.post("/users", Action.USER_CHANGE, status_code=201)
async def add_user(ask: UserAsk, who: Who, here: Here) -> UserOut:
    """A new person."""
    grants = await _grants(here, ask.roles, ask.areas, ask.grants)
    user = await here.access.add_user(
        who, username=ask.username, password=ask.password, display_name=ask.name,
        language=_language(ask.language), zone=ask.zone, grants=grants,
    )  # fmt: skip
    return _user(user)


@routes.patch("/users/{user}", SIGNED_IN)
async def change_user(
    user: str, ask: UserPatch, who: Who, here: Here, if_match: Annotated[str | None, Header(max_length=50)] = None
) -> UserOut:
    """Change a person, or one's own name, language, zone and password."""
    grants = None
    if ask.grants is not None or ask.roles is not None or ask.areas is not None:
        # What is not sent stays as it is: new roles alone must not reach further than the old ones did.
        old = await here.access.user(who, user)
        roles: list[RoleName] = [role for role in ROLES if role in (old.roles if ask.roles is None else ask.roles)]
        areas = ask.areas if ask.areas is not None else sorted({g.area for g in old.grants if not g.deny})
        grants = await _grants(here, roles, areas, ask.grants)
    changed, ended = await here.access.change_user(
        who, user, read_revision(if_match), password=ask.password or "", display_name=ask.name,
        language=None if ask.language is None else _language(ask.language), zone=ask.zone, enabled=ask.enabled,
        grants=grants,
    )  # fmt: skip
    await end_media(here, ended)
    return _user(changed)


@routes.delete("/users/{user}", Action.USER_CHANGE, status_code=204)
async def delete_user(user: str, who: Who, here: Here) -> None:
    """Remove a person; all their sessions end."""
    await end_media(here, await here.access.delete_user(who, user))


@routes.get("/users/{user}/sessions", SIGNED_IN)
async def list_sessions(user: str, who: Who, here: Here) -> Page[SessionOut]:
    """Open sessions of a person."""
    return Page(items=[_session(s, who.session) for s in await here.access.sessions(who, user)])


@routes.delete("/users/{user}/sessions", SIGNED_IN, status_code=204)
async def end_sessions(user: str, who: Who, here: Here) -> None:
    """End all sessions of a person but the asking one."""
    ids = [s.id for s in await here.access.sessions(who, user) if s.id != who.session]
    for session in ids:
        await here.access.end_session(who, session)
    await end_media(here, ids)


@routes.delete("/users/{user}/sessions/{session}", SIGNED_IN, status_code=204)
async def end_session(user: str, session: str, who: Who, here: Here) -> None:
    """End one session."""
    await here.access.end_session(who, session)
    await end_media(here, [session])


async def _begin(here: Here, request: Request, response: Response, username: str, password: str) -> MeOut:
    agent = request.headers.get("user-agent", "")
    token, found = await here.access.sign_in(username, password, address=client_address(request), agent=agent)
    response.set_cookie(
        here.web.cookie, token, path="/", secure=here.web.tls, httponly=True, samesite="lax",
        max_age=here.web.session_hours * 3600,
    )  # fmt: skip
    return _me(found)


def _language(language: str) -> str:
    return "en" if language == "en" else "zh"


def _me(found: SignedIn) -> MeOut:
    user = found.user
    return MeOut(
        user=Person(id=user.id, username=user.username, name=user.display_name),
        roles=user.roles,
        permissions=permissions(found.actor),
        csrf=found.session.csrf,
        language="en" if user.language == "en" else "zh-CN",
        zone=user.zone,
        session=found.session.id,
    )


def _user(user: User) -> UserOut:
    return UserOut(
        id=user.id,
        username=user.username,
        name=user.display_name,
        roles=user.roles,
        areas=sorted({g.area for g in user.grants}),
        grants=[
            GrantOut(role=str(g.role), area_path=g.area, tags=sorted(g.tags), deny=g.deny, until=g.not_after or None)
            for g in user.grants
        ],
        language="en" if user.language == "en" else "zh-CN",
        zone=user.zone,
        enabled=user.enabled,
        created_at=user.created_at,
        revision=user.revision,
    )


def _session(session: Session, current: str) -> SessionOut:
    return SessionOut(
        id=session.id,
        address=session.address,
        user_agent=session.agent,
        created_at=session.created_at,
        last_seen=session.seen_at,
        current=session.id == current,
    )


async def _grants(
    here: Here,
    roles: list[RoleName],
    areas: list[str],
    grants: list[GrantShape] | None,
) -> tuple[Grant, ...]:
    wanted = grants
    if wanted is None:
        wanted = [GrantShape(role=role, area=area, tags=[]) for role in roles for area in areas or [None]]
    if any("|" in tag for grant in wanted for tag in grant.tags):
        raise InvalidError("not a tag", code="tag_invalid", params={"tag": "|"})

    def work(tx: Tx) -> tuple[Grant, ...]:
        return tuple(
            Grant(
                Role(grant.role),
                _path(tx, grant.area),
                frozenset(tag.strip().casefold() for tag in grant.tags),
                grant.deny,
                0,
                grant.until or 0,
            )
            for grant in wanted
        )

    return await here.database.read(work)


def _path(tx: Tx, area: str | None) -> str:
    """Of an id, or of a path as `areas` of a person shows it."""
    if area is None or area == "/":
        return "/"
    if area.startswith("/"):
        if area not in areas_by_path(tx, [area]):
            raise NotFoundError("no such area", code="not_found", params={"kind": "area"})
        return area
    return find_area(tx, area).path
