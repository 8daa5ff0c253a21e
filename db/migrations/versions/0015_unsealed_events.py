"""Adds the indexes by which audit events are listed and those without a place in the chain are found."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

in_transaction = False
required = False

_UNSEALED = sa.text("sequence < 0")


def upgrade() -> None:
    op.create_index(
        "ix_audit_event_provider", "audit_event", ["provider_id", "id"], if_not_exists=True,
        postgresql_concurrently=True,
    )  # fmt: skip
    op.create_index(
        "ix_audit_event_unsealed", "audit_event", ["provider_id", "id"], if_not_exists=True,
        sqlite_where=_UNSEALED, postgresql_where=_UNSEALED, postgresql_concurrently=True,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_audit_event_unsealed", table_name="audit_event")
    op.drop_index("ix_audit_event_provider", table_name="audit_event")
