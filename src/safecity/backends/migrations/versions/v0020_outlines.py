"""Borders of areas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "area_outlines",
        sa.Column("area", sa.LargeBinary(16), nullable=False),
        sa.Column("polygons", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("area", name=op.f("pk_area_outlines")),
    )


def downgrade() -> None:
    op.drop_table("area_outlines")
