"""Reads and writes of links for people who sign without an account. A link itself gives access, without a viewer."""

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.base import Key, UtcDateTime
from db.models.file import File
from db.models.guest_invitation import GuestInvitation
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from domain.enums import Role, SignatureRequestStatus


@dataclass(frozen=True, slots=True)
class GuestLink:
    """What a link is for, and what may have ended it."""

    key: int
    provider_key: int
    learner_key: int
    slot_key: int
    request_key: int
    file_key: int
    # As in the invitation.
    name: str
    email: str
    role: Role
    title: str
    learner: str
    invited_by: str
    provider: str
    document_sha256: str
    expires_at: dt.datetime
    opened_at: dt.datetime | None
    # Used, or replaced by a newer link.
    ended_at: dt.datetime | None
    signed_at: dt.datetime | None
    status: SignatureRequestStatus
    # Of the document that is to be signed now.
    requested_sha256: str
    stored_sha256: str | None

    @classmethod
    def of(cls, row: Any) -> "GuestLink":
        """Returns that of a row of `_links()`, by the names of its columns."""
        return cls(**{each.name: getattr(row, each.name) for each in fields(cls)})


def _links() -> Select:
    inviter, learner = User.__table__.alias("inviter"), User.__table__.alias("learner_user")
    # unscoped: read for the holder of the link, who sees this document only
    return (
        select(
            GuestInvitation.id.label("key"), GuestInvitation.provider_id.label("provider_key"),
            GuestInvitation.learner_id.label("learner_key"), GuestInvitation.slot_id.label("slot_key"),
            SignatureRequest.id.label("request_key"), SignatureRequest.file_id.label("file_key"),
            GuestInvitation.name, GuestInvitation.email, SignatureSlot.role, SignatureRequest.title,
            learner.c.name.label("learner"), inviter.c.name.label("invited_by"), Provider.name.label("provider"),
            GuestInvitation.document_sha256, GuestInvitation.expires_at, GuestInvitation.opened_at,
            GuestInvitation.ended_at, SignatureSlot.signed_at, SignatureRequest.status,
            SignatureRequest.document_sha256.label("requested_sha256"), File.sha256.label("stored_sha256"),
        )
        .join(SignatureSlot, SignatureSlot.id == GuestInvitation.slot_id)
        .join(SignatureRequest, SignatureRequest.id == SignatureSlot.request_id)
        .join(File, File.id == SignatureRequest.file_id)
        .join(Learner, Learner.id == GuestInvitation.learner_id)
        .join(learner, learner.c.id == Learner.user_id)
        .join(inviter, inviter.c.id == GuestInvitation.invited_by_id)
        .join(Provider, Provider.id == GuestInvitation.provider_id)
        .where(GuestInvitation.token_sha256 == bindparam("token", type_=String))
    )  # fmt: skip


_LINK = _links()


async def read_link(database: Database, token_sha256: str) -> GuestLink | None:
    """Returns the link with that token; None if there is none."""
    rows = await database.rows(_LINK, {"token": token_sha256}, primary=True)
    return GuestLink.of(rows[0]) if rows else None


async def lock_link(session: AsyncSession, token_sha256: str) -> tuple[GuestLink, GuestInvitation] | None:
    """Returns the link with that token and its row, locked after its document, which every signer locks first."""
    found = (await session.execute(_LINK, {"token": token_sha256})).one_or_none()
    if found is None:
        return None
    await session.get_one(SignatureRequest, found.request_key, with_for_update={"key_share": True})
    invitation = await session.get_one(GuestInvitation, found.key, with_for_update={"key_share": True})
    # Read again: another signer may have held the lock.
    return GuestLink.of((await session.execute(_LINK, {"token": token_sha256})).one()), invitation


async def has_account(session: AsyncSession, provider_key: int, email: str) -> bool:
    """Returns whether the provider has an account with that address, archived or not."""
    address = email.lower()
    # unscoped: whether there is one, for the rule that nobody with an account is a guest
    same = select(User.id).where(
        User.provider_id == provider_key, or_(User.username == address, func.lower(User.email) == address)
    )
    return (await session.execute(same.limit(1))).first() is not None


async def document_of_guest(database: Database, key: int, now: dt.datetime) -> Row[Any] | None:
    """Returns the stored file behind a link that was opened and has not expired; None for any other."""
    rows = await database.rows(_DOCUMENT, {"key": key, "now": now}, primary=True)
    return rows[0] if rows else None


# unscoped: read for the holder of the link
_DOCUMENT: Select = (
    select(File.name, File.content_type, File.size, File.sha256, File.storage_key)
    .join(SignatureRequest, SignatureRequest.file_id == File.id)
    .join(SignatureSlot, SignatureSlot.request_id == SignatureRequest.id)
    .join(GuestInvitation, GuestInvitation.slot_id == SignatureSlot.id)
    .where(
        GuestInvitation.id == bindparam("key", type_=Key),
        GuestInvitation.opened_at.is_not(None),
        GuestInvitation.expires_at > bindparam("now", type_=UtcDateTime()),
        File.erased_at.is_(None),
    )
)


async def end_links(session: AsyncSession, slot_key: int, now: dt.datetime) -> None:
    """Ends the links of a slot that are still open."""
    # unscoped: the slot belongs to a document that was read within the viewer's scope, or by its link
    open_links = update(GuestInvitation).where(GuestInvitation.slot_id == slot_key, GuestInvitation.ended_at.is_(None))
    await session.execute(open_links.values(ended_at=now).execution_options(synchronize_session=False))


async def count_links(session: AsyncSession, since: dt.datetime, *where: ColumnElement[bool]) -> int:
    """Returns the number of links that were sent since a time and meet the conditions."""
    # unscoped: a count for a limit
    statement = select(func.count()).where(GuestInvitation.invited_at > since, *where)
    return (await session.execute(statement)).scalar_one()
