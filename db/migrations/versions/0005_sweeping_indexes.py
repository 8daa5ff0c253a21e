"""Adds the indexes by which the server finds the rows that it deletes, and the messages of a sender."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

in_transaction = False
required = False

_INDEXES = (
    ("ix_outbox_mail_sender", "outbox_mail", ["sender_id", "created_at"]),
    ("ix_sign_in_expires_at", "sign_in", ["expires_at"]),
    ("ix_sign_in_ended_at", "sign_in", ["ended_at"]),
    ("ix_refresh_token_expires_at", "refresh_token", ["expires_at"]),
    ("ix_one_time_token_expires_at", "one_time_token", ["expires_at"]),
)


def upgrade() -> None:
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns, unique=False, if_not_exists=True, postgresql_concurrently=True)


def downgrade() -> None:
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
