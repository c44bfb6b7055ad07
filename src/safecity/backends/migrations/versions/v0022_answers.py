"""Libraries that asked for a watch are told what it met."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("image_subscriptions") as subscriptions:
        subscriptions.add_column(sa.Column("watch", sa.LargeBinary(16), nullable=True))
    op.create_index(op.f("ix_image_subscriptions_watch"), "image_subscriptions", ["watch"])
    with op.batch_alter_table("image_outbox") as outbox:
        outbox.add_column(sa.Column("hit", sa.LargeBinary(16), nullable=True))
        outbox.alter_column("object", existing_type=sa.LargeBinary(16), nullable=True)
    op.create_index(op.f("ix_image_outbox_hit"), "image_outbox", ["hit"])


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM image_outbox WHERE object IS NULL"))
    op.drop_index(op.f("ix_image_outbox_hit"), "image_outbox")
    with op.batch_alter_table("image_outbox") as outbox:
        outbox.alter_column("object", existing_type=sa.LargeBinary(16), nullable=False)
        outbox.drop_column("hit")
    op.execute(sa.text("DELETE FROM image_subscriptions WHERE watch IS NOT NULL"))
    op.drop_index(op.f("ix_image_subscriptions_watch"), "image_subscriptions")
    with op.batch_alter_table("image_subscriptions") as subscriptions:
        subscriptions.drop_column("watch")
