"""Puts the provider into every key, so that the database refuses a row that refers to another provider's.

What is changed follows from the tables that the database has: each with a `provider_id`. `upgrade` checks the rows and
makes the unique indexes, which contain keys of today and so refuse nothing. `contract` replaces the constraints.
"""

import re
from typing import Any, NamedTuple

from alembic import op
from sqlalchemy import Connection, inspect, text

from db.migration_locks import COUNT_STATEMENT, LOCK_MILLISECONDS, MigrationBlocked

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

in_transaction = False
contract_in_transaction = False

_PROVIDER = "provider_id"


class _Reference(NamedTuple):
    """A foreign key of one column."""

    name: str
    table: str
    column: str
    target: str
    key: str

    @property
    def new_name(self) -> str:
        return f"fk_{self.table}_{self.column}_{_PROVIDER}"


class _Unique(NamedTuple):
    """A unique constraint (also the primary key) or index that gets the provider. `adds`: it replaces none."""

    table: str
    name: str
    columns: list[str]
    kind: str
    where: str | None = None
    adds: bool = False

    @property
    def new_name(self) -> str:
        return self.name if self.adds else f"{self.name}_new"


class _Catalogue:
    """What the keys of the tables with a provider are now."""

    def __init__(self, connection: Connection) -> None:
        inspector = inspect(connection)
        self.is_sqlite = connection.dialect.name == "sqlite"
        columns = {name: [each["name"] for each in found] for (_, name), found in inspector.get_multi_columns().items()}
        self.tables = sorted(name for name, found in columns.items() if _PROVIDER in found)
        self.keys = {
            name: found["constrained_columns"] for (_, name), found in inspector.get_multi_pk_constraint().items()
        }
        self.references: list[_Reference] = []
        # The tables that a row without a provider refers to keep their keys.
        by_key_alone = set()
        self.replaced: dict[str, set[str]] = {}
        for (_, table), found in inspector.get_multi_foreign_keys().items():
            self.replaced[table] = {str(each["name"]) for each in found}
            for each in found:
                target = each["referred_table"]
                if len(each["constrained_columns"]) > 1 or target not in self.tables:
                    continue
                if table not in self.tables:
                    by_key_alone.add(target)
                    continue
                [column], [key] = each["constrained_columns"], each["referred_columns"]
                self.references.append(_Reference(str(each["name"]), table, column, target, key))
        self.referred = {reference.target for reference in self.references}
        self.uniques = [*self._keys(by_key_alone), *self._constraints(inspector), *self._indexes(inspector)]

    def _keys(self, by_key_alone: set[str]) -> list[_Unique]:
        found = []
        for table in self.tables:
            key = self.keys[table]
            # On SQLite a key of one number is the place of the row in the file.
            stays = table in by_key_alone or (self.is_sqlite and len(key) == 1)
            if _PROVIDER in key:
                continue
            if not stays:
                found.append(_Unique(table, f"pk_{table}", [*key, _PROVIDER], "PRIMARY KEY"))
            elif table in self.referred:
                columns = [*key, _PROVIDER]
                found.append(_Unique(table, "_".join(["uq", table, *columns]), columns, "UNIQUE", adds=True))
        return found

    def _constraints(self, inspector: Any) -> list[_Unique]:
        return [
            _Unique(table, each["name"], [*each["column_names"], _PROVIDER], "UNIQUE")
            for (_, table), found in sorted(inspector.get_multi_unique_constraints().items())
            for each in found
            if table in self.tables and _PROVIDER not in each["column_names"]
        ]

    def _indexes(self, inspector: Any) -> list[_Unique]:
        return [
            _Unique(
                table,
                each["name"],
                [*each["column_names"], _PROVIDER],
                "INDEX",
                each.get("dialect_options", {}).get("postgresql_where"),
            )
            for (_, table), found in sorted(inspector.get_multi_indexes().items())
            for each in found
            if each["unique"]
            and table in self.tables
            and _PROVIDER not in each["column_names"]
            and "duplicates_constraint" not in each
        ]


