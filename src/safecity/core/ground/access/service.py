"""Signing in and out, people and their sessions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from safecity.core.ground.access import store
from safecity.core.ground.access.actions import Action, Role
from safecity.core.ground.access.decide import PLATFORM, ROOT, Actor, Grant, Thing, authorize, may_grant
from safecity.core.ground.access.secrets import Passwords, check_new_password, new_token, same, token_hash
from safecity.core.ground.access.store import Session, User
from safecity.core.ground.access.throttle import Buckets
from safecity.core.ground.audit.api import note
from safecity.core.ground.audit.decide import Record, tidy
from safecity.core.ground.audit.store import append
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ConflictError, ExhaustedError, ForbiddenError, NotFoundError, UnauthenticatedError
from safecity.kit.ids import fresh
from safecity.ports.database import Database, Tx

FORGET_SESSIONS_US = 30 * 86_400 * SECOND_US


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessSettings:
    """How long sessions live."""

    idle_minutes: int = 30
    hours: int = 12


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a cookie stands for, right now."""

    actor: Actor
    user: User
    session: Session


class Access:
    """Commands and queries about people. Every change is audited in its own transaction."""

    def __init__(self, database: Database, clock: Clock, passwords: Passwords, settings: AccessSettings) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._settings = settings
        self._by_address = Buckets(burst=20, seconds=6)
        self._by_name = Buckets(burst=6, seconds=20)
        # Argon2 takes 64 MiB and a core each time: a crowd at the door must not take the memory of the house.
        self._hashing = asyncio.Semaphore(2)

    # --- signing in -----------------------------------------------------------------------------------------

    async def sign_in(self, username: str, password: str, *, address: str, agent: str) -> tuple[str, SignedIn]:
        """A fresh token and session; UnauthenticatedError `wrong_credentials`, the same for every cause."""
        self._slow_down(username, address)
        found = await self._database.read(lambda tx: store.find_login(tx, username))
        async with self._hashing:
            good = await asyncio.to_thread(self._passwords.check, found[1] if found else None, password)
        now = self._clock.now_us()
        if not found or not good or not found[2]:
            record = Record(
                at=now, actor="", actor_name=tidy(username, 64), action="session.begin", address=address,
                outcome="refused", reason="wrong_credentials",
            )  # fmt: skip
            await self._database.write(lambda tx: append(tx, record))
            raise UnauthenticatedError("wrong name or password", code="wrong_credentials")
        self._by_name.forgive(f"{store.name_key(username)}@{address}")
        token = new_token()
        signed_in = await self._database.write(lambda tx: self._begin(tx, found[0], token, address, agent, now))
        return token, signed_in

    def _slow_down(self, username: str, address: str) -> None:
        now = self._clock.monotonic()
        # By name and address together, so that a stranger cannot lock a person out from elsewhere.
        for buckets, key in ((self._by_name, f"{store.name_key(username)}@{address}"), (self._by_address, address)):
            wait = buckets.take(key[:300], now)
            if wait > 0:
                raise ExhaustedError(
                    "too many tries", code="too_many_tries", params={"seconds": max(1, round(wait + 0.5))}
                )

    def _begin(self, tx: Tx, user_id: str, token: str, address: str, agent: str, now: int) -> SignedIn:
        user = store.find_user(tx, user_id)
        if user is None:
            raise UnauthenticatedError("user is gone", code="wrong_credentials")
        session = Session(
            id=fresh("se"),
            user_id=user.id,
            csrf=new_token(),
            address=address,
            agent=tidy(agent, 200),
            created_at=now,
            seen_at=now,
            expires_at=now + self._settings.hours * 3600 * SECOND_US,
        )
        store.add_session(tx, session, token_hash(token))
        signed_in = self._signed_in(user, session, address, "", now)
        note(tx, signed_in.actor, "session.begin", Thing("session", id=session.id))
        return signed_in

    def _signed_in(self, user: User, session: Session, address: str, request: str, now: int) -> SignedIn:
        actor = Actor(
            user=user.id,
            name=user.username,
            session=session.id,
            grants=user.grants,
            at=now,
            address=address,
            request=request,
            language=user.language,
        )
        return SignedIn(actor, user, session)

    async def who(self, token: str, *, address: str, request: str) -> SignedIn | None:
        """Who the token stands for; None when it is unknown, idle for too long, expired or ended."""
        if not token or len(token) > 100:
            return None
        hashed = token_hash(token)
        now = self._clock.now_us()

        def look(tx: Tx) -> SignedIn | None:
            session = store.session_by_token(tx, hashed)
            if session is None or session.ended_at is not None or not self.alive(session, now):
                return None
            user = store.find_user(tx, session.user_id)
            return None if user is None or not user.enabled else self._signed_in(user, session, address, request, now)

        found = await self._database.read(look)
        if found is not None and now - found.session.seen_at > 60 * SECOND_US:
            await self._database.write(lambda tx: store.touch_session(tx, found.session.id, now))
        return found

    def alive(self, session: Session, now: int) -> bool:
        """Neither idle for too long nor past its end."""
        return now < session.expires_at and now - session.seen_at < self._settings.idle_minutes * 60 * SECOND_US

    def check_csrf(self, signed_in: SignedIn, header: str) -> None:
        """ForbiddenError `csrf` unless the request proves that it comes from our own page."""
        if not header or not same(header, signed_in.session.csrf):
            raise ForbiddenError("no or wrong X-CSRF-Token", code="csrf")

    async def end_session(self, who: Actor, session_id: str) -> None:
        """Sign out, oneself or somebody else."""

        def work(tx: Tx) -> None:
            session = store.find_session(tx, session_id)
            if session is None:
                raise NotFoundError("no such session", code="not_found")
            thing = Thing("session", area=ROOT, owner=session.user_id, id=session.id)
            authorize(who, Action.SESSION_END, thing)
            if store.end_sessions(tx, [session_id], self._clock.now_us()):
                note(tx, who, Action.SESSION_END, thing)

        await self._database.write(work)

    async def end_expired(self) -> list[str]:
        """End what time has ended (idle, or past its end) and forget what is long over; the sessions that ended."""
        now = self._clock.now_us()
        found = await self._database.read(store.all_open_sessions)
        gone = [session.id for session in found if not self.alive(session, now)]

        def work(tx: Tx) -> None:
            store.end_sessions(tx, gone, now)
            store.forget_sessions(tx, now - FORGET_SESSIONS_US)

        if gone:
            await self._database.write(work)
        return gone

    async def sessions(self, who: Actor, user_id: str) -> list[Session]:
        """Open sessions of a person."""
        authorize(who, Action.SESSION_SEE, Thing("session", area=ROOT, owner=user_id))
        now = self._clock.now_us()
        found = await self._database.read(lambda tx: store.open_sessions(tx, user_id))
        return [session for session in found if self.alive(session, now)]

    # --- people ---------------------------------------------------------------------------------------------

    async def nobody_yet(self) -> bool:
        """True before the first administrator exists."""
        return await self._database.read(lambda tx: store.user_count(tx) == 0)

    async def first_administrator(self, username: str, password: str, language: str, zone: str) -> User:
        """The first person; ConflictError `setup_done` when there is one already."""
        check_new_password(password, username)
        hashed = await self._hash(password)
        now = self._clock.now_us()
        grant = Grant(Role.ADMINISTRATOR)
        user = _new_user(username, username, language, zone, (grant,), now)

        def work(tx: Tx) -> None:
            if store.user_count(tx):
                raise ConflictError("there is an administrator already", code="setup_done")
            store.add_user(tx, user, hashed)
            actor = Actor(user.id, user.username, "", (grant,), now)
            note(tx, actor, Action.USER_CHANGE, Thing("user", id=user.id), user.username, reason="first_run")

        await self._database.write(work)
        return user

    async def users(self, who: Actor, after: str, limit: int) -> list[User]:
        """By name."""
        authorize(who, Action.USER_SEE, PLATFORM)
        return await self._database.read(lambda tx: store.list_users(tx, after, limit))

    async def user(self, who: Actor, user_id: str) -> User:
        """One person."""
        authorize(who, Action.USER_SEE, PLATFORM)
        return _found(await self._database.read(lambda tx: store.find_user(tx, user_id)))

    async def add_user(
        self, who: Actor, *, username: str, password: str, display_name: str, language: str, zone: str,
        grants: tuple[Grant, ...],
    ) -> User:  # fmt: skip
        """A new person with the grants that `who` may hand out."""
        authorize(who, Action.USER_CHANGE, PLATFORM)
        _check_grants(who, grants)
        check_new_password(password, username)
        hashed = await self._hash(password)
        user = _new_user(username, display_name or username, language, zone, grants, who.at)

        def work(tx: Tx) -> None:
            if store.find_login(tx, username):
                raise ConflictError("name taken", code="name_taken", params={"name": username[:64]})
            store.add_user(tx, user, hashed)
            note(tx, who, Action.USER_CHANGE, Thing("user", id=user.id), user.username, **_described(grants))

        await self._database.write(work)
        return user

    async def change_user(
        self, who: Actor, user_id: str, revision: int | None, *, password: str = "",
        display_name: str | None = None, language: str | None = None, zone: str | None = None,
        enabled: bool | None = None, grants: tuple[Grant, ...] | None = None,
    ) -> tuple[User, list[str]]:  # fmt: skip
        """Change a person (everybody may change their own name, language, zone and password).

        Answers the sessions that ended with it: those of somebody disabled, or whose password or rights changed.
        """
        own = who.user == user_id and enabled is None and grants is None
        if not own:
            authorize(who, Action.USER_CHANGE, PLATFORM)
        if grants is not None:
            _check_grants(who, grants)
        hashed = ""

        def work(tx: Tx) -> tuple[User, list[str]]:
            old = _found(store.find_user(tx, user_id))
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            if not own:
                _check_grants(who, old.grants)
            new = replace(
                old,
                display_name=old.display_name if display_name is None else display_name,
                language=old.language if language is None else language,
                zone=old.zone if zone is None else zone,
                enabled=old.enabled if enabled is None else enabled,
                grants=old.grants if grants is None else grants,
                revision=old.revision + 1,
            )
            store.save_user(tx, new, hashed)
            _keep_an_administrator(tx)
            ended: list[str] = []
            if password or not new.enabled or new.grants != old.grants:
                ended = [s.id for s in store.open_sessions(tx, user_id) if s.id != who.session]
                store.end_sessions(tx, ended, who.at)
            details = _described(new.grants) if new.grants != old.grants else {}
            thing = Thing("user", id=user_id)
            note(tx, who, Action.USER_CHANGE, thing, new.username, password=bool(password), **details)
            return new, ended

        if password:
            user = _found(await self._database.read(lambda tx: store.find_user(tx, user_id)))
            check_new_password(password, user.username)
            hashed = await self._hash(password)
        return await self._database.write(work)

    async def delete_user(self, who: Actor, user_id: str) -> list[str]:
        """Remove a person; answers the sessions that ended with it."""
        authorize(who, Action.USER_CHANGE, PLATFORM)
        if user_id == who.user:
            raise ConflictError("nobody removes themselves", code="own_user")

        def work(tx: Tx) -> list[str]:
            user = _found(store.find_user(tx, user_id))
            _check_grants(who, user.grants)
            ended = [s.id for s in store.open_sessions(tx, user_id)]
            store.delete_user(tx, user_id)
            _keep_an_administrator(tx)
            note(tx, who, "user.delete", Thing("user", id=user_id), user.username)
            return ended

        return await self._database.write(work)

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._passwords.hash, password)


def _new_user(username: str, display: str, language: str, zone: str, grants: tuple[Grant, ...], now: int) -> User:
    return User(
        id=fresh("us"), username=username, display_name=display, language=language, zone=zone, enabled=True,
        created_at=now, revision=1, grants=grants,
    )  # fmt: skip


def _check_grants(who: Actor, grants: tuple[Grant, ...]) -> None:
    if not may_grant(who, grants):
        raise ForbiddenError("more than you hold", code="grant_beyond_own")


def _found(user: User | None) -> User:
    if user is None:
        raise NotFoundError("no such user", code="not_found")
    return user


def _described(grants: tuple[Grant, ...]) -> dict[str, str]:
    return {"grants": "; ".join(f"{'-' if g.deny else ''}{g.role} {g.area} {' '.join(sorted(g.tags))}" for g in grants)}


def _keep_an_administrator(tx: Tx) -> None:
    """ConflictError `last_administrator`: a platform nobody can manage cannot be mended from inside."""
    for user in store.list_users(tx, "", 1_000_000):
        whole = any(g.role is Role.ADMINISTRATOR and g.area == ROOT and not g.deny and not g.tags for g in user.grants)
        if user.enabled and whole:
            return
    raise ConflictError("the last administrator", code="last_administrator")
