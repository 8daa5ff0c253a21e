"""Adds the parts of uploads that were cut."""

import sqlalchemy as sa
from alembic import op

import db.models.base
from db.models.provider_keys import key_constraints

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "upload_part",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("file_id", _KEY, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_upload_part_provider_id")),
        sa.ForeignKeyConstraint(
            ["file_id", "provider_id"], ["file.id", "file.provider_id"], name=op.f("fk_upload_part_file_id_provider_id")
        ),
        *key_constraints(op.get_bind().dialect.name, "upload_part", ["id"], False),
        sa.UniqueConstraint("file_id", "starts_at", "provider_id", name=op.f("uq_upload_part_file_id_starts_at")),
    )
    for column in ("provider_id", "received_at"):
        op.create_index(f"ix_upload_part_{column}", "upload_part", [column])


def downgrade() -> None:
    op.drop_table("upload_part")
