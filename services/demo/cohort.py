"""Cohorts of any size for measurements: employers with 200 learners and their own staff, three large aims a learner."""

import random
from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from tqdm import tqdm

from db.database import Database
from db.models.provider import Provider
from db.models.user import User
from domain import clock
from domain.clock import london_time
from domain.enums import Role
from services.demo import texts
from services.demo.accounts import DemoAccount
from services.demo.aims import add_aim
from services.demo.bulk_rows import Rows, bulk_insert
from services.demo.documents import add_resources, add_session_documents
from services.demo.learning_plan import add_sessions, add_time_log
from services.demo.people import People
from services.demo.portfolio import Portfolio
from services.demo.scenarios import Scenario, plan_aim
from services.demo.stored_qualification import StoredQualification, read_stored_qualification
from services.importer.draft import CriterionDraft, QualificationDraft, UnitDraft
from services.importer.store import store_qualification
from services.storage.file_store import FileStore

LEARNERS_PER_EMPLOYER = 200
SITES_PER_EMPLOYER = 4
LEARNERS_PER_ASSESSOR, LEARNERS_PER_MANAGER = 40, 20
# The planned days of the three aims.
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
# Each scenario with its weight.
_SCENARIOS = (
    (Scenario.ON_TRACK, 45), (Scenario.OFF_TRACK, 20), (Scenario.AHEAD, 14), (Scenario.PAST_PLANNED_END, 4),
    (Scenario.AWAITING_INDUCTION, 6), (Scenario.SUSPENDED, 3), (Scenario.COMPLETED, 6), (Scenario.WITHDRAWN, 2),
)  # fmt: skip


async def build_cohort(
    database: Database, file_store: FileStore, *, learners: int, seed: int = 2026, progress: bool = False
) -> Sequence[DemoAccount]:
    """Adds a provider with so many learners, the same for the same seed and day; returns an account of each role.

    Usernames are `cohort.admin`, `cohort.overview`, `cohort.learner` and so on (`cohort2.…` for the second cohort in a
    database). Each employer is one transaction: an interrupted run leaves complete employers, and memory does not grow
    with the cohort. `progress` shows a progress bar.
    """
    async with database.writing() as session:
        prefix = await _free_prefix(session)
        provider = Provider(
            name=f"Waymark {prefix}", ukprn=None, disclaimer=texts.DISCLAIMER, created_at=london_time(clock.today())
        )
        session.add(provider)
        await session.flush()
        qualifications = []
        for draft in _drafts():
            stored = await store_qualification(session, provider.id, draft)
            qualifications.append(await read_stored_qualification(session, stored.qualification_id))
    accounts: list[DemoAccount] = []
    with tqdm(total=learners, desc="Cohort", unit=" learners", disable=not progress) as bar:
        for number, first in enumerate(range(0, learners, LEARNERS_PER_EMPLOYER), 1):
            async with bulk_insert(database, file_store) as (session, rows):
                people = People(rows, provider.id, clock.today(), f"{prefix}.example")
                if number == 1:
                    admin = DemoAccount(f"{prefix}.admin", "Cohort Admin", (Role.MASTER_ADMIN,), "every learner")
                    people.admin = people.user(admin.username, admin.name, admin.roles)
                    accounts.append(admin)
                else:
                    people.admin = await session.scalar(select(User.id).where(User.username == f"{prefix}.admin"))
                rng = random.Random(f"{seed}:{number}")
                learner_numbers = range(first, min(first + LEARNERS_PER_EMPLOYER, learners))
                added = _add_employer(rows, rng, people, qualifications, prefix, number, learner_numbers, bar)
                if number == 1:
                    accounts += added
    if not database.is_sqlite:
        # PostgreSQL's planner needs statistics of the new rows, which autovacuum would gather only later.
        async with database.reading(primary=True) as connection:
            await connection.execute(text("ANALYZE"))
    return accounts


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


def _add_employer(
    rows: Rows, rng: random.Random, people: People, qualifications: list[StoredQualification], prefix: str,
    employer: int, learner_numbers: range, bar: tqdm,
) -> list[DemoAccount]:  # fmt: skip
    """Adds an employer with its sites, its staff and up to 200 learners; returns one account of each role."""
    accounts: dict[Role, DemoAccount] = {}

    def add_user(role: Role, number: int, name: str, note: str) -> int:
        # The first user of each role has a short username, which is the same for any size of the cohort.
        word = role.value.rsplit("_")[-1].lower()
        username = f"{prefix}.{word}" if (employer, number) == (1, 0) else f"{prefix}.{word}.{employer}.{number}"
        accounts.setdefault(role, DemoAccount(username, name, (role,), note))
        return people.user(username, name, [role], since=people.long_ago)

    def any_name() -> str:
        return f"{rng.choice(texts.GIVEN_NAMES)} {rng.choice(texts.FAMILY_NAMES)}"

    office = people.employer(f"Employer {employer:04}")
    names = [f"Employer {employer:04}, site {site}" for site in range(1, SITES_PER_EMPLOYER)]
    sites = [office, *(people.employer(name, office) for name in names)]
    overview = add_user(Role.EMPLOYER_OVERVIEW, 0, any_name(), "every site of one employer: 200 learners")
    for site in sites:
        people.oversee(overview, site)
    iqa = add_user(Role.IQA, 0, any_name(), "the sample of one employer")
    assessors = [
        add_user(Role.ASSESSOR, number, any_name(), "40 learners")
        for number in range(LEARNERS_PER_EMPLOYER // LEARNERS_PER_ASSESSOR)
    ]
    managers = [
        add_user(Role.EMPLOYER_MANAGER, number, any_name(), "20 learners")
        for number in range(LEARNERS_PER_EMPLOYER // LEARNERS_PER_MANAGER)
    ]
    scenarios, weights = zip(*_SCENARIOS, strict=True)
    for position, number in enumerate(learner_numbers):
        # The first learner is always in training: it is the one whose account is printed.
        scenario = Scenario.ON_TRACK if number == 0 else rng.choices(scenarios, weights)[0]
        assessor, manager = assessors[position // LEARNERS_PER_ASSESSOR], managers[position // LEARNERS_PER_MANAGER]
        aims = [
            plan_aim(rng, people.today, qualification, days, scenario, assessor, iqa, (0.1, 0.45))
            for qualification, days in zip(qualifications, DAYS, strict=True)
        ]
        learner_name = any_name()
        user = add_user(Role.LEARNER, position, learner_name, "three aims of 180 criteria")
        learner = people.learner(
            user, sites[position % SITES_PER_EMPLOYER], number, london_time(min(aim.start for aim in aims))
        )
        people.allocate(manager, learner["id"], assessor)
        portfolio = Portfolio(
            rows, rng, people.today, people.provider, learner, learner_name, aims, [manager], [overview], lean=True
        )
        for aim in aims:
            add_aim(portfolio, aim)
        booked = rng.randint(1, 20) if portfolio.active and rng.random() < 0.85 else None
        add_session_documents(portfolio, add_sessions(portfolio, booked))
        add_time_log(portfolio)
        add_resources(portfolio)
        bar.update()
    return list(accounts.values())
