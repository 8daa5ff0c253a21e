"""Builds the demo: a provider with two employers and 60 learners in every scenario, and a second, smaller provider."""

import datetime as dt
import random
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from tqdm import tqdm

from db.database import Database
from db.models.user import User
from domain import clock
from domain.clock import london_time
from domain.enums import Role
from services.demo.accounts import ACCOUNTS, DemoAccount
from services.demo.additions import add_later_rows
from services.demo.audit_trail import build_audit_trail
from services.demo.bulk_rows import Rows, bulk_insert
from services.demo.provider_builder import Assessors, ProviderBuilder, Staff
from services.demo.scenarios import Particular, Scenario
from services.storage.file_store import FileStore

# The first learners have fixed scenarios, because tests and screenshots show them; the others are shuffled.
_FIRST_SCENARIOS = (
    Scenario.ON_TRACK, Scenario.AWAITING_INDUCTION, Scenario.OFF_TRACK, Scenario.AHEAD, Scenario.PAST_PLANNED_END,
    Scenario.ON_TRACK, Scenario.COMPLETED,
)  # fmt: skip
_SCENARIO_COUNTS = {
    Scenario.ON_TRACK: 20, Scenario.OFF_TRACK: 11, Scenario.AHEAD: 11, Scenario.PAST_PLANNED_END: 5,
    Scenario.AWAITING_INDUCTION: 4, Scenario.SUSPENDED: 3, Scenario.COMPLETED: 5, Scenario.WITHDRAWN: 1,
}  # fmt: skip


class DemoExists(Exception):
    """The database already has the demo."""


async def build_demo(
    database: Database, file_store: FileStore, *, seed: int = 2026, progress: bool = False
) -> Sequence[DemoAccount]:
    """Builds the demo in one transaction, the same for the same seed and day; returns the accounts to sign in with.

    `progress` shows a progress bar. Raises DemoExists.
    """
    rng = random.Random(seed)
    with tqdm(total=68, desc="Demo", unit=" learners", disable=not progress) as bar:
        async with bulk_insert(database, file_store) as (session, rows):
            if await session.scalar(select(User.id).where(User.username == ACCOUNTS[0].username)):
                raise DemoExists("The database already has the demo.")
            first = await _build_first_provider(session, rows, rng, bar)
            second = await _build_second_provider(session, rows, rng, bar)
            for provider in (first, second):
                add_later_rows(provider.portfolios)
                await build_audit_trail(session, provider.people.provider, provider.history)
    return ACCOUNTS


async def _build_first_provider(session: AsyncSession, rows: Rows, rng: random.Random, bar: tqdm) -> ProviderBuilder:
    provider = await ProviderBuilder.create(
        session, rows, rng, "northmoor.example", name="Northmoor Training", ukprn="10990001"
    )
    all_staff = _add_staff(provider)
    shuffled = [scenario for scenario, count in _SCENARIO_COUNTS.items() for _ in range(count)]
    for scenario in _FIRST_SCENARIOS:
        shuffled.remove(scenario)
    rng.shuffle(shuffled)
    names = provider.names(len(all_staff))
    particulars = list(Particular)
    for number, (staff, scenario) in enumerate(zip(all_staff, (*_FIRST_SCENARIOS, *shuffled), strict=True)):
        if number == 0:
            provider.add_main_learner(staff)
        elif number == 1:
            provider.add_learner(staff, number, scenario, username="new.starter")
        else:
            provider.add_learner(
                staff, number, scenario, name=names[number], particular=_next_particular(number, scenario, particulars)
            )
        bar.update()
    return provider


def _next_particular(number: int, scenario: Scenario, left: list[Particular]) -> Particular | None:
    """Takes what is particular about a learner on track from what is left. Every third has no diploma to choose in."""
    if scenario is not Scenario.ON_TRACK or not left or (left[0] is Particular.UNITS_TO_CHOOSE and number % 3 == 0):
        return None
    if left[0] is Particular.CHANGED_VERSION and number % 3 == 2:
        # These have no standard.
        return None
    return left.pop(0)


