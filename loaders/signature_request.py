"""Documents to sign: by key, in pages, their signature slots, and how many wait for a signature."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func

from auth import scope
from db.models.file import File
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import Role, SignatureRequestStatus
from domain.global_id import Identifier
from loaders.core.base import CountLoader, EntityLoader, RelatedLoader
from loaders.core.filters import changed_since, equals, refers_to, when
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.rows import LightRow, column, nested, optional, row, shown_if
from loaders.employer import at_employer
from loaders.file import FileRow
from loaders.user import UserRow


@row(
    SignatureRequest,
    joins=lambda statement: statement.join(User, User.id == SignatureRequest.requested_by_id).join(
        File, File.id == SignatureRequest.file_id
    ),
)
class SignatureRequestRow(LightRow):
    """A document that users in one or more roles have to sign."""

    key: int = column(SignatureRequest.id)
    learner_key: int = column(SignatureRequest.learner_id)
    title: str = column(SignatureRequest.title)
    status: SignatureRequestStatus = column(SignatureRequest.status)
    requested_at: dt.datetime = column(SignatureRequest.requested_at)
    updated_at: dt.datetime = column(SignatureRequest.updated_at)
    requested_by: UserRow = nested(UserRow, key=SignatureRequest.requested_by_id)
    document: FileRow = nested(FileRow)

    id = Identifier("SignatureRequest", "key")


def _guest_email(role: Role) -> Any:
    return shown_if(scope.sees_guest_email(role), SignatureSlot.guest_email)


@row(
    SignatureSlot,
    joins=lambda statement: statement.join(SignatureRequest, SignatureRequest.id == SignatureSlot.request_id).outerjoin(
        User, User.id == SignatureSlot.signed_by_id
    ),
)
class SignatureSlotRow(LightRow):
    """The signature slot of one role. All other fields are None until it is signed, `withdrawn_*` while it stands."""

    role: Role = column(SignatureSlot.role)
    signed_at: dt.datetime | None = column(SignatureSlot.signed_at)
    document_sha256: str | None = column(SignatureSlot.document_sha256)
    signed_statement: str | None = column(SignatureSlot.statement)
    guest_name: str | None = column(SignatureSlot.guest_name)
    guest_email: str | None = column(_guest_email)
    withdrawn_at: dt.datetime | None = column(SignatureSlot.withdrawn_at)
    withdrawn_reason: str | None = column(SignatureSlot.withdrawn_reason)
    signed_by: UserRow | None = optional(UserRow, key=SignatureSlot.signed_by_id)


_LATEST_FIRST = Order(
    "requested_desc",
    SignatureRequest.requested_at,
    SignatureRequest.id,
    "requested_at",
    descending=True,
)


def _has_slot(role: Role) -> ColumnElement[bool]:
    # unscoped: a condition on requests that the viewer sees
    return exists().where(SignatureSlot.request_id == SignatureRequest.id, SignatureSlot.role == role)


def _awaits(role: Role, name: str, shape: object) -> ColumnElement[bool]:
    # unscoped: a condition on requests that the viewer sees
    open_slot = exists().where(
        SignatureSlot.request_id == SignatureRequest.id, SignatureSlot.role == role, SignatureSlot.signed_at.is_(None)
    )
    return and_(SignatureRequest.status == SignatureRequestStatus.PENDING, open_slot)


_FILTERS = {
    "status": equals(SignatureRequest.status),
    "awaiting_viewer_only": when(_awaits),
    "employer_id": refers_to("Employer", at_employer(SignatureRequest.learner_id)),
    "updated_since": changed_since(SignatureRequest.updated_at),
}

SIGNATURE_REQUESTS = PagedList(
    SignatureRequestRow, _LATEST_FIRST, owners={"learner": SignatureRequest.learner_id}, filters=_FILTERS
)
# Those with a slot for the viewer's role, signed or not.
SIGNATURE_REQUESTS_OF_ROLE = PagedList(SignatureRequestRow, _LATEST_FIRST, filters=_FILTERS, condition=_has_slot)


class SignatureRequestLoader(EntityLoader[SignatureRequestRow]):
    """Loads documents to sign by key."""

    row = SignatureRequestRow


class SignatureSlotsLoader(RelatedLoader[SignatureSlotRow]):
    """Loads the signature slots of a document, in the order of the request."""

    row, parent, order = SignatureSlotRow, SignatureSlot.request_id, (SignatureSlot.id,)
    seen_through = SignatureRequest


class AwaitingSignatureLoader(CountLoader):
    """Loads how many documents about a learner wait for a signature in the viewer's role."""

    keys_of = "learner"

    @classmethod
    def statement(cls, role: Role) -> Select:
        learner_key = SignatureRequest.learner_id
        return (
            SignatureRequestRow.statement_of(role, learner_key.label("parent_key"), func.count().label("count"))
            .join(SignatureSlot, SignatureSlot.request_id == SignatureRequest.id)
            .where(
                any_of(learner_key),
                SignatureRequest.status == SignatureRequestStatus.PENDING,
                SignatureSlot.role == role,
                SignatureSlot.signed_at.is_(None),
            )
            .group_by(learner_key)
        )
