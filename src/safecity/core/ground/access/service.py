"""Signing in and out, and sessions."""

from __future__ import annotations

from dataclasses import dataclass

from safecity.core.ground.access import store
from safecity.core.ground.access.actions import Action
from safecity.core.ground.access.checking import Checking
from safecity.core.ground.access.decide import ROOT, Actor, Thing, authorize
from safecity.core.ground.access.secrets import new_token, same, token_hash
from safecity.core.ground.access.store import Login, Session, User
from safecity.core.ground.audit.api import note
from safecity.core.ground.audit.decide import Record, tidy
from safecity.core.ground.audit.store import append
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import ForbiddenError, NotFoundError, UnauthenticatedError
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
    """Who comes in, and for how long. Every sign-in, refused ones too, is audited in its own transaction."""

    def __init__(self, database: Database, clock: Clock, checking: Checking, settings: AccessSettings) -> None:
        self._database = database
        self._clock = clock
        self._checking = checking
        self._settings = settings

    async def sign_in(self, username: str, password: str, *, address: str, agent: str) -> tuple[str, SignedIn]:
        """A fresh token and session; UnauthenticatedError `wrong_credentials`, the same for every cause."""
        login = await self._checking.check(username, password, address)
        now = self._clock.now_us()
        if login is None or not login.enabled:
            record = Record(
                at=now, actor="", actor_name=tidy(username, 64), action="session.begin", address=address,
                outcome="refused", reason="wrong_credentials",
            )  # fmt: skip
            await self._database.write(lambda tx: append(tx, record))
            raise UnauthenticatedError("wrong name or password", code="wrong_credentials")
        token = new_token()
        signed_in = await self._database.write(lambda tx: self._begin(tx, login, token, address, agent, now))
        return token, signed_in

    def _begin(self, tx: Tx, login: Login, token: str, address: str, agent: str, now: int) -> SignedIn:
        user = store.find_user(tx, login.user)
        # Checking took a while: whoever was removed or disabled, or got a new password meanwhile, is not let in.
        if user is None or store.find_login(tx, user.username) != login:
            raise UnauthenticatedError("changed meanwhile", code="wrong_credentials")
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
            thing = _session_thing(tx, session.user_id, session.id)
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
        now = self._clock.now_us()

        def work(tx: Tx) -> list[Session]:
            authorize(who, Action.SESSION_SEE, _session_thing(tx, user_id))
            return store.open_sessions(tx, user_id)

        return [session for session in await self._database.read(work) if self.alive(session, now)]


def _session_thing(tx: Tx, user_id: str, session: str = "") -> Thing:
    """A session is its user's, and belongs where they belong."""
    user = store.find_user(tx, user_id)
    return Thing(
        "session", owner=user_id, id=session, organisation=user.organisation_path if user is not None else ROOT
    )
