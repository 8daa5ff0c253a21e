"""A subquery whose columns are computed once for each row."""

from typing import Any

from sqlalchemy import Select, Subquery


def computed_once(statement: Select[Any]) -> Subquery:
    """A subquery whose columns are computed once for each row, not again wherever they are used.

    Both databases would merge it with the statement around it, if it had no limit.
    """
    return statement.offset(0).subquery()
