"""Adds the index by which the sessions of a group are found."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

in_transaction = False
required = False


def upgrade() -> None:
    op.create_index(
        "ix_session_group_id", "session", ["group_id"], unique=False, if_not_exists=True, postgresql_concurrently=True
    )


def downgrade() -> None:
    op.drop_index("ix_session_group_id", table_name="session")
