"""The audit trail: who did what."""

import datetime as dt

import strawberry

from loaders.audit_event import AUDIT_TRAIL, AuditEventRow
from resolvers import node as nodes_
from schema.enums import Role
from schema.field_builders import Info, argument, attribute, connection, person
from schema.relay import Connection, Node, node
from schema.types.user import User


@node(AuditEventRow, "One line of the append-only record of who did what. Never what a person wrote, never a secret.")
class AuditEvent(Node):
    at: dt.datetime = attribute("When it was done.")
    actor: User | None = person("Who did it; null where the system did, or nobody who is signed in.", "actor_key")
    role: Role | None = attribute("The role that they acted in; null without an actor.")
    action: str = attribute("What was done: the mutation's name, such as evidenceAssess.")

    @strawberry.field(description="The record that it was done to; null where there is none that the viewer may see.")
    async def subject(root: AuditEventRow, info: Info) -> Node | None:
        return await nodes_.by_id(info.context, root.subject_id) if root.subject_id else None


@strawberry.type
class AuditEventQueries:
    audit_trail: Connection[AuditEvent] = connection(
        "The record of who did what, newest first: a Master Admin's provider, an Assessor's case, an IQA's sample, a "
        "Learner's own signatures; empty for every other role.",
        AUDIT_TRAIL,
        subject_id=argument(strawberry.ID, "Events about the record with this id."),
    )
