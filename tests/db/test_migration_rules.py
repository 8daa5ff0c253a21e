"""Every migration follows the rules: `upgrade` only adds, an index that is optional is only an index."""

import re

import pytest
from sqlalchemy import Connection, event, inspect

from db.database import Database
from db.migrate import contract, expand
from db.table_version import migrations
from tests.support.databases import Databases
from tests.support.migration_rules import UniqueKey, not_additive

INDEXES = re.compile("CREATE (UNIQUE )?INDEX CONCURRENTLY")
ALLOWED = [
    "CREATE TABLE a (id BIGINT NOT NULL)",
    "ALTER TABLE b ADD COLUMN c TEXT",
    "ALTER TABLE b ADD COLUMN c INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE b ADD CONSTRAINT fk_b FOREIGN KEY(c) REFERENCES a (id) NOT VALID",
    "ALTER TABLE b VALIDATE CONSTRAINT fk_b",
]
FORBIDDEN = {
    "ALTER TABLE b ADD COLUMN c TEXT NOT NULL": "nullable or have a server default",
    "ALTER TABLE b DROP COLUMN c": "only contract()",
    "ALTER TABLE b ALTER COLUMN c SET NOT NULL": "only contract()",
    "ALTER TABLE b RENAME COLUMN c TO d": "only contract()",
    "ALTER TABLE b ADD CONSTRAINT u UNIQUE (c)": "only contract()",
    "ALTER TABLE b ADD CONSTRAINT fk_b FOREIGN KEY(c) REFERENCES a (id)": "only contract()",
    "CREATE INDEX i ON b (c)": "postgresql_concurrently",
    "CREATE INDEX CONCURRENTLY i ON b (c)": "in_transaction",
    "DROP TABLE b": "only contract()",
    "DROP INDEX i": "only contract()",
    "DELETE FROM b": "only contract()",
    "UPDATE b SET c = 1": "`fills`",
    "INSERT INTO b (c) SELECT d FROM e": "`fills`",
}


async def recorded(databases: Databases) -> tuple[dict[str, list[str]], set[UniqueKey]]:
    """Runs all migrations on PostgreSQL; returns the statements of each `upgrade`, and the keys after the last one."""
    url = await databases._create("postgresql", None)
    database = Database(url)
    statements: dict[str, list[str]] = {}
    running: list[str] = []

    def record(_: object, __: object, statement: str, *___: object) -> None:
        if (
            running
            and "alembic_version" not in statement
            and not statement.startswith(("BEGIN", "COMMIT", "SET LOCAL"))
            # The triggers of `db/updated_at_triggers.py` are derived, and no part of a migration.
            and " moves_" not in statement
        ):
            statements[running[-1]].append(statement)

    def begin(line: str) -> None:
        running.append(line.partition(":")[0])
        statements[running[-1]] = []

    for engine in database.sync_engines:
        event.listen(engine, "before_cursor_execute", record)
    try:
        await expand(database, begin)
        running.clear()
        async with database.reading() as connection:
            keys = await connection.run_sync(unique_keys)
        await contract(database)
    finally:
        await database.close()
        await databases.drop(url)
    return statements, keys


def unique_keys(connection: Connection) -> set[UniqueKey]:
    """Returns the primary keys, unique constraints and unique indexes of all tables."""
    inspector = inspect(connection)
    keys: set[UniqueKey] = set()
    for (_, table), key in inspector.get_multi_pk_constraint().items():
        keys.add((table, frozenset(key["constrained_columns"]), None))
    for (_, table), indexes in inspector.get_multi_indexes().items():
        for index in indexes:
            if index["unique"]:
                where = index["dialect_options"].get("postgresql_where")
                keys.add((table, frozenset(map(str, index["column_names"])), where))
    return keys


async def test_each_migration_only_adds(databases: Databases):
    statements, keys = await recorded(databases)
    assert list(statements) == migrations().revisions
    for script in migrations().scripts:
        in_transaction = getattr(script.module, "in_transaction", True)
        found = [each for each in statements[script.revision] if not each.lstrip().upper().startswith("SELECT")]
        assert found and not_additive(found, in_transaction, keys) == [], script.revision
        if not in_transaction or not getattr(script.module, "required", True):
            assert all(INDEXES.match(each.lstrip()) for each in found), script.revision


def test_the_revisions_are_numbered():
    assert migrations().revisions == [f"{number:04}" for number in range(1, len(migrations().revisions) + 1)]


@pytest.mark.parametrize("statement", ALLOWED)
def test_an_addition_is_allowed(statement: str):
    assert not_additive([statement]) == []


@pytest.mark.parametrize(("statement", "reason"), FORBIDDEN.items())
def test_anything_else_is_refused(statement: str, reason: str):
    [found] = not_additive([statement])
    assert reason in found


def test_a_new_table_may_have_any_index():
    assert (
        not_additive(["CREATE TABLE b (c TEXT)", "CREATE UNIQUE INDEX i ON b (c)", "ALTER TABLE b ADD UNIQUE (c)"])
        == []
    )


def test_a_unique_index_may_contain_a_key():
    keys: set[UniqueKey] = {("b", frozenset(["c"]), None), ("b", frozenset(["e"]), "(f IS NULL)")}
    contains = "CREATE UNIQUE INDEX CONCURRENTLY i ON b ({}, d){}"
    for columns, where, is_allowed in (
        ("c", "", True), ("e", " WHERE (f IS NULL)", True), ("e", "", False), ("x", "", False),
    ):  # fmt: skip
        found = not_additive([contains.format(columns, where)], in_transaction=False, keys=keys)
        assert (found == []) is is_allowed, columns
    assert not_additive(["CREATE UNIQUE INDEX CONCURRENTLY i ON b (c)"], in_transaction=False, keys=keys)
