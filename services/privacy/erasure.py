"""Erasure of a learner: what the law lets go is gone, and what it needs kept carries no name.

Kept, for the funding and the awarding bodies: aims with their dates, status and sums; that and when evidence was
submitted, mapped, assessed and signed, by whom in which role, with the digests; sessions and time with dates and
minutes; the audit trail, which names people by number. Gone: name, username, e-mail, password, ULN, photo, employer,
every file's bytes, every title and text, the CV, actions, resources, sign-ins, and mail to or about the learner.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.action import Action, ActionFile
from db.models.aim import Aim
from db.models.auth_session import AuthSession, IdempotencyKey, OneTimeToken, RefreshToken
from db.models.cv import CvDocument, CvSection
from db.models.evidence import Evidence, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.learner import Learner
from db.models.outbox import OutboxMail
from db.models.qualification import Qualification, QualificationUnit
from db.models.resource import Resource
from db.models.session import Session
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.time_log_entry import TimeLogEntry
from db.models.unit_signature import UnitSignature
from db.models.user import ManagerAllocation, RoleGrant, User
from domain import clock
from domain.confirmation_statements import unit_statement
from domain.enums import AimStatus, Role, SessionStatus, SignatureRequestStatus
from domain.progress import ENDED

# What stands where words stood that must be there.
GONE = "(erased)"

# Table -> what its columns of words become.
_WORDS: Mapping[type[Any], Mapping[str, Any]] = {
    Evidence: {"title": GONE, "description": "", "feedback": None, "points_for_improvement": None},
    EvidenceVersion: {"comment": None},
    EvidenceSignature: {"statement": GONE},
    SignatureRequest: {"title": GONE},
    Session: {"location": None, "planning_notes": None, "feedback": None},
    TimeLogEntry: {"comments": ""},
}
# In this order: what refers to a row goes before it.
_DELETED = (ActionFile, Action, CvSection, CvDocument, Resource, ManagerAllocation)


def erased_name(learner_key: int) -> str:
    """What an erased learner is called."""
    return f"Erased learner {learner_key}"


async def other_roles(session: AsyncSession, user_key: int) -> list[Role]:
    """The roles that a learner's login holds besides: somebody who still works here is not erased."""
    held = select(RoleGrant.role).where(RoleGrant.user_id == user_key, RoleGrant.role != Role.LEARNER)
    return list(await session.scalars(held.order_by(RoleGrant.role)))


async def erase_learner(session: AsyncSession, learner: Learner, now: dt.datetime) -> list[str]:
    """Erases a learner in the caller's transaction; gives the storage keys whose bytes go once it has committed.

    Aims that still run are withdrawn, planned sessions and waiting documents cancelled. Erasing twice is erasing once.
    """
    user = await session.get_one(User, learner.user_id, with_for_update={"key_share": True})
    await _erase_mail(session, user)
    await _end_what_runs(session, learner, clock.day_of(now))
    await _erase_words(session, learner)
    storage_keys = await _erase_files(session, learner, now)
    await _erase_login(session, user, learner, now)
    learner.uln = learner.photo_file_id = learner.employer_id = None
    learner.erased_at = learner.erased_at or now
    await session.flush()
    return storage_keys


async def _end_what_runs(session: AsyncSession, learner: Learner, today: dt.date) -> None:
    for table, condition, values in (
        (Aim, Aim.status.not_in(ENDED), {"status": AimStatus.WITHDRAWN, "actual_end_date": today}),
        (Session, Session.status == SessionStatus.PLANNED, {"status": SessionStatus.CANCELLED}),
        (
            SignatureRequest,
            SignatureRequest.status == SignatureRequestStatus.PENDING,
            {"status": SignatureRequestStatus.CANCELLED},
        ),
    ):
        await _change(session, table, learner.id, values, condition)


