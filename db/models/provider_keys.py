"""The training provider in every key, so that a row can refer to rows of its own provider only.

Derived for each table with a `provider_id` as it is declared; a model repeats nothing of it. The database refuses a row
that refers to another provider's, and a table can be partitioned or distributed by provider.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Constraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.sql.elements import conv

PROVIDER = "provider_id"
# The `info` of a column that refers to a row of the same provider: the table and its key.
SAME_PROVIDER = "refers_to_same_provider"


def add_provider(table: Table) -> None:
    """Makes the foreign keys of a table, with the provider, and adds it to its unique constraints and unique indexes.

    It comes last, so that each key still begins with what its rows are looked up by. The names of the others stay.
    """
    has_provider = PROVIDER in table.columns
    for column in list(table.columns):
        if target := column.info.get(SAME_PROVIDER):
            with_provider = [target, f"{target.partition('.')[0]}.{PROVIDER}"]
            columns, referred = ([column.name, PROVIDER], with_provider) if has_provider else ([column.name], [target])
            table.append_constraint(ForeignKeyConstraint(columns, referred))
    if not has_provider:
        return
    for constraint in list(table.constraints):
        if isinstance(constraint, UniqueConstraint) and PROVIDER not in constraint.columns:
            table.constraints.discard(constraint)
            columns = [*constraint.columns.keys(), PROVIDER]
            table.append_constraint(UniqueConstraint(*columns, name=conv(str(constraint.name))))
    for index in list(table.indexes):
        if index.unique and PROVIDER not in index.columns:
            table.indexes.discard(index)
            where: dict[str, Any] = {
                f"{dialect}_where": index.dialect_options[dialect]["where"] for dialect in ("sqlite", "postgresql")
            }
            Index(conv(str(index.name)), *index.columns, table.columns[PROVIDER], unique=True, **where)


def stored_key(table: Table, dialect: str) -> list[str]:
    """Returns the columns of a table's primary key in a database. The mapped key is the same without the provider.

    On SQLite a key of one number is the place of the row in the file, and has no other column. A table that one without
    a provider refers to keeps its key.
    """
    key = list(table.primary_key.columns.keys())
    is_place = dialect == "sqlite" and len(key) == 1
    if PROVIDER not in table.columns or PROVIDER in key or is_place or _is_referred_to_by_key_alone(table):
        return key
    return [*key, PROVIDER]


def stored_reference_key(table: Table, dialect: str) -> tuple[str, list[str]] | None:
    """Returns name and columns of the unique index that foreign keys refer to; None if that is the primary key."""
    if PROVIDER in stored_key(table, dialect) or not _is_referred_to_with_provider(table):
        return None
    columns = [*table.primary_key.columns.keys(), PROVIDER]
    return "_".join(["uq", table.name, *columns]), columns


def key_constraints(dialect: str, table: str, columns: list[str], is_referred_to: bool) -> list[Constraint]:
    """Returns the key of a new table as a database has it, for a migration; `columns` are those of the mapped key.

    `is_referred_to`: foreign keys refer to the table.
    """
    with_provider, name = [*columns, PROVIDER], f"pk_{table}"
    if dialect != "sqlite" or len(columns) > 1:
        return [PrimaryKeyConstraint(*with_provider, name=name)]
    key: list[Constraint] = [PrimaryKeyConstraint(*columns, name=name)]
    if is_referred_to:
        key.append(UniqueConstraint(*with_provider, name="_".join(["uq", table, *with_provider])))
    return key


def _is_referred_to_by_key_alone(table: Table) -> bool:
    return any(PROVIDER not in constraint.columns for constraint in _references(table))


def _is_referred_to_with_provider(table: Table) -> bool:
    return any(len(constraint.columns) > 1 for constraint in _references(table))


def _references(table: Table) -> Iterator[ForeignKeyConstraint]:
    for other in table.metadata.tables.values():
        yield from (each for each in other.foreign_key_constraints if each.referred_table is table)
