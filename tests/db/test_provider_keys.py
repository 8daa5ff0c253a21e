"""The provider is in every key, of the mapped classes and of both databases, and each foreign key checks it."""

from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    insert,
    inspect,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.base import referred_table
from db.models.provider_keys import PROVIDER, SAME_PROVIDER, key_constraints
from db.models.registry import mapped_classes, metadata
from tests.support.database_keys import any_value, declared_keys, stored_keys


def test_a_class_without_a_provider_says_why() -> None:
    for entity in mapped_classes():
        assert (PROVIDER in entity.__table__.columns) is (entity.__without_provider__ is None), entity.__name__


def test_every_key_of_the_mapped_classes_has_the_provider() -> None:
    for table in metadata.tables.values():
        if PROVIDER not in table.columns:
            continue
        for column in table.columns:
            assert column.name == PROVIDER or SAME_PROVIDER in column.info or not column.foreign_keys, column
        for constraint in table.foreign_key_constraints:
            assert PROVIDER in constraint.columns, constraint.name
        assert all(PROVIDER in index.columns for index in table.indexes if index.unique), table.name


async def test_the_database_has_the_keys_that_are_declared(database: Database, backend: str) -> None:
    async with database.reading(primary=True) as connection:
        found = await connection.run_sync(stored_keys)
    for name, table in metadata.tables.items():
        assert found[name] == declared_keys(table, backend), name
        if entity_has_provider(table):
            key, uniques, references = found[name]
            is_place = len(key) == 1 and (backend == "sqlite" or name == "sign_in")
            assert PROVIDER in key or is_place, name
            assert all(PROVIDER in columns for columns in uniques.values()), name
            assert all(PROVIDER in columns for columns, _, _ in references.values()), name


def entity_has_provider(table: Table) -> bool:
    """Whether the rows of a table belong to a provider."""
    return PROVIDER in table.columns


def _plans(connection: Connection) -> dict[str, str]:
    """How SQLite finds the rows that refer to one that is deleted, where their column has an index of its own."""
    plans: dict[str, str] = {}
    for name, table in metadata.tables.items():
        leading = {next(iter(index.columns)).name for index in table.indexes if len(index.columns) == 1}
        for reference in table.foreign_key_constraints:
            columns = reference.column_keys
            if len(columns) > 1 and columns[0] in leading:
                where = " AND ".join(f"{column} = 1" for column in columns)
                found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT 1 FROM {name} WHERE {where}")
                plans[f"{name}.{columns[0]}"] = found.all()[0].detail
    return plans


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_sqlite_finds_what_refers_to_a_row_by_its_index(database: Database) -> None:
    """Also without statistics, which a new installation lacks: never among all rows of the provider."""
    async with database.reading(primary=True) as connection:
        plans = await connection.run_sync(_plans)
    assert len(plans) > 80
    for column, plan in plans.items():
        assert f"({column.partition('.')[2]}=?" in plan, f"{column}: {plan}"


class _Rows:
    """Adds rows without meaning that refer to new rows of the same provider only."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def values(self, table: Table, provider: int) -> dict[str, Any]:
        """Returns what a new row of the table can hold; adds the rows that it refers to."""
        values: dict[str, Any] = {}
        for column in table.columns:
            if column.name == PROVIDER:
                values[column.name] = provider
            elif target := column.info.get(SAME_PROVIDER):
                values[column.name] = await self.add(target.partition(".")[0], provider)
            elif column.autoincrement is not True and not column.nullable:
                values[column.name] = any_value(column)
        return values

    async def add(self, name: str, provider: int) -> int:
        """Adds a row of a table, and returns its key; what it need not refer to stays out."""
        table = metadata.tables[name]
        values: dict[str, Any] = {PROVIDER: provider} if PROVIDER in table.columns else {}
        for column in table.columns:
            if column.name == PROVIDER or column.nullable or column.autoincrement is True:
                continue
            if target := column.info.get(SAME_PROVIDER):
                values[column.name] = await self.add(target.partition(".")[0], provider)
            else:
                values[column.name] = any_value(column)
        added = await self._session.execute(insert(table).values(values))
        return int(added.inserted_primary_key[0])

    async def refused(self, statement: Any) -> bool:
        """Whether the database refuses a statement because of a foreign key."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(statement)
        except IntegrityError as error:
            assert "foreign key" in str(error.orig).lower(), error.orig
            return True
        return False


async def test_each_foreign_key_refuses_a_row_of_another_provider(database: Database) -> None:
    tried = set()
    async with database.writing() as session:
        rows = _Rows(session)
        here, there = [await rows.add("provider", 0) for _ in range(2)]
        foreign: dict[str, int] = {}
        for table in metadata.sorted_tables:
            references = [column for column in table.columns if SAME_PROVIDER in column.info]
            if not entity_has_provider(table) or not references:
                continue
            values = await rows.values(table, here)
            for column in references:
                target = str(referred_table(column))
                if target not in foreign:
                    foreign[target] = await rows.add(target, there)
                changed = insert(table).values({**values, column.name: foreign[target]})
                assert await rows.refused(changed), f"insert: {column}"
            # The same row is accepted if all that it refers to is of its provider.
            key = (await session.execute(insert(table).values(values))).inserted_primary_key
            this = [column == value for column, value in zip(table.primary_key, key, strict=True)]
            for column in references:
                changed = update(table).where(*this).values({column.name: foreign[str(referred_table(column))]})
                assert await rows.refused(changed), f"update: {column}"
                tried.add(column)
            assert await rows.refused(update(table).where(*this).values({PROVIDER: there})), table.name
        await session.rollback()
        await session.begin()
    declared = {
        column for table in metadata.tables.values() for column in table.columns if SAME_PROVIDER in column.info
    }
    # Of tables without a provider.
    tables = metadata.tables
    assert declared - tried == {
        tables["refresh_token"].c.sign_in_id, tables["client_document"].c.trusted_document_id,
    }  # fmt: skip


async def test_the_key_of_a_new_table_has_the_provider(database: Database, backend: str) -> None:
    def make(connection: Connection) -> None:
        for name, key, is_referred_to in (("tool", ["id"], True), ("tool_use", ["tool_id", "day"], False)):
            columns = [Column(each, Integer, nullable=False) for each in (*key, PROVIDER)]
            Table(name, MetaData(), *columns, *key_constraints(backend, name, key, is_referred_to)).create(connection)
        connection.execute(text("INSERT INTO tool (id, provider_id) VALUES (1, 2)"))
        reference = "FOREIGN KEY (tool_id, provider_id) REFERENCES tool (id, provider_id)"
        connection.execute(text(f"CREATE TABLE tool_part (tool_id BIGINT, provider_id BIGINT, {reference})"))
        connection.execute(text("INSERT INTO tool_part VALUES (1, 2)"))
        assert PROVIDER in inspect(connection).get_pk_constraint("tool_use")["constrained_columns"]
        with pytest.raises(IntegrityError):
            connection.execute(text("INSERT INTO tool_part VALUES (1, 3)"))

    async with database.writing() as session:
        await (await session.connection()).run_sync(make)
        await session.rollback()
        await session.begin()
