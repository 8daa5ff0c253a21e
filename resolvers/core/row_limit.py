"""Limits how many rows a record may have in a list that the graph returns whole.

Two requests at once may each add the last row: the limit bounds the list, it is no promise of an exact number.
"""

from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from domain.enums import UserErrorCode
from domain.sentences import say
from repositories.row_count import count_rows
from resolvers.core.unit_of_work import UnitOfWork


def row_limit(column: InstrumentedAttribute[Any]) -> int:
    """Returns the most rows that may refer to one parent by this column. Raises KeyError if none is declared."""
    return int(column.class_.__row_limits__[column.key])


async def check_row_limit(
    uow: UnitOfWork, column: InstrumentedAttribute[Any], parent_key: int, reason: str, *field: str, adding: int = 1
) -> None:
    """Records INVALID with the sentence for `reason` unless the parent can have that many rows more."""
    if adding:
        check_count(uow, column, await count_rows(uow.session, column, parent_key), reason, *field, adding=adding)


def check_count(
    uow: UnitOfWork, column: InstrumentedAttribute[Any], count: int, reason: str, *field: str, adding: int = 1
) -> None:
    """As `check_row_limit`, where the number of rows is known."""
    most = row_limit(column)
    if count + adding > most:
        uow.add_error(UserErrorCode.INVALID, say(reason, most=most), *field)
