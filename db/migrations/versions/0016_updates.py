"""Adds when records last changed, and which were deleted."""

import sqlalchemy as sa
from alembic import op

import db.models.base
from db.migration_batches import Fill

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)
# Table -> the type that the audit trail names, and a column that says when a record was made.
_MOVING = {
    "learner": ("Learner", "created_at"),
    "aim": ("Aim", "created_at"),
    "evidence": ("Evidence", "submitted_at"),
    "session": ("Session", None),
    "action": ("Action", "set_at"),
    "time_log_entry": ("TimeLogEntry", "added_at"),
    "signature_request": ("SignatureRequest", "requested_at"),
}


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    # What a process of an older version adds while both run is new when it is added.
    default = sa.text("'1970-01-01 00:00:00.000000'") if is_sqlite else sa.text("now()")
    for table in _MOVING:
        op.add_column(table, sa.Column("updated_at", _TIME, nullable=False, server_default=default))
    op.create_table(
        "deleted_record",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("aim_id", _KEY, nullable=True),
        sa.Column("record_type", sa.String(length=40), nullable=False),
        sa.Column("record_key", _KEY, nullable=False),
        sa.Column("deleted_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_record")),
    )
    op.create_index("ix_deleted_record_provider", "deleted_record", ["provider_id", "deleted_at", "id"])
    op.create_index("ix_deleted_record_learner_id", "deleted_record", ["learner_id"])


def downgrade() -> None:
    op.drop_table("deleted_record")
    for table in reversed(_MOVING):
        op.drop_column(table, "updated_at")


def _dating(table: str, type_name: str, made_at: str | None) -> Fill:
    """Stores when a record last changed by the audit trail; if that has nothing about it, when it was made.

    The triggers move a record that a process of the last version changes meanwhile, so this runs once.
    """
    # Of a learner any event, of another record those that name it.
    about = "learner_id = {0}.id" if table == "learner" else "subject_type = '{1}' AND subject_key = {0}.id"
    about = f"audit_event.provider_id = {table}.provider_id AND audit_event." + about.format(table, type_name)
    found = f"(SELECT max(at) FROM audit_event WHERE {about})"

    def date(connection: sa.Connection, first: int, last: int) -> None:
        moment = "strftime('%Y-%m-%d %H:%M:%f000', 'now')" if connection.dialect.name == "sqlite" else "now()"
        statement = f"UPDATE {table} SET updated_at = coalesce({found}, {made_at or moment}) WHERE id BETWEEN "
        connection.execute(sa.text(statement + ":first AND :last"), {"first": first, "last": last})

    return Fill(f"{table}.updated_at", table, date, again=False)


fills = tuple(_dating(table, type_name, made_at) for table, (type_name, made_at) in _MOVING.items())
