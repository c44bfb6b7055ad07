"""First administrator, signing in and out, and people."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import Field

from safecity.core.ground.access.api import Action, Grant, Role, Session, SignedIn, User, Wish, permissions
from safecity.core.ground.access.secrets import same
from safecity.core.ground.channels.api import check_tags
from safecity.core.ground.places.api import (
    areas_by_path,
    check_zone,
    find_area,
    find_organisation,
    organisations_by_path,
)
from safecity.kit.errors import ForbiddenError, InvalidError, NotFoundError
from safecity.ports.database import Tx
from safecity.web.guard import PUBLIC, SIGNED_IN, Here, Me, Routes, Who, client_address
from safecity.web.media import end_media
from safecity.web.shapes import (
    Answer,
    Ask,
    IfMatch,
    LanguageTag,
    Moment,
    OptionalMoment,
    Page,
    Secret,
    Text,
    ThingId,
    read_cursor,
    read_revision,
    tag,
    write_cursor,
)

routes = Routes("people")
Username = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x20\x7f<>\"'&|]+$")]
Language = Literal["zh", "en", "zh-CN"]
MAX_PATH = 500
"""A path of 12 segments of 40 characters."""
PlaceName = Annotated[str, Field(max_length=MAX_PATH)]


class SetupState(Answer):
    """`needed`: nobody can sign in yet."""

    needed: bool
    administrator: bool
    language: LanguageTag


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
    roles: list[Role]
    permissions: list[str]
    csrf: str
    language: LanguageTag
    zone: str
    session: str


class GrantShape(Ask):
    """A role for what lies under an area and belongs to an organisation (null: any), perhaps only for tags; `deny`
    takes it away there. Either may be named by its id or its path."""

    role: Role
    area: PlaceName | None = None
    organisation: PlaceName | None = None
    tags: Annotated[list[Text], Field(max_length=20, default_factory=list)]
    deny: bool = False
    until: OptionalMoment = None


class GrantOut(Answer):
    """A path of `/` means any."""

    role: Role
    area_path: str
    organisation_path: str
    tags: list[str]
    deny: bool
    until: OptionalMoment


class UserOut(Answer):
    """A person, without anything secret."""

    id: str
    username: str
    name: str
    roles: list[Role]
    areas: list[str]
    organisation: str | None
    grants: list[GrantOut]
    language: LanguageTag
    zone: str
    enabled: bool
    created_at: Moment
    revision: int


class UserAsk(Ask):
    """`roles` and `areas` together are short for grants: each role in each area. `organisation` is where the person
    belongs; by itself it gives no right."""

    username: Username
    password: Secret
    name: Text = ""
    language: Language = "zh-CN"
    zone: Text = "Asia/Shanghai"
    organisation: ThingId | None = None
    roles: Annotated[list[Role], Field(max_length=5, default_factory=list)]
    areas: Annotated[list[PlaceName], Field(max_length=200, default_factory=list)]
    grants: Annotated[list[GrantShape], Field(max_length=200)] | None = None


class UserPatch(Ask):
    """What is to change. One's own password changes with the `old_password` only. New `roles` alone reach as far as
    the old ones did."""

    password: Secret | None = None
    old_password: Secret | None = None
    name: Text | None = None
    language: Language | None = None
    zone: Text | None = None
    enabled: bool | None = None
    organisation: ThingId | None = None
    roles: Annotated[list[Role], Field(max_length=5)] | None = None
    areas: Annotated[list[PlaceName], Field(max_length=200)] | None = None
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
    needed = await here.people.nobody_yet()
    platform = await here.settings.read()
    return SetupState(needed=needed, administrator=not needed, language=_tag(platform.language))


@routes.post("/setup/administrator", PUBLIC, status_code=201)
async def make_administrator(ask: SetupAsk, here: Here, request: Request, response: Response) -> MeOut:
    """Make the first administrator with the one-time token, and sign in."""
    # The same answer whether there is no token, a wrong one, or one that was used.
    if not here.web.setup_token or not same(ask.token, here.web.setup_token) or not await here.people.nobody_yet():
        raise ForbiddenError("not the token of the one-time link", code="setup_token")
    platform = await here.settings.read()
    language, now = _language(ask.language), here.clock.now_us()
    await here.people.first_administrator(ask.username, ask.password, language, platform.zone, now)
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
    found = await here.people.page(who, place[0] if place else "", limit + 1)
    items = [_user(user) for user in found[:limit]]
    return Page(items=items, next=write_cursor(found[limit - 1].username.casefold()) if len(found) > limit else None)


@routes.post("/users", Action.USER_CHANGE, status_code=201)
async def add_user(ask: UserAsk, who: Who, here: Here, response: Response) -> UserOut:
    """A new person."""
    wanted = ask.grants
    if wanted is None:
        wanted = [GrantShape(role=role, area=area, tags=[]) for role in ask.roles for area in ask.areas or [None]]
    wish = Wish(
        password=ask.password, display_name=ask.name, organisation=await _organisation(here, ask.organisation),
        grants=await _grants(here, wanted),
    )  # fmt: skip
    zone = check_zone(ask.zone)
    user = await here.people.add(who, username=ask.username, language=_language(ask.language), zone=zone, wish=wish)
    return tag(response, _user(user))


@routes.get("/users/{user}", Action.USER_SEE)
async def see_user(user: str, who: Who, here: Here, response: Response) -> UserOut:
    """One person."""
    return tag(response, _user(await here.people.see(who, user)))


@routes.patch("/users/{user}", SIGNED_IN)
async def change_user(
    user: str, ask: UserPatch, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> UserOut:
    """Change a person, or one's own name, language, zone and password."""
    grants = None
    if ask.grants is not None:
        grants = await _grants(here, ask.grants)
    elif ask.roles is not None or ask.areas is not None:
        grants = _regranted((await here.people.see(who, user)).grants, ask.roles, await _areas(here, ask.areas))
    wish = Wish(
        password=ask.password or "", old_password=ask.old_password or "", display_name=ask.name,
        language=None if ask.language is None else _language(ask.language),
        zone=None if ask.zone is None else check_zone(ask.zone), enabled=ask.enabled,
        organisation=await _organisation(here, ask.organisation) if "organisation" in ask.given() else None,
        grants=grants,
    )  # fmt: skip
    changed, ended = await here.people.change(who, user, read_revision(if_match), wish)
    await end_media(here, ended)
    return tag(response, _user(changed))


