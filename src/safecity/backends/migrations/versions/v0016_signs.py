"""Guidance signs: what is wanted of them, and what they say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signs",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("direction", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("columns", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("fallback", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("area", sa.LargeBinary(16), nullable=True),
        sa.Column("area_path", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signs")),
    )
    op.create_index(op.f("ix_signs_area_path"), "signs", ["area_path"])
    op.create_table(
        "sign_messages",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("sign", sa.LargeBinary(16), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("withdrawn_by", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_messages")),
    )
    op.create_index("ix_sign_messages_sign_end", "sign_messages", ["sign", "end"])
    op.create_index("ix_sign_messages_end", "sign_messages", ["end"])
    op.create_table(
        "sign_reports",
        sa.Column("sign", sa.LargeBinary(16), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sign", name=op.f("pk_sign_reports")),
    )
    op.create_table(
        "sign_shown",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("sign", sa.LargeBinary(16), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_shown")),
    )
    op.create_index("ix_sign_shown_sign", "sign_shown", ["sign"])
    op.create_index("ix_sign_shown_at", "sign_shown", ["at"])


def downgrade() -> None:
    for table in ("sign_shown", "sign_reports", "sign_messages", "signs"):
        op.drop_table(table)
