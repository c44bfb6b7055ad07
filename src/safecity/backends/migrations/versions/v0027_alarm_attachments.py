"""What vehicles took belongs to alarms, and has names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("vehicle_media") as media:
        for name in ("event", "name"):
            media.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("vehicle_media") as media:
        for name in ("name", "event"):
            media.drop_column(name)
