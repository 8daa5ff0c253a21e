"""Books and completes the sessions of a group together, one in each learner's plan."""

import datetime as dt
from collections.abc import Sequence
from typing import TypedDict

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.session import Session
from db.models.user import User
from domain import global_id
from domain.enums import Role, SessionType, UserErrorCode
from domain.errors import not_found, reject
from domain.sentences import say
from loaders.session import GROUP
from repositories.aim import visible_aims
from repositories.session import sessions_of_group
from repositories.user import grants_of_user
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity
from resolvers.rules.learner import LEARNER, LearnerState
from resolvers.session.booking import (
    add_session,
    assessor_of,
    check_free,
    lock_assessor,
    parse_aims,
)
from resolvers.session.completion import Outcome, record_outcome
from resolvers.session.details import check_times, location_of, notes_of

MAX_LEARNERS = 100


class _Register(TypedDict):
    session_id: str
    attended: bool


class Attendance(_Register, total=False):
    """One line of the register."""

    feedback: str | None
    minutes: int | None


@mutation("sessionBookMany")
async def book_many(
    uow: UnitOfWork,
    *,
    learner_ids: Sequence[str],
    type: SessionType,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    location: str | None = None,
    planning_notes: str | None = None,
    assessor_id: str | None = None,
    aim_ids: Sequence[str] | None = None,
) -> list[int]:
    """Books a session for each learner of a group, all or none, and sends each an e-mail. Returns the sessions' keys.

    The assessor is the viewer, if they are one; else the one that an admin names, or that of the first component.
    Rejects as a session of one learner does, with errors at each learner.
    """
    learners = await _learners(uow, learner_ids)
    for learner in learners:
        uow.require(LEARNER, LearnerState.of(learner))
    valid_times = check_times(uow, starts_at, ends_at)
    location, planning_notes = location_of(uow, location), notes_of(uow, planning_notes)
    aims_of = {learner.id: await visible_aims(uow.session, uow.viewer, learner.id) for learner in learners}
    chosen = parse_aims(uow, aim_ids or (), [aim for aims in aims_of.values() for aim in aims])
    assessor = await _assessor(uow, assessor_id, chosen, aims_of[learners[0].id])
    if assessor is not None and valid_times:
        for learner in learners:
            await check_free(uow, learner, assessor, starts_at, ends_at)
            if uow.has_errors:
                # One learner who is not free says enough: an assessor who is not would be named for each.
                break
    uow.raise_errors()
    assert assessor is not None
    sessions: list[Session] = []
    for learner in learners:
        session = await add_session(
            uow, learner, assessor, [aim for aim in chosen if aim.learner_id == learner.id], type=type,
            starts_at=starts_at, ends_at=ends_at, location=location, planning_notes=planning_notes,
        )  # fmt: skip
        sessions.append(session)
    for session in sessions:
        session.group_id = sessions[0].id
    _audit(uow, sessions)
    return [session.id for session in sessions]


@mutation("sessionCompleteMany")
async def complete_many(uow: UnitOfWork, *, group_id: str, attendances: Sequence[Attendance]) -> list[int]:
    """Registers who of a group attended, all lines or none; a register may be filled in parts. Returns the keys.

    Rejects as the completion of one session does, with errors at each line.
    """
    group = global_id.decode(GROUP, group_id)
    sessions = await sessions_of_group(uow.session, uow.viewer, group) if group else {}
    if not sessions:
        raise not_found("groupId")
    uow.authorize()
    if not attendances:
        raise reject(UserErrorCode.REQUIRED, say("REGISTER_EMPTY"), "attendances")
    changed: list[Session] = []
    named: list[int] = []
    for index, attendance in enumerate(attendances):
        at = ("attendances", str(index))
        key = global_id.decode("Session", attendance["session_id"]) or 0
        session = sessions.get(key)
        if session is None:
            uow.add_not_found(*at, "sessionId")
        elif key in named:
            message = say("SESSION_GIVEN_TWICE")
            uow.add_error(UserErrorCode.INVALID, message, *at, "sessionId")
        else:
            named.append(key)
            outcome: Outcome = {
                "attended": attendance["attended"],
                "feedback": attendance.get("feedback"),
                "minutes": attendance.get("minutes"),
            }
            if await record_outcome(uow, session, outcome, (*at, "sessionId"), at) is not None:
                changed.append(session)
    uow.raise_errors()
    if changed:
        _audit(uow, changed)
    return named


async def _learners(uow: UnitOfWork, ids: Sequence[str]) -> list[Learner]:
    """Returns the learners with those ids, each once, locked in the order of their keys, in the given order."""
    if not ids or len(ids) > MAX_LEARNERS:
        uow.authorize()
        message = say("NUMBER_OF_LEARNERS", most=MAX_LEARNERS)
        raise reject(UserErrorCode.INVALID if ids else UserErrorCode.REQUIRED, message, "input", "learnerIds")
    keys = [global_id.decode("Learner", id) for id in ids]
    found = {key: await uow.get_or_none(Learner, key) for key in sorted({key for key in keys if key is not None})}
    for index, key in enumerate(keys):
        if key is None or found.get(key) is None:
            uow.add_not_found("input", "learnerIds", str(index))
    uow.raise_errors()
    return [learner for key in dict.fromkeys(keys) if key is not None and (learner := found[key]) is not None]


async def _assessor(uow: UnitOfWork, id: str | None, aims: Sequence[Aim], visible: Sequence[Aim]) -> User | None:
    """Returns the assessor of the sessions, locked; records an error where there is none."""
    if id is None or uow.viewer.role is Role.ASSESSOR:
        if id is not None and global_id.decode("User", id) != uow.viewer.user_key:
            message = say("ASSESSOR_BOOKS_OWN_SESSIONS")
            uow.add_error(UserErrorCode.INVALID, message, "input", "assessorId")
        return await assessor_of(uow, aims, visible)
    user = await require_entity(uow, User, id, "input", "assessorId", locked=False)
    if user is None:
        return None
    if user.archived_at is not None or Role.ASSESSOR not in await grants_of_user(uow.session, user.id):
        message = say("ROLE_MISSING", role=Role.ASSESSOR)
        uow.add_error(UserErrorCode.INVALID, message, "input", "assessorId")
        return None
    return await lock_assessor(uow, user.id)


def _audit(uow: UnitOfWork, sessions: Sequence[Session]) -> None:
    """Records one audit event for all sessions of the group that were changed."""
    learners = {session.learner_id for session in sessions}
    uow.audit(
        "Session", sessions[0].id if len(sessions) == 1 else None,
        learner_id=learners.pop() if len(learners) == 1 else None, sessions=[session.id for session in sessions],
    )  # fmt: skip
    uow.changed_learners.update(session.learner_id for session in sessions)
