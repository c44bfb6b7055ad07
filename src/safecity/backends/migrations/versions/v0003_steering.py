"""Steering: what a camera's head offers, cruises that devices cannot list, positions of what moves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("channels") as batch_op:
        batch_op.add_column(sa.Column("ptz_offers", sa.Text(), nullable=True))
    with op.batch_alter_table("devices") as batch_op:
        batch_op.add_column(sa.Column("position_seconds", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "cruises",
        sa.Column("channel", sa.LargeBinary(16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("speed", sa.BigInteger(), nullable=False),
        sa.Column("dwell", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "number", name=op.f("pk_cruises")),
    )
    op.create_table(
        "positions",
        sa.Column("device", sa.LargeBinary(16), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("speed", sa.Float(), nullable=True),
        sa.Column("direction", sa.Float(), nullable=True),
        sa.Column("altitude", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("device", "code", name=op.f("pk_positions")),
    )


def downgrade() -> None:
    op.drop_table("positions")
    op.drop_table("cruises")
    with op.batch_alter_table("devices") as batch_op:
        batch_op.drop_column("position_seconds")
    with op.batch_alter_table("channels") as batch_op:
        batch_op.drop_column("ptz_offers")
