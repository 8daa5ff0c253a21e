"""The audit trail: who did what."""

import datetime as dt
from typing import Any

import strawberry

from loaders.audit_event import AUDIT_TRAIL, AuditEventRow
from resolvers import node as nodes
from schema.enums import Role
from schema.field_builders import Info, argument, attribute, connection, person, resolved
from schema.relay import Connection, Node, node
from schema.types.user import User


async def _subject(row: AuditEventRow, info: Info) -> Any:
    return await nodes.by_id(info.context, row.subject_id) if row.subject_id else None


@node(
    AuditEventRow,
    "One event of the audit trail, which records who did what. Events are only ever added. They contain no secrets, "
    "and of the texts that users write only the reason of a step that takes something back.",
)
class AuditEvent(Node):
    at: dt.datetime = attribute("When it happened.")
    actor: User | None = person("The user who did it; null if the system did it or nobody was logged in.", "actor_key")
    role: Role | None = attribute(
        "The role in which the user acted, or in whose slot a guest signed; null for everything else."
    )
    action: str = attribute("What the user did: the name of the mutation, such as `evidenceAssess`.")
    reason: str | None = attribute("Why something was taken back, in the words of the actor; null without a reason.")
    subject: Node | None = resolved(
        "The record that the event is about; null if there is none or the viewer may not see it.",
        _subject,
        reads=("subject_id",),
    )


@strawberry.type
class AuditEventQueries:
    audit_trail: Connection[AuditEvent] = connection(
        "The audit trail, newest first. A Master Admin sees the whole provider, an assessor their caseload, an IQA "
        "their sample, a learner their own signatures; other roles see nothing.",
        AUDIT_TRAIL,
        subject_id=argument(strawberry.ID, "Only events about the record with this id."),
    )
