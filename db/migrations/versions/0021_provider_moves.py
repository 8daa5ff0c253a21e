"""Adds the moves of providers from other installations."""

import sqlalchemy as sa
from alembic import op

import db.models.base
import db.models.provider_keys

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "provider_move",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("last_line", sa.Integer(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.Column("shifts", sa.JSON(), nullable=False),
        sa.Column("manifest_sha256", sa.String(length=64), nullable=False),
        sa.Column("moved_at", db.models.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_provider_move_provider_id")),
        *db.models.provider_keys.key_constraints(
            op.get_bind().dialect.name, "provider_move", ["id"], is_referred_to=False
        ),
    )
    op.create_index("ix_provider_move_provider_id", "provider_move", ["provider_id"])


def downgrade() -> None:
    op.drop_table("provider_move")
