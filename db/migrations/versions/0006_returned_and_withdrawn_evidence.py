"""Adds what taking mistakes back needs: returned and withdrawn evidence, and signatures by the rule of their day."""

import json

import sqlalchemy as sa
from alembic import op

import db.models.base
from db.migration_batches import Fill, write_texts
from domain.text import fold_name

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Table, the column with the name, and the column in which it is sorted and searched.
_FOLDED = (
    ("user_account", "name", "sort_name"), ("employer", "name", "sort_name"),
    ("qualification", "title", "sort_title"),
)  # fmt: skip
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("returned_at", _TIME, nullable=True))
        batch_op.add_column(sa.Column("withdrawn_at", _TIME, nullable=True))
        batch_op.add_column(sa.Column("withdrawn_reason", sa.Text(), nullable=True))
    with op.batch_alter_table("signature_slot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withdrawn_at", _TIME, nullable=True))
        batch_op.add_column(sa.Column("withdrawn_reason", sa.Text(), nullable=True))
    with op.batch_alter_table("unit_signature", schema=None) as batch_op:
        # The default is for processes of the previous version, which do not know the column.
        batch_op.add_column(sa.Column("completes_unit", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("one_time_token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("new_email", sa.String(length=254), nullable=True))
    with op.batch_alter_table("outbox_mail", schema=None) as batch_op:
        batch_op.add_column(sa.Column("calendar", sa.Text(), nullable=True))
    op.create_table(
        "change_reason",
        sa.Column("audit_event_id", _KEY, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["audit_event_id"], ["audit_event.id"], name="fk_change_reason_audit_event_id"),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name="fk_change_reason_learner_id"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_change_reason_provider_id"),
        sa.PrimaryKeyConstraint("audit_event_id", name="pk_change_reason"),
    )
    with op.batch_alter_table("change_reason", schema=None) as batch_op:
        batch_op.create_index("ix_change_reason_learner_id", ["learner_id"])
        batch_op.create_index("ix_change_reason_provider_id", ["provider_id"])


def downgrade() -> None:
    op.drop_table("change_reason")
    with op.batch_alter_table("outbox_mail", schema=None) as batch_op:
        batch_op.drop_column("calendar")
    with op.batch_alter_table("one_time_token", schema=None) as batch_op:
        batch_op.drop_column("new_email")
    with op.batch_alter_table("unit_signature", schema=None) as batch_op:
        batch_op.drop_column("completes_unit")
    with op.batch_alter_table("signature_slot", schema=None) as batch_op:
        batch_op.drop_column("withdrawn_reason")
        batch_op.drop_column("withdrawn_at")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_column("withdrawn_reason")
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("returned_at")


def _folding(table: str, name: str, sort_name: str) -> Fill:
    """Folds names again: letters that do not decompose, apostrophes and hyphens are folded too by now."""
    read = sa.text(f"SELECT id, {name} AS name, {sort_name} AS folded FROM {table} WHERE id BETWEEN :first AND :last")

    def fold(connection: sa.Connection, first: int, last: int) -> None:
        rows = connection.execute(read, {"first": first, "last": last}).all()
        changed = {row.id: folded for row in rows if row.folded != (folded := fold_name(row.name))}
        write_texts(connection, table, sort_name, changed)

    return Fill(f"{table}.{sort_name}", table, fold)


# Processes of this version store in the audit trail whether a signature completes its unit.
_COMPLETED = sa.text(
    "UPDATE unit_signature SET completes_unit = true WHERE id BETWEEN :first AND :last AND provider_id = :provider "
    "AND completes_unit = false AND withdrawn_at IS NULL AND "
    "(SELECT count(*) FROM unit_signature AS other WHERE other.aim_id = unit_signature.aim_id AND other.unit_id = "
    "unit_signature.unit_id AND other.withdrawn_at IS NULL AND other.role IN :roles) = :required AND NOT EXISTS "
    "(SELECT 1 FROM audit_event AS event WHERE event.aim_id = unit_signature.aim_id AND event.subject_part = "
    "unit_signature.unit_id AND event.role = unit_signature.role AND CAST(event.detail AS TEXT) LIKE '%completes_unit%')"
).bindparams(sa.bindparam("roles", expanding=True))


def _complete_units(connection: sa.Connection, first: int, last: int) -> None:
    """Marks the signatures of units that have every signature that their provider requires today."""
    providers = sa.text(
        "SELECT id, unit_signatures FROM provider WHERE id IN "
        "(SELECT provider_id FROM unit_signature WHERE id BETWEEN :first AND :last)"
    )
    for provider, roles in connection.execute(providers, {"first": first, "last": last}).all():
        required = json.loads(roles) if isinstance(roles, str) else roles
        if required:
            batch = {"first": first, "last": last, "provider": provider}
            connection.execute(_COMPLETED, {**batch, "roles": required, "required": len(required)})


fills = (
    Fill("unit_signature.completes_unit", "unit_signature", _complete_units),
    *(_folding(table, name, sort_name) for table, name, sort_name in _FOLDED),
)
