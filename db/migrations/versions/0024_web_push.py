"""Adds web push: the browsers of users, the messages for them, and each user's choice."""

import sqlalchemy as sa
from alembic import op

import db.models.base
from db.models.provider_keys import key_constraints

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)


def _owned(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f(f"fk_{table}_provider_id")),
        sa.ForeignKeyConstraint(
            ["user_id", "provider_id"], ["user_account.id", "user_account.provider_id"],
            name=op.f(f"fk_{table}_user_id_provider_id"),
        ),
        *key_constraints(op.get_bind().dialect.name, table, ["id"], False),
    ]  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "push_subscription",
        *_owned("push_subscription"),
        sa.Column("sign_in_id", _KEY, nullable=False),
        sa.Column("endpoint", sa.String(length=1000), nullable=False),
        sa.Column("endpoint_sha256", sa.String(length=64), nullable=False),
        sa.Column("p256dh", sa.String(length=100), nullable=False),
        sa.Column("auth", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=100), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("notified_at", _TIME, nullable=False),
        sa.Column("last_sent_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["sign_in_id", "provider_id"], ["sign_in.id", "sign_in.provider_id"],
            name=op.f("fk_push_subscription_sign_in_id_provider_id"),
        ),
    )  # fmt: skip
    for column in ("provider_id", "user_id", "sign_in_id", "endpoint_sha256"):
        op.create_index(f"ix_push_subscription_{column}", "push_subscription", [column])
    op.create_table(
        "push_message",
        *_owned("push_message"),
        sa.Column("subscription_id", _KEY, nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
    )
    for column in ("provider_id", "user_id", "subscription_id", "created_at", "due_at"):
        op.create_index(f"ix_push_message_{column}", "push_message", [column])
    op.add_column("user_account", sa.Column("push_for", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_column("push_for")
    op.drop_table("push_message")
    op.drop_table("push_subscription")
