"""The viewer's access keys."""

import datetime as dt

from sqlalchemy import Select

from db.cached_statement import cached_statement
from db.models.access_key import AccessKey
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, row


@row(AccessKey)
class AccessKeyRow(LightRow):
    """An access key, without its secret."""

    key: int = column(AccessKey.id)
    name: str = column(AccessKey.name)
    role: Role = column(AccessKey.role)
    operations: list[str] = column(AccessKey.operations, convert=list)
    created_at: dt.datetime = column(AccessKey.created_at)
    expires_at: dt.datetime = column(AccessKey.expires_at)
    revoked_at: dt.datetime | None = column(AccessKey.revoked_at)
    last_used_at: dt.datetime | None = column(AccessKey.last_used_at)

    id = Identifier("AccessKey", "key")


class AccessKeyLoader(EntityLoader[AccessKeyRow]):
    """Loads the viewer's access keys by key."""

    row = AccessKeyRow


@cached_statement
def _own(role: Role) -> Select:
    return AccessKeyRow.statement(role).order_by(AccessKey.id.desc())


async def own_access_keys(reading: ReadSession) -> list[AccessKeyRow]:
    """Returns the viewer's access keys, newest first; those that ended long ago are deleted."""
    return await reading.read(AccessKeyRow, _own(reading.viewer.role))
