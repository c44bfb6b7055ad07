"""Users, their grants and sessions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from safecity.core.ground.access.actions import Role
from safecity.core.ground.access.decide import ROOT, Grant, Predicate
from safecity.core.ground.access.where import under, where
from safecity.core.ground.sql import Id, Tags, key, metadata, moment, organisation_path
from safecity.kit.ids import fresh
from safecity.ports.database import Row, Tx

users = Table(
    "users",
    metadata,
    key("us"),
    Column("username", Text, nullable=False),
    Column("username_key", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("organisation", Id("og"), nullable=True),
    organisation_path(),
    moment("created_at"),
    Column("revision", BigInteger, nullable=False),
)
grants = Table(
    "grants",
    metadata,
    key("gr"),
    Column("user_id", Id("us"), ForeignKey("users.id"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("area_path", Text, nullable=False),
    Column("tags", Tags, nullable=False),
    Column("deny", Boolean, nullable=False),
    moment("not_before"),
    moment("not_after"),
    organisation_path(),
)
sessions = Table(
    "sessions",
    metadata,
    key("se"),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("user_id", Id("us"), ForeignKey("users.id"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    moment("created_at"),
    moment("seen_at"),
    moment("expires_at"),
    moment("ended_at", nullable=True),
    Index("ix_sessions_user_id_ended_at", "user_id", "ended_at"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A person who signs in. `organisation` is where they belong; what they may do stands in their grants."""

    id: str
    username: str
    display_name: str
    language: str
    zone: str
    enabled: bool
    created_at: int
    revision: int
    organisation: str | None = None
    organisation_path: str = ROOT
    grants: tuple[Grant, ...] = ()

    @property
    def roles(self) -> list[str]:
        """Granted roles, without doubles."""
        return list(dict.fromkeys(str(grant.role) for grant in self.grants if not grant.deny))


