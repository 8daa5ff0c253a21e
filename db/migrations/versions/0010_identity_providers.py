"""Adds identity providers, and lets one e-mail address have an account at each training provider."""

import sqlalchemy as sa
from alembic import op

import db.models.base

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "identity_provider",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=300), nullable=False),
        sa.Column("sealed_secret", sa.String(length=1000), nullable=True),
        sa.Column("authorization_endpoint", sa.String(length=500), nullable=False),
        sa.Column("redirect_uris", sa.JSON(), nullable=False),
        sa.Column("second_factor_values", sa.JSON(), nullable=False),
        sa.Column("trusts_email", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_identity_provider_provider_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_provider"),
        sa.UniqueConstraint("provider_id", "name", name="uq_identity_provider_provider_id_name"),
    )
    op.create_table(
        "identity_link",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("identity_provider_id", _KEY, nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("linked_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_provider_id"], ["identity_provider.id"], name="fk_identity_link_identity_provider_id"
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_identity_link_provider_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_identity_link_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_link"),
        sa.UniqueConstraint("identity_provider_id", "subject", name="uq_identity_link_identity_provider_id_subject"),
    )
    op.create_table(
        "identity_login",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("user_id", _KEY, nullable=False),
        sa.Column("identity_provider_id", _KEY, nullable=False),
        sa.Column("state_sha256", sa.String(length=64), nullable=False),
        sa.Column("proof_sha256", sa.String(length=64), nullable=False),
        sa.Column("factor_met", sa.Boolean(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["identity_provider_id"], ["identity_provider.id"], name="fk_identity_login_identity_provider_id"
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_identity_login_provider_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_identity_login_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_login"),
        sa.UniqueConstraint("state_sha256", name="uq_identity_login_state_sha256"),
    )
    for table, columns in {
        "identity_link": ("provider_id", "user_id"),
        "identity_login": ("provider_id", "user_id", "identity_provider_id", "expires_at"),
    }.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("identity_provider_id", _KEY, nullable=True))
        batch_op.add_column(sa.Column("second_factor_met", sa.Boolean(), server_default=sa.false(), nullable=False))


def contract() -> None:
    # A process of the last version expects at most one account for a username.
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_constraint("uq_user_account_username", type_="unique")
        batch_op.create_index("ix_user_account_username", ["username"])
        batch_op.create_unique_constraint("uq_user_account_provider_id_username", ["provider_id", "username"])


def downgrade() -> None:
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_constraint("uq_user_account_provider_id_username", type_="unique")
        batch_op.drop_index("ix_user_account_username")
        batch_op.create_unique_constraint("uq_user_account_username", ["username"])
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_column("second_factor_met")
        batch_op.drop_column("identity_provider_id")
    op.drop_table("identity_login")
    op.drop_table("identity_link")
    op.drop_table("identity_provider")
