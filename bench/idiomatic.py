"""A Strawberry server over the same tables, written as Strawberry's documentation shows.

It has ORM entities, a dataloader for each relation, async resolvers and the library's own view. It checks no sign-in
and no scope: the viewer is an argument. The bench runs `python -m bench.idiomatic DATABASE_URL PORT`.
"""

import datetime as dt
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import strawberry
import uvicorn
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from db.models.action import Action
from db.models.aim import Aim as AimEntity
from db.models.aim import AimProgress
from db.models.criterion_progress import CriterionProgress
from db.models.employer import Employer
from db.models.learner import Learner as LearnerEntity
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from db.models.session import Session
from db.models.user import OverviewAllocation, User
from domain import clock, progress
from domain.enums import ActionStatus, AimStatus, CriterionFilter, SessionStatus

Sessions = async_sessionmaker[AsyncSession]


def one(sessions: Sessions, entity: Any, column: str = "id") -> DataLoader:
    """Returns a loader of entities by a unique column."""

    async def load(keys: list[Any]) -> list[Any]:
        async with sessions() as session:
            found = await session.scalars(select(entity).where(getattr(entity, column).in_(keys)))
            by_key = {getattr(each, column): each for each in found}
        return [by_key.get(key) for key in keys]

    return DataLoader(load)


def many(
    sessions: Sessions, entity: Any, column: str, *order: Any, where: Callable[[], list[Any]] = list
) -> DataLoader:
    """Returns a loader of lists of entities by a column that is not unique."""

    async def load(keys: list[Any]) -> list[Any]:
        async with sessions() as session:
            statement = select(entity).where(getattr(entity, column).in_(keys), *where()).order_by(*order)
            by_key = defaultdict(list)
            for each in await session.scalars(statement):
                by_key[getattr(each, column)].append(each)
        return [by_key[key] for key in keys]

    return DataLoader(load)


class Loaders:
    """The loaders of one operation."""

    def __init__(self, sessions: Sessions) -> None:
        now = clock.now()
        self.today = clock.day_of(now)
        self.sessions = sessions
        self.learner = one(sessions, LearnerEntity)
        self.user = one(sessions, User)
        self.employer = one(sessions, Employer)
        self.qualification = one(sessions, Qualification)
        self.aim_progress = one(sessions, AimProgress, "aim_id")
        self.aims = many(sessions, AimEntity, "learner_id", AimEntity.id)
        self.units = many(sessions, QualificationUnit, "qualification_id", QualificationUnit.position)
        self.criteria = many(sessions, QualificationCriterion, "unit_id", QualificationCriterion.position)
        self.criterion_progress = many(sessions, CriterionProgress, "aim_id")
        is_planned = [Session.status == SessionStatus.PLANNED, Session.starts_at >= now]
        self.planned = many(
            sessions,
            Session,
            "learner_id",
            Session.starts_at,
            Session.id,
            where=lambda: is_planned,
        )
        is_open = [Action.status != ActionStatus.COMPLETE]
        self.open_actions = many(sessions, Action, "learner_id", where=lambda: is_open)


Info = strawberry.Info[dict[str, Any], None]


def loaders(info: Info) -> Loaders:
    """Returns the loaders of the current operation."""
    return info.context["loaders"]


strawberry.enum(CriterionFilter, name="CriterionFilter")


@strawberry.type
class Named:
    id: strawberry.ID
    name: str


@strawberry.type
class Criterion:
    id: strawberry.ID
    code: str
    description: str
    status: str
    evidence_count: int


@strawberry.type
class Unit:
    id: strawberry.ID
    number: str
    title: str
    aim_key: strawberry.Private[int]
    key: strawberry.Private[int]

    @strawberry.field
    async def criteria(self, info: Info, filter: CriterionFilter = CriterionFilter.ALL) -> list[Criterion]:
        load = loaders(info)
        criteria = await load.criteria.load(self.key)
        by_criterion = {each.criterion_id: each for each in await load.criterion_progress.load(self.aim_key)}
        return [
            Criterion(
                id=strawberry.ID(f"Criterion_{self.aim_key}.{each.id}"),
                code=each.code,
                description=each.description,
                status=progress.criterion_status(found.evidence_count, found.signed_off).name
                if found
                else "NOT_STARTED",
                evidence_count=found.evidence_count if found else 0,
            )
            for each in criteria
            for found in [by_criterion.get(each.id)]
        ]


def _duration(aim: AimEntity, sums: AimProgress, today: dt.date) -> int:
    days = aim.start_date, aim.planned_end_date, today
    return progress.duration_tenths(*days, progress.days_on_break(sums.days_on_break, sums.break_since, *days))


@strawberry.type
class Progress:
    duration_percent: float
    past_planned_end: bool
    mapped_percent: float
    signed_off_percent: float


