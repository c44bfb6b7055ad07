"""Scenes: what is drawn on the pictures of cameras; and violations by who holds them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scenes",
        sa.Column("channel", sa.LargeBinary(16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signals", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_scenes")),
    )
    op.create_index(op.f("ix_violations_held_by"), "violations", ["held_by"])


def downgrade() -> None:
    op.drop_index(op.f("ix_violations_held_by"), "violations")
    op.drop_table("scenes")