def _add_staff(provider: ProviderBuilder) -> list[Staff]:
    """Adds the employers and all people but the learners; returns the staff of each of 60 learners."""
    people = provider.people
    last_login = london_time(clock.today() - dt.timedelta(days=2), 8, 40)
    people.admin = provider.account("master.admin", last_login=last_login)
    provider.account("basic.admin", last_login=last_login)
    assessor = provider.account("assessor", last_login=last_login)
    iqa = provider.account("iqa", last_login=last_login)
    both = provider.account("many.roles", last_login=last_login)
    third = people.user("colin.marsden", "Colin Marsden", [Role.ASSESSOR], last_login)
    tutor = people.user("anjali.desai", "Anjali Desai", [Role.ASSESSOR], last_login)
    manager = provider.account("employer.manager", last_login=last_login)
    overview = provider.account("employer.overview", last_login=last_login)
    managers = [
        people.user(name.lower().replace(" ", "."), name, [Role.EMPLOYER_MANAGER], last_login)
        for name in ("Stuart Nolan", "Fiona Grange", "Kwame Mensah", "Sally Pickering")
    ]
    office = people.employer("Harbour Cycles")
    saltby, quay, millbridge = (
        people.employer(f"Harbour Cycles {site}", office) for site in ("Saltby", "Quay", "Millbridge")
    )
    rivers = people.employer("Two Rivers Cycle Hire")
    for site in (saltby, quay):
        people.oversee(overview, site)

    all_staff: list[Staff] = []
    for number in range(16):
        theirs = [manager] if number in (0, 2, 3, 4, 5, 6) else [managers[0]] if 7 <= number <= 10 else []
        assessors = Assessors(assessor, iqa) if number < 12 else Assessors(both, None)
        # The main learner has one assessor for all aims; some of the others have a tutor for mathematics.
        mathematics = Assessors(tutor, both) if number % 4 == 3 else assessors
        all_staff.append(Staff(saltby, assessors, mathematics, theirs, [overview]))
    for number in range(14):
        assessors = Assessors(assessor, both if number % 2 else iqa) if number < 8 else Assessors(both, iqa)
        all_staff.append(Staff(quay, assessors, assessors, [managers[1]] if number < 9 else [], [overview]))
    for number in range(14):
        site = millbridge if number < 10 else office
        assessors, mathematics = Assessors(third, both), Assessors(tutor, both)
        all_staff.append(Staff(site, assessors, mathematics, [managers[2]] if number < 6 else []))
    for number in range(16):
        assessors = Assessors(tutor, iqa) if number < 8 else Assessors(both, None)
        all_staff.append(Staff(rivers, assessors, assessors, [managers[3]] if number < 10 else []))
    return all_staff


async def _build_second_provider(session: AsyncSession, rows: Rows, rng: random.Random, bar: tqdm) -> ProviderBuilder:
    provider = await ProviderBuilder.create(
        session, rows, rng, "caldervale.example", name="Calder Vale College", ukprn="10990002",
        unit_signatures=[Role.ASSESSOR.value, Role.IQA.value], traffic_light_tolerance=5.0,
    )  # fmt: skip
    people = provider.people
    people.admin = provider.account("other.provider")
    assessors = Assessors(
        people.user("calder.assessor", "Ewan Doherty", [Role.ASSESSOR]),
        people.user("calder.iqa", "Bronwen Hale", [Role.IQA]),
    )
    manager = people.user("calder.manager", "Lucy Amory", [Role.EMPLOYER_MANAGER])
    employer = people.employer("Calder Vale Wheelworks")
    scenarios = (Scenario.ON_TRACK, Scenario.OFF_TRACK, Scenario.AHEAD, Scenario.COMPLETED)
    for number, name in enumerate(provider.names(8)):
        staff = Staff(employer, assessors, assessors, [manager] if number < 4 else [])
        provider.add_learner(staff, 1000 + number, scenarios[number % 4], name=name, prefix="calder.")
        bar.update()
    return provider
