"""Adds the sender of a message, so that the messages of a day can be counted."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("outbox_mail", sa.Column("sender_id", key, nullable=True))


def downgrade() -> None:
    op.drop_column("outbox_mail", "sender_id")
