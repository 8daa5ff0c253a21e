"""The demo world: a provider with two employers and 60 learners in every state, and a second provider beside it."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from tqdm import tqdm

from db.database import Database
from db.models.provider import Provider
from db.models.user import User
from domain import clock
from domain.enums import ActionStatus, Role
from services.demo import sample_files as files
from services.demo import texts as words
from services.demo.audit_trail import build_audit_trail
from services.demo.bulk_rows import Rows, at, filling
from services.demo.documents import add_cv, add_photo, add_request, add_resources, add_reviews
from services.demo.evidence import add_aim
from services.demo.learner_builder import AimPlan, Portfolio, QualificationWords, stored_qualification
from services.demo.learning_plan import add_action, add_sessions, add_time_log
from services.demo.people import DemoSignIn, People
from services.demo.scenarios import State, plan_aim
from services.importer.parser import read_qualification
from services.importer.store import store_qualification
from services.storage.file_store import FileStore

CONTENT = Path(__file__).parent / "content"
DAYS = {"standard": 548, "diploma": 456, "functional": 274}

SIGN_INS = (
    DemoSignIn("learner", "Maya Thornton", (Role.LEARNER,), "an apprentice with three aims"),
    DemoSignIn("assessor", "Priya Raman", (Role.ASSESSOR,), "their training adviser"),
    DemoSignIn("iqa", "Gareth Pugh", (Role.IQA,), "their internal quality assurer"),
    DemoSignIn(
        "employer.manager", "Helen Ashworth", (Role.EMPLOYER_MANAGER,), "their manager: some learners of one site"
    ),
    DemoSignIn("employer.overview", "Duncan Frame", (Role.EMPLOYER_OVERVIEW,), "two of the employer's three sites"),
    DemoSignIn("basic.admin", "Lorna Webb", (Role.BASIC_ADMIN,), "an administrator of the provider"),
    DemoSignIn("master.admin", "Victor Osei", (Role.MASTER_ADMIN,), "everything at the provider"),
    DemoSignIn("many.roles", "Siân Fielding", (Role.ASSESSOR, Role.IQA), "one login with two roles"),
    DemoSignIn("new.starter", "Jay Lister", (Role.LEARNER,), "has never signed in: password and disclaimer come first"),
    DemoSignIn("other.provider", "Ruth Calloway", (Role.MASTER_ADMIN,), "a second provider, which sees none of this"),
)

_FROM_THE_START = (
    State.ON_TRACK, State.AWAITING_INDUCTION, State.OFF_TRACK, State.AHEAD, State.PAST_PLANNED_END, State.ON_TRACK,
    State.COMPLETED,
)  # fmt: skip
_STATES = {
    State.ON_TRACK: 20, State.OFF_TRACK: 11, State.AHEAD: 11, State.PAST_PLANNED_END: 5, State.AWAITING_INDUCTION: 4,
    State.SUSPENDED: 3, State.COMPLETED: 5, State.WITHDRAWN: 1,
}  # fmt: skip


class DemoExists(Exception):
    """The database holds the demo already; it is made once."""


@dataclass(slots=True)
class _Place:
    """A learner's employer, their assessor and IQA, and the tutor and IQA of their functional skill."""

    employer: int
    assessor: int
    iqa: int | None
    tutor: int
    tutor_iqa: int | None
    managers: list[int] = field(default_factory=list)
    overviews: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _World:
    """One provider while it is filled."""

    rows: Rows
    random: random.Random
    people: People
    qualifications: dict[str, QualificationWords]
    history: list[tuple]


async def build_demo(
    database: Database, file_store: FileStore, *, seed: int = 2026, progress: bool = False
) -> Sequence[DemoSignIn]:
    """Makes the demo in one transaction, the same for the same seed and day; gives who can sign in.

    `progress` shows a bar. Raises DemoExists, and then changes nothing.
    """
    pick = random.Random(seed)
    with tqdm(total=68, desc="Demo", unit=" learners", disable=not progress) as bar:
        async with filling(database, file_store) as (session, rows):
            if await session.scalar(select(User.id).where(User.username == SIGN_INS[0].username)):
                raise DemoExists("The database holds the demo already.")
            await _first_provider(session, rows, pick, bar)
            await _second_provider(session, rows, pick, bar)
    return SIGN_INS


async def _provider(session: AsyncSession, rows: Rows, pick: random.Random, domain: str, **values: object) -> _World:
    today = clock.today()
    provider = Provider(created_at=at(today - dt.timedelta(days=900)), disclaimer=words.DISCLAIMER, **values)
    session.add(provider)
    await session.flush()
    qualifications = {}
    for name, pattern in (("standard", "cycle*"), ("diploma", "diploma*"), ("functional", "functional*")):
        (path,) = CONTENT.glob(f"{pattern}.json")
        stored = await store_qualification(session, provider.id, read_qualification(path))
        qualifications[name] = await stored_qualification(session, stored.qualification_id)
    return _World(rows, pick, People(rows, provider.id, today, domain), qualifications, [])