def upgrade() -> None:
    connection = op.get_bind()
    catalogue = _Catalogue(connection)
    _check_rows(connection, catalogue)
    if catalogue.is_sqlite:
        for each in catalogue.uniques:
            if each.adds:
                columns = ", ".join(each.columns)
                op.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {each.name} ON {each.table} ({columns})")
    else:
        _make_indexes(connection, catalogue)


def contract() -> None:
    connection = op.get_bind()
    catalogue = _Catalogue(connection)
    _check_rows(connection, catalogue)
    if catalogue.is_sqlite:
        _rebuild_tables(connection, catalogue)
        return
    # Tables of later migrations too; and a key that another migration has removed since needs no successor.
    _make_indexes(connection, catalogue)
    needed = {each.new_name for each in catalogue.uniques}
    for name in _made_indexes(connection):
        if name.endswith("_new") and name not in needed:
            op.execute(f"DROP INDEX CONCURRENTLY {name}")
    _add_references(connection, catalogue)
    _drop_references(connection, catalogue)
    _replace_keys(connection, catalogue)


def _check_rows(connection: Connection, catalogue: _Catalogue) -> None:
    """Raises MigrationBlocked if a row refers to another provider's, before anything is changed."""
    if connection.scalar(text("SELECT count(*) FROM provider")) < 2:
        return
    problems = []
    for table, column, target, key in ((each.table, *each[2:]) for each in catalogue.references):
        own_key = ", ".join(f"child.{name}" for name in catalogue.keys[table])
        rows = connection.execute(
            text(
                f'SELECT {own_key} FROM "{table}" AS child JOIN "{target}" AS parent ON parent.{key} = child.{column} '
                f"WHERE parent.{_PROVIDER} <> child.{_PROVIDER} LIMIT 3"
            )
        ).all()
        problems += [f"{table} {'/'.join(map(str, row))} ({column})" for row in rows]
    if problems:
        raise MigrationBlocked(
            f"Migration {revision}: rows refer to rows of another training provider: {', '.join(problems[:20])}. "
            "Nothing was changed. Correct these rows, and run `server.py migrate` again."
        )


def _make_indexes(connection: Connection, catalogue: _Catalogue) -> None:
    """Makes the unique indexes on PostgreSQL while the tables are written; one that an interrupted run left is whole."""
    made = _made_indexes(connection)
    for each in catalogue.uniques:
        if made.get(each.new_name):
            continue
        if each.new_name in made:
            op.execute(f"DROP INDEX CONCURRENTLY {each.new_name}")
        where = f" WHERE {each.where}" if each.where else ""
        columns = ", ".join(each.columns)
        op.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {each.new_name} ON {each.table} ({columns}){where}")


def _made_indexes(connection: Connection) -> dict[str, bool]:
    """Returns the names of the indexes that `upgrade` made, and whether each is whole."""
    sql = "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname ~ :names"
    rows = connection.execute(text(sql), {"names": f"^(pk|uq)_.*(_new|_{_PROVIDER})$"})
    return {row.relname: row.indisvalid for row in rows}


def _add_references(connection: Connection, catalogue: _Catalogue) -> None:
    for table in catalogue.tables:
        new = [each for each in catalogue.references if each.table == table]
        missing = [each for each in new if each.new_name not in catalogue.replaced[table]]
        for each in missing:
            _briefly(
                connection,
                f"ALTER TABLE {table} ADD CONSTRAINT {each.new_name} FOREIGN KEY ({each.column}, {_PROVIDER}) "
                f"REFERENCES {each.target} ({each.key}, {_PROVIDER}) NOT VALID",
            )
        for each in new:
            # Requests read and write meanwhile.
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {each.new_name}")


def _drop_references(connection: Connection, catalogue: _Catalogue) -> None:
    for each in catalogue.references:
        _briefly(connection, f"ALTER TABLE {each.table} DROP CONSTRAINT {each.name}")


