"""What a vehicle took is told apart by its alarm, its name and its time as well: bytes may be the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("vehicle_media") as media:
        media.drop_constraint("uq_vehicle_media_device_number_digest", type_="unique")
    op.create_index("ix_vehicle_media_device_number_digest", "vehicle_media", ["device", "number", "digest"])


def downgrade() -> None:
    op.execute(sa.text(
        "DELETE FROM vehicle_media AS late WHERE EXISTS (SELECT 1 FROM vehicle_media AS early WHERE "
        "early.device = late.device AND early.number = late.number AND early.digest = late.digest "
        "AND early.id < late.id)"
    ))  # fmt: skip
    op.drop_index("ix_vehicle_media_device_number_digest", "vehicle_media")
    with op.batch_alter_table("vehicle_media") as media:
        media.create_unique_constraint("uq_vehicle_media_device_number_digest", ["device", "number", "digest"])
