"""The condition that a column is one of the keys that a select returns, which PostgreSQL reads first, as an array.

For `IN` beside another condition PostgreSQL reads every row of the table and looks each up in a hash of the keys,
because it takes the select to return many. With an array it looks the keys up in the index of the column. It pays off
for selects of a few hundred keys at most.
"""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, CompoundSelect, Select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class _InArray(GenericFunction[bool]):
    """The condition; each database has its own SQL for it."""

    name = "in_array"
    type = Boolean()
    inherit_cache = True


@compiles(_InArray, "postgresql")
def _postgresql(element: _InArray, compiler: Any, **options: Any) -> str:
    column, keys = element.clauses
    return f"{compiler.process(column, **options)} = ANY(ARRAY{compiler.process(keys, **options)})"


@compiles(_InArray, "sqlite")
def _sqlite(element: _InArray, compiler: Any, **options: Any) -> str:
    column, keys = element.clauses
    return f"{compiler.process(column, **options)} IN {compiler.process(keys, **options)}"


def in_array(column: Any, keys: Select[int] | CompoundSelect[int]) -> ColumnElement[bool]:
    """Returns the condition. `keys` selects one column, and reads nothing of the statement that the condition is in."""
    return _InArray(column, keys.scalar_subquery())