def _sign_in(world: _World, username: str, **options: object) -> int:
    """One of the people of SIGN_INS."""
    entry = next(entry for entry in SIGN_INS if entry.username == username)
    return world.people.user(username, entry.name, entry.roles, **options)


async def _first_provider(session: AsyncSession, rows: Rows, pick: random.Random, bar: tqdm) -> None:
    world = await _provider(session, rows, pick, "northmoor.example", name="Northmoor Training", ukprn="10990001")
    people, lately = world.people, at(clock.today() - dt.timedelta(days=2), 8, 40)
    people.admin = _sign_in(world, "master.admin", last_login=lately)
    _sign_in(world, "basic.admin", last_login=lately)
    assessor, iqa = _sign_in(world, "assessor", last_login=lately), _sign_in(world, "iqa", last_login=lately)
    both = _sign_in(world, "many.roles", last_login=lately)
    third = people.user("colin.marsden", "Colin Marsden", [Role.ASSESSOR], lately)
    tutor = people.user("anjali.desai", "Anjali Desai", [Role.ASSESSOR], lately)
    manager = _sign_in(world, "employer.manager", last_login=lately)
    overview = _sign_in(world, "employer.overview", last_login=lately)
    managers = [
        people.user(name.lower().replace(" ", "."), name, [Role.EMPLOYER_MANAGER], lately)
        for name in ("Stuart Nolan", "Fiona Grange", "Kwame Mensah", "Sally Pickering")
    ]
    office = people.employer("Harbour Cycles")
    saltby, quay, millbridge = (
        people.employer(f"Harbour Cycles {site}", office) for site in ("Saltby", "Quay", "Millbridge")
    )
    rivers = people.employer("Two Rivers Cycle Hire")
    for site in (saltby, quay):
        people.oversee(overview, site)

    places: list[_Place] = []
    for number in range(16):
        theirs = [manager] if number in (0, 2, 3, 4, 5, 6) else [managers[0]] if 7 <= number <= 10 else []
        first, second = (assessor, iqa) if number < 12 else (both, None)
        # The first learner's aims are all the same assessor's; some of the others have a tutor for mathematics.
        other = (tutor, both) if number % 4 == 3 else (first, second)
        places.append(_Place(saltby, first, second, *other, theirs, [overview]))
    for number in range(14):
        first = (assessor, both if number % 2 else iqa) if number < 8 else (both, iqa)
        places.append(_Place(quay, *first, *first, [managers[1]] if number < 9 else [], [overview]))
    for number in range(14):
        place = millbridge if number < 10 else office
        places.append(_Place(place, third, both, tutor, both, [managers[2]] if number < 6 else []))
    for number in range(16):
        first = (tutor, iqa) if number < 8 else (both, None)
        places.append(_Place(rivers, *first, *first, [managers[3]] if number < 10 else []))

    rest = [state for state, count in _STATES.items() for _ in range(count)]
    for state in _FROM_THE_START:
        rest.remove(state)
    pick.shuffle(rest)
    names = _names(pick, len(places))
    for number, (place, state) in enumerate(zip(places, (*_FROM_THE_START, *rest), strict=True)):
        if number == 0:
            _the_learner(world, place)
        elif number == 1:
            _learner(world, place, number, state, username="new.starter")
        else:
            _learner(world, place, number, state, name=names[number])
        bar.update()
    await build_audit_trail(session, people.provider, world.history)


async def _second_provider(session: AsyncSession, rows: Rows, pick: random.Random, bar: tqdm) -> None:
    world = await _provider(
        session, rows, pick, "caldervale.example", name="Calder Vale College", ukprn="10990002",
        unit_signatures=[Role.ASSESSOR.value, Role.IQA.value], traffic_light_tolerance=5.0,
    )  # fmt: skip
    people = world.people
    people.admin = _sign_in(world, "other.provider")
    assessor = people.user("calder.assessor", "Ewan Doherty", [Role.ASSESSOR])
    iqa = people.user("calder.iqa", "Bronwen Hale", [Role.IQA])
    manager = people.user("calder.manager", "Lucy Amory", [Role.EMPLOYER_MANAGER])
    employer = people.employer("Calder Vale Wheelworks")
    states = (State.ON_TRACK, State.OFF_TRACK, State.AHEAD, State.COMPLETED)
    for number, name in enumerate(_names(pick, 8)):
        place = _Place(employer, assessor, iqa, assessor, iqa, [manager] if number < 4 else [])
        _learner(world, place, 1000 + number, states[number % 4], name=name, prefix="calder.")
        bar.update()
    await build_audit_trail(session, people.provider, world.history)


