"""A cohort of any size for measuring: employers of 200 learners with their own staff, three large aims a learner."""

import random
from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from tqdm import tqdm

from db.database import Database
from db.models.provider import Provider
from db.models.user import User
from domain import clock
from domain.enums import Role
from services.demo import texts as words
from services.demo.bulk_rows import Rows, at, filling
from services.demo.documents import add_resources, add_reviews
from services.demo.evidence import add_aim
from services.demo.learner_builder import Portfolio, QualificationWords, stored_qualification
from services.demo.learning_plan import add_sessions, add_time_log
from services.demo.people import DemoSignIn, People
from services.demo.scenarios import State, plan_aim
from services.importer.draft import CriterionDraft, QualificationDraft, UnitDraft
from services.importer.store import store_qualification
from services.storage.file_store import FileStore

GROUP = 200
SITES = 4
PER_ASSESSOR, PER_MANAGER = 40, 20
AIMS, UNITS, CRITERIA = 3, 12, 15
DAYS = (720, 540, 360)

_SUBJECTS = (
    "safe working", "the workstation", "customers", "inspection", "wheels", "tyres", "brakes", "drivetrain", "gears",
    "steering", "electrical systems", "records and stock",
)  # fmt: skip
_TASKS = (
    "Explain why {0} matters to the rider", "Describe the tools and materials for {0}", "Plan a job that involves {0}",
    "Identify risks that come with {0}", "Prepare the work area for {0}", "Carry out routine work on {0}",
    "Measure and record what is found with {0}", "Diagnose a fault that involves {0}",
    "Repair or replace what {0} calls for",
    "Test the result of work on {0}", "Record work on {0} so that another can rely on it",
    "Explain work on {0} to a customer", "Put right a mistake made with {0}", "Dispose of waste that comes from {0}",
    "Improve how the workshop deals with {0}",
)  # fmt: skip
_STATES = (
    (State.ON_TRACK, 45), (State.OFF_TRACK, 20), (State.AHEAD, 14), (State.PAST_PLANNED_END, 4),
    (State.AWAITING_INDUCTION, 6),
    (State.SUSPENDED, 3), (State.COMPLETED, 6), (State.WITHDRAWN, 2),
)  # fmt: skip


async def build_cohort(
    database: Database, file_store: FileStore, *, learners: int, seed: int = 2026, progress: bool = False
) -> Sequence[DemoSignIn]:
    """Adds a provider with that many learners, the same for the same seed and day; gives who can sign in to it.

    Its people are called `cohort.admin`, `cohort.overview`, `cohort.learner` and so on (`cohort2.…` for the second
    cohort in a database), with the demo's password. One transaction a group of 200 learners, so it may be as large as
    the disk; where it is stopped, what was made so far is whole. `progress` shows a bar.
    """
    async with database.writing() as session:
        prefix = await _free_prefix(session)
        provider = Provider(
            name=f"Waymark {prefix}", ukprn=None, disclaimer=words.DISCLAIMER, created_at=at(clock.today())
        )
        session.add(provider)
        await session.flush()
        qualifications = []
        for draft in _drafts():
            stored = await store_qualification(session, provider.id, draft)
            qualifications.append(await stored_qualification(session, stored.qualification_id))
    sign_ins: list[DemoSignIn] = []
    with tqdm(total=learners, desc="Cohort", unit=" learners", disable=not progress) as bar:
        for group, first in enumerate(range(0, learners, GROUP), 1):
            async with filling(database, file_store) as (session, rows):
                people = People(rows, provider.id, clock.today(), f"{prefix}.example")
                if group == 1:
                    people.admin = people.user(f"{prefix}.admin", "Cohort Admin", [Role.MASTER_ADMIN])
                    sign_ins.append(
                        DemoSignIn(f"{prefix}.admin", "Cohort Admin", (Role.MASTER_ADMIN,), "every learner")
                    )
                else:
                    people.admin = await session.scalar(select(User.id).where(User.username == f"{prefix}.admin"))
                pick = random.Random(f"{seed}:{group}")
                made = _add_group(
                    rows, pick, people, qualifications, prefix, group, range(first, min(first + GROUP, learners)), bar
                )
                if group == 1:
                    sign_ins += made
    if not database.is_sqlite:
        # PostgreSQL plans by what it knows of the tables; it would learn of this much only after a while.
        async with database.reading(primary=True) as connection:
            await connection.execute(text("ANALYZE"))
    return sign_ins


