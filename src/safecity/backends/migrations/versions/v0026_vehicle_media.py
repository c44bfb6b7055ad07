"""What vehicles took: pictures, sounds and films of their terminals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vehicle_media",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("device", sa.LargeBinary(16), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("number", "channel", "size")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "format", "cause", "blob")),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("longitude", "latitude")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("at", "seen")),
        sa.Column("area_path", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column(
            "organisation_path",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            server_default="/",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_media")),
        sa.UniqueConstraint("device", "number", "digest", name="uq_vehicle_media_device_number_digest"),
    )
    op.create_index("ix_vehicle_media_device_at", "vehicle_media", ["device", "at"])
    op.create_index("ix_vehicle_media_device_seen", "vehicle_media", ["device", "seen"])
    op.create_index("ix_vehicle_media_seen", "vehicle_media", ["seen"])


def downgrade() -> None:
    op.drop_table("vehicle_media")
