"""The demo's cohort by plain SQL, independent of loaders, scope conditions and stored sums."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Boolean, Date, text

from db.database import Database
from db.models.base import UtcDateTime
from tests.queries.cohort_hours import Hours
from tests.queries.figure_rules import Aim, london, required_minutes

# Statements for the learners and the aims that each role sees.
_ALL = ("select id from learner where provider_id = :provider", "select id from aim where provider_id = :provider")
_VISIBLE = {
    "MASTER_ADMIN": _ALL,
    "ASSESSOR": ("select learner_id from aim where assessor_id = :me", "select id from aim where assessor_id = :me"),
    "EMPLOYER_OVERVIEW": (
        "select l.id from learner l join overview_allocation o on o.employer_id = l.employer_id where o.user_id = :me",
        "select a.id from aim a join learner l on l.id = a.learner_id "
        "join overview_allocation o on o.employer_id = l.employer_id where o.user_id = :me",
    ),
}
# Three roles of one provider, and another provider with a different tolerance and different signatures.
VIEWERS = (
    ("master.admin", "MASTER_ADMIN"),
    ("assessor", "ASSESSOR"),
    ("employer.overview", "EMPLOYER_OVERVIEW"),
    ("other.provider", "MASTER_ADMIN"),
)


def _counts(table: str) -> str:
    """Returns a condition: the unit of a row counts for the aim `a`."""
    return (
        f"{table}.unit_id in (select u.id from qualification_unit u where u.qualification_id = a.qualification_id and "
        "(u.mandatory or u.id in (select x.unit_id from aim_unit x where x.aim_id = a.id)))"
    )


def _counted(table: str) -> str:
    """Returns a condition: the record does not belong to a withdrawn aim."""
    withdrawn = f"select 1 from aim w where w.id = {table}.aim_id and w.status = 'WITHDRAWN'"
    return f"not exists ({withdrawn})"


class Cohort(Hours):
    """Everything that one user of the demo sees in one role."""

    def __init__(self, database: Database, role: str, user: Any, today: dt.date) -> None:
        self._database = database
        self._parameters = {"me": user.id, "provider": user.provider_id}
        self.learners_sql, self.aims_sql = _VISIBLE[role]
        self._by_aim = role == "ASSESSOR"
        self.today = today
        self.tolerance = Decimal(str(user.traffic_light_tolerance))
        self.weeks = user.review_interval_weeks
        self.signers = user.unit_signatures

    @classmethod
    async def of(cls, database: Database, role: str, username: str) -> "Cohort":
        """Returns the cohort that the user sees today."""
        statement = text(
            "select u.id, u.provider_id, p.traffic_light_tolerance, p.review_interval_weeks, p.unit_signatures "
            "from user_account u join provider p on p.id = u.provider_id where u.username = :name"
        ).columns(unit_signatures=JSON())
        async with database.reading() as connection:
            user = (await connection.execute(statement, {"name": username})).one()
        return cls(database, role, user, london(dt.datetime.now(dt.UTC)))

    async def rows(self, sql: str, **types: Any) -> list[Any]:
        """Returns the rows of a statement; `types` are for columns that SQLite stores as text or numbers."""
        parameters = {name: value for name, value in self._parameters.items() if f":{name}" in sql}
        async with self._database.reading() as connection:
            return list((await connection.execute(text(sql).columns(**types), parameters)).all())

    def record(self, table: str) -> str:
        """Returns a condition: the role sees the record of a learner, which may belong to an aim."""
        if self._by_aim:
            return (
                f"({table}.aim_id in ({self.aims_sql}) or "
                f"({table}.aim_id is null and {table}.learner_id in ({self.learners_sql})))"
            )
        return f"{table}.learner_id in ({self.learners_sql})"

    def session(self) -> str:
        """Returns a condition: the role sees the session `s`."""
        condition = f"s.learner_id in ({self.learners_sql})"
        if self._by_aim:
            session_aims = "select 1 from session_aim x where x.session_id = s.id"
            condition += (
                f" and (not exists ({session_aims}) or exists ({session_aims} and x.aim_id in ({self.aims_sql})))"
            )
        return condition

    async def learners(self) -> dict[int, Any]:
        """Returns rows (id, name, employer_id, last_login_at) by the learner's key."""
        found = await self.rows(
            "select l.id, u.name, l.employer_id, u.last_login_at from learner l "
            f"join user_account u on u.id = l.user_id where l.id in ({self.learners_sql})",
            last_login_at=UtcDateTime(),
        )
        return {row.id: row for row in found}

    async def learners_in_learning(self) -> set[int]:
        """Returns the keys of the learners with an aim that has not ended, or with none."""
        found = await self.rows(f"select a.learner_id, a.status from aim a where a.id in ({self.aims_sql})")
        with_aims = {learner for learner, _ in found}
        in_learning = {learner for learner, status in found if status not in ("COMPLETED", "WITHDRAWN")}
        return {key for key in await self.learners() if key in in_learning or key not in with_aims}

    async def aims(self) -> list[Aim]:
        """Returns the aims that are not withdrawn, with criteria counted one by one instead of stored sums."""
        found = await self.rows(
            "select a.id, a.learner_id, l.employer_id, a.qualification_id, a.status, a.start_date, a.planned_end_date, "
            "0 as required, "
            f"(select count(*) from qualification_criterion c where {_counts('c')}) as total, "
            "(select count(*) from criterion_progress p "
            f"where p.aim_id = a.id and {_counts('p')} and (p.evidence_count > 0 or p.signed_off)) as mapped, "
            f"(select count(*) from criterion_progress p where p.aim_id = a.id and {_counts('p')} and p.signed_off) "
            "as signed_off, "
            "q.optional_units_minimum - (select count(*) from aim_unit x where x.aim_id = a.id) as to_choose "
            "from aim a join learner l on l.id = a.learner_id join qualification q on q.id = a.qualification_id "
            f"where a.status <> 'WITHDRAWN' and a.id in ({self.aims_sql})",
            start_date=Date(),
            planned_end_date=Date(),
        )
        breaks: dict[int, list[tuple[dt.date, dt.date | None]]] = defaultdict(list)
        for aim, start, back in await self.rows(
            f"select b.aim_id, b.start_date, b.returned_on from aim_break b where b.aim_id in ({self.aims_sql})",
            start_date=Date(),
            returned_on=Date(),
        ):
            breaks[aim].append((start, back))
        agreed = await self.agreed()
        return [
            Aim(
                *row[:7], required_minutes(*agreed[row.id]), *row[8:], self.today, self.tolerance, tuple(breaks[row.id])
            )
            for row in found
        ]

    async def overdue(self) -> list[Any]:
        """Returns rows (id, learner_id, target_date, assessor) of the overdue actions."""
        found = await self.rows(
            "select a.id, a.learner_id, a.aim_id, a.target_date, coalesce(of_aim.name, of_session.name) as assessor "
            "from action a left join aim m on m.id = a.aim_id "
            "left join user_account of_aim on of_aim.id = m.assessor_id "
            "left join session s on s.id = a.session_id and a.aim_id is null "
            "left join user_account of_session on of_session.id = s.assessor_id "
            f"where a.status <> 'COMPLETE' and {self.record('a')} and {_counted('a')}",
            target_date=Date(),
        )
        suspended: dict[int, list[tuple[dt.date, dt.date | None]]] = defaultdict(list)
        for aim, start in await self.rows(
            "select b.aim_id, b.start_date from aim_break b where b.returned_on is null", start_date=Date()
        ):
            suspended[aim].append(start)
        return [
            row for row in found
            if row.target_date < self.today and not any(start <= row.target_date for start in suspended[row.aim_id])
        ]  # fmt: skip

    async def waiting(self) -> list[Any]:
        """Returns rows (id, learner_id, status, last: when the latest version came) of the evidence to be assessed."""
        return await self.rows(
            "select e.id, e.learner_id, e.status, "
            "(select v.submitted_at from evidence_version v where v.evidence_id = e.id "
            "and v.number = (select max(w.number) from evidence_version w where w.evidence_id = e.id)) as last "
            f"from evidence e where e.status in ('SUBMITTED', 'RESUBMITTED') and {self.record('e')} "
            f"and {_counted('e')}",
            last=UtcDateTime(),
        )

    async def reviews(self) -> dict[int, dt.datetime]:
        """Returns the start of the last attended review by learner."""
        found = await self.rows(
            "select s.learner_id, s.starts_at from session s where s.type = 'FORMAL_REVIEW' and s.status = 'ATTENDED' "
            f"and {self.session()}",
            starts_at=UtcDateTime(),
        )
        last: dict[int, dt.datetime] = {}
        for learner, at in found:
            last[learner] = max(at, last.get(learner, at))
        return last

    async def next_reviews(self) -> dict[int, dt.datetime]:
        """Returns the start of the next planned review by learner."""
        found = await self.rows(
            "select s.learner_id, s.starts_at from session s where s.type = 'FORMAL_REVIEW' and s.status = 'PLANNED' "
            f"and {self.session()}",
            starts_at=UtcDateTime(),
        )
        now, booked = dt.datetime.now(dt.UTC), {}
        for learner, at in found:
            if at >= now:
                booked[learner] = min(at, booked.get(learner, at))
        return booked

    async def chosen(self) -> set[tuple[int, str]]:
        """Returns (aim, unit number) of the optional units that are chosen."""
        found = await self.rows(
            "select x.aim_id, u.number from aim_unit x join qualification_unit u on u.id = x.unit_id "
            f"where x.aim_id in ({self.aims_sql})"
        )
        return {(aim, number) for aim, number in found}

    async def optional(self) -> set[tuple[int, str]]:
        """Returns (qualification, number) of the optional units."""
        found = await self.rows(
            "select u.qualification_id, u.number from qualification_unit u where u.provider_id = :provider "
            "and not u.mandatory"
        )
        return {(qualification, number) for qualification, number in found}

    async def units(self) -> dict[tuple[int, str], int]:
        """Returns the number of criteria of each unit by (qualification, number)."""
        found = await self.rows(
            "select u.qualification_id, u.number, count(c.id) from qualification_unit u "
            "left join qualification_criterion c on c.unit_id = u.id where u.provider_id = :provider "
            "group by u.qualification_id, u.number"
        )
        return {(qualification, number): count for qualification, number, count in found}

    async def unit_progress(self) -> list[Any]:
        """Returns (aim_id, unit number, mapped criteria, signed-off criteria, roles that have signed) of each unit."""
        found = await self.rows(
            "select p.aim_id, u.number, p.evidence_count, p.signed_off from criterion_progress p "
            "join aim a on a.id = p.aim_id "
            "join qualification_unit u on u.id = p.unit_id and u.qualification_id = a.qualification_id "
            f"where p.aim_id in ({self.aims_sql})",
            signed_off=Boolean(),
        )
        signed = await self.rows(
            "select s.aim_id, u.number, s.role from unit_signature s join qualification_unit u on u.id = s.unit_id "
            f"where s.withdrawn_at is null and s.aim_id in ({self.aims_sql})"
        )
        roles: dict[tuple[int, str], set[str]] = defaultdict(set)
        for aim, number, role in signed:
            roles[aim, number].add(role)
        counts: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
        for aim, number, evidence, done in found:
            counts[aim, number][0] += bool(evidence or done)
            counts[aim, number][1] += bool(done)
        return [(aim, number, *counted, roles[aim, number]) for (aim, number), counted in counts.items()]