def _names(pick: random.Random, count: int) -> list[str]:
    """Different names of people."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[f"{pick.choice(words.GIVEN_NAMES)} {pick.choice(words.FAMILY_NAMES)}"] = None
    return list(names)


def _portfolio(world: _World, place: _Place, number: int, user: int, name: str, aims: list[AimPlan]) -> Portfolio:
    people = world.people
    since = at(min(min(aim.start for aim in aims), people.today) - dt.timedelta(days=4))
    learner = people.learner(user, place.employer, number, since)
    for manager in place.managers:
        people.allocate(manager, learner["id"], place.assessor)
    return Portfolio(
        world.rows, world.random, people.today, people.provider, learner, name, aims, place.managers, place.overviews,
        history=world.history,
    )  # fmt: skip


def _learner(
    world: _World, place: _Place, number: int, state: State, *, name: str = "", username: str = "", prefix: str = ""
) -> None:
    """A learner in a state, by a name of their own or as one of SIGN_INS."""
    pick, today = world.random, world.people.today
    programme = (("standard", "functional"), ("standard", "diploma", "functional"), ("diploma", "functional"))[
        number % 3
    ]
    aims = []
    for part in programme:
        who = (place.tutor, place.tutor_iqa) if part == "functional" else (place.assessor, place.iqa)
        aims.append(plan_aim(pick, today, world.qualifications[part], DAYS[part], state, *who))
    active = state not in (State.COMPLETED, State.WITHDRAWN, State.SUSPENDED)
    if username:
        user = _sign_in(world, username, first_time=True)
        name = next(entry.name for entry in SIGN_INS if entry.username == username)
    else:
        seen = None if state is State.AWAITING_INDUCTION else at(today - dt.timedelta(days=pick.randint(2, 20)), 20, 15)
        username = prefix + name.lower().replace(" ", ".")
        user = world.people.user(username, name, [Role.LEARNER], seen)
    portfolio = _portfolio(world, place, number, user, name, aims)
    for aim in aims:
        add_aim(portfolio, aim)
    booked = pick.randint(2, 20) if active and pick.random() < 0.85 else None
    if state is State.AWAITING_INDUCTION:
        booked = (portfolio.first_day - today).days
    add_reviews(portfolio, add_sessions(portfolio, booked))
    add_time_log(portfolio)
    add_resources(portfolio)
    if number % 3 == 0:
        add_cv(portfolio, documents=number % 2 == 0)
    if number % 2 == 0:
        add_photo(portfolio, number)


def _the_learner(world: _World, place: _Place) -> None:
    """`learner`: something to see and something to do for each of the people of SIGN_INS who belong to them."""
    pick, today = world.random, world.people.today
    who = place.assessor, place.iqa
    aims = [
        plan_aim(pick, today, world.qualifications["standard"], DAYS["standard"], State.ON_TRACK, *who, (0.44, 0.48)),
        plan_aim(pick, today, world.qualifications["diploma"], DAYS["diploma"], State.OFF_TRACK, *who, (0.48, 0.52)),
        plan_aim(pick, today, world.qualifications["functional"], DAYS["functional"], State.AHEAD, *who, (0.55, 0.60)),
    ]
    user = _sign_in(world, "learner", last_login=at(today - dt.timedelta(days=1), 19, 5))
    portfolio = _portfolio(world, place, 0, user, SIGN_INS[0].name, aims)
    for aim in aims:
        add_aim(portfolio, aim)
    sessions = add_sessions(portfolio, next_in_days=3)
    add_reviews(portfolio, sessions)
    add_time_log(portfolio)
    add_resources(portfolio)
    add_cv(portfolio, documents=True)
    add_photo(portfolio, 7)
    everybody = {
        Role.LEARNER: user, Role.EMPLOYER_MANAGER: place.managers[0], Role.EMPLOYER_OVERVIEW: place.overviews[0],
        Role.ASSESSOR: place.assessor, Role.IQA: place.iqa,
    }  # fmt: skip
    asked = at(today - dt.timedelta(days=4), 11)
    add_request(portfolio, "Training plan: change of hours", files.pdf("Training plan"), asked, everybody, 0)
    add_request(portfolio, "Individual learning plan", files.pdf("Individual learning plan"), asked, everybody, 2)
    add_request(portfolio, "Progress review, first draft", files.pdf("12-week progress review"),
                asked - dt.timedelta(days=9), everybody, 0, cancelled=True)  # fmt: skip
    due = ((-6, ActionStatus.OUTSTANDING), (5, ActionStatus.IN_PROGRESS), (12, ActionStatus.OUTSTANDING))
    for (title, description, sample), (days, status) in zip(words.ACTIONS[:3], due, strict=True):
        target = today + dt.timedelta(days=days)
        add_action(portfolio, title, description, sample, target, status, at(today - dt.timedelta(days=20), 15), None)
