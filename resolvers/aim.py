"""Aims: added to a learner's programme, and changed."""

import datetime as dt
from typing import Any, TypedDict, Unpack

from db.models.aim import Aim, AimProgress
from db.models.learner import Learner
from db.models.qualification import Qualification
from db.models.user import User
from domain.enums import AimStatus, Role, UserErrorCode
from domain.progress import ENDED
from repositories.people import grants_of_user, has_open_aim
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import require_entity
from resolvers.exports.labels import AIM_STATUS, ROLE

_AWAITING, _TRAINING, _SUSPENDED = AimStatus.AWAITING_INDUCTION, AimStatus.IN_TRAINING, AimStatus.SUSPENDED
_COMPLETED, _WITHDRAWN = AimStatus.COMPLETED, AimStatus.WITHDRAWN

# An aim that has ended goes on where that was a mistake, or where the learner comes back.
NEXT: dict[AimStatus, frozenset[AimStatus]] = {
    _AWAITING: frozenset({_TRAINING, _WITHDRAWN}),
    _TRAINING: frozenset({_SUSPENDED, _COMPLETED, _WITHDRAWN}),
    _SUSPENDED: frozenset({_TRAINING, _COMPLETED, _WITHDRAWN}),
    _COMPLETED: frozenset({_TRAINING}),
    _WITHDRAWN: frozenset({_TRAINING}),
}


class AimChanges(TypedDict, total=False):
    """What a change of an aim may set; what is left out or None stays, but None takes the IQA away."""

    status: AimStatus | None
    assessor_id: str | None
    iqa_id: str | None
    planned_end_date: dt.date | None
    actual_end_date: dt.date | None


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
) -> int:
    """Adds a qualification version to a learner's programme; it waits for the induction.

    Any assessor of the provider can be its assessor, and from then on that alone decides which assessor sees it.
    Refuses with NOT_FOUND, NOT_ALLOWED, INVALID for people and dates, and CONFLICT where the learner is in that
    qualification already.
    """
    learner = await uow.get(Learner, learner_id, "input", "learnerId")
    uow.authorize()
    qualification = await require_entity(uow, Qualification, qualification_id, "input", "qualificationId", locked=False)
    assessor = await _person(uow, assessor_id, Role.ASSESSOR, "assessorId")
    iqa = None if iqa_id is None else await _person(uow, iqa_id, Role.IQA, "iqaId")
    if assessor is not None and assessor is iqa:
        _same_person(uow, "iqaId")
    _check_dates(uow, start_date, planned_end_date)
    if learner.erased_at is not None:
        uow.add_error(UserErrorCode.CONFLICT, "This learner's record was erased.", "input", "learnerId")
    if qualification is not None and await has_open_aim(uow.session, learner.id, qualification.id):
        _twice(uow, "qualificationId")
    uow.raise_errors()
    assert qualification is not None and assessor is not None
    aim = Aim(
        provider_id=learner.provider_id,
        learner_id=learner.id,
        qualification_id=qualification.id,
        status=AimStatus.AWAITING_INDUCTION,
        assessor_id=assessor.id,
        iqa_id=iqa and iqa.id,
        start_date=start_date,
        planned_end_date=planned_end_date,
        created_at=uow.now,
    )
    uow.session.add(aim)
    await uow.session.flush()
    uow.session.add(
        AimProgress(
            aim_id=aim.id,
            provider_id=aim.provider_id,
            learner_id=aim.learner_id,
            criteria_total=qualification.criterion_count,
        )
    )
    uow.audit("Aim", aim.id, learner_id=learner.id, aim_id=aim.id)
    return aim.id


