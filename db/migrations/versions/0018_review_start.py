"""Adds when a progress review was started or last reopened."""

import sqlalchemy as sa
from alembic import op

import db.models.base

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Only adds: processes of the last version run on these tables too. What only they need is removed by `contract()`.
    op.add_column("review", sa.Column("started_at", db.models.base.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_column("started_at")
