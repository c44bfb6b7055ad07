"""Counts of vehicles: places, sums as they came, and sums by five minutes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SUMS = (
    "seconds", "vehicles", "car", "bus", "truck", "motorcycle", "bicycle", "other", "timed", "speed", "pace",
    "occupied", "watched",
)  # fmt: skip


def _id(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(16), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _path() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "count_points",
        _id("id"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("origin", "key", "source", "place")),
        _number("lane", nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        _id("tollgate", nullable=True),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("longitude", "latitude", "bearing")),
        _number("lanes"),
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_points")),
        sa.UniqueConstraint("origin", "key", name=op.f("uq_count_points_origin_key")),
    )
    for name in ("tollgate", "area_path"):
        op.create_index(op.f(f"ix_count_points_{name}"), "count_points", [name])
    for table in ("count_periods", "counts"):
        op.create_table(
            table,
            _id("point"),
            _number("at"),
            *(_number(name) for name in SUMS),
            sa.PrimaryKeyConstraint("point", "at", name=op.f(f"pk_{table}")),
        )
        op.create_index(op.f(f"ix_{table}_at"), table, ["at"])


def downgrade() -> None:
    for name in ("counts", "count_periods", "count_points"):
        op.drop_table(name)
