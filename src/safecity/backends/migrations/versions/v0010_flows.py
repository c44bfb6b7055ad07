"""Flows: how far each is, the time of its partitions, states by key, outputs on their way, dead letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False) for name in names]


def _body() -> sa.Column[bytes]:
    return sa.Column("body", sa.LargeBinary(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "flow_heads",
        *_texts("flow"),
        *_numbers("position", "turn", "output", "letter", "late"),
        sa.PrimaryKeyConstraint("flow", name=op.f("pk_flow_heads")),
    )
    op.create_table(
        "flow_partitions",
        *_texts("flow"),
        *_numbers("partition", "high", "watermark", "late"),
        sa.PrimaryKeyConstraint("flow", "partition", name=op.f("pk_flow_partitions")),
    )
    op.create_table(
        "flow_states",
        *_texts("flow"),
        *_numbers("partition"),
        *_texts("key"),
        *_numbers("version"),
        sa.Column("wake_at", sa.BigInteger(), nullable=True),
        *_numbers("changes"),
        _body(),
        sa.PrimaryKeyConstraint("flow", "partition", "key", name=op.f("pk_flow_states")),
    )
    op.create_table(
        "flow_changes",
        *_texts("flow"),
        *_numbers("partition"),
        *_texts("key"),
        *_numbers("number"),
        _body(),
        sa.PrimaryKeyConstraint("flow", "partition", "key", "number", name=op.f("pk_flow_changes")),
    )
    op.create_table(
        "flow_outputs",
        *_texts("flow"),
        *_numbers("number"),
        _body(),
        sa.PrimaryKeyConstraint("flow", "number", name=op.f("pk_flow_outputs")),
    )
    op.create_table(
        "flow_letters",
        *_texts("flow"),
        *_numbers("number"),
        *_texts("reason", "detail"),
        *_numbers("partition"),
        *_texts("key"),
        *_numbers("at", "seen", "position"),
        *_texts("event"),
        _body(),
        sa.PrimaryKeyConstraint("flow", "number", name=op.f("pk_flow_letters")),
    )


def downgrade() -> None:
    for name in ("letters", "outputs", "changes", "states", "partitions", "heads"):
        op.drop_table(f"flow_{name}")
