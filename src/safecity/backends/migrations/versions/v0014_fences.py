"""Fences, and what is known of the vehicles that are held against them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _path() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "fences",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "kind", "reason", "created_by")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("points", "days", "vehicles")),
        sa.Column("metres", sa.Float(), nullable=False),
        *(
            sa.Column(name, sa.Boolean(), nullable=False)
            for name in ("on_enter", "on_leave", "enabled", "to_terminals")
        ),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in (
                "speed_kmh",
                "speed_seconds",
                "from_minute",
                "until_minute",
                "priority",
                "number",
                "revision",
            )
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("valid_from", "since", "created_at")),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.Column("area", sa.LargeBinary(16), nullable=True),
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation", sa.LargeBinary(16), nullable=True),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
        sa.Column("seats", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fences")),
    )
    op.create_index(op.f("ix_fences_area_path"), "fences", ["area_path"])
    op.create_table(
        "fence_copies",
        sa.Column("fence", sa.LargeBinary(16), nullable=False),
        sa.Column("device", sa.LargeBinary(16), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("revision", "number")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "code")),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fence", "device", name=op.f("pk_fence_copies")),
    )
    op.create_index("ix_fence_copies_device", "fence_copies", ["device"])
    op.create_table(
        "fence_tracks",
        sa.Column("device", sa.LargeBinary(16), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_fence_tracks")),
    )
    op.create_index("ix_fence_tracks_newest", "fence_tracks", ["newest"])


def downgrade() -> None:
    op.drop_table("fence_tracks")
    op.drop_table("fence_copies")
    op.drop_table("fences")
