"""SQL functions that the two databases write in different ways."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


def written_as(function: type[GenericFunction[Any]], *, postgresql: str, sqlite: str) -> None:
    """Says what a function is on each database; `{0}` stands for its first argument, `{1}` for its second."""
    for dialect, text in (("postgresql", postgresql), ("sqlite", sqlite)):
        _register(function, dialect, text)


def _register(function: type[GenericFunction[Any]], dialect: str, text: str) -> None:
    @compiles(function, dialect)
    def sql(element: GenericFunction[Any], compiler: Any, **options: Any) -> str:
        return text.format(*(compiler.process(clause, **options) for clause in element.clauses))
