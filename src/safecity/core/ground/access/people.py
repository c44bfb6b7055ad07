"""People: who there is, where they belong, what they hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from safecity.core.ground.access import store
from safecity.core.ground.access.actions import Action, Role
from safecity.core.ground.access.checking import Checking
from safecity.core.ground.access.decide import (
    PLATFORM,
    ROOT,
    Actor,
    Grant,
    Thing,
    Under,
    allowed,
    authorize,
    may_grant,
    scope,
)
from safecity.core.ground.access.secrets import check_new_password
from safecity.core.ground.access.store import User
from safecity.core.ground.audit.api import note
from safecity.kit.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What of a person is to change; None leaves it as it is. `organisation` is (id, path).

    `old_password` proves that it is really they who change their own password, and not who found their browser open.
    """

    password: str = ""
    old_password: str = ""
    display_name: str | None = None
    language: str | None = None
    zone: str | None = None
    enabled: bool | None = None
    organisation: tuple[str | None, str] | None = None
    grants: tuple[Grant, ...] | None = None

    @property
    def personal(self) -> bool:
        """Only what everybody may change of themselves."""
        return self.enabled is None and self.organisation is None and self.grants is None


def thing_of(user: User) -> Thing:
    """People lie in no area; they may belong to an organisation, and then whoever manages it manages them."""
    return Thing("user", id=user.id, organisation=user.organisation_path)


class People:
    """Every change is audited in its own transaction."""

    def __init__(self, database: Database, checking: Checking) -> None:
        self._database = database
        self._checking = checking

    async def nobody_yet(self) -> bool:
        """True before the first administrator exists."""
        return await self._database.read(lambda tx: store.user_count(tx) == 0)

    async def first_administrator(self, username: str, password: str, language: str, zone: str, now: int) -> User:
        """The first person; ConflictError `setup_done` when there is one already."""
        check_new_password(password, username)
        hashed = await self._checking.hash(password)
        grant = Grant(Role.ADMINISTRATOR)
        user = _new_user(username, username, language, zone, (grant,), now)

        def work(tx: Tx) -> None:
            if store.user_count(tx):
                raise ConflictError("there is an administrator already", code="setup_done")
            store.add_user(tx, user, hashed)
            actor = Actor(user.id, user.username, "", (grant,), now)
            note(tx, actor, Action.USER_CHANGE, thing_of(user), user.username, reason="first_run")

        await self._database.write(work)
        return user

    async def page(self, who: Actor, after: str, limit: int) -> list[User]:
        """By name."""
        _reaches_people(who, Action.USER_SEE)
        return await self._database.read(lambda tx: store.list_users(tx, scope(who, Action.USER_SEE), after, limit))

    async def see(self, who: Actor, user_id: str) -> User:
        """One person."""
        _reaches_people(who, Action.USER_SEE)
        return await self._database.read(lambda tx: _find(tx, who, Action.USER_SEE, user_id))

    async def add(self, who: Actor, *, username: str, language: str, zone: str, wish: Wish) -> User:
        """A new person with the grants that `who` may hand out."""
        _reaches_people(who, Action.USER_CHANGE)
        grants, (organisation, path) = wish.grants or (), wish.organisation or (None, ROOT)
        _check_grants(who, grants)
        check_new_password(wish.password, username)
        made = _new_user(username, wish.display_name or username, language, zone, grants, who.at)
        user = replace(made, organisation=organisation, organisation_path=path)
        authorize(who, Action.USER_CHANGE, thing_of(user))
        hashed = await self._checking.hash(wish.password)

        def work(tx: Tx) -> None:
            if store.find_login(tx, username):
                raise ConflictError("name taken", code="name_taken", params={"name": username[:64]})
            store.add_user(tx, user, hashed)
            note(tx, who, Action.USER_CHANGE, thing_of(user), user.username, **_described(grants))

        await self._database.write(work)
        return user

    async def change(self, who: Actor, user_id: str, revision: int | None, wish: Wish) -> tuple[User, list[str]]:
        """Change a person (everybody may change their own name, language, zone and password).

        Answers the sessions that ended with it: those of somebody disabled, or whose password or rights changed.
        """
        own = who.user == user_id and wish.personal
        if not own:
            _reaches_people(who, Action.USER_CHANGE)
        if wish.grants is not None:
            _check_grants(who, wish.grants)
        hashed = ""

        def work(tx: Tx) -> tuple[User, list[str]]:
            old = _found(store.find_user(tx, user_id)) if own else _find(tx, who, Action.USER_CHANGE, user_id)
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            if not own:
                _check_grants(who, old.grants)
            organisation, path = wish.organisation or (old.organisation, old.organisation_path)
            new = replace(
                old,
                display_name=_or(wish.display_name, old.display_name),
                language=_or(wish.language, old.language),
                zone=_or(wish.zone, old.zone),
                enabled=_or(wish.enabled, old.enabled),
                grants=_or(wish.grants, old.grants),
                organisation=organisation,
                organisation_path=path,
                revision=old.revision + 1,
            )
            if not own:
                authorize(who, Action.USER_CHANGE, thing_of(new))
            store.save_user(tx, new, hashed)
            if (new.enabled, new.grants) != (old.enabled, old.grants):
                _keep_an_administrator(tx, who.at)
            ended: list[str] = []
            if wish.password or not new.enabled or new.grants != old.grants:
                ended = [s.id for s in store.open_sessions(tx, user_id) if s.id != who.session]
                store.end_sessions(tx, ended, who.at)
            details = _described(new.grants) if new.grants != old.grants else {}
            note(tx, who, Action.USER_CHANGE, thing_of(new), new.username, password=bool(wish.password), **details)
            return new, ended

        if wish.password:
            hashed = await self._new_password(who, user_id, wish)
        return await self._database.write(work)

    async def _new_password(self, who: Actor, user_id: str, wish: Wish) -> str:
        user = _found(await self._database.read(lambda tx: store.find_user(tx, user_id)))
        if user_id == who.user:
            if not wish.old_password:
                raise InvalidError("the old password is needed", code="old_password_needed")
            if await self._checking.check(user.username, wish.old_password, who.address) is None:
                thing = thing_of(user)
                await self._database.write(
                    lambda tx: note(
                        tx,
                        who,
                        Action.USER_CHANGE,
                        thing,
                        user.username,
                        outcome="refused",
                        reason="old_password_wrong",
                    )
                )
                raise ForbiddenError("not the old password", code="old_password_wrong")
        check_new_password(wish.password, user.username)
        return await self._checking.hash(wish.password)

    async def remove(self, who: Actor, user_id: str) -> list[str]:
        """Remove a person; answers the sessions that ended with it."""
        _reaches_people(who, Action.USER_CHANGE)
        if user_id == who.user:
            raise ConflictError("nobody removes themselves", code="own_user")

        def work(tx: Tx) -> list[str]:
            user = _find(tx, who, Action.USER_CHANGE, user_id)
            _check_grants(who, user.grants)
            ended = [s.id for s in store.open_sessions(tx, user_id)]
            store.delete_user(tx, user_id)
            _keep_an_administrator(tx, who.at)
            note(tx, who, "user.delete", thing_of(user), user.username)
            return ended

        return await self._database.write(work)


