"""Keys of blobs that no row names (yet, or any more)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Column, Table, Text, delete, insert, select

from safecity.core.ground.sql import metadata, moment
from safecity.ports.database import Tx

loose_blobs = Table(
    "loose_blobs",
    metadata,
    Column("key", Text, primary_key=True),
    moment("since"),
)
AT_ONCE = 500
"""Keys in one statement: engines have a limit of values."""


def unnamed(tx: Tx, keys: Iterable[str], now: int) -> None:
    """In the transaction that names them no more, or before they are put: from now on they may be swept away."""
    wanted = list(dict.fromkeys(keys))
    known = _known(tx, wanted)
    rows = [{"key": key, "since": now} for key in wanted if key not in known]
    if rows:
        tx.run(insert(loose_blobs), rows)


def named(tx: Tx, keys: Sequence[str]) -> None:
    """In the transaction that names them."""
    for start in range(0, len(keys), AT_ONCE):
        tx.run(delete(loose_blobs).where(loose_blobs.c.key.in_(keys[start : start + AT_ONCE])))


def oldest(tx: Tx, after: tuple[int, str], limit: int) -> list[tuple[int, str]]:
    """(since, key), longest loose first."""
    since, key = after
    later = (loose_blobs.c.since > since) | ((loose_blobs.c.since == since) & (loose_blobs.c.key > key))
    query = select(loose_blobs).where(later).order_by(loose_blobs.c.since, loose_blobs.c.key).limit(limit)
    return [(row["since"], row["key"]) for row in tx.rows(query)]


def still(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Those of these that nothing names."""
    known = _known(tx, keys)
    return [key for key in keys if key in known]


def _known(tx: Tx, keys: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(keys), AT_ONCE):
        query = select(loose_blobs.c.key).where(loose_blobs.c.key.in_(keys[start : start + AT_ONCE]))
        found |= {row["key"] for row in tx.rows(query)}
    return found
