"""Erasure of a learner: personal data goes; what funding and awarding bodies require for years stays without a name.

Each mapped class declares what erasure makes of its rows and columns (`db/models/personal_data.py`), and this module
applies that. Besides, it does what a declaration of one table cannot say: it ends what is open, removes the content of
files, rebuilds the statements of unit signatures, and finds the mails about the learner.

Kept: aims with dates, status and counts; that and when evidence was submitted, mapped, assessed and signed, by whom in
which role, with the digests; sessions and time with dates and minutes; the audit trail.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, case, delete, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.history.daily_rows import note_time
from db.models.aim import Aim
from db.models.aim_status_change import AimStatusChange
from db.models.base import Base
from db.models.file import File
from db.models.growth import Sweep
from db.models.learner import Learner
from db.models.outbox import OutboxMail
from db.models.personal_data import DataSubject, ErasedInCode, Personal, erased_name, personal_columns
from db.models.qualification import Qualification, QualificationUnit
from db.models.registry import mapped_classes
from db.models.time_log_entry import TimeLogEntry
from db.models.unit_signature import UnitSignature
from db.models.user import RoleGrant, User
from domain import clock
from domain.confirmation_statements import unit_statement
from domain.enums import Role
from domain.progress import ENDED
from services.mail.mail_folder import names
from services.off_the_job import recount_time
from services.progress import recount_breaks


async def other_roles(session: AsyncSession, user_key: int) -> list[Role]:
    """The roles of a learner's user besides LEARNER. A user who has one is not erased."""
    roles = select(RoleGrant.role).where(RoleGrant.user_id == user_key, RoleGrant.role != Role.LEARNER)
    return list(await session.scalars(roles.order_by(RoleGrant.role)))


@dataclass(frozen=True, slots=True)
class Erased:
    """What is left to delete after the commit: files by storage key, and mail files by the old address and name."""

    storage_keys: list[str]
    address: str
    name: str


async def erase_learner(session: AsyncSession, learner: Learner, now: dt.datetime) -> Erased:
    """Erases a learner in the caller's transaction. Returns what to delete after the commit.

    Open aims are withdrawn, planned sessions and pending documents cancelled. A second erasure changes nothing.
    """
    user = await session.get_one(User, learner.user_id, with_for_update={"key_share": True})
    subject, name = DataSubject(learner.id, user.id, user.provider_id, user.email, user.username), user.name
    await _end_what_is_open(session, learner.id, now)
    await _rebuild_unit_statements(session, learner.id)
    storage_keys = await _release_files(session, subject, now)
    storage_keys += await _erase_declared(session, subject)
    await _erase_mail_about(session, subject, name)
    for entity in (user, learner):
        await session.refresh(entity)
    user.archived_at = user.archived_at or now
    learner.erased_at = learner.erased_at or now
    await session.flush()
    return Erased(storage_keys, subject.email, name)


async def _erase_declared(session: AsyncSession, subject: DataSubject) -> list[str]:
    """Deletes rows and replaces values as the mapped classes declare, rows before those that they refer to.

    Returns the storage keys of the files of the rows that it deleted.
    """
    storage_keys: list[str] = []
    for entity in reversed(mapped_classes()):
        about = entity.rows_about(subject)
        if about is None:
            continue
        if entity.__learner_rows__.deleted:
            if isinstance(entity.__growth__, Sweep) and entity.__growth__.content:
                content = entity.__table__.c[entity.__growth__.content]
                storage_keys += await session.scalars(select(content).where(about, content.is_not(None)))
            await session.execute(delete(entity).where(about).execution_options(synchronize_session=False))
            continue
        values = {
            column.key: _replacement(column, declared, subject.learner_key)
            for column, declared in personal_columns(entity.__table__)
            if not isinstance(declared.erased, ErasedInCode)
        }
        if values:
            await _change(session, entity, about, values)
    return storage_keys


def _replacement(column: Column[Any], declared: Personal, learner_key: int) -> Any:
    value = declared.value_for(learner_key)
    # An optional column that is empty stays empty.
    return case((column.is_not(None), literal(value, column.type))) if column.nullable and value is not None else value