def _or(wished: T | None, old: T) -> T:
    return old if wished is None else wished


def _new_user(username: str, display: str, language: str, zone: str, grants: tuple[Grant, ...], now: int) -> User:
    return User(
        id=fresh("us"), username=username, display_name=display, language=language, zone=zone, enabled=True,
        created_at=now, revision=1, grants=grants,
    )  # fmt: skip


def _reaches_people(who: Actor, action: Action) -> None:
    """ForbiddenError for whose rights lie in an area alone: nobody lies there."""
    terms = scope(who, action).allow
    if not any(isinstance(term, Under) and term.area == ROOT and not term.tags for term in terms):
        raise ForbiddenError(f"{who.name} may not {action}", code="not_allowed", params={"action": str(action)})


def _find(tx: Tx, who: Actor, action: Action, user_id: str) -> User:
    """Whom one may not see does not exist."""
    user = _found(store.find_user(tx, user_id))
    if not allowed(who, Action.USER_SEE, thing_of(user)):
        raise NotFoundError("no such user", code="not_found")
    authorize(who, action, thing_of(user))
    return user


def _found(user: User | None) -> User:
    if user is None:
        raise NotFoundError("no such user", code="not_found")
    return user


def _check_grants(who: Actor, grants: tuple[Grant, ...]) -> None:
    if not may_grant(who, grants):
        raise ForbiddenError("more than you hold", code="grant_beyond_own")


def _described(grants: tuple[Grant, ...]) -> dict[str, str]:
    return {"grants": "; ".join(_one(grant) for grant in grants)}


def _one(grant: Grant) -> str:
    sign, until = "-" if grant.deny else "", f"until {grant.not_after}" if grant.not_after else ""
    organisation = "" if grant.organisation == ROOT else grant.organisation
    parts = (f"{sign}{grant.role}", grant.area, organisation, *sorted(grant.tags), until)
    return " ".join(part for part in parts if part)


def _keep_an_administrator(tx: Tx, at: int) -> None:
    """ConflictError `last_administrator`: a platform nobody can manage cannot be mended from inside.

    Rights that end one day do not count, and neither do those that another grant takes away.
    """
    for user in store.list_users(tx, None, "", 1_000_000):
        lasting = tuple(grant for grant in user.grants if grant.deny or grant.not_after == 0)
        if user.enabled and allowed(Actor(user.id, user.username, "", lasting, at), Action.USER_CHANGE, PLATFORM):
            return
    raise ConflictError("the last administrator", code="last_administrator")
