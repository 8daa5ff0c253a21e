"""Begins, corrects and ends breaks in learning; all numbers follow, also those of a break dated back."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import TypedDict, Unpack

from db.models.aim import Aim
from db.models.aim_break import AimBreak
from domain import global_id
from domain.breaks import BreakPeriod
from domain.enums import AimStatus, BreakReason, UserErrorCode
from domain.errors import not_found, reject
from domain.sentences import say
from repositories.aim_break import breaks_of_aim
from resolvers.aim.status import add_break, set_status
from resolvers.core.changes import assign, changed_texts
from resolvers.core.row_limit import check_count
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.rules.aim import AIM, AimState, has_break
from resolvers.rules.aim_break import BREAK, BreakState

MAX_AIMS = 20


class BreakChanges(TypedDict, total=False):
    """The changes of a break: what is missing is not changed, None empties the expected return and the note.

    `returned_on`: None says that the learner has not returned.
    """

    start_date: dt.date | None
    expected_return_date: dt.date | None
    returned_on: dt.date | None
    note: str | None


@mutation("breakBegin")
async def begin(
    uow: UnitOfWork,
    *,
    aim_ids: Sequence[str],
    start_date: dt.date,
    reason: BreakReason,
    expected_return_date: dt.date | None = None,
    note: str | None = None,
) -> int:
    """Begins a break of aims of one learner, all or none, and suspends them. Returns the learner's key.

    Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED without an aim, INVALID for dates and aims of several learners, and
    CONFLICT for an aim that is not in training or has a break on these days.
    """
    aims = await _aims(uow, aim_ids)
    uow.authorize()
    note = multi_line(uow, note or "", "input", "note", required=False) or None
    if len({aim.learner_id for aim in aims}) > 1:
        message = say("BREAK_OF_SEVERAL_LEARNERS")
        uow.add_error(UserErrorCode.INVALID, message, "input", "aimIds")
    for index, aim in enumerate(aims):
        field = ("input", "aimIds", str(index))
        period = BreakPeriod(start_date, None)
        _check_dates(uow, aim, period, expected_return_date)
        breaks = await breaks_of_aim(uow.session, aim.id)
        check_count(uow, AimBreak.aim_id, len(breaks), "BREAKS_FULL", *field)
        since = next((each.start_date for each in breaks if each.returned_on is None), None)
        errors = AIM.errors(uow.action, uow.viewer, AimState.of(aim), on_break_since=since)
        if errors:
            uow.add_errors(dataclasses.replace(error, field=error.field and field) for error in errors)
        else:
            _check_overlap(uow, breaks, period, field=field)
    uow.raise_errors()
    added = []
    for aim in aims:
        added.append(add_break(uow, aim, start_date, reason, expected_return_date, note))
        set_status(uow, aim, AimStatus.SUSPENDED, start_date, note)
        uow.recount_breaks(aim)
    await uow.session.flush()
    learner_key = aims[0].learner_id
    uow.audit(
        "Break", added[0].id if len(added) == 1 else None, learner_id=learner_key,
        aim_id=aims[0].id if len(aims) == 1 else None, breaks=[each.id for each in added],
    )  # fmt: skip
    return learner_key


@mutation("breakUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[BreakChanges]) -> int:
    """Corrects a break: its dates, also of one that has ended, or its note. Returns the learner's key.

    A day of return ends an open break; None opens one that had ended. Rejects with NOT_FOUND, NOT_ALLOWED, INVALID for
    dates, and CONFLICT where it would overlap another break, or where the aim cannot change its status.
    """
    found, aim = await _break_and_aim(uow, id)
    uow.authorize()
    if (start := changes.get("start_date")) is None:
        start = found.start_date
    expected = changes.get("expected_return_date", found.expected_return_date)
    returned = changes.get("returned_on", found.returned_on)
    texts = changed_texts(uow, AimBreak, changes)
    period = BreakPeriod(start, returned)
    _check_dates(uow, aim, period, expected)
    _check_overlap(uow, await breaks_of_aim(uow.session, aim.id), period, found.id, ("id",))
    opens, ends = returned is None and found.returned_on is not None, returned is not None and found.returned_on is None
    if opens and aim.status is not AimStatus.IN_TRAINING:
        message = say("BREAK_CANNOT_BE_OPEN", status=aim.status)
        uow.add_error(UserErrorCode.CONFLICT, message, "input", "returnedOn")
    uow.raise_errors()
    values = {"start_date": start, "expected_return_date": expected, "returned_on": returned, **texts}
    changed = sorted(assign(found, values))
    if opens:
        set_status(uow, aim, AimStatus.SUSPENDED, start)
    elif ends and returned is not None:
        set_status(uow, aim, AimStatus.IN_TRAINING, returned)
    if changed:
        uow.recount_breaks(aim)
        uow.audit("Break", found.id, learner_id=aim.learner_id, aim_id=aim.id, fields=changed)
    return aim.learner_id


@mutation("breakEnd")
async def end(uow: UnitOfWork, *, id: str, returned_on: dt.date, planned_end_date: dt.date | None = None) -> int:
    """Ends a break: the aim is in training again from the day of return. Returns the learner's key.

    `planned_end_date` moves the aim's planned end. Rejects with NOT_FOUND, NOT_ALLOWED, INVALID for dates, and CONFLICT
    where the break has ended already.
    """
    found, aim = await _break_and_aim(uow, id)
    uow.authorize()
    if found.returned_on == returned_on and planned_end_date in (None, aim.planned_end_date):
        return aim.learner_id
    uow.require(BREAK, BreakState.of(found))
    _check_dates(uow, aim, BreakPeriod(found.start_date, returned_on), found.expected_return_date, ("returnedOn",))
    if planned_end_date is not None and planned_end_date < max(returned_on, aim.start_date):
        message = say("PLANNED_END_BEFORE_RETURN")
        uow.add_error(UserErrorCode.INVALID, message, "plannedEndDate")
    uow.raise_errors()
    found.returned_on = returned_on
    fields = ["returned_on"]
    if planned_end_date is not None and planned_end_date != aim.planned_end_date:
        aim.planned_end_date = planned_end_date
        fields.append("planned_end_date")
    set_status(uow, aim, AimStatus.IN_TRAINING, returned_on)
    uow.recount_breaks(aim)
    uow.audit("Break", found.id, learner_id=aim.learner_id, aim_id=aim.id, fields=fields)
    return aim.learner_id


async def _aims(uow: UnitOfWork, ids: Sequence[str]) -> list[Aim]:
    """Returns the aims with those ids, each once, locked in the order of their keys; records what is not found."""
    if not ids:
        uow.authorize()
        raise reject(UserErrorCode.REQUIRED, say("COMPONENTS_MISSING"), "input", "aimIds")
    if len(ids) > MAX_AIMS:
        uow.authorize()
        message = say("TOO_MANY_COMPONENTS", most=MAX_AIMS)
        raise reject(UserErrorCode.INVALID, message, "input", "aimIds")
    keys = [global_id.decode("Aim", id) for id in ids]
    found = {key: await uow.get_or_none(Aim, key) for key in sorted({key for key in keys if key is not None})}
    for index, key in enumerate(keys):
        if key is None or found.get(key) is None:
            uow.add_not_found("input", "aimIds", str(index))
    uow.raise_errors()
    return [aim for aim in found.values() if aim is not None]


async def _break_and_aim(uow: UnitOfWork, id: str) -> tuple[AimBreak, Aim]:
    """Returns a break that the viewer sees and its aim, both locked, the aim first."""
    found = await uow.get(AimBreak, id, "id", locked=False)
    aim = await uow.get_or_none(Aim, found.aim_id)
    if aim is None:
        raise not_found("id")
    await uow.session.refresh(found, with_for_update={"key_share": True})
    return found, aim


def _check_dates(
    uow: UnitOfWork, aim: Aim, period: BreakPeriod, expected: dt.date | None, returned: tuple[str, ...] = ()
) -> None:
    """Records what is wrong with the dates of a break. `returned` is the field of the return, where it has another."""
    returned_field = returned or ("input", "returnedOn")
    if not aim.start_date <= period.start <= max(uow.today, aim.start_date):
        message = say("BREAK_START_OUT_OF_RANGE")
        uow.add_error(UserErrorCode.INVALID, message, "input", "startDate")
    if expected is not None and expected <= period.start:
        message = say("EXPECTED_RETURN_BEFORE_BREAK")
        uow.add_error(UserErrorCode.INVALID, message, "input", "expectedReturnDate")
    if period.returned is not None and not period.start < period.returned <= uow.today:
        message = say("RETURN_OUT_OF_RANGE")
        uow.add_error(UserErrorCode.INVALID, message, *returned_field)


def _check_overlap(
    uow: UnitOfWork,
    breaks: Sequence[AimBreak],
    period: BreakPeriod,
    excluding: int | None = None,
    field: tuple[str, ...] = (),
) -> None:
    """Records CONFLICT where the break would overlap another break of the aim, and names that one."""
    for each in breaks:
        if each.id != excluding and period.overlaps(BreakPeriod(each.start_date, each.returned_on)):
            last_day = each.returned_on - dt.timedelta(days=1) if each.returned_on else None
            uow.add_error(UserErrorCode.CONFLICT, has_break(each.start_date, last_day), *field)
            return
