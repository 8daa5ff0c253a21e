"""Rebuilds the history of aims and of logged time from their dated records.

Of what release 0.1.0 did not date (assessors, employers, mappings that were taken back, breaks that were changed) the
rows have the value of now.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.history.daily_rows import of_same_provider
from db.models.aim import Aim, AimProgress
from db.models.aim_break import AimBreak
from db.models.aim_history import AimHistory, TimeHistory
from db.models.aim_status_change import AimStatusChange
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import EvidenceMapping
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.time_log_entry import TimeLogEntry
from db.sql.any_of import any_of
from db.sql.traffic_light_days import days_of_light_changes
from domain import clock
from domain.breaks import BreakPeriod, break_sums
from domain.day_number import day_number
from domain.enums import AimStatus, JobSetting


@dataclass(slots=True)
class _Dated:
    """The dated records of an aim: (day, status), the days of mappings and sign-offs, and breaks with their day."""

    statuses: list[tuple[dt.date, AimStatus]] = field(default_factory=list)
    mapped: list[dt.date] = field(default_factory=list)
    signed_off: list[dt.date] = field(default_factory=list)
    breaks: list[tuple[dt.date, BreakPeriod]] = field(default_factory=list)


async def rebuild_aims(session: AsyncSession, aim_keys: Sequence[int]) -> None:
    """Writes the rows of aims and of their learners' time from their dated records, up to the first row that exists."""
    dated = await _dated_records(session, aim_keys)
    # unscoped: the server works on every provider
    firsts = select(AimHistory.aim_id, func.min(AimHistory.day).label("first_day")).where(any_of(AimHistory.aim_id))
    found = await session.execute(firsts.group_by(AimHistory.aim_id), {"keys": list(aim_keys)})
    known: dict[int, int] = {row.aim_id: row.first_day for row in found}
    # unscoped: the server works on every provider
    statement = (
        select(Aim, AimProgress, Learner)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .join(Learner, Learner.id == Aim.learner_id)
        .where(any_of(Aim.id))
    )
    rows: list[dict[str, Any]] = []
    learners = set()
    for row in await session.execute(statement, {"keys": list(aim_keys)}):
        aim: Aim = row.Aim
        of_aim = _rows_of(aim, row.AimProgress, row.Learner, dated[aim.id], known.get(aim.id))
        if of_aim and aim.id in known:
            await _continue(session, aim.id, known[aim.id], of_aim[-1])
        rows += of_aim
        learners.add(aim.learner_id)
    if rows:
        await session.execute(insert(AimHistory), rows)
        settings = and_(any_of(AimHistory.aim_id), Provider.id == AimHistory.provider_id)
        filling = update(AimHistory).where(settings).values(**days_of_light_changes(AimHistory, AimHistory))
        await session.execute(filling.execution_options(synchronize_session=False), {"keys": list(aim_keys)})
    await rebuild_time(session, learners)


async def _continue(session: AsyncSession, aim_key: int, first_row: int, before: dict[str, Any]) -> None:
    """Corrects since when the rows that exist say that an aim has started or ended, for the row before them."""
    of_aim = AimHistory.aim_id == aim_key
    await session.execute(update(AimHistory).where(of_aim).values(started_on=before["started_on"]))
    for column in (AimHistory.completed_on, AimHistory.withdrawn_on):
        if before[column.key] is not None:
            since_first = update(AimHistory).where(of_aim, column == first_row)
            await session.execute(since_first.values({column.key: before[column.key]}))


async def _dated_records(session: AsyncSession, aim_keys: Sequence[int]) -> dict[int, _Dated]:
    keys = {"keys": list(aim_keys)}
    found: dict[int, _Dated] = defaultdict(_Dated)
    # unscoped: the server works on every provider
    statuses = select(AimStatusChange).where(any_of(AimStatusChange.aim_id)).order_by(AimStatusChange.id)
    for change in await session.scalars(statuses, keys):
        found[change.aim_id].statuses.append((clock.day_of(change.changed_at), change.status))
    mapped_at = func.min(EvidenceMapping.mapped_at).label("mapped_at")
    # unscoped: the server works on every provider
    criteria = (
        select(
            CriterionProgress.aim_id, mapped_at, CriterionProgress.signed_off, CriterionProgress.signed_off_at
        )
        .join(
            EvidenceMapping,
            and_(
                EvidenceMapping.aim_id == CriterionProgress.aim_id,
                EvidenceMapping.criterion_id == CriterionProgress.criterion_id,
            ),
        )
        .where(any_of(CriterionProgress.aim_id))
        .group_by(
            CriterionProgress.aim_id, CriterionProgress.criterion_id, CriterionProgress.signed_off,
            CriterionProgress.signed_off_at,
        )
    )  # fmt: skip
    for row in await session.execute(criteria, keys):
        found[row.aim_id].mapped.append(clock.day_of(row.mapped_at))
        if row.signed_off and row.signed_off_at is not None:
            found[row.aim_id].signed_off.append(clock.day_of(row.signed_off_at))
    # unscoped: the server works on every provider
    for each in await session.scalars(select(AimBreak).where(any_of(AimBreak.aim_id)), keys):
        period = BreakPeriod(each.start_date, each.returned_on)
        found[each.aim_id].breaks.append((clock.day_of(each.created_at), period))
    return found


