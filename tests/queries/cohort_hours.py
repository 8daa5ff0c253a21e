"""The off-the-job hours of the demo's cohort by plain SQL and plain Python."""

from abc import ABC, abstractmethod
from collections import defaultdict
from typing import Any

from sqlalchemy import Date

# Sessions whose minutes do not count as off the job.
_NOT_COUNTED = ("FORMAL_REVIEW", "INDUCTION", "EXAM", "GATEWAY", "EXIT")


class Hours(ABC):
    """What `Cohort` has of hours. `aims_sql` selects the keys of the aims that the user sees."""

    aims_sql: str

    @abstractmethod
    async def rows(self, sql: str, **types: Any) -> list[Any]:
        """Returns the rows of a statement."""

    @abstractmethod
    def record(self, table: str) -> str:
        """Returns a condition: the role sees the record of a learner."""

    async def agreed(self) -> dict[int, tuple[int, int, int, bool]]:
        """Returns (hours of the policy, floor, prior minutes, whether English or maths) by aim."""
        rules = await self.rows(
            "select r.reference, r.starts_from, r.minimum_hours, r.floor_hours from off_the_job_policy r "
            "where r.provider_id = :provider order by r.starts_from",
            starts_from=Date(),
        )
        found = await self.rows(
            "select a.id, coalesce(a.original_start_date, a.start_date) as began, a.prior_learning_minutes as prior, "
            "q.reference, q.kind, coalesce(q.off_the_job_hours_minimum, 0) as hours "
            f"from aim a join qualification q on q.id = a.qualification_id where a.id in ({self.aims_sql})",
            began=Date(),
        )
        agreed = {}
        for row in found:
            hours, floor = row.hours, 0
            for own in (False, True):
                for rule in rules:
                    applies = rule.reference == row.reference if own else not rule.reference and "standard" in row.kind
                    if applies and rule.starts_from <= row.began:
                        hours, floor = rule.minimum_hours, rule.floor_hours
            agreed[row.id] = (hours, floor, row.prior, "functional" in row.kind)
        return agreed

    async def minutes(self) -> dict[int, int]:
        """Returns the off-the-job minutes that count by learner."""
        found = await self.rows(
            "select t.learner_id, t.aim_id, t.date, t.minutes, s.type, q.kind from time_log_entry t "
            "left join session s on s.id = t.session_id left join aim m on m.id = t.aim_id "
            "left join qualification q on q.id = m.qualification_id "
            f"where t.job_setting = 'OFF_THE_JOB' and {self.record('t')}",
            date=Date(),
        )
        aims = await self.rows(
            "select a.id, a.learner_id, a.status, a.start_date, a.actual_end_date from aim a "
            "where a.provider_id = :provider",
            start_date=Date(),
            actual_end_date=Date(),
        )
        breaks = await self.rows(
            "select b.aim_id, b.start_date, b.returned_on from aim_break b", start_date=Date(), returned_on=Date()
        )
        by_learner: dict[int, list[Any]] = defaultdict(list)
        for aim in aims:
            by_learner[aim.learner_id].append(aim)
        away: dict[int, list[Any]] = defaultdict(list)
        for each in breaks:
            away[each.aim_id].append(each)

        def counts(entry: Any) -> bool:
            theirs = [aim for aim in by_learner[entry.learner_id] if entry.aim_id in (None, aim.id)]
            kept = [aim for aim in theirs if aim.status != "WITHDRAWN"]
            running = [
                aim for aim in kept
                if aim.start_date <= entry.date and (not aim.actual_end_date or entry.date <= aim.actual_end_date)
            ]  # fmt: skip
            present = [
                aim for aim in running
                if not any(
                    each.start_date <= entry.date and (not each.returned_on or entry.date < each.returned_on)
                    for each in away[aim.id]
                )
            ]  # fmt: skip
            # On a day between two aims nobody was withdrawn, early, late or away.
            between = any(aim.start_date <= entry.date for aim in kept) and any(
                not aim.actual_end_date or entry.date <= aim.actual_end_date for aim in kept
            )
            english = "functional" in (entry.kind or "")
            return bool(present or (between and not running)) and not english and entry.type not in _NOT_COUNTED

        minutes: dict[int, int] = defaultdict(int)
        for entry in found:
            minutes[entry.learner_id] += entry.minutes if counts(entry) else 0
        return minutes
