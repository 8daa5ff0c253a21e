"""Adds what marks the client of a refresh and of a login, and requests for a link to choose a new password."""

import sqlalchemy as sa
from alembic import op

import db.models.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("used_key_sha256", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("used_network_sha256", sa.String(length=64), nullable=True))
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("network_sha256", sa.String(length=64), nullable=True))
    op.create_table(
        "password_reset_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("username", sa.String(length=254), nullable=False),
        sa.Column("network", sa.String(length=45), nullable=False),
        sa.Column("address", sa.String(length=60), nullable=False),
        sa.Column("request_id", sa.String(length=100), nullable=True),
        sa.Column("requested_at", db.models.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("handled_at", db.models.base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_reset_request")),
    )
    op.create_index("ix_password_reset_request_network", "password_reset_request", ["network", "requested_at"])
    op.create_index("ix_password_reset_request_requested_at", "password_reset_request", ["requested_at"])


def downgrade() -> None:
    op.drop_table("password_reset_request")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_column("network_sha256")
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.drop_column("used_network_sha256")
        batch_op.drop_column("used_key_sha256")
