"""Hits that libraries were told, so that what is none can be taken back there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "image_told_hits",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("subscription", sa.LargeBinary(16), nullable=False),
        sa.Column("hit", sa.LargeBinary(16), nullable=False),
        sa.Column("notification", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_told_hits")),
    )
    for name in ("subscription", "hit"):
        op.create_index(op.f(f"ix_image_told_hits_{name}"), "image_told_hits", [name])
    with op.batch_alter_table("image_subscriptions") as subscriptions:
        for name in ("recalled", "not_recalled"):
            subscriptions.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("image_subscriptions") as subscriptions:
        for name in ("not_recalled", "recalled"):
            subscriptions.drop_column(name)
    op.execute(sa.text("DELETE FROM image_outbox WHERE kind = 'Recall'"))
    op.drop_table("image_told_hits")
