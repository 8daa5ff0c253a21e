"""Alembic's environment, for `db.migrate.write_migration`: compares the mapped classes with a database."""

from typing import Any, Literal

from alembic import context
from alembic.operations.ops import CreateIndexOp, ModifyTableOps

from db.models.provider_keys import PROVIDER, stored_key, stored_reference_key
from db.models.registry import metadata


def _render(kind: str, key: Any, _: Any) -> str | Literal[False]:
    """The key of a new table, which the two databases write in different ways."""
    if kind != "primary_key" or PROVIDER not in stored_key(key.table, "postgresql"):
        return False
    columns, referred_to = list(key.columns.keys()), stored_reference_key(key.table, "sqlite") is not None
    if PROVIDER in columns:
        return False
    return (
        f"*db.models.provider_keys.key_constraints(op.get_bind().dialect.name, {key.table.name!r}, {columns!r}, "
        f"is_referred_to={referred_to})"
    )


def _is_declared(found: Any, name: str | None, kind: str, reflected: bool, _: Any) -> bool:
    """False for the unique index that foreign keys refer to: it follows from the mapped key."""
    if not reflected or kind not in ("index", "unique_constraint") or found.table.name not in metadata.tables:
        return True
    derived = stored_reference_key(metadata.tables[found.table.name], "sqlite")
    return derived is None or derived[0] != name


def _order_indexes(_: Any, __: Any, scripts: list[Any]) -> None:
    """Creates a table's index by provider before its others.

    Without statistics SQLite uses of two indexes that fit equally the one that was made last, and rows are looked up by
    another column than the provider.
    """

    def place(change: Any) -> int:
        return 0 if not isinstance(change, CreateIndexOp) else 1 if change.to_index().columns[0].name == PROVIDER else 2

    for changes in scripts[0].upgrade_ops.ops:
        if isinstance(changes, ModifyTableOps):
            changes.ops.sort(key=place)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=True,
    render_item=_render,
    include_object=_is_declared,
    process_revision_directives=_order_indexes,
)
with context.begin_transaction():
    context.run_migrations()
