"""Adds what taking mistakes back needs: returned and withdrawn evidence, and signatures by the rule of their day."""

import json

import sqlalchemy as sa
from alembic import op

import db.models.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

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
    _complete_units()


def downgrade() -> None:
    with op.batch_alter_table("unit_signature", schema=None) as batch_op:
        batch_op.drop_column("completes_unit")
    with op.batch_alter_table("signature_slot", schema=None) as batch_op:
        batch_op.drop_column("withdrawn_reason")
        batch_op.drop_column("withdrawn_at")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_column("withdrawn_reason")
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("returned_at")


def _complete_units() -> None:
    """Marks the signatures of units that have every signature that their provider requires today."""
    connection = op.get_bind()
    mark = sa.text(
        "UPDATE unit_signature SET completes_unit = true WHERE provider_id = :provider AND withdrawn_at IS NULL AND "
        "(SELECT count(*) FROM unit_signature AS other WHERE other.aim_id = unit_signature.aim_id AND other.unit_id = "
        "unit_signature.unit_id AND other.withdrawn_at IS NULL AND other.role IN :roles) = :required"
    ).bindparams(sa.bindparam("roles", expanding=True))
    for provider, roles in connection.execute(sa.text("SELECT id, unit_signatures FROM provider")).all():
        required = json.loads(roles) if isinstance(roles, str) else roles
        if required:
            connection.execute(mark, {"provider": provider, "roles": required, "required": len(required)})
