"""Has the database note when a record last changed, and which records were deleted, however they are written.

Triggers are derived from the mapped classes. Of a class with a column `updated_at_column()`, a row whose columns change
moves. A row of any class with a `__part__` that is added, changed or deleted moves every such row that it refers to: a
signature moves its document, a mapping its evidence, its aim and its learner. `migrate` installs them after each run.

On PostgreSQL the time is that of the transaction's start, so that a record moves once in a transaction.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import JSON

from db.models.base import COUNTER, Base, referred_table
from db.models.registry import mapped_classes
from db.models.updated_at import DeletedRecord, is_updated_at

_PREFIX = "moves_"
_NOW = {"postgresql": "now()", "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now')"}
_BEFORE_NOW = "updated_at < {now}"


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger of a table. `statements` create it; the name changes with them."""

    table: str
    name: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Owner:
    """The rows that move with a row: those of `table` whose `key` is the row's `column`."""

    table: str
    key: str
    column: str


def moving_classes() -> list[type[Base]]:
    """Every class whose rows say when they last changed."""
    return [each for each in mapped_classes() if any(map(is_updated_at, each.__table__.columns))]


def triggers(dialect: str) -> list[Trigger]:
    """Every trigger, for "postgresql" or "sqlite"."""
    moving = {each.__tablename__: each for each in moving_classes()}
    return [each for entity in mapped_classes() for each in _triggers_of(entity, moving, dialect)]


def install(connection: Connection) -> None:
    """Creates the triggers that are missing and drops those that are no longer derived.

    Leaves out tables that the database does not have yet.
    """
    for statements in changes(connection).values():
        for statement in statements:
            connection.exec_driver_sql(statement)


def changes(connection: Connection) -> dict[str, list[str]]:
    """Returns the statements of `install` by their table."""
    dialect = connection.dialect.name
    tables = set(inspect(connection).get_table_names()) if _is_migrated(connection) else set()
    wanted = {each.name: each for each in triggers(dialect) if each.table in tables}
    existing = _existing(connection)
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(existing.keys() - wanted.keys()):
        found[existing[name]] += _dropping(dialect, name, existing[name])
    for name in sorted(wanted.keys() - existing.keys()):
        found[wanted[name].table] += wanted[name].statements
    return found


def remove(connection: Connection) -> None:
    """Drops all triggers: SQLite cannot rebuild a table that one of them names, and bulk loads need none."""
    for name, table in _existing(connection).items():
        for statement in _dropping(connection.dialect.name, name, table):
            connection.exec_driver_sql(statement)


# ---------------------------------------------------------------------- what is derived


def _owners(entity: type[Base], moving: dict[str, type[Base]]) -> list[_Owner]:
    """The rows that move with a row of a class. `moving`: `moving_classes` by their tables."""
    found: list[_Owner] = []
    if entity.__part__ is None or entity.__internal__:
        return found
    for column in entity.__table__.columns:
        if (table := referred_table(column)) in moving:
            found.append(_Owner(str(table), "id", column.name))
    for table, owner in moving.items():
        # The account of a learner: the learner refers to it, and to nobody else's.
        for column in owner.__table__.columns:
            if column.unique and referred_table(column) == entity.__tablename__:
                found.append(_Owner(table, column.name, "id"))
    return sorted(found, key=lambda each: (each.table, each.column))


def _compared(entity: type[Base]) -> list[Column[Any]]:
    """The columns whose change moves a record: not those that only count, nor those that only Waymark reads."""
    version = entity.__mapper__.version_id_col
    return [
        column
        for column in entity.__table__.columns
        if not (
            column.primary_key
            or column is version
            or column.info is COUNTER
            or is_updated_at(column)
            or column.name in entity.__unread__
        )
    ]


def _changed(entity: type[Base], dialect: str) -> str:
    differ = "IS DISTINCT FROM" if dialect == "postgresql" else "IS NOT"
    return " OR ".join(
        f"{_compared_value(column, 'OLD', dialect)} {differ} {_compared_value(column, 'NEW', dialect)}"
        for column in _compared(entity)
    )


def _compared_value(column: Column[Any], row: str, dialect: str) -> str:
    # PostgreSQL compares no JSON.
    cast = "::text" if dialect == "postgresql" and isinstance(column.type, JSON) else ""
    return f"{row}.{postgresql.dialect().identifier_preparer.quote(column.name)}{cast}"


