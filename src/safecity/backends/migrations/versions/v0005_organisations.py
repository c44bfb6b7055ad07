"""Rights by organisation: every guarded row carries the path of the organisation it belongs to.

What exists belongs to nobody (`/`), as it did; devices that named an organisation already, and their channels, get
its path. Rows that tell of the past stay with `/`: when they were born nobody had rights by organisation.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GUARDED = ("alarms", "audit", "channels", "devices", "exports", "grants", "holds", "tours", "users", "views")
NAMED = ("channels", "users")
_PATH = "(SELECT organisations.path FROM organisations WHERE organisations.id = devices.organisation)"
_DEVICE = "(SELECT devices.{column} FROM devices WHERE devices.id = channels.device)"


def _path() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for table in GUARDED:
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("organisation_path", _path(), nullable=False, server_default="/"))
            if table in NAMED:
                batch_op.add_column(sa.Column("organisation", sa.LargeBinary(16), nullable=True))
    op.execute(f"UPDATE devices SET organisation_path = {_PATH} WHERE {_PATH} IS NOT NULL")  # noqa: S608 - our own text
    op.execute(f"UPDATE devices SET organisation = NULL WHERE {_PATH} IS NULL")  # noqa: S608
    for column in ("organisation", "organisation_path"):
        value = _DEVICE.format(column=column)
        op.execute(f"UPDATE channels SET {column} = {value} WHERE {value} IS NOT NULL")  # noqa: S608


def downgrade() -> None:
    for table in GUARDED:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("organisation_path")
            if table in NAMED:
                batch_op.drop_column("organisation")
