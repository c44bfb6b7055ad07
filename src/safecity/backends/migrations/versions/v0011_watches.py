"""Watches, their hits, and whom an alarm is for: its deadlines, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TEXTS = ("reported_by", "result", "report")
_MOMENTS = ("sign_by", "report_by", "reported_at", "due")


def _path() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _flags(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]


def _ids(*names: str, nullable: bool = False) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(16), nullable=nullable) for name in names]


def _paths() -> list[sa.Column[str]]:
    return [
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
    ]


def upgrade() -> None:
    with op.batch_alter_table("alarms") as batch_op:
        batch_op.add_column(sa.Column("audience", sa.Text(), nullable=False, server_default=""))
        for name in _MOMENTS:
            batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
        for name in _TEXTS:
            batch_op.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("escalated", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.create_index(op.f("ix_alarms_due"), ["due"])
    op.create_table(
        "watches",
        *_ids("id"),
        *_texts(
            "plate", "plate_colour", "colour", "vehicle_class", "reason", "case_number", "purpose", "state",
            "proposed_by", "proposed_name", "decided_by", "decided_name", "decision", "ended_by", "ended_name",
            "ending",
        ),
        *_flags("near", "restricted"),
        *_numbers("priority", "changed", "revision", "valid_from", "valid_until", "proposed_at"),
        *_numbers("decided_at", "ended_at", "keep_until", nullable=True),
        *_ids("area", "organisation", nullable=True),
        *_paths(),
        *_texts("seats", "further"),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
        sa.UniqueConstraint("origin", name=op.f("uq_watches_origin")),
    )  # fmt: skip
    for name, columns in (
        ("ix_watches_area_path", ["area_path"]), ("ix_watches_state", ["state", "id"]),
        ("ix_watches_changed", ["changed"]), ("ix_watches_keep_until", ["keep_until"]),
    ):  # fmt: skip
        op.create_index(op.f(name), "watches", columns)
    op.create_table(
        "hits",
        *_ids("id", "watch", "passage", "alarm"),
        *_texts("state", "kind", "plate", "place_name", "direction"),
        *_numbers("differs", "lane", nullable=True),
        sa.Column("speed_kmh", sa.Float(), nullable=True),
        *_ids("tollgate", "device", nullable=True),
        *_numbers("at", "raised_at"),
        *_flags("late", "restricted"),
        *_paths(),
        *_texts("audience"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hits")),
        sa.UniqueConstraint("watch", "passage", name=op.f("uq_hits_watch_passage")),
    )
    for name in ("alarm", "area_path", "passage"):
        op.create_index(op.f(f"ix_hits_{name}"), "hits", [name])


def downgrade() -> None:
    for name in ("hits", "watches"):
        op.drop_table(name)
    with op.batch_alter_table("alarms") as batch_op:
        batch_op.drop_index(op.f("ix_alarms_due"))
        for name in ("escalated", *reversed(_TEXTS), *reversed(_MOMENTS), "audience"):
            batch_op.drop_column(name)