def _replace_keys(connection: Connection, catalogue: _Catalogue) -> None:
    for each in catalogue.uniques:
        if each.adds:
            continue
        if each.kind == "INDEX":
            _briefly(connection, f"DROP INDEX {each.name}", f"ALTER INDEX {each.new_name} RENAME TO {each.name}")
        else:
            _briefly(
                connection,
                f"ALTER TABLE {each.table} DROP CONSTRAINT {each.name}",
                f"ALTER TABLE {each.table} ADD CONSTRAINT {each.name} {each.kind} USING INDEX {each.new_name}",
            )


def _briefly(connection: Connection, *statements: str) -> None:
    """Runs statements in one transaction that gives up when it does not get its locks at once.

    `contract` is then called again, and passes over what is done: so each transaction has all attempts to itself.
    """
    connection.exec_driver_sql("BEGIN")
    try:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    op.get_context().opts[COUNT_STATEMENT]()


def _rebuild_tables(connection: Connection, catalogue: _Catalogue) -> None:
    """Writes each table again as SQLite's documentation describes: no ALTER TABLE changes a constraint.

    The triggers are away meanwhile (`db/migrate.py`).
    """
    made = {row.name: row.sql for row in connection.execute(text("SELECT name, sql FROM sqlite_master"))}
    numbers = {row.name: row.seq for row in connection.execute(text("SELECT name, seq FROM sqlite_sequence"))}
    indexes = connection.execute(
        text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    ).all()
    # Of two that fit equally SQLite uses the one that was made last, unless it has statistics: an index by provider, which
    # leads to all rows of the provider, comes first.
    indexes = sorted(indexes, key=lambda each: f"({_PROVIDER}" not in each.sql)
    for table in catalogue.tables:
        changed = _changed_table(made[table], table, catalogue)
        if changed == made[table]:
            continue
        connection.exec_driver_sql(changed)
        connection.exec_driver_sql(f'INSERT INTO "{table}_new" SELECT * FROM "{table}"')
        connection.exec_driver_sql(f'DROP TABLE "{table}"')
        connection.exec_driver_sql(f'ALTER TABLE "{table}_new" RENAME TO "{table}"')
        for name, _, sql in (each for each in indexes if each.tbl_name == table):
            unique = next((each for each in catalogue.uniques if each.name == name and each.kind == "INDEX"), None)
            if unique is not None:
                sql = re.sub(r"\(([^()]*)\)", rf"(\1, {_PROVIDER})", sql, count=1)
            connection.exec_driver_sql(sql)
        if table in numbers:
            # Keys of deleted rows are not given again.
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
            connection.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"),
                {"name": table, "seq": numbers[table]},
            )


def _changed_table(sql: str, table: str, catalogue: _Catalogue) -> str:
    """Returns the definition of a table under the name of its successor, or the same text if it has all keys."""

    def reference(found: re.Match[str]) -> str:
        column, target, key = found[2], found[3], found[4]
        if target not in catalogue.tables:
            return found[0]
        return (
            f"CONSTRAINT fk_{table}_{column}_{_PROVIDER} FOREIGN KEY({column}, {_PROVIDER}) "
            f"REFERENCES {target} ({key}, {_PROVIDER})"
        )

    def unique(found: re.Match[str]) -> str:
        columns = [column.strip() for column in found[2].split(",")]
        if _PROVIDER in columns or (found[1].startswith("PRIMARY") and len(columns) == 1):
            return found[0]
        return f"{found[1]} ({', '.join([*columns, _PROVIDER])})"

    changed = re.sub(
        r'(CONSTRAINT "?\w+"? )?FOREIGN KEY ?\("?(\w+)"?\) REFERENCES "?(\w+)"? \("?(\w+)"?\)', reference, sql
    )
    changed = re.sub(r"(UNIQUE|PRIMARY KEY) \(([^()]*)\)", unique, changed)
    if changed == sql:
        return sql
    return re.sub(rf'^CREATE TABLE "?{table}"?', f'CREATE TABLE "{table}_new"', changed, count=1)
