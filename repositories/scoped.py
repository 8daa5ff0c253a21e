"""The scoped read of one entity for a write: only what the viewer sees, locked until the transaction ends."""

from typing import Any

from sqlalchemy import Select, bindparam, select

from auth import scope
from db.models.base import Base
from domain.enums import Role
from loaders.core.read_session import cached_statement


@cached_statement
def one_for_write(role: Role, entity: type[Base], locked: bool) -> Select[Any]:
    """Selects the entity whose key is `key`, if the viewer sees it.

    `locked`: no other transaction can change the row until this one ends.
    """
    table: Any = entity
    has_key = table.id == bindparam("key", type_=table.id.type)
    statement = select(entity).where(has_key, scope.sees(role, entity))
    return statement.with_for_update(of=entity, key_share=True) if locked else statement
