"""Adds the sender of a message, and the indexes by which the server finds what it deletes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_outbox_mail_sender", "outbox_mail", ["sender_id", "created_at"]),
    ("ix_sign_in_expires_at", "sign_in", ["expires_at"]),
    ("ix_sign_in_ended_at", "sign_in", ["ended_at"]),
    ("ix_refresh_token_expires_at", "refresh_token", ["expires_at"]),
    ("ix_one_time_token_expires_at", "one_time_token", ["expires_at"]),
)


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("outbox_mail", sa.Column("sender_id", key, nullable=True))
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns, unique=False)


def downgrade() -> None:
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    op.drop_column("outbox_mail", "sender_id")