@strawberry.type
class Aim:
    entity: strawberry.Private[AimEntity]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"Aim_{self.entity.id}")

    @strawberry.field
    async def title(self, info: Info) -> str:
        return (await loaders(info).qualification.load(self.entity.qualification_id)).title

    @strawberry.field
    async def assessor(self, info: Info) -> Named | None:
        user = await loaders(info).user.load(self.entity.assessor_id)
        return Named(id=strawberry.ID(f"User_{user.id}"), name=user.name) if user else None

    @strawberry.field
    async def traffic_light(self, info: Info) -> str:
        sums, aim = await loaders(info).aim_progress.load(self.entity.id), self.entity
        return progress.traffic_light(
            in_training=aim.status is AimStatus.IN_TRAINING,
            criteria_total=sums.criteria_total,
            mapped=progress.tenths(sums.criteria_mapped, sums.criteria_total),
            duration=_duration(aim, sums, loaders(info).today),
            tolerance=10.0,
            rated_from=0.0,
        ).name

    @strawberry.field
    async def progress(self, info: Info) -> Progress:
        sums, aim, today = await loaders(info).aim_progress.load(self.entity.id), self.entity, loaders(info).today
        return Progress(
            duration_percent=_duration(aim, sums, today) / 10,
            past_planned_end=progress.is_past_planned_end(aim.status, aim.planned_end_date, today),
            mapped_percent=progress.percent(sums.criteria_mapped, sums.criteria_total),
            signed_off_percent=progress.percent(sums.criteria_signed_off, sums.criteria_total),
        )

    @strawberry.field
    async def units(self, info: Info) -> list[Unit]:
        def unit(of: QualificationUnit) -> Unit:
            id = strawberry.ID(f"Unit_{self.entity.id}.{of.id}")
            return Unit(id=id, number=of.number, title=of.title, aim_key=self.entity.id, key=of.id)

        return [unit(each) for each in await loaders(info).units.load(self.entity.qualification_id)]


@strawberry.type
class NextSession:
    id: strawberry.ID
    starts_at: dt.datetime
    type: str


@strawberry.type
class Learner:
    entity: strawberry.Private[LearnerEntity]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"Learner_{self.entity.id}")

    @strawberry.field
    async def name(self, info: Info) -> str:
        return (await loaders(info).user.load(self.entity.user_id)).name

    @strawberry.field
    async def last_login_at(self, info: Info) -> dt.datetime | None:
        return (await loaders(info).user.load(self.entity.user_id)).last_login_at

    @strawberry.field
    async def employer(self, info: Info) -> Named | None:
        employer = await loaders(info).employer.load(self.entity.employer_id)
        return Named(id=strawberry.ID(f"Employer_{employer.id}"), name=employer.name) if employer else None

    @strawberry.field
    async def next_session(self, info: Info) -> NextSession | None:
        planned = await loaders(info).planned.load(self.entity.id)
        if not planned:
            return None
        return NextSession(
            id=strawberry.ID(f"Session_{planned[0].id}"), starts_at=planned[0].starts_at, type=planned[0].type.name
        )

    @strawberry.field
    async def outstanding_action_count(self, info: Info) -> int:
        return len(await loaders(info).open_actions.load(self.entity.id))

    @strawberry.field
    async def aims(self, info: Info) -> list[Aim]:
        return [Aim(entity=each) for each in await loaders(info).aims.load(self.entity.id)]


@strawberry.type
class LearnerPage:
    total_count: int
    nodes: list[Learner]


@strawberry.type
class Query:
    @strawberry.field
    async def learner(self, info: Info, id: strawberry.ID) -> Learner | None:
        found = await loaders(info).learner.load(int(id.removeprefix("Learner_")))
        return Learner(entity=found) if found else None

    @strawberry.field
    async def learners(self, info: Info, overview: strawberry.ID, first: int, offset: int) -> LearnerPage:
        employers = select(OverviewAllocation.employer_id).where(OverviewAllocation.user_id == int(overview))
        is_visible = LearnerEntity.employer_id.in_(employers)
        async with loaders(info).sessions() as session:
            count = await session.scalar(select(func.count()).select_from(LearnerEntity).where(is_visible))
            page = select(LearnerEntity).join(User, User.id == LearnerEntity.user_id).where(is_visible)
            found = await session.scalars(page.order_by(User.sort_name, LearnerEntity.id).limit(first).offset(offset))
            return LearnerPage(total_count=count or 0, nodes=[Learner(entity=each) for each in found])


class View(GraphQL[dict[str, Any], None]):
    """Strawberry's view with loaders in its context."""

    def __init__(self, schema: strawberry.Schema, sessions: Sessions) -> None:
        super().__init__(schema)
        self._sessions = sessions

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        return {"loaders": Loaders(self._sessions)}


if __name__ == "__main__":
    engine = create_async_engine(sys.argv[1], pool_size=16, max_overflow=16)
    view = View(strawberry.Schema(query=Query), async_sessionmaker(engine, expire_on_commit=False))
    app = Starlette(routes=[Route("/graphql", view)])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")
