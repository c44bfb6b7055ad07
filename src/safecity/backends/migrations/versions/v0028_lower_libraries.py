"""Libraries below us: where they are, what is asked of them, and which notifications came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lower_libraries",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("device", sa.LargeBinary(16), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("url", "username", "form", "last_error")),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("watches", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("leaving", "heard_at")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lower_libraries")),
        sa.UniqueConstraint("device", name="uq_lower_libraries_device"),
    )
    op.create_table(
        "lower_orders",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("device", sa.LargeBinary(16), nullable=False),
        sa.Column("watch", sa.LargeBinary(16), nullable=True),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in (
                "kind", "number", "title", "reason", "state", "last_error", "created_by", "ended_by", "ending", "about",
            )
        ),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("begin", "end", "created_at", "tries", "received", "revision")
        ),
        *(
            sa.Column(name, sa.BigInteger(), nullable=True)
            for name in ("until", "due_at", "placed_at", "heard_at", "ended_at")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lower_orders")),
        sa.UniqueConstraint("device", "kind", "number", name="uq_lower_orders_device_kind_number"),
    )  # fmt: skip
    op.create_index(op.f("ix_lower_orders_watch"), "lower_orders", ["watch"])
    op.create_index("ix_lower_orders_due_at", "lower_orders", ["due_at"])
    op.create_index("ix_lower_orders_kind_state", "lower_orders", ["kind", "state"])
    op.create_table(
        "lower_heard",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("order", sa.LargeBinary(16), nullable=False),
        sa.Column("notification", sa.Text(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lower_heard")),
        sa.UniqueConstraint("order", "notification", name="uq_lower_heard_order_notification"),
    )
    op.create_index("ix_lower_heard_at", "lower_heard", ["at"])


def downgrade() -> None:
    for table in ("lower_heard", "lower_orders", "lower_libraries"):
        op.drop_table(table)
