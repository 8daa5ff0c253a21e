"""The scoped read of one entity for a write: within what the viewer sees, and locked until the transaction ends."""

from typing import Any

from sqlalchemy import Select, bindparam, select

from auth import scope
from db.models.base import Base
from domain.enums import Role
from loaders.core.read_session import cached_statement


@cached_statement
def one_for_write(role: Role, entity: type[Base], locked: bool) -> Select[Any]:
    """One entity by `key`, if the viewer sees it. `locked`: no other transaction changes it before this one ends."""
    table: Any = entity
    of_key = table.id == bindparam("key", type_=table.id.type)
    statement = select(entity).where(of_key, scope.of_provider(table), scope.sees(role, entity))
    return statement.with_for_update(of=entity, key_share=True) if locked else statement
