"""Adds links for people who sign one document without an account, and what evidence is searched by."""

import sqlalchemy as sa
from alembic import op

import db.models.base
from db.migration_batches import Fill, write_texts
from domain.text import fold_words

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("signature_slot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("guest_name", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("guest_email", sa.String(length=254), nullable=True))
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("search_text", sa.Text(), nullable=True))
    op.create_table(
        "guest_invitation",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("slot_id", _KEY, nullable=False),
        sa.Column("invited_by_id", _KEY, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("invited_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("opened_at", _TIME, nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("code_mac", sa.String(length=64), nullable=True),
        sa.Column("code_expires_at", _TIME, nullable=True),
        sa.Column("codes_sent", sa.Integer(), nullable=False),
        sa.Column("codes_since", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["invited_by_id"], ["user_account.id"], name=op.f("fk_guest_invitation_invited_by_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_guest_invitation_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_guest_invitation_provider_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["signature_slot.id"], name=op.f("fk_guest_invitation_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guest_invitation")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_guest_invitation_token_sha256")),
    )
    for column in ("provider_id", "learner_id", "slot_id", "invited_by_id", "expires_at"):
        op.create_index(f"ix_guest_invitation_{column}", "guest_invitation", [column])


def downgrade() -> None:
    op.drop_table("guest_invitation")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_column("search_text")
    with op.batch_alter_table("signature_slot", schema=None) as batch_op:
        batch_op.drop_column("guest_email")
        batch_op.drop_column("guest_name")


def _fold_evidence(connection: sa.Connection, first: int, last: int) -> None:
    """Stores what evidence is searched by; of an erased learner nothing."""
    rows = sa.text("SELECT id, title, description, search_text FROM evidence WHERE id BETWEEN :first AND :last")
    found = connection.execute(rows, {"first": first, "last": last}).all()
    folded = {row.id: fold_words(row.title, row.description) for row in found}
    changed = {row.id: folded[row.id] for row in found if row.search_text not in ("", folded[row.id])}
    write_texts(connection, "evidence", "search_text", changed)


fills = (Fill("evidence.search_text", "evidence", _fold_evidence),)
