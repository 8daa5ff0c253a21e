"""Adds bulk exports, and their schedules."""

import sqlalchemy as sa
from alembic import op

import db.models.base

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)
# The name of a member.
_ENUM = sa.String(length=40)


def upgrade() -> None:
    op.create_table(
        "report_schedule",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("role", _ENUM, nullable=False),
        sa.Column("operation", sa.String(length=100), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("every", _ENUM, nullable=False),
        sa.Column("format", _ENUM, nullable=False),
        sa.Column("next_at", _TIME, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_report_schedule_provider_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_report_schedule_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_schedule")),
    )
    op.create_index("ix_report_schedule_next", "report_schedule", ["ended_at", "next_at"])
    op.create_table(
        "bulk_export",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("role", _ENUM, nullable=False),
        sa.Column("operation", sa.String(length=100), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("format", _ENUM, nullable=False),
        sa.Column("status", _ENUM, nullable=False),
        sa.Column("schedule_id", _KEY, nullable=True),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("as_of", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.Column("lease", sa.String(length=40), nullable=True),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_bulk_export_provider_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_bulk_export_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_export")),
    )
    op.create_index("ix_bulk_export_status", "bulk_export", ["status", "leased_until"])
    for table in ("bulk_export", "report_schedule"):
        for column in ("provider_id", "user_id"):
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    op.drop_table("bulk_export")
    op.drop_table("report_schedule")