async def _change(
    session: AsyncSession, table: type[Any], learner_key: int, values: Mapping[str, Any], *where: Any
) -> None:
    # Counted as a write of the row: who read it before and writes it afterwards is told, and brings no words back.
    counted = {"version": table.version + 1} if "version" in table.__table__.columns else {}
    changing = update(table).where(table.learner_id == learner_key, *where).values(**values, **counted)
    await session.execute(changing.execution_options(synchronize_session=False))


async def _erase_words(session: AsyncSession, learner: Learner) -> None:
    for table, values in _WORDS.items():
        await _change(session, table, learner.id, values)
    await _change(session, SignatureSlot, learner.id, {"statement": GONE}, SignatureSlot.statement.is_not(None))
    await _erase_unit_statements(session, learner)
    await _change(session, Evidence, learner.id, {"action_id": None})
    for table in _DELETED:
        await session.execute(delete(table).where(table.learner_id == learner.id))


async def _erase_unit_statements(session: AsyncSession, learner: Learner) -> None:
    """The words stay that a unit's signature confirmed; of whom goes."""
    signed = (
        select(UnitSignature.id, QualificationUnit.number, QualificationUnit.title, Qualification.title)
        .join(QualificationUnit, QualificationUnit.id == UnitSignature.unit_id)
        .join(Qualification, Qualification.id == QualificationUnit.qualification_id)
        .where(UnitSignature.learner_id == learner.id)
    )
    for key, *words in (await session.execute(signed)).all():
        statement = unit_statement(*words, erased_name(learner.id))
        await _change(session, UnitSignature, learner.id, {"statement": statement}, UnitSignature.id == key)


async def _erase_files(session: AsyncSession, learner: Learner, now: dt.datetime) -> list[str]:
    theirs = or_(
        File.learner_id == learner.id,
        # Uploaded, and not used yet.
        (File.uploaded_by_id == learner.user_id) & File.learner_id.is_(None),
    )
    kept_until_now = select(File.storage_key).where(theirs, File.storage_key.is_not(None)).distinct()
    storage_keys = list(await session.scalars(kept_until_now))
    erasing = update(File).where(theirs, File.erased_at.is_(None))
    await session.execute(erasing.values(name=GONE, storage_key=None, erased_at=now))
    return storage_keys


async def _erase_login(session: AsyncSession, user: User, learner: Learner, now: dt.datetime) -> None:
    sign_ins = select(AuthSession.id).where(AuthSession.user_id == user.id)
    await session.execute(delete(RefreshToken).where(RefreshToken.sign_in_id.in_(sign_ins)))
    for table in (AuthSession, OneTimeToken, IdempotencyKey, RoleGrant):
        await session.execute(delete(table).where(table.user_id == user.id))
    user.name, user.username, user.email = erased_name(learner.id), f"erased-learner-{learner.id}", ""
    # No hash is spelled like this: no password opens it.
    user.password_hash = "-"
    user.last_login_at = user.disclaimer_accepted_at = None
    user.archived_at = user.archived_at or now


async def _erase_mail(session: AsyncSession, user: User) -> None:
    """Mail to the learner is deleted; of mail that names them, what was sent loses its words, what waits goes."""
    if not user.email:
        return
    address = (OutboxMail.to_address == user.email) | (OutboxMail.reply_to == user.email)
    await session.execute(delete(OutboxMail).where(OutboxMail.provider_id == user.provider_id, address))
    # A name is part of other words ("Ed" of "edited"): the database narrows down, the pattern decides.
    whole_name = re.compile(rf"(?<!\w){re.escape(user.name)}(?!\w)", re.IGNORECASE)
    about = select(OutboxMail).where(
        OutboxMail.provider_id == user.provider_id,
        OutboxMail.subject.contains(user.name, autoescape=True) | OutboxMail.body.contains(user.name, autoescape=True),
    )
    for mail in await session.scalars(about):
        if whole_name.search(mail.subject) or whole_name.search(mail.body):
            if mail.sent_at is None:
                await session.delete(mail)
            else:
                mail.subject, mail.body = GONE, GONE
