"""What roads cost: gantries, cordons and their prices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TEXTS = ("name", "gantries", "border", "crossing", "prices", "begins", "ends", "created_by")


def upgrade() -> None:
    op.create_table(
        "tolls",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in TEXTS),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("area", sa.LargeBinary(16), nullable=True),
        sa.Column("area_path", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tolls")),
    )
    op.create_index(op.f("ix_tolls_area_path"), "tolls", ["area_path"])


def downgrade() -> None:
    op.drop_table("tolls")
