"""Adds how aims and logged time stood at the end of each day, and access keys."""

import sqlalchemy as sa
from alembic import op

import db.models.base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)
_ROLES = (
    "LEARNER", "ASSESSOR", "IQA", "EMPLOYER_MANAGER", "EMPLOYER_OVERVIEW", "BASIC_ADMIN", "MASTER_ADMIN",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "time_history",
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("aim_id", _KEY, autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_time_history_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "aim_id", "day", name=op.f("pk_time_history")),
    )
    op.create_index("ix_time_history_provider", "time_history", ["provider_id", "day"])

    op.create_table(
        "aim_history",
        sa.Column("aim_id", _KEY, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("employer_id", _KEY, nullable=True),
        sa.Column("assessor_id", _KEY, nullable=True),
        sa.Column("qualification_id", _KEY, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "AWAITING_INDUCTION", "IN_TRAINING", "SUSPENDED", "COMPLETED", "WITHDRAWN", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("planned_end_date", sa.Date(), nullable=False),
        sa.Column("criteria_total", sa.Integer(), nullable=False),
        sa.Column("criteria_mapped", sa.Integer(), nullable=False),
        sa.Column("criteria_signed_off", sa.Integer(), nullable=False),
        sa.Column("units_to_choose", sa.Integer(), nullable=False),
        sa.Column("days_on_break", sa.Integer(), nullable=False),
        sa.Column("break_since", sa.Date(), nullable=True),
        sa.Column("rated_from", sa.Integer(), nullable=True),
        sa.Column("on_track_from", sa.Integer(), nullable=True),
        sa.Column("off_track_from", sa.Integer(), nullable=True),
        sa.Column("late_from", sa.Integer(), nullable=True),
        sa.Column("started_on", sa.Integer(), nullable=False),
        sa.Column("completed_on", sa.Integer(), nullable=True),
        sa.Column("withdrawn_on", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["aim_id"], ["aim.id"], name=op.f("fk_aim_history_aim_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_aim_history_learner_id")),
        sa.PrimaryKeyConstraint("aim_id", "day", name=op.f("pk_aim_history")),
    )
    op.create_index("ix_aim_history_learner", "aim_history", ["learner_id", "day"])
    op.create_index("ix_aim_history_provider", "aim_history", ["provider_id", "day"])
    op.create_table(
        "access_key",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("role", sa.Enum(*_ROLES, native_enum=False, length=40), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("operations", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.Column("last_used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_access_key_provider_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_access_key_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_key")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_access_key_secret_sha256")),
    )
    for column in ("provider_id", "user_id"):
        op.create_index(f"ix_access_key_{column}", "access_key", [column])


def downgrade() -> None:
    op.drop_table("access_key")
    op.drop_table("aim_history")
    op.drop_table("time_history")