@dataclass(frozen=True, slots=True)
class Login:
    """What a sign-in is checked against."""

    user: str
    password_hash: str
    enabled: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One signed-in browser."""

    id: str
    user_id: str
    csrf: str
    address: str
    agent: str
    created_at: int
    seen_at: int
    expires_at: int
    ended_at: int | None = None


def name_key(username: str) -> str:
    """Two names that differ in case alone are one."""
    return username.strip().casefold()


def user_count(tx: Tx) -> int:
    row = tx.row(select(func.count().label("n")).select_from(users))
    return int(row["n"]) if row else 0


def find_user(tx: Tx, user: str) -> User | None:
    row = tx.row(select(users).where(users.c.id == user))
    return None if row is None else _user(row, _grants(tx, [user]).get(user, ()))


def find_login(tx: Tx, username: str) -> Login | None:
    row = tx.row(select(users).where(users.c.username_key == name_key(username)))
    return None if row is None else Login(row["id"], row["password_hash"], row["enabled"])


def addresses_of(tx: Tx, user: str) -> list[str]:
    """Where somebody signed in from lately."""
    query = select(sessions.c.address).where(sessions.c.user_id == user).distinct().limit(500)
    return [row["address"] for row in tx.rows(query)]


def list_users(tx: Tx, allowed: Predicate | None, after: str, limit: int) -> list[User]:
    """By name; with None everybody. People lie in no area."""
    query = select(users).order_by(users.c.username_key).limit(limit)
    if allowed is not None:
        query = query.where(where(allowed, ROOT, organisation=users.c.organisation_path))
    if after:
        query = query.where(users.c.username_key > after)
    rows = tx.rows(query)
    all_grants = _grants(tx, [row["id"] for row in rows])
    return [_user(row, all_grants.get(row["id"], ())) for row in rows]


def add_user(tx: Tx, user: User, password_hash: str) -> None:
    tx.run(
        insert(users).values(
            id=user.id,
            username=user.username,
            username_key=name_key(user.username),
            display_name=user.display_name,
            password_hash=password_hash,
            language=user.language,
            zone=user.zone,
            enabled=user.enabled,
            organisation=user.organisation,
            organisation_path=user.organisation_path,
            created_at=user.created_at,
            revision=user.revision,
        )
    )
    set_grants(tx, user.id, user.grants)


def save_user(tx: Tx, user: User, password_hash: str = "") -> None:
    values = {
        "display_name": user.display_name,
        "language": user.language,
        "zone": user.zone,
        "enabled": user.enabled,
        "organisation": user.organisation,
        "organisation_path": user.organisation_path,
        "revision": user.revision,
    }
    if password_hash:
        values["password_hash"] = password_hash
    tx.run(update(users).where(users.c.id == user.id).values(**values))
    set_grants(tx, user.id, user.grants)


def set_grants(tx: Tx, user: str, wanted: tuple[Grant, ...]) -> None:
    tx.run(delete(grants).where(grants.c.user_id == user))
    for grant in wanted:
        tx.run(
            insert(grants).values(
                id=fresh("gr"),
                user_id=user,
                role=str(grant.role),
                area_path=grant.area,
                tags=grant.tags,
                deny=grant.deny,
                not_before=grant.not_before,
                not_after=grant.not_after,
                organisation_path=grant.organisation,
            )
        )


def any_in_area(tx: Tx, area: str) -> bool:
    """Whether anybody has rights that are named by an area below that path."""
    return tx.row(select(grants.c.id).where(under(grants.c.area_path, area)).limit(1)) is not None


def any_of(tx: Tx, organisation: str) -> bool:
    """Whether anybody belongs to the organisation of that path or one below it, or has rights named by it."""
    return any(
        tx.row(select(table.c.id).where(under(table.c.organisation_path, organisation)).limit(1)) is not None
        for table in (users, grants)
    )


def delete_user(tx: Tx, user: str) -> None:
    tx.run(delete(grants).where(grants.c.user_id == user))
    tx.run(delete(sessions).where(sessions.c.user_id == user))
    tx.run(delete(users).where(users.c.id == user))


def add_session(tx: Tx, session: Session, hashed: bytes) -> None:
    tx.run(
        insert(sessions).values(
            id=session.id,
            token_hash=hashed,
            user_id=session.user_id,
            csrf=session.csrf,
            address=session.address,
            agent=session.agent,
            created_at=session.created_at,
            seen_at=session.seen_at,
            expires_at=session.expires_at,
        )
    )


def session_by_token(tx: Tx, hashed: bytes) -> Session | None:
    row = tx.row(select(sessions).where(sessions.c.token_hash == hashed))
    return None if row is None else _session(row)


def find_session(tx: Tx, session: str) -> Session | None:
    row = tx.row(select(sessions).where(sessions.c.id == session))
    return None if row is None else _session(row)


def open_sessions(tx: Tx, user: str) -> list[Session]:
    query = select(sessions).where(sessions.c.user_id == user, sessions.c.ended_at.is_(None))
    return [_session(row) for row in tx.rows(query.order_by(sessions.c.created_at.desc()))]


def all_open_sessions(tx: Tx) -> list[Session]:
    """Of everybody, those that time has ended included."""
    return [_session(row) for row in tx.rows(select(sessions).where(sessions.c.ended_at.is_(None)))]


def touch_session(tx: Tx, session: str, at: int) -> None:
    tx.run(update(sessions).where(sessions.c.id == session).values(seen_at=at))


def end_sessions(tx: Tx, ids: list[str], at: int) -> int:
    return tx.run(update(sessions).where(sessions.c.id.in_(ids), sessions.c.ended_at.is_(None)).values(ended_at=at))


def forget_sessions(tx: Tx, before: int) -> None:
    """Ended and expired ones of long ago."""
    tx.run(delete(sessions).where(sessions.c.expires_at < before))


def _grants(tx: Tx, ids: list[str]) -> dict[str, tuple[Grant, ...]]:
    found: dict[str, list[Grant]] = {}
    for row in tx.rows(select(grants).where(grants.c.user_id.in_(ids)).order_by(grants.c.id)):
        found.setdefault(row["user_id"], []).append(
            Grant(
                Role(row["role"]),
                row["area_path"],
                row["tags"],
                row["deny"],
                row["not_before"],
                row["not_after"],
                row["organisation_path"],
            )
        )
    return {user: tuple(items) for user, items in found.items()}


def _user(row: Row, own: tuple[Grant, ...]) -> User:
    return User(**{name: row[name] for name in User.__dataclass_fields__ if name != "grants"}, grants=own)


def _session(row: Row) -> Session:
    return Session(**{name: row[name] for name in Session.__dataclass_fields__})