def _triggers_of(entity: type[Base], moving: dict[str, type[Base]], dialect: str) -> Iterator[Trigger]:
    table, owners = entity.__tablename__, _owners(entity, moving)
    changed = _changed(entity, dialect)
    if table in moving:
        yield _trigger(dialect, table, "own", "BEFORE UPDATE", changed, [])
        yield _trigger(dialect, table, "gone", "AFTER DELETE", "", [_tombstone(entity, dialect)])
    if owners:
        new, old = ([_touch(owner, row, dialect) for owner in owners] for row in ("NEW", "OLD"))
        # References rarely change: those that did not are moved once.
        both = new + [
            f"{_touch(owner, 'OLD', dialect)} AND OLD.{owner.column} <> NEW.{owner.column}"
            for owner in owners
            if owner.column != "id"
        ]
        yield _trigger(dialect, table, "added", "AFTER INSERT", "", new)
        yield _trigger(dialect, table, "changed", "AFTER UPDATE", changed, both)
        yield _trigger(dialect, table, "deleted", "AFTER DELETE", "", old)


def _touch(owner: _Owner, row: str, dialect: str) -> str:
    now = _NOW[dialect]
    return (
        f"UPDATE {owner.table} SET updated_at = {now} "
        f"WHERE {owner.key} = {row}.{owner.column} AND {_BEFORE_NOW.format(now=now)}"
    )


def _tombstone(entity: type[Base], dialect: str) -> str:
    columns = entity.__table__.columns
    learner = "OLD.learner_id" if "learner_id" in columns else "OLD.id"
    aim = "OLD.aim_id" if "aim_id" in columns else "NULL"
    return (
        f"INSERT INTO {DeletedRecord.__tablename__} "
        "(provider_id, learner_id, aim_id, record_type, record_key, deleted_at) "
        f"VALUES (OLD.provider_id, {learner}, {aim}, '{entity.type_name()}', OLD.id, {_NOW[dialect]})"
    )


# ---------------------------------------------------------------------- SQL of the two databases


def _trigger(dialect: str, table: str, kind: str, event: str, condition: str, body: list[str]) -> Trigger:
    digest = hashlib.sha256(f"{event} {condition} {body}".encode()).hexdigest()[:8]
    name = f"{_PREFIX}{table}_{kind}_{digest}"
    when = f"WHEN ({condition})" if condition else ""
    if dialect == "postgresql":
        result = "NULL" if body else "NEW"
        work = "; ".join(body) or "NEW.updated_at := greatest(NEW.updated_at, now())"
        return Trigger(
            table,
            name,
            (
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {work}; RETURN {result}; END $$",
                f"CREATE TRIGGER {name} {event} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION {name}()",
            ),
        )
    if not body:
        now = _NOW[dialect]
        event, body = (
            "AFTER UPDATE",
            [f"UPDATE {table} SET updated_at = max(updated_at, {now}) WHERE id = NEW.id"],
        )
    return Trigger(
        table,
        name,
        (f"CREATE TRIGGER {name} {event} ON {table} FOR EACH ROW {when} BEGIN {'; '.join(body)}; END",),
    )


def _is_migrated(connection: Connection) -> bool:
    tables, inspector = [each.__tablename__ for each in moving_classes()], inspect(connection)
    return inspector.has_table(DeletedRecord.__tablename__) and all(
        any(column["name"] == "updated_at" for column in inspector.get_columns(table)) for table in tables
    )


def _existing(connection: Connection) -> dict[str, str]:
    """Trigger -> table."""
    sql = (
        "SELECT name, tbl_name AS table_name FROM sqlite_master "
        f"WHERE type = 'trigger' AND substr(name, 1, 6) = '{_PREFIX}'"
    )
    if connection.dialect.name == "postgresql":
        sql = (
            "SELECT tgname AS name, relname AS table_name FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            f"WHERE NOT tgisinternal AND left(tgname, 6) = '{_PREFIX}' AND pg_table_is_visible(tgrelid)"
        )
    return {row.name: row.table_name for row in connection.exec_driver_sql(sql)}


def _dropping(dialect: str, name: str, table: str) -> list[str]:
    if dialect == "sqlite":
        return [f"DROP TRIGGER {name}"]
    return [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"]