async def _change(session: AsyncSession, entity: type[Base], where: Any, values: dict[str, Any]) -> None:
    # Counted as a write: a concurrent change of a row that was read before fails, and does not restore its text.
    counter = entity.__mapper__.version_id_col
    counted = {} if counter is None else {counter.key: counter + 1}
    changing = update(entity).where(where).values({**values, **counted})
    await session.execute(changing.execution_options(synchronize_session=False))


async def _end_what_is_open(session: AsyncSession, learner_key: int, now: dt.datetime) -> None:
    """Withdraws aims and cancels sessions and documents: nobody can continue them without the learner."""
    today = clock.day_of(now)
    open_aims = set(
        await session.scalars(select(Aim.id).where(Aim.learner_id == learner_key, Aim.status.not_in(ENDED)))
    )
    entity: Any
    for entity in mapped_classes():
        if (ended := entity.__learner_rows__.ended) is not None:
            is_open = (entity.learner_id == learner_key) & ended.is_open(entity)
            await _change(session, entity, is_open, ended.values(today))
    aims = select(Aim).where(Aim.learner_id == learner_key).execution_options(populate_existing=True)
    for aim in (await session.scalars(aims)).all():
        if aim.id in open_aims:
            session.add(
                AimStatusChange(
                    provider_id=aim.provider_id, learner_id=learner_key, aim_id=aim.id, status=aim.status,
                    from_date=today, changed_at=now,
                )
            )  # fmt: skip
        await recount_breaks(session, aim)
    if await recount_time(session, TimeLogEntry.learner_id == learner_key):
        note_time(session, learner_key)


async def _rebuild_unit_statements(session: AsyncSession, learner_key: int) -> None:
    """Writes the statements again with the name of an erased learner: what was confirmed must stay readable."""
    signed = (
        select(
            UnitSignature.id,
            QualificationUnit.number,
            QualificationUnit.title,
            Qualification.title.label("qualification"),
        )
        .join(QualificationUnit, QualificationUnit.id == UnitSignature.unit_id)
        .join(Qualification, Qualification.id == QualificationUnit.qualification_id)
        .where(UnitSignature.learner_id == learner_key)
    )
    for row in (await session.execute(signed)).all():
        statement = unit_statement(row.number, row.title, row.qualification, erased_name(learner_key))
        await _change(session, UnitSignature, UnitSignature.id == row.id, {"statement": statement})


async def _release_files(session: AsyncSession, subject: DataSubject, now: dt.datetime) -> list[str]:
    """Detaches the learner's files from their content, and returns its storage keys."""
    theirs = File.rows_about(subject)
    stored = await session.scalars(select(File.storage_key).where(theirs, File.storage_key.is_not(None)).distinct())
    await _change(session, File, theirs & File.erased_at.is_(None), {"storage_key": None, "erased_at": now})
    return [key for key in stored if key is not None]


async def _erase_mail_about(session: AsyncSession, subject: DataSubject, name: str) -> None:
    """Deletes mail from the learner and unsent mail that names them; sent mail that names them loses its text."""
    if not subject.email:
        return
    at_provider = OutboxMail.provider_id == subject.provider_key
    # By the sender too: the address may have been another when the message was sent.
    theirs = or_(OutboxMail.reply_to == subject.email, OutboxMail.sender_id == subject.user_key)
    await session.execute(delete(OutboxMail).where(at_provider, theirs))
    # The database also finds the name within a word, which `names` excludes.
    candidates = select(OutboxMail).where(
        at_provider,
        OutboxMail.subject.contains(name, autoescape=True) | OutboxMail.body.contains(name, autoescape=True),
    )
    for mail in await session.scalars(candidates):
        if names(mail.subject, name) or names(mail.body, name):
            if mail.sent_at is None:
                await session.delete(mail)
                continue
            for column, declared in personal_columns(OutboxMail.__table__):
                setattr(mail, column.key, declared.value_for(subject.learner_key))
