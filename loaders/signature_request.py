"""Documents to sign: by key, in pages of a learner or of what a viewer is asked, their slots, and how many wait."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, select

from auth import scope
from db.models.file import File
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import Role, SignatureRequestStatus
from domain.global_id import Identifier
from loaders.core.learner_list import LearnerList
from loaders.core.pagination import Order
from loaders.core.read_session import ManyLoader, OneLoader, ReadSession, cached_statement
from loaders.core.viewer_list import ViewerList
from loaders.file import FILE_COLUMNS, FileRow
from loaders.user import UserRow, user_or_none


@dataclass(slots=True)
class SignatureRequestRow:
    """One document that several roles are asked to sign."""

    key: int
    learner_key: int
    title: str
    status: SignatureRequestStatus
    requested_at: dt.datetime
    requested_by: UserRow
    document: FileRow

    id = Identifier("SignatureRequest", "key")


@dataclass(slots=True)
class SignatureSlotRow:
    """One role's place; who, when and the digest are None until it is signed."""

    role: Role
    signed_at: dt.datetime | None
    document_sha256: str | None
    signed_by: UserRow | None


def _seen(role: Role) -> ColumnElement[bool]:
    return scope.sees_learner(role, SignatureRequest.learner_id) & scope.of_provider(SignatureRequest)


def _requests(role: Role) -> Select:
    return (
        select(
            SignatureRequest.id,
            SignatureRequest.learner_id,
            SignatureRequest.title,
            SignatureRequest.status,
            SignatureRequest.requested_at,
            SignatureRequest.requested_by_id,
            User.name.label("requested_by_name"),
            *FILE_COLUMNS,
        )
        .select_from(SignatureRequest)
        .join(User, User.id == SignatureRequest.requested_by_id)
        .join(File, File.id == SignatureRequest.file_id)
        .where(_seen(role))
    )


def _row(row: Any, _: ReadSession | None = None) -> SignatureRequestRow:
    *own, by, by_name = row[:7]
    return SignatureRequestRow(*own, UserRow(by, by_name), FileRow(*row[7:14]))


_ORDER = Order(
    "requested_desc", SignatureRequest.requested_at, SignatureRequest.id, lambda row: row.requested_at, descending=True
)
_OF_STATUS = SignatureRequest.status == bindparam("status", type_=SignatureRequest.status.type)

REQUESTS_OF_LEARNER: LearnerList[SignatureRequestRow] = LearnerList(
    SignatureRequest.learner_id, _ORDER, _requests, _row, {"status": _OF_STATUS}
)


@cached_statement
def _by_key(role: Role) -> Select:
    return _requests(role).where(any_of(SignatureRequest.id))


def _of_viewer(role: Role) -> Select:
    # unscoped: within requests that the viewer sees
    slot = exists().where(SignatureSlot.request_id == SignatureRequest.id, SignatureSlot.role == role)
    return _requests(role).where(slot)


# What the viewer's role is asked to sign, or was, over all learners that they see.
REQUESTS_OF_VIEWER: ViewerList[SignatureRequestRow] = ViewerList(_ORDER, _of_viewer, _row, {"status": _OF_STATUS})


@cached_statement
def _slots(role: Role) -> Select:
    return (
        select(
            SignatureSlot.request_id,
            SignatureSlot.role,
            SignatureSlot.signed_at,
            SignatureSlot.document_sha256,
            SignatureSlot.signed_by_id,
            User.name,
        )
        .join(SignatureRequest, SignatureRequest.id == SignatureSlot.request_id)
        .outerjoin(User, User.id == SignatureSlot.signed_by_id)
        .where(any_of(SignatureSlot.request_id), _seen(role))
        .order_by(SignatureSlot.id)
    )


@cached_statement
def _awaiting(role: Role) -> Select:
    return (
        select(SignatureRequest.learner_id, func.count())
        .join(SignatureSlot, SignatureSlot.request_id == SignatureRequest.id)
        .where(
            any_of(SignatureRequest.learner_id),
            SignatureRequest.status == SignatureRequestStatus.PENDING,
            SignatureSlot.role == role,
            SignatureSlot.signed_at.is_(None),
            _seen(role),
        )
        .group_by(SignatureRequest.learner_id)
    )


class SignatureRequestLoader(OneLoader[int, SignatureRequestRow]):
    """Documents to sign by key."""

    async def fetch(self, keys: list[int]) -> dict[int, SignatureRequestRow]:
        return {row.id: _row(row) for row in await self.reading.rows(_by_key(self.reading.viewer.role), keys=keys)}


class SlotsLoader(ManyLoader[int, SignatureSlotRow]):
    """A document's slots, in the order in which they were asked for."""

    async def fetch(self, keys: list[int]) -> dict[int, list[SignatureSlotRow]]:
        found: dict[int, list[SignatureSlotRow]] = {}
        for key, *own, by, by_name in await self.reading.rows(_slots(self.reading.viewer.role), keys=keys):
            found.setdefault(key, []).append(SignatureSlotRow(*own, user_or_none(by, by_name)))
        return found


class AwaitingSignatureLoader(OneLoader[int, int]):
    """How many documents of a learner wait for the viewer's role, by the learner's key."""

    async def fetch(self, keys: list[int]) -> dict[int, int]:
        rows = await self.reading.rows(_awaiting(self.reading.viewer.role), keys=keys)
        return dict.fromkeys(keys, 0) | {learner: count for learner, count in rows}
