"""Answers kept for a day, so that a repeated request is not done again."""

from __future__ import annotations

import hashlib

from sqlalchemy import Column, LargeBinary, Table, Text, delete, insert, select

from safecity.core.ground.sql import metadata, moment
from safecity.kit.clock import SECOND_US
from safecity.ports.database import Tx

answers = Table(
    "answers",
    metadata,
    Column("place", LargeBinary(32), primary_key=True),
    Column("answer", Text, nullable=False),
    moment("at"),
)
_DAY = 86_400 * SECOND_US


def _hashed(place: str) -> bytes:
    return hashlib.sha256(place.encode("utf-8", "surrogatepass")).digest()


def recall(tx: Tx, place: str, now: int) -> str | None:
    """What was answered within the last day."""
    row = tx.row(select(answers.c.answer).where(answers.c.place == _hashed(place), answers.c.at > now - _DAY))
    return None if row is None else row["answer"]


def forget(tx: Tx, place: str) -> None:
    """It came to nothing and may be tried again."""
    tx.run(delete(answers).where(answers.c.place == _hashed(place)))


def remember(tx: Tx, place: str, answer: str, now: int) -> None:
    """Keep an answer, and forget those of yesterday."""
    tx.run(delete(answers).where((answers.c.at <= now - _DAY) | (answers.c.place == _hashed(place))))
    tx.run(insert(answers).values(place=_hashed(place), answer=answer, at=now))
