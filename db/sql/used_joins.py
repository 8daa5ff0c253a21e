"""A statement with fewer columns needs fewer joins: those that only the other columns read are left out.

Of a statement with a limit, a join for a single column becomes a subquery, which runs for the rows within the limit.

A light row names the tables of all its columns, and an operation selects some of them. PostgreSQL leaves out no inner
join, and no outer join either: its primary keys contain the provider, which the joins do not name.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, ColumnClause, Label, Select, Table, TextClause, literal, select
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression


def with_columns(statement: Select, columns: Sequence[Any]) -> Select:
    """Returns the statement with these of its columns, without the joins that change neither its rows nor these.

    Such a join is to the key of a table that nothing else in the statement names: an outer join, or one by a foreign
    key that is never NULL. A statement with text, which may name any table, or without `select_from` keeps its joins.
    """
    # Without `select_from` the columns say what is joined.
    if statement._memoized_select_entities or not statement._from_obj:
        return statement.with_only_columns(*columns)
    cut: Any = statement._generate()
    cut._raw_columns = list(columns)
    for join in reversed(statement._setup_joins):
        others = tuple(each for each in cut._setup_joins if each is not join)
        if not _keeps_rows(join, others):
            continue
        if not _names(cut, others, join[0]):
            cut._setup_joins = others
        elif statement._limit_clause is not None:
            _look_up_later(cut, join, others)
    return cut


def _look_up_later(cut: Any, join: Any, others: tuple[Any, ...]) -> None:
    """Replaces a join that gives one column by a subquery for the column.

    PostgreSQL joins all rows before it sorts and limits them, and runs such a subquery for what is left.
    """
    target, condition, *_ = join
    named = [position for position, each in enumerate(cut._raw_columns) if _is_in(each, target)]
    if len(named) != 1:
        return
    [position] = named
    label = cut._raw_columns[position]
    if not (isinstance(label, Label) and isinstance(label.element, Column)):
        return
    # unscoped: a column of rows that their statement selects
    value = select(label.element).where(condition).correlate_except(target).scalar_subquery().label(label.name)
    columns = [*cut._raw_columns]
    columns[position] = literal(0)
    alone = cut._generate()
    alone._raw_columns = columns
    if not _names(alone, others, target):
        columns[position] = value
        cut._raw_columns, cut._setup_joins = columns, others


def _keeps_rows(join: Any, others: Iterable[Any]) -> bool:
    """Returns whether each row has exactly one partner in the join, or at most one in an outer join."""
    target, condition, left, flags = join
    if not isinstance(target, Table) or left is not None or flags["full"]:
        return False
    if not isinstance(condition, BinaryExpression) or condition.operator is not operators.eq:
        return False
    keys = [side for side in (condition.left, condition.right) if _is_key(side, target)]
    references = [side for side in (condition.left, condition.right) if not _is_key(side, target)]
    if len(keys) != 1 or not isinstance(references[0], Column):
        return False
    if flags["isouter"]:
        return True
    [reference] = references
    may_be_missing = {each[0].name for each in others if each[3]["isouter"] or each[3]["full"]}
    return reference.table.name not in may_be_missing and any(
        foreign.column.table.name == target.name
        and foreign.column.name == keys[0].name
        and not any(column.nullable for column in foreign.constraint.columns)
        for foreign in reference.foreign_keys
        if foreign.constraint is not None
    )


def _is_key(column: Any, table: Table) -> bool:
    return (
        isinstance(column, Column)
        and column.table.name == table.name
        and [each.name for each in table.primary_key] == [column.name]
    )


def _names(statement: Any, joins: Iterable[Any], table: Any) -> bool:
    """Returns whether a statement with these joins may name the table anywhere, also in a subquery."""
    return any(_is_in(part, table) for part in _parts(statement, joins))


def _is_in(part: Any, table: Any) -> bool:
    return any(
        isinstance(element, TextClause)
        or (isinstance(element, ColumnClause) and _may_be_of(element, table))
        or (isinstance(element, Table) and element.name == table.name)
        for element in visitors.iterate(part)
    )


def _parts(statement: Any, joins: Iterable[Any]) -> Iterator[Any]:
    yield from statement._raw_columns
    yield from statement._from_obj
    yield from statement._where_criteria
    yield from statement._group_by_clauses
    yield from statement._having_criteria
    yield from statement._order_by_clauses
    for target, condition, *_ in joins:
        yield from (target, condition)


def _may_be_of(column: Any, table: Any) -> bool:
    # `count(*)` names no table; other text may.
    return column.name != "*" if column.table is None else getattr(column.table, "name", None) == table.name
