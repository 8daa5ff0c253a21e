"""Books, changes and cancels sessions; neither the learner nor the assessor can be booked twice for a time."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from db.models.aim import Aim
from db.models.file import File
from db.models.learner import Learner
from db.models.session import Session, SessionAim, SessionFile
from db.models.user import User
from domain import global_id
from domain.clock import LONDON
from domain.enums import AimStatus, Role, SessionStatus, SessionType, UserErrorCode
from domain.sentences import say
from repositories.aim import visible_aims
from repositories.review import review_of_session
from repositories.session import BookedSession, aims_of_session, booked_between
from resolvers.core.attachments import attach_all, attachable_files
from resolvers.core.changes import changed_texts
from resolvers.core.row_limit import check_row_limit
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity
from resolvers.rules.learner import LEARNER, LearnerState
from resolvers.rules.session import SESSION, SessionState
from resolvers.session.details import check_times, location_of, notes_of
from resolvers.session.notification import PreviousTime, notify_learner


class SessionChanges(TypedDict, total=False):
    """The changes of a session: what is missing is not changed, None empties location and planning notes."""

    type: SessionType | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    location: str | None
    planning_notes: str | None
    feedback: str | None
    add_file_ids: list[str] | None


@mutation("sessionBook")
async def book(
    uow: UnitOfWork,
    *,
    learner_id: str,
    type: SessionType,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    location: str | None = None,
    aim_ids: Sequence[str] | None = None,
    planning_notes: str | None = None,
) -> int:
    """Adds a session to a learner's plan, and sends the learner an e-mail. Returns the session's key.

    The assessor is the viewer, if they are one; else the assessor of the first of `aim_ids`, or of the learner's first
    aim in training. Rejects with NOT_FOUND, NOT_ALLOWED, INVALID for the fields, and CONFLICT where the learner or the
    assessor is booked at that time.
    """
    learner = await require_entity(uow, Learner, learner_id, "input", "learnerId")
    if learner is not None:
        uow.require(LEARNER, LearnerState.of(learner))
    valid_times = check_times(uow, starts_at, ends_at)
    location = location_of(uow, location)
    planning_notes = notes_of(uow, planning_notes)
    visible = await visible_aims(uow.session, uow.viewer, learner.id) if learner else []
    aims = parse_aims(uow, aim_ids or (), visible)
    assessor = await assessor_of(uow, aims, visible) if learner else None
    if learner and assessor and valid_times:
        await check_free(uow, learner, assessor, starts_at, ends_at)
    uow.raise_errors()
    assert learner is not None and assessor is not None
    session = await add_session(
        uow, learner, assessor, aims, type=type, starts_at=starts_at, ends_at=ends_at, location=location,
        planning_notes=planning_notes,
    )  # fmt: skip
    uow.audit("Session", session.id, learner_id=learner.id, aim_id=single_key([aim.id for aim in aims]))
    return session.id


async def add_session(
    uow: UnitOfWork, learner: Learner, assessor: User, aims: Sequence[Aim], **columns: Any
) -> Session:
    """Adds a planned session to the learner's plan, and sends the learner an e-mail. The learner is locked."""
    learner.last_session_number += 1
    owner = {"provider_id": learner.provider_id, "learner_id": learner.id}
    session = Session(
        **owner, number=learner.last_session_number, status=SessionStatus.PLANNED, assessor_id=assessor.id, **columns
    )
    uow.session.add(session)
    await uow.session.flush()
    uow.session.add_all(SessionAim(**owner, session_id=session.id, aim_id=aim.id) for aim in aims)
    await notify_learner(uow, session, assessor)
    return session