def _rows_of(
    aim: Aim, sums: AimProgress, learner: Learner, dated: _Dated, first_row: int | None
) -> list[dict[str, Any]]:
    """Returns the rows of the days on which a dated record changed the aim, before the first row that exists."""
    today = clock.today()
    first = min(clock.day_of(aim.created_at), today)
    days = {first, *dated.mapped, *dated.signed_off, *(day for day, _ in dated.statuses)}
    for recorded, period in dated.breaks:
        days |= {recorded, max(recorded, period.returned or recorded)}
    rows: list[dict[str, Any]] = []
    completed = withdrawn = None
    for day in sorted(day for day in days if first <= day <= today):
        number = day_number(day)
        if first_row is not None and number >= first_row:
            break
        status = next((each for since, each in reversed(dated.statuses) if since <= day), AimStatus.AWAITING_INDUCTION)
        known = [period.as_of(day) for recorded, period in dated.breaks if recorded <= day]
        days_on_break, break_since = break_sums(known, aim.start_date, aim.planned_end_date)
        completed = (completed or number) if status is AimStatus.COMPLETED else None
        withdrawn = (withdrawn or number) if status is AimStatus.WITHDRAWN else None
        rows.append(
            {
                "aim_id": aim.id, "day": number, "until": None, "provider_id": aim.provider_id,
                "learner_id": aim.learner_id, "employer_id": learner.employer_id, "assessor_id": aim.assessor_id,
                "qualification_id": aim.qualification_id, "status": status, "start_date": aim.start_date,
                "planned_end_date": aim.planned_end_date, "criteria_total": sums.criteria_total,
                "criteria_mapped": min(sum(each <= day for each in dated.mapped), sums.criteria_mapped),
                "criteria_signed_off": min(sum(each <= day for each in dated.signed_off), sums.criteria_signed_off),
                "units_to_choose": sums.units_to_choose, "days_on_break": days_on_break, "break_since": break_since,
                "started_on": max(day_number(aim.start_date), day_number(first)),
                "completed_on": completed, "withdrawn_on": withdrawn,
            }
        )  # fmt: skip
    for row, following in zip(rows, [each["day"] for each in rows[1:]] + [first_row], strict=bool(rows)):
        row["until"] = following
    return rows


async def rebuild_time(session: AsyncSession, learner_keys: Collection[int]) -> None:
    """Writes the minutes of learners on the days on which the entries were added, before the first row that exists.

    That row, which then holds minutes of earlier days too, is corrected.
    """
    keys = {"keys": sorted(learner_keys)}
    # unscoped: the server works on every provider
    firsts = select(TimeHistory.learner_id, func.min(TimeHistory.day).label("first_day")).where(
        any_of(TimeHistory.learner_id)
    )
    found = await session.execute(firsts.group_by(TimeHistory.learner_id), keys)
    known: dict[int, int] = {row.learner_id: row.first_day for row in found}
    minutes: dict[tuple[int, int, int], int] = {}
    providers: dict[int, int] = {}
    # unscoped: the server works on every provider
    for learner in await session.scalars(select(Learner).where(any_of(Learner.id)), keys):
        enrolled = day_number(clock.day_of(learner.created_at))
        if enrolled < known.get(learner.id, enrolled + 1):
            providers[learner.id] = learner.provider_id
            minutes[learner.id, 0, enrolled] = 0
    counts = and_(TimeLogEntry.job_setting == JobSetting.OFF_THE_JOB, TimeLogEntry.exclusion.is_(None))
    # unscoped: the server works on every provider
    entries = select(TimeLogEntry.learner_id, TimeLogEntry.aim_id, TimeLogEntry.added_at, TimeLogEntry.minutes)
    entries = entries.join(Learner, of_same_provider(TimeLogEntry)).where(any_of(TimeLogEntry.learner_id), counts)
    for entry in await session.execute(entries, {"keys": sorted(providers)}):
        day = day_number(clock.day_of(entry.added_at))
        if day < known.get(entry.learner_id, day + 1):
            key = entry.learner_id, entry.aim_id or 0, day
            minutes[key] = minutes.get(key, 0) + entry.minutes
    if not minutes:
        return
    await session.execute(
        insert(TimeHistory),
        [
            {"learner_id": learner, "aim_id": aim, "day": day, "provider_id": providers[learner], "minutes": number}
            for (learner, aim, day), number in minutes.items()
        ],
    )
    moved: dict[tuple[int, int], int] = defaultdict(int)
    for (learner_key, aim, _), number in minutes.items():
        if learner_key in known:
            moved[learner_key, aim] += number
    for (learner_key, aim), number in moved.items():
        of_first = and_(
            TimeHistory.learner_id == learner_key, TimeHistory.aim_id == aim, TimeHistory.day == known[learner_key]
        )
        await session.execute(update(TimeHistory).where(of_first).values(minutes=TimeHistory.minutes - number))
