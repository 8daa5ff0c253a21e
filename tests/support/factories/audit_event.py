"""Lines of the audit trail."""

from typing import Any

from db.models.audit_event import AuditEvent
from db.models.user import User
from domain.enums import Role
from services.audit.append import append
from tests.support.factories.base import RowFactory


class AuditEventFactory(RowFactory):
    async def audit_event(self, actor: User, role: Role, action: str, **columns: Any) -> AuditEvent:
        """Appends a line to the trail of the actor's provider."""
        values = {"provider_id": actor.provider_id, "at": self.now, **columns}
        event = AuditEvent(actor_id=actor.id, role=role, action=action, **values)
        await append(self.session, event)
        return event