@mutation("sessionUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[SessionChanges]) -> int:
    """Changes a planned session, or the feedback and files of a completed one. E-mails the learner.

    Rejects with NOT_FOUND, NOT_ALLOWED, INVALID for the fields, and CONFLICT where it is no longer planned, or where
    the learner or the assessor is booked at the new time.
    """
    session = await uow.get(Session, id, "id")
    uow.require(SESSION, SessionState.of(session))
    changed = _changed_columns(uow, session, changes)
    changeable = {"feedback"} if session.status is not SessionStatus.CANCELLED else set()
    if changed.keys() - changeable and session.status is not SessionStatus.PLANNED:
        reason = "SESSION_OVER" if changeable else "SESSION_CANCELLED_FILES_ONLY"
        message = say(reason, number=session.number, status=session.status)
        uow.add_error(UserErrorCode.CONFLICT, message, "id")
    aim_ids = [aim.id for aim in await aims_of_session(uow.session, session.id)]
    files = await attachable_files(
        uow, changes.get("add_file_ids") or (), session.learner_id, aim_ids, "input", "addFileIds"
    )
    await check_row_limit(
        uow, SessionFile.session_id, session.id, "ATTACHED_FILES_FULL", "input", "addFileIds", adding=len(files)
    )
    if "type" in changed and await review_of_session(uow.session, session.id) is not None:
        uow.add_error(UserErrorCode.CONFLICT, say("SESSION_HAS_REVIEW"), "input", "type")
    starts_at, ends_at = changed.get("starts_at", session.starts_at), changed.get("ends_at", session.ends_at)
    moved = changed.keys() & {"starts_at", "ends_at"}
    if moved and check_times(uow, starts_at, ends_at) and session.status is SessionStatus.PLANNED:
        learner = await uow.session.get_one(Learner, session.learner_id, with_for_update={"key_share": True})
        assessor = await lock_assessor(uow, session.assessor_id)
        await check_free(uow, learner, assessor, starts_at, ends_at, session.id, session.group_id)
    uow.raise_errors()
    previous = PreviousTime.of(session)
    for name, value in changed.items():
        setattr(session, name, value)
    if changed.keys() - {"feedback"}:
        await notify_learner(uow, session, previous=previous)
    added = await add_files(uow, session, files, aim_ids)
    if changed or added:
        uow.audit(
            "Session", session.id, learner_id=session.learner_id, aim_id=single_key(aim_ids), fields=sorted(changed),
            files=added,
        )  # fmt: skip
    return session.id


@mutation("sessionCancel")
async def cancel(uow: UnitOfWork, *, id: str) -> int:
    """Cancels a planned session, and sends the learner an e-mail; cancelling again changes nothing.

    Rejects with NOT_FOUND, NOT_ALLOWED or CONFLICT.
    """
    session = await uow.get(Session, id, "id")
    uow.require(SESSION, SessionState.of(session))
    if session.status is SessionStatus.CANCELLED:
        return session.id
    session.status = SessionStatus.CANCELLED
    await notify_learner(uow, session)
    aim_ids = [aim.id for aim in await aims_of_session(uow.session, session.id)]
    uow.audit("Session", session.id, learner_id=session.learner_id, aim_id=single_key(aim_ids), fields=["status"])
    return session.id


def single_key(keys: Sequence[int]) -> int | None:
    """Returns the key of a list of one; None for any other list."""
    return keys[0] if len(keys) == 1 else None


async def check_still_free(uow: UnitOfWork, session: Session) -> None:
    """Records an error where the learner or the assessor has another session at the time of this one."""
    learner = await uow.session.get_one(Learner, session.learner_id, with_for_update={"key_share": True})
    assessor = await lock_assessor(uow, session.assessor_id)
    await check_free(uow, learner, assessor, session.starts_at, session.ends_at, session.id, session.group_id)


async def add_files(uow: UnitOfWork, session: Session, files: Sequence[File], aim_ids: Sequence[int]) -> list[int]:
    """Attaches files to a session. Returns the keys of those that it did not have."""
    attach_all(files, session.learner_id, aim_ids)
    added = []
    for file in files:
        if await uow.session.get(SessionFile, (session.id, file.id)) is None:
            added.append(file.id)
            uow.session.add(
                SessionFile(
                    session_id=session.id, file_id=file.id, provider_id=session.provider_id,
                    learner_id=session.learner_id,
                )
            )  # fmt: skip
    return added


def _changed_columns(uow: UnitOfWork, session: Session, changes: SessionChanges) -> dict[str, Any]:
    """Returns the new values of the columns that differ."""
    values: dict[str, Any] = {
        name: changes[name] for name in ("type", "starts_at", "ends_at") if changes.get(name) is not None
    }
    values |= changed_texts(uow, Session, changes)
    return {name: value for name, value in values.items() if getattr(session, name) != value}


def parse_aims(uow: UnitOfWork, aim_ids: Sequence[str], visible: Sequence[Aim]) -> list[Aim]:
    """Returns the aims with those ids, each once; records an error for each that is not among the visible ones."""
    by_key = {aim.id: aim for aim in visible}
    found: dict[int, Aim] = {}
    for index, id in enumerate(aim_ids):
        aim = by_key.get(global_id.decode("Aim", id) or 0)
        if aim is None:
            uow.add_not_found("input", "aimIds", str(index))
        else:
            found[aim.id] = aim
    return list(found.values())


async def assessor_of(uow: UnitOfWork, aims: Sequence[Aim], visible: Sequence[Aim]) -> User | None:
    """Returns the assessor of the session, locked; records an error where there is none."""
    if uow.viewer.role is Role.ASSESSOR:
        return await lock_assessor(uow, uow.viewer.user_key)
    if aims:
        key = aims[0].assessor_id
        missing = say("FIRST_COMPONENT_WITHOUT_ASSESSOR")
    else:
        # Before the induction no aim is in training, so those that wait for it come next.
        in_training = [aim for aim in visible if aim.status is AimStatus.IN_TRAINING]
        waiting = [aim for aim in visible if aim.status is AimStatus.AWAITING_INDUCTION]
        key = next((aim.assessor_id for aim in (*in_training, *waiting) if aim.assessor_id is not None), None)
        missing = say("NO_COMPONENT_WITH_ASSESSOR")
    assessor = await lock_assessor(uow, key) if key is not None else None
    if assessor is None or assessor.archived_at is not None:
        archived = say("ASSESSOR_ARCHIVED")
        uow.add_error(UserErrorCode.INVALID, missing if assessor is None else archived, "input", "aimIds")
        return None
    return assessor


async def lock_assessor(uow: UnitOfWork, key: int) -> User:
    """Returns the assessor of a record in scope, locked. The learner is locked before, so that nothing deadlocks."""
    return await uow.session.get_one(User, key, with_for_update={"key_share": True})


async def check_free(
    uow: UnitOfWork,
    learner: Learner,
    assessor: User,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    excluding: int | None = None,
    group: int | None = None,
) -> None:
    """Records an error where the learner or the assessor, who are both locked, is booked at that time."""
    booked = await booked_between(
        uow.session, uow.viewer, learner.id, assessor.id, starts_at, ends_at, excluding, group
    )
    of_learner = next((each for each in booked if each.learner_key == learner.id), None)
    of_assessor = next((each for each in booked if each.learner_key != learner.id), None)
    if of_learner is not None:
        name = (await uow.session.get_one(User, learner.user_id)).name
        _add_conflict(uow, "LEARNER_BOOKED", of_learner, name=name, number=of_learner.number)
    if of_assessor is not None and assessor.id == uow.viewer.user_key:
        _add_conflict(uow, "VIEWER_BOOKED", of_assessor, learner=of_assessor.learner_name)
    elif of_assessor is not None:
        _add_conflict(uow, "ASSESSOR_BOOKED", of_assessor, name=assessor.name, learner=of_assessor.learner_name)


def _add_conflict(uow: UnitOfWork, reason: str, booked: BookedSession, **parameters: Any) -> None:
    starts, ends = booked.starts_at.astimezone(LONDON), booked.ends_at.astimezone(LONDON)
    if booked.visible:
        message = say(reason, **parameters, day=starts.date(), starts=f"{starts:%H:%M}", ends=f"{ends:%H:%M}")
    elif "name" in parameters:
        message = say("PERSON_BOOKED", name=parameters["name"])
    else:
        message = say("VIEWER_BOOKED_ELSEWHERE")
    uow.add_error(UserErrorCode.CONFLICT, message, "input", "startsAt")
