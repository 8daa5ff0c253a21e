"""Adds the indexes by which what has changed since a time is found."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

in_transaction = False
required = False

_TABLES = ("learner", "session", "time_log_entry", "signature_request")


def upgrade() -> None:
    for table in _TABLES:
        op.create_index(
            f"ix_{table}_updated", table, ["provider_id", "updated_at", "id"],
            unique=False, if_not_exists=True, postgresql_concurrently=True,
        )  # fmt: skip


def downgrade() -> None:
    for table in _TABLES:
        op.drop_index(f"ix_{table}_updated", table_name=table)
