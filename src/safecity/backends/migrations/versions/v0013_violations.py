"""Violations with the passages they stand on, sections that speeds are measured over, and exempt vehicles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _path() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _floats(*names: str, nullable: bool = False) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float(), nullable=nullable) for name in names]


def _ids(*names: str, nullable: bool = False) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(16), nullable=nullable) for name in names]


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _paths() -> list[sa.Column[str]]:
    return [
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
    ]


def upgrade() -> None:
    op.create_table(
        "violations",
        *_ids("id"),
        *_texts(
            "kind", "code", "words", "state", "plate", "plate_read", "plate_colour", "vehicle_class", "place_name",
            "direction", "light", "light_source", "certificate", "origin", "reference", "first_by", "first_name",
            "second_by", "second_name", "void_reason", "void_words", "void_by", "void_name", "held_by",
        ),
        *_floats("confidence", "speed_kmh", "speed_error_kmh", "limit_kmh", nullable=True),
        *_numbers("lane", "clock_error_ms", nullable=True),
        *_numbers("exports", "revision", "at", "seen", "held_until", "keep_until"),
        *_numbers("first_at", "second_at", "void_at", "exported_at", nullable=True),
        *_ids("tollgate", "channel", nullable=True),
        *_texts("pictures", "details", "passages", "unfit"),
        _flag("restricted"),
        *_paths(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_violations")),
        sa.UniqueConstraint("origin", "reference", name=op.f("uq_violations_origin_reference")),
    )  # fmt: skip
    op.create_table(
        "violation_passages",
        *_ids("violation", "passage"),
        sa.PrimaryKeyConstraint("violation", "passage", name=op.f("pk_violation_passages")),
    )
    op.create_table(
        "violation_sections",
        *_ids("id"),
        *_texts("name", "certificate"),
        *_ids("entry", "exit"),
        *_floats("length_m", "length_error_m", "limit_kmh", "tolerance_kmh"),
        *_numbers("entry_clock_error_ms", "exit_clock_error_ms", "revision"),
        _flag("enabled"),
        *_paths(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_violation_sections")),
    )
    op.create_table(
        "violation_exemptions",
        *_ids("id"),
        *_texts("plate", "duty", "reason", "added_by"),
        *_numbers("since", "added_at"),
        *_numbers("until", nullable=True),
        *_ids("area", nullable=True),
        *_paths(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_violation_exemptions")),
    )
    for name, table, columns in (
        ("ix_violations_area_path", "violations", ["area_path"]),
        ("ix_violations_state", "violations", ["state", "id"]),
        ("ix_violations_plate", "violations", ["plate", "id"]),
        ("ix_violations_keep_until", "violations", ["keep_until"]),
        ("ix_violation_passages_passage", "violation_passages", ["passage"]),
        ("ix_violation_sections_area_path", "violation_sections", ["area_path"]),
        ("ix_violation_sections_entry", "violation_sections", ["entry"]),
        ("ix_violation_sections_exit", "violation_sections", ["exit"]),
        ("ix_violation_exemptions_area_path", "violation_exemptions", ["area_path"]),
        ("ix_violation_exemptions_plate", "violation_exemptions", ["plate"]),
    ):
        op.create_index(op.f(name), table, columns)


def downgrade() -> None:
    for name in ("violation_exemptions", "violation_sections", "violation_passages", "violations"):
        op.drop_table(name)
