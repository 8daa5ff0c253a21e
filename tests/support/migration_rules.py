"""Finds what a migration's `upgrade` must not do, because processes of the last version still use the tables."""

import re
from collections.abc import Collection, Iterable

_READS = re.compile(r"(select|show|with)\b", re.I)
# Procedures and triggers that fill new columns for processes of the last version.
_ADDS = re.compile(r"(comment on|create (or replace )?(function|trigger|sequence))\b", re.I)
_WRITES = re.compile(r"(insert into|update)\b", re.I)
_NEW_TABLE = re.compile(r"create table (?:if not exists )?\"?(\w+)", re.I)
_INDEX = re.compile(r"create (unique )?index (concurrently )?.*? on \"?(\w+)\"? \((.*?)\)(?: where (.*))?$", re.I)
_ALTERED = re.compile(r"alter table (?:only )?\"?(\w+)\"? (.*)", re.I)
_CONSTRAINT = re.compile(r"add constraint \S+ (foreign key|check)\b.* not valid$|validate constraint", re.I)

# A table with the columns of a primary key, or of a unique constraint or index, and the condition of the index.
UniqueKey = tuple[str, frozenset[str], str | None]


def not_additive(statements: Iterable[str], in_transaction: bool = True, keys: Collection[UniqueKey] = ()) -> list[str]:
    """Returns a sentence for each statement that does more than add, in the order of the statements.

    `in_transaction` is what the migration declares: whether it runs in a transaction. `keys` are the keys of the
    tables: a unique index that contains one refuses nothing.
    """
    made: set[str] = set()
    found: list[str] = []
    for each in statements:
        statement = " ".join(each.split())
        problem = _problem(statement, made, in_transaction, keys)
        if problem is not None:
            found.append(f"{problem}: {statement[:200]}")
    return found


def _problem(statement: str, made: set[str], in_transaction: bool, keys: Collection[UniqueKey]) -> str | None:
    if _READS.match(statement) or _ADDS.match(statement):
        return None
    if _WRITES.match(statement):
        return "rows are written by `fills`, after the table is free again"
    if new := _NEW_TABLE.match(statement):
        made.add(new[1])
        return None
    if index := _INDEX.match(statement):
        columns = frozenset(index[4].replace(" ", "").split(","))
        contains_key = any(
            (table, where) == (index[3], index[5]) and key < columns for table, key, where in keys
        )  # fmt: skip
        is_unique = bool(index[1]) and not contains_key
        return _index_problem(is_unique, bool(index[2]), index[3] in made, in_transaction)
    if altered := _ALTERED.match(statement):
        return None if altered[1] in made else _change_problem(altered[2])
    return "only contract() may do this"


def _index_problem(unique: bool, concurrently: bool, on_new_table: bool, in_transaction: bool) -> str | None:
    if on_new_table:
        return None
    if not concurrently:
        return "an index of an existing table needs postgresql_concurrently=True"
    if in_transaction:
        return "an index that is made concurrently needs `in_transaction = False` in the file"
    return "a unique index refuses rows of the last version" if unique else None


def _change_problem(change: str) -> str | None:
    if re.match(r"add column\b", change, re.I):
        if re.search(r"\bnot null\b", change, re.I) and not re.search(r"\bdefault\b", change, re.I):
            return "a new column must be nullable or have a server default"
        if re.search(r"\b(unique|references)\b", change, re.I):
            return "a constraint of a new column is added with NOT VALID, or by contract()"
        return None
    if _CONSTRAINT.match(change):
        return None
    return "only contract() may change a table"
