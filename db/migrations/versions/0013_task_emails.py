"""Adds what e-mails about tasks need: each user's choice, the provider's reminders, and what was reminded of."""

import sqlalchemy as sa
from alembic import op

import db.models.base

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "task_reminder",
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("task_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("sent_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_task_reminder_provider_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_task_reminder_user_id")),
        sa.PrimaryKeyConstraint("user_id", "task_key", name=op.f("pk_task_reminder")),
    )
    for column in ("provider_id", "sent_at"):
        op.create_index(f"ix_task_reminder_{column}", "task_reminder", [column])
    with op.batch_alter_table("outbox_mail", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unsubscribe_url", sa.String(length=500), nullable=True))
    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reminder_every_days", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("notifying_at", _TIME, nullable=True))
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email_for", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("notified_at", _TIME, nullable=True))
        batch_op.add_column(sa.Column("digest_hour", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("digest_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("reminded_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("calendar_nonce", sa.String(length=32), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        for column in ("calendar_nonce", "reminded_on", "digest_on", "digest_hour", "notified_at", "email_for"):
            batch_op.drop_column(column)
    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.drop_column("notifying_at")
        batch_op.drop_column("reminder_every_days")
    with op.batch_alter_table("outbox_mail", schema=None) as batch_op:
        batch_op.drop_column("unsubscribe_url")
    op.drop_table("task_reminder")
