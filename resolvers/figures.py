"""Figures for analysts: KPIs by group, outcomes of aims, the work of assessors."""

import datetime as dt
from collections.abc import Awaitable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from domain.day_number import FIRST_DAY
from domain.enums import Interval, KpiGroupBy
from domain.errors import BadArgument
from domain.text import fold_name
from loaders.assessor_workload import AssessorWorkloadLoader, AssessorWorkloadRow
from loaders.core.rows import Attributes
from loaders.employer import EmployerLoader, EmployerRow
from loaders.kpi_groups import kpi_groups
from loaders.kpi_history import KpiPointRow, kpi_history, points_of
from loaders.kpi_past import KEPT, kpi_groups_on
from loaders.kpis import KpisRow, Metrics
from loaders.outcomes import OutcomesRow, outcomes
from loaders.qualification import QualificationLoader, QualificationRow
from loaders.turnaround import TurnaroundRow, turnaround
from loaders.user import NamedUserLoader, UserRow
from resolvers.core.context import Context

# Bounds an answer that has no pages.
MAX_GROUPS = 1000
MAX_POINTS = 400
_LOADERS: Mapping[KpiGroupBy, Any] = {
    KpiGroupBy.EMPLOYER: EmployerLoader,
    KpiGroupBy.ASSESSOR: NamedUserLoader,
    KpiGroupBy.QUALIFICATION: QualificationLoader,
}
# What `_name` reads of the subjects of groups.
NAMES_READ: Attributes = {
    EmployerRow: ("name",),
    UserRow: ("name",),
    QualificationRow: ("title", "reference", "version"),
}
_WITHOUT = {
    KpiGroupBy.EMPLOYER: "No employer",
    KpiGroupBy.ASSESSOR: "No assessor",
    KpiGroupBy.QUALIFICATION: "No aim yet",
    KpiGroupBy.START_MONTH: "No aim yet",
}


@dataclass(slots=True)
class KpiGroupRow:
    """A group with its name. `key` is the id of the subject, a month, or NONE; `subject` is None for the last two."""

    key: str
    label: str
    subject: Any
    kpis: KpisRow


@dataclass(slots=True, kw_only=True)
class TurnaroundGroupRow(TurnaroundRow):
    """The turnaround of a group with its name, as `KpiGroupRow` has it."""

    key: str
    label: str
    subject: Any


async def groups(
    context: Context, by: KpiGroupBy, metrics: Metrics, filter: Mapping[str, Any], on: dt.date | None = None
) -> list[KpiGroupRow]:
    """Returns the first `MAX_GROUPS` groups by name, or by month; what belongs to none comes last.

    `on`: as they stood at the end of that day, which history knows only some numbers of. Raises BadArgument.
    """
    loaders = context.loaders
    if on is None or on == loaders.reading.today:
        found = await kpi_groups(loaders.reading, by, metrics, filter)
    else:
        _check_past(on, loaders.reading.today, "on")
        if not metrics <= KEPT:
            raise BadArgument(
                "on",
                "For a past day only learners, aims, traffic lights and progress are kept. Leave out the other fields "
                "of kpis, or leave out the day.",
            )
        found = await kpi_groups_on(loaders.reading, by, on, filter)
    kpis = {group.group_key: group.kpis for group in found}
    return [KpiGroupRow(*name, kpis[key]) for key, name in await _in_order(context, by, list(kpis))]


# The id of the subject, the label, and the subject.
_Name = tuple[str, str, Any]


async def _in_order(context: Context, by: KpiGroupBy, keys: list[int]) -> list[tuple[int, _Name]]:
    """Returns the keys of the first `MAX_GROUPS` groups with their names, by name; what belongs to none comes last."""
    subjects: dict[int, Any] = {}
    if by in _LOADERS:
        known = [key for key in keys if key]
        subjects = dict(zip(known, await context.loaders[_LOADERS[by]].load_many(known), strict=True))
    named = [(key, _name(by, key, subjects.get(key))) for key in keys]
    named.sort(key=lambda group: (group[0] == 0, fold_name(group[1][1]), group[1][0]))
    return named[:MAX_GROUPS]


async def turnaround_of_groups(
    context: Context, by: KpiGroupBy, first: dt.date, last: dt.date, filter: Mapping[str, Any]
) -> list[TurnaroundGroupRow]:
    """Returns the turnaround of each group in a period, in the order of `groups`. Raises BadArgument."""
    _check_period(first, last, "to")
    found = await turnaround(context.loaders.reading, by, first, last, filter)
    names = await _in_order(context, by, sorted(found))
    return [
        TurnaroundGroupRow(**asdict(found[key]), key=id, label=label, subject=subject)
        for key, (id, label, subject) in names
    ]


def _name(by: KpiGroupBy, key: int, subject: Any) -> _Name:
    if key == 0:
        return ("NONE", _WITHOUT[by], None)
    match by:
        case KpiGroupBy.START_MONTH:
            month = f"{key // 100:04}-{key % 100:02}"
            return (month, month, None)
        case KpiGroupBy.QUALIFICATION:
            parts = (subject.title, subject.reference, subject.version)
            label = " ".join(filter(None, parts))
        case _:
            label = subject.name
    return (subject.id, label, subject)


async def history(
    context: Context, first: dt.date, last: dt.date | None, every: Interval, filter: Mapping[str, Any]
) -> list[KpiPointRow]:
    """Returns the points of a period, which ends today unless a day is given. Raises BadArgument."""
    reading = context.loaders.reading
    last = last or reading.today
    _check_past(first, reading.today, "from")
    _check_past(last, reading.today, "to")
    _check_period(first, last, "to")
    if len(points_of(first, last, every)) > MAX_POINTS:
        raise BadArgument("from", f"This is more than {MAX_POINTS} points. Give a later day or a longer interval.")
    return await kpi_history(reading, first, last, every, filter)


async def outcomes_of_period(
    context: Context, ended_from: dt.date, ended_to: dt.date, filter: Mapping[str, Any]
) -> OutcomesRow:
    """Returns the outcomes of the aims that ended in a period. Raises BadArgument where it ends before it begins."""
    _check_period(ended_from, ended_to, "endedTo")
    return await outcomes(context.loaders.reading, ended_from, ended_to, filter)


def workload(context: Context, user_key: int, first: dt.date, last: dt.date) -> Awaitable[AssessorWorkloadRow]:
    """Returns the work of an assessor in a period. Raises BadArgument where it ends before it begins."""
    _check_period(first, last, "to")
    return context.loaders.get(AssessorWorkloadLoader, first, last).load(user_key)


def _check_past(day: dt.date, today: dt.date, argument: str) -> None:
    if not FIRST_DAY <= day <= today:
        raise BadArgument(argument, f"Give a day from {FIRST_DAY.isoformat()} to today.")


def _check_period(first: dt.date, last: dt.date, argument: str) -> None:
    if last < first:
        raise BadArgument(argument, "The last day is before the first day. Give the first day or a later one.")
