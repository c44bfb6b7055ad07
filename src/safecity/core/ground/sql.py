"""What all tables of the core share: metadata with named constraints, and the few column types of the platform."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Text
from sqlalchemy.types import TypeDecorator

from safecity.kit import ids

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Id(TypeDecorator[str]):
    """16 bytes in the database, the shown id (`ch_...`) in Python. A foreign id of another kind never matches."""

    impl = LargeBinary(16)
    cache_ok = True

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:
        return None if value is None else ids.packed(self.kind, value)

    def process_result_value(self, value: bytes | None, dialect: Any) -> str | None:
        return None if value is None else ids.show(self.kind, UUID(bytes=bytes(value)))


_as_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
"""Made once: each row has one, and `json.dumps` would make another each time."""


class Json(TypeDecorator[Any]):
    """JSON kept as text: the engines' own JSON types differ."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else _as_text(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        return None if value is None else json.loads(value)


class Tags(TypeDecorator[frozenset[str]]):
    """A set of tags as `|a|b|`, so that one LIKE finds one tag. Tags are lower case and hold no `|` (see `tag`)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | str | None, dialect: Any) -> str | None:
        if value is None or isinstance(value, str):  # a str is the pattern of a LIKE
            return value
        return f"|{'|'.join(sorted(value))}|" if value else ""

    def process_result_value(self, value: str | None, dialect: Any) -> frozenset[str]:
        return frozenset(part for part in (value or "").split("|") if part)


def key(kind: str, name: str = "id") -> Column[str]:
    """The primary key of a kind of thing."""
    return Column(name, Id(kind), primary_key=True)


def ref(name: str, kind: str, *, nullable: bool = False, index: bool = False) -> Column[Any]:
    """Points to a thing of another part. No foreign key across parts: they may be stored apart one day."""
    return Column(name, Id(kind), nullable=nullable, index=index)


def moment(name: str, *, nullable: bool = False) -> Column[Any]:
    """Microseconds UTC."""
    return Column(name, BigInteger, nullable=nullable)


def _path() -> Any:
    # "C" on PostgreSQL, or a range over the prefix would follow the collation of the cluster.
    return Text().with_variant(Text(collation="C"), "postgresql")


def area_path(*, index: bool = True) -> Column[str]:
    """The materialised path every guarded row carries (`/34/3402/340202/`)."""
    return Column("area_path", _path(), nullable=False, index=index)


def organisation_path() -> Column[str]:
    """The path in the line of command that every guarded row carries, `/` for what belongs to no organisation."""
    return Column("organisation_path", _path(), nullable=False, server_default="/")
