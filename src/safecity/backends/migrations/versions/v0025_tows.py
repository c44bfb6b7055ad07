"""Vehicles that are to be taken away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TEXTS = ("reason", "plate", "words", "state", "taken_to", "created_by", "changed_by")


def upgrade() -> None:
    op.create_table(
        "tows",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in TEXTS),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("longitude", "latitude")),
        sa.Column("area", sa.LargeBinary(16), nullable=True),
        sa.Column("area_path", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "changed_at")),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tows")),
    )
    op.create_index(op.f("ix_tows_area_path"), "tows", ["area_path"])


def downgrade() -> None:
    op.drop_table("tows")