@routes.delete("/users/{user}", Action.USER_CHANGE, status_code=204)
async def delete_user(user: str, who: Who, here: Here) -> None:
    """Remove a person; all their sessions end."""
    await end_media(here, await here.people.remove(who, user))


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


def _tag(language: str) -> LanguageTag:
    return "en" if language == "en" else "zh-CN"


def _me(found: SignedIn) -> MeOut:
    user = found.user
    return MeOut(
        user=Person(id=user.id, username=user.username, name=user.display_name),
        roles=[Role(role) for role in user.roles],
        permissions=permissions(found.actor),
        csrf=found.session.csrf,
        language=_tag(user.language),
        zone=user.zone,
        session=found.session.id,
    )


def _user(user: User) -> UserOut:
    return UserOut(
        id=user.id,
        username=user.username,
        name=user.display_name,
        roles=[Role(role) for role in user.roles],
        areas=sorted({g.area for g in user.grants}),
        grants=[
            GrantOut(
                role=g.role,
                area_path=g.area,
                organisation_path=g.organisation,
                tags=sorted(g.tags),
                deny=g.deny,
                until=g.not_after or None,
            )
            for g in user.grants
        ],
        organisation=user.organisation,
        language=_tag(user.language),
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


def _regranted(old: tuple[Grant, ...], roles: list[Role] | None, areas: list[str] | None) -> tuple[Grant, ...]:
    """What is not sent stays as it is: new roles alone must not reach further than the old ones did, and what is
    taken away somewhere stays taken away. InvalidError `grants_finer` where areas alone cannot say it."""
    denied = tuple(grant for grant in old if grant.deny)
    given = tuple(grant for grant in old if not grant.deny)
    wanted = [role for role in Role if role in ([grant.role for grant in given] if roles is None else roles)]
    reaches = list(dict.fromkeys(replace(grant, role=Role.VIEWER) for grant in given))
    if areas is not None:
        if any(replace(reach, area="/") != Grant(Role.VIEWER) for reach in reaches):
            raise InvalidError("rights are limited by more than areas", code="grants_finer")
        reaches = [Grant(Role.VIEWER, area) for area in dict.fromkeys(areas)]
    return (*(replace(reach, role=role) for role in wanted for reach in reaches or [Grant(Role.VIEWER)]), *denied)


async def _grants(here: Here, wanted: list[GrantShape]) -> tuple[Grant, ...]:
    def work(tx: Tx) -> tuple[Grant, ...]:
        return tuple(
            Grant(
                grant.role,
                _path(tx, grant.area),
                check_tags(grant.tags),
                grant.deny,
                0,
                grant.until or 0,
                _organisation_path(tx, grant.organisation),
            )
            for grant in wanted
        )

    return await here.database.read(work)


async def _areas(here: Here, areas: list[str] | None) -> list[str] | None:
    """Paths; none named means everywhere."""
    if areas is None:
        return None
    return await here.database.read(lambda tx: [_path(tx, area) for area in areas or ["/"]])


async def _organisation(here: Here, organisation: str | None) -> tuple[str | None, str]:
    """(id, path)."""
    if not organisation:
        return None, "/"
    found = await here.database.read(lambda tx: find_organisation(tx, organisation))
    return found.id, found.path


def _path(tx: Tx, area: str | None) -> str:
    """Of an id, or of a path as `areas` of a person shows it."""
    if not area or area == "/":
        return "/"
    if area.startswith("/"):
        if area not in areas_by_path(tx, [area]):
            raise NotFoundError("no such area", code="not_found", params={"kind": "area"})
        return area
    return find_area(tx, area).path


def _organisation_path(tx: Tx, organisation: str | None) -> str:
    if not organisation or organisation == "/":
        return "/"
    if organisation.startswith("/"):
        if organisation not in organisations_by_path(tx, [organisation]):
            raise NotFoundError("no such organisation", code="not_found", params={"kind": "organisation"})
        return organisation
    return find_organisation(tx, organisation).path
