"""Counts the rows of one parent within a write transaction."""

from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db.cached_statement import cached_statement
from db.direct_statements import send


async def count_rows(session: AsyncSession, column: InstrumentedAttribute[Any], parent_key: int) -> int:
    """Returns how many rows of the column's table refer to the parent; those of the session that are not flushed do not
    count."""
    ((count,),) = await send(session, _count(column), {"parent": parent_key})
    return int(count)


@cached_statement
def _count(column: InstrumentedAttribute[Any]) -> Select[Any]:
    # unscoped: the parent was read within the viewer's scope
    return select(func.count()).where(column == bindparam("parent", type_=column.type))
