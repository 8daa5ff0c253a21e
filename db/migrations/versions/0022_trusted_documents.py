"""Adds the trusted documents of clients."""

import sqlalchemy as sa
from alembic import op

import db.models.base

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "trusted_document",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trusted_document")),
        sa.UniqueConstraint("sha256", name=op.f("uq_trusted_document_sha256")),
    )
    op.create_table(
        "client_document",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("client_name", sa.String(length=100), nullable=False),
        sa.Column("client_version", sa.String(length=100), nullable=False),
        sa.Column("document_id", sa.String(length=200), nullable=False),
        sa.Column("trusted_document_id", _KEY, nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["trusted_document_id"], ["trusted_document.id"], name=op.f("fk_client_document_trusted_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_document")),
        sa.UniqueConstraint(
            "client_name",
            "client_version",
            "document_id",
            name=op.f("uq_client_document_client_name_client_version_document_id"),
        ),
    )
    op.create_index("ix_client_document_trusted_document_id", "client_document", ["trusted_document_id"])


def downgrade() -> None:
    op.drop_table("client_document")
    op.drop_table("trusted_document")
