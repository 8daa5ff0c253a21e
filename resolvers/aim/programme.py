"""Adds aims to a learner's programme, and changes them."""

import datetime as dt
from typing import Any, TypedDict, Unpack

from db.models.aim import Aim, AimProgress
from db.models.aim_status_change import AimStatusChange
from db.models.learner import Learner
from db.models.qualification import Qualification
from db.models.user import User
from domain.enums import AimOutcome, AimStatus, Role, UserErrorCode
from domain.progress import ENDED
from domain.sentences import say
from repositories.aim import has_open_aim
from repositories.aim_break import breaks_of_aim
from repositories.user import grants_of_user
from resolvers.aim.result import AimChange, of_aim
from resolvers.aim.status import change_by_hand, set_status
from resolvers.core.row_limit import check_row_limit
from resolvers.core.separation_of_duties import check_not_own_record, require_not_self
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity
from resolvers.rules.aim import AIM, AimState
from resolvers.rules.learner import LEARNER, LearnerState
from resolvers.session.reassignment import hand_over_aims

_AWAITING, _TRAINING, _SUSPENDED = AimStatus.AWAITING_INDUCTION, AimStatus.IN_TRAINING, AimStatus.SUSPENDED
_COMPLETED, _WITHDRAWN = AimStatus.COMPLETED, AimStatus.WITHDRAWN

# An aim that has ended can continue, because the end may be a mistake and learners come back.
NEXT_STATUSES: dict[AimStatus, frozenset[AimStatus]] = {
    _AWAITING: frozenset({_TRAINING, _WITHDRAWN}),
    _TRAINING: frozenset({_SUSPENDED, _COMPLETED, _WITHDRAWN}),
    _SUSPENDED: frozenset({_TRAINING, _COMPLETED, _WITHDRAWN}),
    _COMPLETED: frozenset({_TRAINING}),
    _WITHDRAWN: frozenset({_TRAINING}),
}


class AimChanges(TypedDict, total=False):
    """The changes of an aim: what is missing or None is not changed, except that None removes the IQA, the original
    start date and the outcome."""

    status: AimStatus | None
    assessor_id: str | None
    iqa_id: str | None
    planned_end_date: dt.date | None
    actual_end_date: dt.date | None
    reason: str | None
    start_date: dt.date | None
    original_start_date: dt.date | None
    outcome: AimOutcome | None


@mutation("aimAdd")
async def add(
    uow: UnitOfWork,
    *,
    learner_id: str,
    qualification_id: str,
    assessor_id: str,
    start_date: dt.date,
    planned_end_date: dt.date,
    iqa_id: str | None = None,
    original_start_date: dt.date | None = None,
) -> AimChange:
    """Adds a qualification version to a learner's programme, awaiting the induction. Returns its key and the learner's.

    The assessor sees the learner through the aim. Rejects with NOT_FOUND, NOT_ALLOWED, INVALID for people and dates,
    and CONFLICT where the learner has an open aim in that qualification version.
    """
    learner = await uow.get(Learner, learner_id, "input", "learnerId")
    uow.require(LEARNER, LearnerState.of(learner))
    qualification = await require_entity(uow, Qualification, qualification_id, "input", "qualificationId", locked=False)
    assessor = await _user_in_role(uow, learner.user_id, assessor_id, Role.ASSESSOR, "assessorId")
    iqa = None if iqa_id is None else await _user_in_role(uow, learner.user_id, iqa_id, Role.IQA, "iqaId")
    if assessor is not None and assessor is iqa:
        _add_same_person(uow, "iqaId")
    _check_planned_end(uow, start_date, planned_end_date)
    original = _original_start(uow, original_start_date, start_date)
    if qualification is not None and await has_open_aim(uow.session, learner.id, qualification.id):
        _add_open_aim(uow, "qualificationId")
    await check_row_limit(uow, Aim.learner_id, learner.id, "PROGRAMME_FULL", "input", "learnerId")
    uow.raise_errors()
    assert qualification is not None and assessor is not None
    aim = Aim(
        provider_id=learner.provider_id,
        learner_id=learner.id,
        qualification_id=qualification.id,
        status=AimStatus.AWAITING_INDUCTION,
        assessor_id=assessor.id,
        iqa_id=iqa.id if iqa else None,
        start_date=start_date,
        planned_end_date=planned_end_date,
        original_start_date=original,
        created_at=uow.now,
    )
    uow.session.add(aim)
    await uow.session.flush()
    set_status(uow, aim, AimStatus.AWAITING_INDUCTION, min(uow.today, start_date))
    uow.session.add(
        AimProgress(
            aim_id=aim.id,
            provider_id=aim.provider_id,
            learner_id=aim.learner_id,
            criteria_total=0,
        )
    )
    uow.recount_progress(aim.id)
    uow.recount_choice(aim)
    uow.recount_hours(aim)
    uow.recount_time(aim.learner_id)
    uow.audit("Aim", aim.id, learner_id=learner.id, aim_id=aim.id)
    return of_aim(aim)


