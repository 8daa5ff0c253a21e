"""The time between two moments as SQL."""

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class elapsed_days(GenericFunction[float]):
    """The number of days, with their fraction, from the first moment to the second."""

    name = "elapsed_days"
    type = Float()
    inherit_cache = True


@compiles(elapsed_days, "postgresql")
def _postgresql(element: elapsed_days, compiler: Any, **options: Any) -> str:
    first, last = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM ({last} - {first})) / 86400 AS DOUBLE PRECISION)"


@compiles(elapsed_days, "sqlite")
def _sqlite(element: elapsed_days, compiler: Any, **options: Any) -> str:
    first, last = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(julianday({last}) - julianday({first}))"
