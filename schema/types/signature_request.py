"""Documents to sign, and their signature slots."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain import enums
from loaders.core.dataloader import map_future
from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from loaders.review import ReviewOfDocumentLoader
from loaders.signature_request import SIGNATURE_REQUESTS, SignatureRequestRow, SignatureSlotRow, SignatureSlotsLoader
from schema.enums import Role, SignatureRequestStatus
from schema.field_builders import UPDATED_SINCE, argument, attribute, connection, loaded, related, updated_at
from schema.relay import Connection, Node, node, record
from schema.types.file import File
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.learner import Learner
    from schema.types.review import Review


AwaitingViewerOnly = argument(bool, "Only documents that wait for a signature in the viewer's role.")


def _awaiting_viewer(row: SignatureRequestRow, loaders: Loaders) -> Any:
    if row.status is not enums.SignatureRequestStatus.PENDING:
        return False
    role = loaders.reading.viewer.role

    def is_open(slots: list[SignatureSlotRow]) -> bool:
        return any(slot.role is role and slot.signed_at is None for slot in slots)

    return map_future(loaders[SignatureSlotsLoader].load(row.key), is_open)


@strawberry.type(description="The place in a document for the signature of one role.")
class SignatureSlot:
    role: Role = attribute("The role that signs here.")
    signed_by: User | None = attribute(
        "The user who signed; null until then, and where somebody without an account signed: see `guestEmail`."
    )
    signed_at: dt.datetime | None = attribute("When the user signed; null until then.")
    document_sha256: str | None = attribute(
        "The SHA-256 digest of the document that the user signed, in lower-case hexadecimal; null until then."
    )
    statement: str | None = related(
        "The sentence that was signed, word for word; null until then.",
        lambda row, loaders: row.signed_statement,
        reads=("signed_statement",),
    )
    guest_email: str | None = attribute(
        "The address of somebody without an account, who was sent a link to sign here or has signed through it; null "
        "for everybody else, and for employers. The signature itself is there once `signedAt` is."
    )
    withdrawn_at: dt.datetime | None = attribute("When the signature was withdrawn; null while it is valid.")
    withdrawn_reason: str | None = attribute("Why it was withdrawn; null while it is valid.")


@node(SignatureRequestRow, "A document about a learner that users in one or more roles have to sign.")
class SignatureRequest(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "The learner whom the document is about.", LearnerLoader, by="learner_key"
    )
    title: str = attribute("The title of the document.")
    document: File = attribute("The document. Users read it before they sign.")
    status: SignatureRequestStatus = attribute("Whether it has all its signatures.")
    slots: list[SignatureSlot] = loaded("Its signature slots, one for each role.", SignatureSlotsLoader)
    awaiting_viewer: bool = related(
        "Whether the document waits for a signature in the viewer's role.", _awaiting_viewer, reads=("key", "status")
    )
    review: Annotated["Review", strawberry.lazy("schema.types.review")] | None = loaded(
        "The progress review that it is, or was, the document of; null for any other document.", ReviewOfDocumentLoader
    )
    requested_by: User = attribute("The user who requested the signatures.")
    requested_at: dt.datetime = attribute("When the signatures were requested.")
    updated_at: dt.datetime = updated_at("its slots")
    viewer_actions: list[ViewerAction] = viewer_actions("SignatureRequest")


@strawberry.type
class SignatureRequestQueries:
    signature_request: SignatureRequest | None = record("SignatureRequest", "The document to sign with this id")
    signature_requests: Connection[SignatureRequest] = connection(
        "The documents to sign of all learners whom the viewer may see, newest first.",
        SIGNATURE_REQUESTS,
        status=argument(SignatureRequestStatus, "Only documents with this status."),
        employer_id=argument(strawberry.ID, "Only documents about learners who work at this employer site."),
        updated_since=argument(dt.datetime, UPDATED_SINCE),
    )
