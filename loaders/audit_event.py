"""The audit trail: who did what, when, in which role, to which record; newest first."""

import datetime as dt

from sqlalchemy import ColumnElement, and_, bindparam

from db.models.audit_event import AuditEvent
from db.models.change_reason import ChangeReason
from domain import global_id
from domain.enums import Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader
from loaders.core.filters import Filter
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.read_session import ReadSession
from loaders.core.row_properties import computed
from loaders.core.rows import LightRow, column, row


@row(
    AuditEvent, joins=lambda statement: statement.outerjoin(ChangeReason, ChangeReason.audit_event_id == AuditEvent.id)
)
class AuditEventRow(LightRow):
    """An event of the audit trail."""

    key: int = column(AuditEvent.id)
    at: dt.datetime = column(AuditEvent.at)
    actor_key: int | None = column(AuditEvent.actor_id)
    role: Role | None = column(AuditEvent.role)
    action: str = column(AuditEvent.action)
    subject_type: str | None = column(AuditEvent.subject_type)
    subject_key: int | None = column(AuditEvent.subject_key)
    subject_part: int | None = column(AuditEvent.subject_part)
    # NULL in the outer join for events without one.
    reason: str | None = column(ChangeReason.reason)

    id = Identifier("AuditEvent", "key")

    @computed("subject_type", "subject_key", "subject_part")
    def subject_id(self) -> str | None:
        """Returns the id of the record that the event is about. The record may no longer exist or be visible."""
        if self.subject_type is None or self.subject_key is None:
            return None
        if self.subject_part is not None:
            return global_id.encode_pair(self.subject_type, self.subject_key, self.subject_part)
        return global_id.encode(self.subject_type, self.subject_key)


class _Subject(Filter):
    """Events about the record with a global id: an entity, or a unit or criterion of a learner."""

    def __init__(self) -> None:
        super().__init__(_is_subject)

    def shape(self, value: str) -> bool:
        """Returns whether the id contains a pair of keys."""
        _, _, part = global_id.parse(value) or ("", 0, None)
        return part is not None

    def bound(self, name: str, value: str, reading: ReadSession) -> dict[str, object]:
        # An invalid id matches no event: no row has the key 0.
        type_name, key, part = global_id.parse(value) or ("", 0, None)
        bound: dict[str, object] = {"subject_type": type_name, "subject_key": key}
        return bound if part is None else {**bound, "subject_part": part}


def _is_subject(role: Role, name: str, has_part: bool) -> ColumnElement[bool]:
    columns = [AuditEvent.subject_type, AuditEvent.subject_key] + [AuditEvent.subject_part] * has_part
    return and_(*(column == bindparam(column.key, type_=column.type) for column in columns))


class AuditEventLoader(EntityLoader[AuditEventRow]):
    """Loads events of the audit trail by key."""

    row = AuditEventRow


AUDIT_TRAIL = PagedList(
    AuditEventRow,
    # By key, because an event gets its place in the chain a moment after it was committed.
    Order("audit_trail", AuditEvent.id, AuditEvent.id, "key", descending=True),
    filters={"subject_id": _Subject()},
)
