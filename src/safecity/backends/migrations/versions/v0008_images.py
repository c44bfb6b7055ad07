"""The view library (GA/T 1400): objects, subscriptions to them, and what is still to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _path() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _ids(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(16), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "image_objects",
        *_ids("id", "device"),
        *_texts("kind", "object_id", "about", "tollgate", "plate", "digest"),
        *_numbers("at", "seen", "keep_until"),
        *_texts("purposes"),
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
        *_texts("body", "pictures"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_objects")),
        sa.UniqueConstraint("device", "kind", "object_id", name="uq_image_objects_device_kind_object_id"),
    )
    op.create_index(op.f("ix_image_objects_area_path"), "image_objects", ["area_path"])
    op.create_index("ix_image_objects_kind_at", "image_objects", ["kind", "at"])
    op.create_index("ix_image_objects_keep_until", "image_objects", ["keep_until"])
    op.create_table(
        "image_subscriptions",
        *_ids("id", "device"),
        *_texts("subscribe_id", "state", "address", "decided_by", "last_error", "body"),
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
        *_numbers("created_at", "delivered", "lost", "revision"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_subscriptions")),
        sa.UniqueConstraint("device", "subscribe_id", name="uq_image_subscriptions_device_subscribe_id"),
    )
    op.create_index(op.f("ix_image_subscriptions_area_path"), "image_subscriptions", ["area_path"])
    op.create_table(
        "image_outbox",
        *_ids("id", "subscription", "object"),
        *_texts("kind", "notification"),
        *_numbers("due_at", "tries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_outbox")),
    )
    op.create_index(op.f("ix_image_outbox_object"), "image_outbox", ["object"])
    op.create_index("ix_image_outbox_subscription_due_at", "image_outbox", ["subscription", "due_at"])
    op.create_index("ix_image_outbox_due_at", "image_outbox", ["due_at"])


def downgrade() -> None:
    op.drop_table("image_outbox")
    op.drop_table("image_subscriptions")
    op.drop_table("image_objects")