async def _free_prefix(session: AsyncSession) -> str:
    number, prefix = 1, "cohort"
    while await session.scalar(select(User.id).where(User.username == f"{prefix}.admin")):
        number += 1
        prefix = f"cohort{number}"
    return prefix


def _drafts() -> list[QualificationDraft]:
    """Three qualifications of 12 units with 15 criteria each."""
    units = tuple(
        UnitDraft(
            str(number),
            f"Working with {subject}",
            tuple(
                CriterionDraft(f"{number}.{place}", task.format(subject) + ".") for place, task in enumerate(_TASKS, 1)
            ),
        )
        for number, subject in enumerate(_SUBJECTS, 1)
    )
    kinds = (
        ("Large standard", "standard", 480),
        ("Large diploma", "diploma", None),
        ("Large certificate", "certificate", None),
    )
    return [
        QualificationDraft(title, units, kind, f"WMC{number}", "1.0", 2, hours)
        for number, (title, kind, hours) in enumerate(kinds, 1)
    ]


def _add_group(
    rows: Rows, pick: random.Random, people: People, qualifications: list[QualificationWords], prefix: str, group: int,
    numbers: range, bar: tqdm,
) -> list[DemoSignIn]:  # fmt: skip
    """One employer with its sites and staff, and up to 200 learners; gives one sign-in of each role."""
    sign_ins: dict[Role, DemoSignIn] = {}

    def member(role: Role, number: int, name: str, note: str) -> int:
        # The first of each role has the plain name, so that it is easily remembered and the same for any size.
        word = role.value.rsplit("_")[-1].lower()
        username = f"{prefix}.{word}" if (group, number) == (1, 0) else f"{prefix}.{word}.{group}.{number}"
        sign_ins.setdefault(role, DemoSignIn(username, name, (role,), note))
        return people.user(username, name, [role], since=people.long_ago)

    def name() -> str:
        return f"{pick.choice(words.GIVEN_NAMES)} {pick.choice(words.FAMILY_NAMES)}"

    office = people.employer(f"Employer {group:04}")
    sites = [office, *(people.employer(f"Employer {group:04}, site {site}", office) for site in range(1, SITES))]
    overview = member(Role.EMPLOYER_OVERVIEW, 0, name(), "every site of one employer: 200 learners")
    for site in sites:
        people.oversee(overview, site)
    iqa = member(Role.IQA, 0, name(), "the sample of one employer")
    assessors = [member(Role.ASSESSOR, number, name(), "40 learners") for number in range(GROUP // PER_ASSESSOR)]
    managers = [member(Role.EMPLOYER_MANAGER, number, name(), "20 learners") for number in range(GROUP // PER_MANAGER)]
    states, weights = zip(*_STATES, strict=True)
    for place, number in enumerate(numbers):
        # The first learner is in training whatever the dice say: it is the one to look at.
        state = State.ON_TRACK if number == 0 else pick.choices(states, weights)[0]
        assessor, manager = assessors[place // PER_ASSESSOR], managers[place // PER_MANAGER]
        aims = [
            plan_aim(pick, people.today, words_, days, state, assessor, iqa, (0.1, 0.45))
            for words_, days in zip(qualifications, DAYS, strict=True)
        ]
        learner_name = name()
        user = member(Role.LEARNER, place, learner_name, "three aims of 180 criteria")
        learner = people.learner(user, sites[place % SITES], number, at(min(aim.start for aim in aims)))
        people.allocate(manager, learner["id"], assessor)
        portfolio = Portfolio(
            rows, pick, people.today, people.provider, learner, learner_name, aims, [manager], [overview], lean=True
        )
        for aim in aims:
            add_aim(portfolio, aim)
        booked = pick.randint(1, 20) if portfolio.active and pick.random() < 0.85 else None
        add_reviews(portfolio, add_sessions(portfolio, booked))
        add_time_log(portfolio)
        add_resources(portfolio)
        bar.update()
    return list(sign_ins.values())
