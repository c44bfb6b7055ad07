"""Travel times between checkpoints: sections, what they took, and pseudonyms for some hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _id(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(16), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _path() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "travel_sections",
        _id("id"),
        sa.Column("name", sa.Text(), nullable=False),
        _id("entry"),
        _id("exit"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("entry_lanes", "exit_lanes")),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("length_m", "slowest_kmh", "fastest_kmh")),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        _number("revision"),
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_travel_sections")),
    )
    for name in ("entry", "exit", "area_path"):
        op.create_index(op.f(f"ix_travel_sections_{name}"), "travel_sections", [name])
    op.create_table(
        "travel_times",
        _id("section"),
        *(_number(name) for name in ("bucket", "vehicles", "left_out", "median_us", "low_us", "high_us")),
        sa.Column("length_m", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("section", "bucket", name=op.f("pk_travel_times")),
    )
    op.create_index(op.f("ix_travel_times_bucket"), "travel_times", ["bucket"])
    op.create_table(
        "travel_marks",
        _id("name"),
        _id("vehicle"),
        _id("gate"),
        _number("lane", nullable=True),
        _number("at"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_travel_marks")),
    )
    op.create_index(op.f("ix_travel_marks_vehicle_gate_at"), "travel_marks", ["vehicle", "gate", "at"])
    op.create_index(op.f("ix_travel_marks_at"), "travel_marks", ["at"])
    op.create_table(
        "travel_trips",
        *(_id(name) for name in ("section", "exit", "entry", "vehicle")),
        *(_number(name) for name in ("at", "travel_us")),
        sa.PrimaryKeyConstraint("section", "exit", name=op.f("pk_travel_trips")),
    )
    op.create_index(op.f("ix_travel_trips_section_at"), "travel_trips", ["section", "at"])
    op.create_index(op.f("ix_travel_trips_entry"), "travel_trips", ["entry"])
    op.create_index(op.f("ix_travel_trips_at"), "travel_trips", ["at"])


def downgrade() -> None:
    for name in ("travel_trips", "travel_marks", "travel_times", "travel_sections"):
        op.drop_table(name)
