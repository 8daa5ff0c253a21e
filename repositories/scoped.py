"""The scoped read of one entity for a write: only what the viewer sees, locked until the transaction ends."""

from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.cached_statement import cached_statement
from db.direct_statements import send
from db.loaded_entity import columns_of, loaded, refill
from db.models.base import Base
from domain.enums import Role

E = TypeVar("E", bound=Base)


async def read_for_write(session: AsyncSession, viewer: Viewer, entity: type[E], key: int, locked: bool) -> E | None:
    """Returns the entity with that key as an object of the session, or None if the viewer does not see it.

    `locked`: no other transaction can change the row until this one ends.
    """
    statement = one_for_write(viewer.role, entity, locked)
    rows = await send(session, statement, {**scope.viewer_params(viewer), "key": key})
    return loaded(session, entity, rows[0]) if rows else None


async def lock_again(session: AsyncSession, found: Base) -> None:
    """Locks the row of an object that was read without a lock, and gives the object what the row has now.

    Raises LookupError where the row no longer exists.
    """
    entity: Any = type(found)
    row: Any = found
    rows = await send(session, _locking(entity), {"key": row.id})
    if not rows:
        raise LookupError(f"the row of this {entity.__name__} is gone")
    refill(found, rows[0])


@cached_statement
def _locking(entity: type[Base]) -> Select[Any]:
    table: Any = entity
    # unscoped: the object was read within the viewer's scope
    statement = select(*columns_of(entity)).where(table.id == bindparam("key", type_=table.id.type))
    return statement.with_for_update(of=entity, key_share=True)


@cached_statement
def one_for_write(role: Role, entity: type[Base], locked: bool) -> Select[Any]:
    """Selects the columns of the entity whose key is `key`, if the viewer sees it."""
    table: Any = entity
    has_key = table.id == bindparam("key", type_=table.id.type)
    statement = select(*columns_of(entity)).where(has_key, scope.sees(role, entity, one=True))
    return statement.with_for_update(of=entity, key_share=True) if locked else statement
