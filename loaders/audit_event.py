"""The audit trail as the graph shows it: who did what, when, in which role, to which record; newest first."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Row, Select, bindparam, select

from auth import scope
from db.models.audit_event import AuditEvent
from db.sql.any_of import any_of
from domain import global_id as ids
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core.pagination import Order
from loaders.core.read_session import OneLoader, ReadSession, cached_statement
from loaders.core.viewer_list import ViewerList


@dataclass(slots=True)
class AuditEventRow:
    """One line of the trail."""

    key: int
    sequence: int
    at: dt.datetime
    actor_key: int | None
    role: Role | None
    action: str
    subject_type: str | None
    subject_key: int | None
    subject_part: int | None

    id = Identifier("AuditEvent", "key")

    @property
    def subject_id(self) -> str | None:
        """The id of the record that it is about, which may be gone or out of the viewer's sight."""
        if self.subject_type is None or self.subject_key is None:
            return None
        if self.subject_part is not None:
            return ids.encode_pair(self.subject_type, self.subject_key, self.subject_part)
        return ids.encode(self.subject_type, self.subject_key)


def _events(role: Role) -> Select:
    return select(
        AuditEvent.id,
        AuditEvent.sequence,
        AuditEvent.at,
        AuditEvent.actor_id,
        AuditEvent.role,
        AuditEvent.action,
        AuditEvent.subject_type,
        AuditEvent.subject_key,
        AuditEvent.subject_part,
    ).where(scope.sees_audit_event(role))


def _row(row: Row, _: ReadSession | None = None) -> AuditEventRow:
    return AuditEventRow(*row[:9])


@cached_statement
def _by_key(role: Role) -> Select:
    return _events(role).where(any_of(AuditEvent.id))


class AuditEventLoader(OneLoader[int, AuditEventRow]):
    """Lines of the trail by key."""

    async def fetch(self, keys: list[int]) -> dict[int, AuditEventRow]:
        rows = await self.reading.rows(_by_key(self.reading.viewer.role), keys=keys)
        return {row.id: _row(row) for row in rows}


AUDIT_TRAIL: ViewerList[AuditEventRow] = ViewerList(
    order=Order("audit", AuditEvent.sequence, AuditEvent.id, lambda row: row.sequence, descending=True),
    statement=_events,
    row=_row,
    conditions={
        "subject_type": AuditEvent.subject_type == bindparam("subject_type", type_=AuditEvent.subject_type.type),
        "subject_key": AuditEvent.subject_key == bindparam("subject_key", type_=AuditEvent.subject_key.type),
        "subject_part": AuditEvent.subject_part == bindparam("subject_part", type_=AuditEvent.subject_part.type),
    },
)
