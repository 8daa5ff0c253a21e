"""Documents to sign: by key, in pages, their slots, and how many await a signature."""

import datetime as dt

from sqlalchemy import ColumnElement, Select, exists, func

from db.models.file import File
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import Role, SignatureRequestStatus
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, OneLoader, RelatedLoader
from loaders.core.filters import equals
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.read_session import cached_statement
from loaders.core.rows import LightRow, column, nested, optional, row
from loaders.file import FileRow
from loaders.user import UserRow


@row(
    SignatureRequest,
    joins=lambda statement: statement.join(User, User.id == SignatureRequest.requested_by_id).join(
        File, File.id == SignatureRequest.file_id
    ),
)
class SignatureRequestRow(LightRow):
    """One document that several roles are asked to sign."""

    key: int = column(SignatureRequest.id)
    learner_key: int = column(SignatureRequest.learner_id)
    title: str = column(SignatureRequest.title)
    status: SignatureRequestStatus = column(SignatureRequest.status)
    requested_at: dt.datetime = column(SignatureRequest.requested_at)
    requested_by: UserRow = nested(UserRow, key=SignatureRequest.requested_by_id)
    document: FileRow = nested(FileRow)

    id = Identifier("SignatureRequest", "key")


@row(
    SignatureSlot,
    joins=lambda statement: statement.join(SignatureRequest, SignatureRequest.id == SignatureSlot.request_id).outerjoin(
        User, User.id == SignatureSlot.signed_by_id
    ),
)
class SignatureSlotRow(LightRow):
    """One role's slot; who, when and the digest are None until it is signed."""

    role: Role = column(SignatureSlot.role)
    signed_at: dt.datetime | None = column(SignatureSlot.signed_at)
    document_sha256: str | None = column(SignatureSlot.document_sha256)
    signed_by: UserRow | None = optional(UserRow, key=SignatureSlot.signed_by_id)


_LATEST_FIRST = Order(
    "requested_desc",
    SignatureRequest.requested_at,
    SignatureRequest.id,
    lambda request: request.requested_at,
    descending=True,
)
_FILTERS = {"status": equals(SignatureRequest.status)}


def _names_role(role: Role) -> ColumnElement[bool]:
    # unscoped: a condition on requests that the viewer sees
    return exists().where(SignatureSlot.request_id == SignatureRequest.id, SignatureSlot.role == role)


SIGNATURE_REQUESTS = PagedList(SignatureRequestRow, _LATEST_FIRST, _FILTERS)
# Those that ask, or asked, for a signature in the viewer's role.
SIGNATURE_REQUESTS_OF_ROLE = PagedList(SignatureRequestRow, _LATEST_FIRST, _FILTERS, condition=_names_role)


class SignatureRequestLoader(EntityLoader[SignatureRequestRow]):
    """Documents to sign by key."""

    row = SignatureRequestRow


class SlotsLoader(RelatedLoader[SignatureSlotRow]):
    """A document's slots, in the order in which they were asked for."""

    row, parent, order = SignatureSlotRow, SignatureSlot.request_id, (SignatureSlot.id,)
    seen_through = SignatureRequest


@cached_statement
def _awaiting(role: Role) -> Select:
    return (
        SignatureRequestRow.statement_of(role, SignatureRequest.learner_id, func.count())
        .join(SignatureSlot, SignatureSlot.request_id == SignatureRequest.id)
        .where(
            any_of(SignatureRequest.learner_id),
            SignatureRequest.status == SignatureRequestStatus.PENDING,
            SignatureSlot.role == role,
            SignatureSlot.signed_at.is_(None),
        )
        .group_by(SignatureRequest.learner_id)
    )


class AwaitingSignatureLoader(OneLoader[int, int]):
    """How many documents about a learner await a signature in the viewer's role, by the learner's key."""

    keys_of = "learner"

    async def fetch(self, keys: list[int]) -> dict[int, int]:
        rows = await self.reading.rows(_awaiting(self.reading.viewer.role), keys=keys)
        return dict.fromkeys(keys, 0) | {learner: count for learner, count in rows}