@mutation("aimUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[AimChanges]) -> AimChange:
    """Changes an aim's status, its assessor or IQA, or its dates. A replaced assessor no longer sees the aim.

    The sessions to come about the aim go to the new assessor, and the learner and both assessors get an e-mail.
    An aim that ends gets an actual end date: the given one, or today. A start date is corrected with a reason.
    Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED without that reason, INVALID for
    people and dates, and CONFLICT for a status that cannot follow the current one.
    """
    aim = await uow.get(Aim, id, "id")
    uow.require(AIM, AimState.of(aim))
    values: dict[str, Any] = {}
    status = changes.get("status") or aim.status
    if status is not aim.status:
        values["status"] = status
        await _check_status(uow, aim, status)
        await check_row_limit(uow, AimStatusChange.aim_id, aim.id, "STATUS_HISTORY_FULL", "input", "status")
    values |= await _people(uow, aim, changes)
    reason = multi_line(uow, changes.get("reason") or "", "input", "reason", required=False) or None
    start = changes.get("start_date") or aim.start_date
    if start != aim.start_date:
        await _check_start(uow, aim, start, reason)
        values |= {"start_date": start, "start_date_reason": reason}
    planned_end = changes.get("planned_end_date") or aim.planned_end_date
    if (start, planned_end) != (aim.start_date, aim.planned_end_date):
        _check_planned_end(uow, start, planned_end)
        values["planned_end_date"] = planned_end
    if "original_start_date" in changes:
        values["original_start_date"] = _original_start(uow, changes["original_start_date"], start)
    values["actual_end_date"] = _actual_end(uow, aim, status, start, changes.get("actual_end_date"))
    values["outcome"] = _outcome(uow, aim, status, changes)
    uow.raise_errors()
    changed = sorted(name for name, value in values.items() if getattr(aim, name) != value)
    detail: dict[str, Any] = {}
    if "assessor_id" in changed:
        assessor = await uow.session.get_one(User, values["assessor_id"])
        sessions = await hand_over_aims(uow, [aim], aim.assessor_id, assessor)
        detail["sessions"] = [session.id for session in sessions]
    for name in changed:
        setattr(aim, name, values[name])
    if "status" in changed:
        await change_by_hand(uow, aim, status, reason)
    elif {"start_date", "planned_end_date", "actual_end_date"} & set(changed):
        uow.recount_breaks(aim)
    if {"start_date", "original_start_date"} & set(changed):
        uow.recount_hours(aim)
    if changed:
        detail |= {"fields": changed, "status": status.value}
        uow.audit("Aim", aim.id, learner_id=aim.learner_id, aim_id=aim.id, **detail)
    return of_aim(aim)


async def _check_status(uow: UnitOfWork, aim: Aim, status: AimStatus) -> None:
    if status not in NEXT_STATUSES[aim.status]:
        following = [each for each in AimStatus if each in NEXT_STATUSES[aim.status]]
        message = say("STATUS_CANNOT_FOLLOW", status=aim.status, next=following)
        uow.add_error(UserErrorCode.CONFLICT, message, "input", "status")
    elif aim.status in ENDED and await has_open_aim(uow.session, aim.learner_id, aim.qualification_id, aim.id):
        _add_open_aim(uow, "status")


async def _people(uow: UnitOfWork, aim: Aim, changes: AimChanges) -> dict[str, int | None]:
    """Returns the new keys of the assessor and the IQA, as far as they change; records an error for the same person."""
    values: dict[str, int | None] = {}
    assessor_id, iqa_id = changes.get("assessor_id"), changes.get("iqa_id")
    if assessor_id is None and "iqa_id" not in changes:
        return values
    learner_user = (await uow.session.get_one(Learner, aim.learner_id)).user_id
    for name, id, role, current in (
        ("assessor", assessor_id, Role.ASSESSOR, aim.assessor_id), ("iqa", iqa_id, Role.IQA, aim.iqa_id),
    ):  # fmt: skip
        if id is not None and (user := await _user_in_role(uow, learner_user, id, role, f"{name}Id", current)):
            values[f"{name}_id"] = user.id
    if iqa_id is None and "iqa_id" in changes:
        values["iqa_id"] = None
    people = {"assessor_id": aim.assessor_id, "iqa_id": aim.iqa_id, **values}
    if values and people["assessor_id"] is not None and people["assessor_id"] == people["iqa_id"]:
        _add_same_person(uow, "iqaId" if "iqa_id" in values else "assessorId")
    return values


async def _user_in_role(
    uow: UnitOfWork, learner_user_key: int, id: str, role: Role, field: str, current: int | None = None
) -> User | None:
    """Returns the user with that id, if they hold the role; else records the error and returns None.

    Nobody is assessor or IQA of their own aim, and only an Assessor who acts as one takes an aim on themself.
    `current` is the key of the user whom the aim has already.
    """
    user = await require_entity(uow, User, id, "input", field, locked=False)
    if user is None:
        return None
    if user.archived_at is None and role in await grants_of_user(uow.session, user.id):
        if user.id != current:
            check_not_own_record(uow, user.id, {learner_user_key}, "input", field)
            if role is not uow.viewer.role:
                require_not_self(uow, user, "OWN_ASSIGNMENT", "input", field, role=role)
        return user
    message = say("ROLE_MISSING", role=role)
    uow.add_error(UserErrorCode.INVALID, message, "input", field)
    return None


async def _check_start(uow: UnitOfWork, aim: Aim, start: dt.date, reason: str | None) -> None:
    """Records what forbids the correction of a start date."""
    field = ("input", "startDate")
    if reason is None:
        message = say("START_DATE_REASON_MISSING")
        uow.add_error(UserErrorCode.REQUIRED, message, "input", "reason")
    if aim.actual_end_date is not None and start > aim.actual_end_date:
        message = say("START_DATE_AFTER_END")
        uow.add_error(UserErrorCode.INVALID, message, *field)
    breaks = await breaks_of_aim(uow.session, aim.id)
    if breaks and breaks[0].start_date < start:
        message = say("BREAK_BEFORE_START", start=breaks[0].start_date)
        uow.add_error(UserErrorCode.CONFLICT, message, *field)


def _original_start(uow: UnitOfWork, given: dt.date | None, start: dt.date) -> dt.date | None:
    """Returns the day on which the learner first began; None where it is the start of the aim."""
    if given is not None and given > start:
        message = say("ORIGINAL_START_OUT_OF_RANGE")
        uow.add_error(UserErrorCode.INVALID, message, "input", "originalStartDate")
    return None if given == start else given


def _outcome(uow: UnitOfWork, aim: Aim, status: AimStatus, changes: AimChanges) -> AimOutcome | None:
    """Returns the outcome: only an aim that has ended has one, and it goes when the aim continues."""
    given = changes.get("outcome")
    if status in ENDED:
        return given if "outcome" in changes else aim.outcome
    if given is not None:
        message = say("OUTCOME_BEFORE_END")
        uow.add_error(UserErrorCode.INVALID, message, "input", "outcome")
    return None


def _actual_end(uow: UnitOfWork, aim: Aim, status: AimStatus, start: dt.date, given: dt.date | None) -> dt.date | None:
    """Returns the day on which the aim ended: the given one, the recorded one, or today; None for an open aim."""
    field = ("input", "actualEndDate")
    if status not in ENDED:
        if given is not None:
            message = say("END_DATE_BEFORE_END")
            uow.add_error(UserErrorCode.INVALID, message, *field)
        return None
    if given is None:
        # An aim that is withdrawn before it starts ends on its first day.
        return (aim.actual_end_date if aim.status is status else None) or max(uow.today, start)
    if not start <= given <= uow.today:
        message = say("END_DATE_OUT_OF_RANGE")
        uow.add_error(UserErrorCode.INVALID, message, *field)
    return given


def _check_planned_end(uow: UnitOfWork, start: dt.date, planned_end: dt.date) -> None:
    if planned_end < start:
        message = say("PLANNED_END_BEFORE_START")
        uow.add_error(UserErrorCode.INVALID, message, "input", "plannedEndDate")


def _add_same_person(uow: UnitOfWork, field: str) -> None:
    message = say("ASSESSOR_IS_IQA")
    uow.add_error(UserErrorCode.INVALID, message, "input", field)


def _add_open_aim(uow: UnitOfWork, field: str) -> None:
    message = say("QUALIFICATION_ALREADY_TAKEN")
    uow.add_error(UserErrorCode.CONFLICT, message, "input", field)
