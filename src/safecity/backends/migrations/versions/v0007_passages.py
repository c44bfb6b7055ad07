"""Tollgates, and the passages of vehicles fused from what saw them there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _path() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "tollgates",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=True),
        *_texts("name", "sort_key", "search_key"),
        sa.Column("area", sa.LargeBinary(16), nullable=True),
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation", sa.LargeBinary(16), nullable=True),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        *_texts("lanes", "purposes"),
        *_numbers("retention_days"),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        *_numbers("fuse_seconds"),
        *_texts("reporters"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        *_numbers("revision"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tollgates")),
        sa.UniqueConstraint("code_key", name=op.f("uq_tollgates_code_key")),
    )
    op.create_index(op.f("ix_tollgates_area_path"), "tollgates", ["area_path"])
    op.create_index(op.f("ix_tollgates_sort_key"), "tollgates", ["sort_key"])
    op.create_table(
        "passages",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("tollgate", sa.LargeBinary(16), nullable=True),
        sa.Column("device", sa.LargeBinary(16), nullable=True),
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
        *_texts("purposes"),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        *_numbers("keep_until", "at", "seen"),
        sa.Column("lane", sa.BigInteger(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("speed_kmh", sa.Float(), nullable=True),
        *_texts("plate", "plate_colour", "plate_class", "colour", "vehicle_class", "brand", "direction", "transponder"),
        *_texts("sources"),
        *_numbers("sightings", "pictures"),
        sa.Column("clock_doubtful", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passages")),
    )
    op.create_index(op.f("ix_passages_area_path"), "passages", ["area_path"])
    op.create_index("ix_passages_at", "passages", ["at", "id"])
    op.create_index("ix_passages_place_at", "passages", ["place", "at"])
    op.create_index("ix_passages_plate_at", "passages", ["plate", "at"])
    op.create_index("ix_passages_keep_until", "passages", ["keep_until"])
    op.create_table(
        "sightings",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("passage", sa.LargeBinary(16), nullable=False),
        *_texts("source", "origin", "reference", "digest"),
        *_numbers("at", "seen"),
        *_texts("body"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sightings")),
        sa.UniqueConstraint("origin", "reference", name="uq_sightings_origin_reference"),
    )
    op.create_index(op.f("ix_sightings_passage"), "sightings", ["passage"])


def downgrade() -> None:
    op.drop_table("sightings")
    op.drop_table("passages")
    op.drop_table("tollgates")
