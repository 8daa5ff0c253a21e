"""Documents to sign, and the places of the roles that are asked."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.enums import SignatureRequestStatus as Status
from loaders.learner import LearnerLoader
from loaders.signature_request import SignatureRequestRow, SlotsLoader
from schema.enums import Role, SignatureRequestStatus
from schema.field_builders import attribute, loaded, related
from schema.relay import Node, node, record
from schema.types.file import File
from schema.types.user import User

if TYPE_CHECKING:
    from schema.types.learner import Learner


async def _awaiting_viewer(row: SignatureRequestRow, load) -> bool:
    if row.status is not Status.PENDING:
        return False
    role = load.reading.viewer.role
    return any(slot.role is role and slot.signed_at is None for slot in await load[SlotsLoader].load(row.key))


@strawberry.type(description="One role's place on a document.")
class SignatureSlot:
    role: Role = attribute("The role that is asked.")
    signed_by: User | None = attribute("Who signed; null until then.")
    signed_at: dt.datetime | None = attribute("When; null until then.")
    document_sha256: str | None = attribute("SHA-256 of the document as it was signed; null until then.")


@node(SignatureRequestRow, "A document about a learner that several roles are asked to sign.")
class SignatureRequest(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "Whom it is about.", LearnerLoader, by="learner_key"
    )
    title: str = attribute("What the document is called.")
    document: File = attribute("The document, to be opened before it is signed.")
    status: SignatureRequestStatus = attribute("How far it has come.")
    slots: list[SignatureSlot] = loaded("The places of the roles asked.", SlotsLoader)
    awaiting_viewer: bool = related("Whether one of the open slots is the viewer's own.", _awaiting_viewer)
    requested_by: User = attribute("Who asked.")
    requested_at: dt.datetime = attribute("When.")


@strawberry.type
class SignatureRequestQueries:
    signature_request: SignatureRequest | None = record("SignatureRequest", "One document to sign")