@mutation("aimUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[AimChanges]) -> int:
    """Changes where a learner stands in an aim, its people, or its end. An assessor who is replaced sees it no more.

    Ended, it has an actual end: the day given, or today. Refuses with NOT_FOUND, NOT_ALLOWED, INVALID for people and
    dates, and CONFLICT for a status that cannot follow.
    """
    aim = await uow.get(Aim, id, "id")
    uow.authorize()
    wanted: dict[str, Any] = {}
    status = changes.get("status") or aim.status
    if status is not aim.status:
        wanted["status"] = status
        await _check_next(uow, aim, status)
    wanted |= await _people(uow, aim, changes)
    planned_end = changes.get("planned_end_date")
    if planned_end is not None:
        _check_dates(uow, aim.start_date, planned_end)
        wanted["planned_end_date"] = planned_end
    wanted["actual_end_date"] = _actual_end(uow, aim, status, changes.get("actual_end_date"))
    uow.raise_errors()
    changed = sorted(name for name, value in wanted.items() if getattr(aim, name) != value)
    for name in changed:
        setattr(aim, name, wanted[name])
    if changed:
        uow.audit("Aim", aim.id, learner_id=aim.learner_id, aim_id=aim.id, fields=changed, status=status.value)
    return aim.id


async def _check_next(uow: UnitOfWork, aim: Aim, status: AimStatus) -> None:
    field = ("input", "status")
    if status not in NEXT[aim.status]:
        can = " or ".join(f'"{AIM_STATUS[one]}"' for one in AimStatus if one in NEXT[aim.status])
        message = f'From "{AIM_STATUS[aim.status]}" an aim cannot go to "{AIM_STATUS[status]}", only to {can}.'
        uow.add_error(UserErrorCode.CONFLICT, message, *field)
    elif aim.status in ENDED and await has_open_aim(uow.session, aim.learner_id, aim.qualification_id, aim.id):
        _twice(uow, "status")


async def _people(uow: UnitOfWork, aim: Aim, changes: AimChanges) -> dict[str, int | None]:
    """The assessor and the IQA, as far as they are to change; notes where one person would be both."""
    wanted: dict[str, int | None] = {}
    for name, field, role in (("assessor_id", "assessorId", Role.ASSESSOR), ("iqa_id", "iqaId", Role.IQA)):
        id = changes.get(name)
        if id is not None:
            person = await _person(uow, str(id), role, field)
            if person is not None:
                wanted[name] = person.id
        elif name == "iqa_id" and name in changes:
            wanted[name] = None
    people = {"assessor_id": aim.assessor_id, "iqa_id": aim.iqa_id, **wanted}
    if wanted and people["assessor_id"] is not None and people["assessor_id"] == people["iqa_id"]:
        _same_person(uow, "iqaId" if "iqa_id" in wanted else "assessorId")
    return wanted


async def _person(uow: UnitOfWork, id: str, role: Role, field: str) -> User | None:
    """The user with that id, if they can be the aim's assessor or IQA; else None, and the fault is noted."""
    user = await require_entity(uow, User, id, "input", field, locked=False)
    if user is None:
        return None
    if user.archived_at is None and role in await grants_of_user(uow.session, user.id):
        return user
    message = f"This person does not hold the role {ROLE[role]}. Choose somebody who does."
    uow.add_error(UserErrorCode.INVALID, message, "input", field)
    return None


def _actual_end(uow: UnitOfWork, aim: Aim, status: AimStatus, asked: dt.date | None) -> dt.date | None:
    """The day on which the aim ended: asked for, there already, or today; None while it goes on."""
    field = ("input", "actualEndDate")
    if status not in ENDED:
        if asked is not None:
            uow.add_error(
                UserErrorCode.INVALID, "Only an aim that is completed or withdrawn has an actual end.", *field
            )
        return None
    if asked is None:
        # Withdrawn before it began, it ends on the day that was to be its first.
        return (aim.actual_end_date if aim.status is status else None) or max(uow.today, aim.start_date)
    if not aim.start_date <= asked <= uow.today:
        uow.add_error(UserErrorCode.INVALID, "Give a day from the aim's start to today.", *field)
    return asked


def _check_dates(uow: UnitOfWork, start: dt.date, planned_end: dt.date) -> None:
    if planned_end < start:
        message = f"Give a planned end that is not before the start ({start:%d %B %Y})."
        uow.add_error(UserErrorCode.INVALID, message, "input", "plannedEndDate")


def _same_person(uow: UnitOfWork, field: str) -> None:
    message = "An aim's IQA is never its assessor. Choose two people."
    uow.add_error(UserErrorCode.INVALID, message, "input", field)


def _twice(uow: UnitOfWork, field: str) -> None:
    message = "The learner is in this qualification already. Complete or withdraw that aim first."
    uow.add_error(UserErrorCode.CONFLICT, message, "input", field)
