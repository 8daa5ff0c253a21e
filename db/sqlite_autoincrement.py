"""Keys that are never given twice, on SQLite too: a deleted row's key is not that of the next row.

SQLite reuses the highest key unless the column says AUTOINCREMENT, which no ALTER TABLE can add. PostgreSQL's sequences
never go back.
"""

import re
from collections.abc import Iterator

from sqlalchemy import Connection, Table, text

from db.models.audit_event import AuditEvent
from db.models.registry import mapped_classes

_COLUMN = re.compile(r'(\s"?id"? INTEGER) NOT NULL', re.IGNORECASE)
_CONSTRAINT = re.compile(r',\s*(?:CONSTRAINT "?\w+"? )?PRIMARY KEY \("?id"?\)', re.IGNORECASE)


def numbered_tables() -> Iterator[tuple[Table, str | None]]:
    """Yields every table whose keys the database gives, with the GraphQL type of its rows if they are entities."""
    for entity in mapped_classes():
        keys = list(entity.__table__.primary_key.columns)
        if len(keys) == 1 and keys[0].autoincrement is True:
            yield entity.__table__, entity.__entity__.type_name if entity.__entity__ else None


def never_reuse_keys(connection: Connection) -> None:
    """Makes every table of a SQLite database that reuses keys number its rows once; does nothing on PostgreSQL.

    Changes the text of the schema, as SQLite's documentation describes: the rows stay where they are. Keys that the
    audit trail names of deleted rows are not given again either.
    """
    if connection.dialect.name != "sqlite":
        return
    changed = [each for each in numbered_tables() if _change_schema(connection, each[0].name)]
    if not changed:
        return
    # Reads the changed schema again. The table of the counters exists as soon as one table has a counter.
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
    connection.exec_driver_sql("CREATE TABLE _counted (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    connection.exec_driver_sql("DROP TABLE _counted")
    for table, type_name in changed:
        connection.execute(
            text(
                f"INSERT INTO sqlite_sequence (name, seq) SELECT '{table.name}', max("
                f"coalesce((SELECT max(id) FROM {table.name}), 0), "
                f"coalesce((SELECT max(subject_key) FROM {AuditEvent.__tablename__} WHERE subject_type = :type), 0))"
            ),
            {"type": type_name},
        )


def _change_schema(connection: Connection, table: str) -> bool:
    """Gives the key of a table AUTOINCREMENT in the text of the schema. Returns whether it had to."""
    sql = connection.execute(
        text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table"), {"table": table}
    ).scalar()
    if sql is None or "AUTOINCREMENT" in sql.upper():
        return False
    changed, columns = _COLUMN.subn(r"\1 PRIMARY KEY AUTOINCREMENT NOT NULL", sql, count=1)
    changed, constraints = _CONSTRAINT.subn("", changed, count=1)
    if (columns, constraints) != (1, 1):
        raise RuntimeError(f"the key of the table {table} is not declared as expected")
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(
        text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"),
        {"sql": changed, "table": table},
    )
    return True
