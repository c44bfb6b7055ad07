"""Cases with their entries and results, and holds that were placed for one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _path() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _ids(*names: str, nullable: bool = False) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(16), nullable=nullable) for name in names]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _paths() -> list[sa.Column[str]]:
    return [
        sa.Column("area_path", _path(), nullable=False),
        sa.Column("organisation_path", _path(), nullable=False, server_default="/"),
    ]


def upgrade() -> None:
    op.create_table(
        "cases",
        *_ids("id", "owner"),
        *_texts("number", "title", "purpose", "ground", "state", "owner_name", "closed_name", "closing"),
        *_texts("readers", "writers"),
        *_ids("area", "organisation", nullable=True),
        *_paths(),
        *_numbers("opened_at", "revision"),
        *_numbers("closed_at", "keep_until", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_table(
        "case_entries",
        *_ids("id", "case"),
        *_texts("kind", "stock", "words", "by", "by_name", "question", "looked"),
        *_numbers("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_entries")),
    )
    op.create_table(
        "case_results",
        *_ids("id", "case", "entry"),
        *_texts("kind", "source", "plate", "place_name", "tags", "audience", "details", "pictures"),
        *_numbers("at"),
        *_numbers("until", nullable=True),
        *_ids("tollgate", "channel", "hold", nullable=True),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("longitude", "latitude")),
        *_paths(),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_results")),
    )
    with op.batch_alter_table("holds") as holds:
        holds.add_column(sa.Column("case", sa.LargeBinary(16), nullable=True))
    for name, table, columns in (
        ("ix_cases_area_path", "cases", ["area_path"]),
        ("ix_cases_keep_until", "cases", ["keep_until"]),
        ("ix_case_entries_case", "case_entries", ["case", "id"]),
        ("ix_case_results_case", "case_results", ["case", "id"]),
        ("ix_case_results_entry", "case_results", ["entry"]),
        ("ix_holds_case", "holds", ["case"]),
    ):
        op.create_index(op.f(name), table, columns)


def downgrade() -> None:
    op.drop_index(op.f("ix_holds_case"), "holds")
    with op.batch_alter_table("holds") as holds:
        holds.drop_column("case")
    for name in ("case_results", "case_entries", "cases"):
        op.drop_table(name)
