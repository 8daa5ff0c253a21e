"""Adds second factors, codes that stand in for the password of a signature, and who has chosen no password."""

import sqlalchemy as sa
from alembic import op

import db.models.base
from db.migration_batches import Fill

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.add_column(sa.Column("require_second_factor", sa.JSON(), server_default="[]", nullable=False))
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("has_password", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_table(
        "second_factor",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("sealed_secret", sa.String(length=300), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("confirmed_at", _TIME, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_second_factor_provider_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_second_factor_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factor")),
        sa.UniqueConstraint("user_id", name=op.f("uq_second_factor_user_id")),
    )
    op.create_index("ix_second_factor_provider_id", "second_factor", ["provider_id"])
    op.create_table(
        "recovery_code",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_recovery_code_provider_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_recovery_code_code_sha256")),
    )
    op.create_index("ix_recovery_code_provider_id", "recovery_code", ["provider_id"])
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])

    op.create_table(
        "signing_code",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("sign_in_id", _KEY, nullable=False),
        sa.Column("code_mac", sa.String(length=64), nullable=False),
        sa.Column("issued_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_signing_code_provider_id")),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_in.id"], name=op.f("fk_signing_code_sign_in_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_signing_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_code")),
    )
    for column in ("provider_id", "sign_in_id", "user_id", "issued_at"):
        op.create_index(f"ix_signing_code_{column}", "signing_code", [column])


def downgrade() -> None:
    op.drop_table("signing_code")
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_column("has_password")
    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.drop_column("require_second_factor")


def _mark_invited(connection: sa.Connection, first: int, last: int) -> None:
    """Marks who was invited and has not opened the link: they have a random password, which nobody knows."""
    connection.execute(
        sa.text(
            "update user_account set has_password = false where id between :first and :last and has_password "
            "and must_change_password and last_login_at is null "
            "and exists (select 1 from one_time_token t where t.user_id = user_account.id and t.purpose = 'invitation')"
        ),
        {"first": first, "last": last},
    )


fills = (Fill("user_account.has_password", "user_account", _mark_invited),)
