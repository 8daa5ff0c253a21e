"""Small worlds for tests: `World` adds rows with sensible defaults, one function a kind of record.

    async with database.writing() as session:
        world = World(session)
        provider = await world.provider()
        ada = await world.learner(provider, "Ada", employer=await world.employer(provider, "Garage"))
        await world.aim(ada, criteria=10, mapped=4)

Each gives the entity back with its key; anything of its table can be set by keyword. What hangs on a learner besides
their aims comes from `tests/support/portfolios.py`; `tests/support/viewers.py` looks at the world as somebody.
"""

import datetime as dt
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim, AimProgress
from db.models.employer import Employer
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from domain import clock
from domain.enums import AimStatus, Role
from tests.support.portfolios import Portfolio

DAY = dt.timedelta(days=1)


class World(Portfolio):
    """Adds rows in the caller's transaction. `now` is the moment at which everything was made."""

    def __init__(self, session: AsyncSession, now: dt.datetime | None = None) -> None:
        self.session = session
        self.now = now or clock.now()
        self.today = clock.day_of(self.now)
        self._numbers = count(1)

    # ------------------------------------------------------------ people and places

    async def provider(self, name: str = "Provider", **columns: Any) -> Provider:
        return await self.add(Provider(name=name, created_at=self.now, **columns))

    async def user(self, provider: Provider, name: str, *roles: Role, **columns: Any) -> User:
        """A login that holds these roles; nobody can sign in with its password."""
        username = f"{name.lower().replace(' ', '.')}.{provider.id}.{next(self._numbers)}"
        values = {"username": username, "email": f"{username}@example.org", "password_hash": "-", **columns}
        user = await self.add(User(provider_id=provider.id, name=name, created_at=self.now, **values))
        for role in roles:
            await self.add(RoleGrant(provider_id=provider.id, user_id=user.id, role=role, granted_at=self.now))
        return user

    async def employer(self, provider: Provider, name: str, parent: Employer | None = None) -> Employer:
        parent_id = parent.id if parent else None
        return await self.add(Employer(provider_id=provider.id, name=name, parent_id=parent_id, created_at=self.now))

    async def learner(self, provider: Provider, name: str, employer: Employer | None = None, **columns: Any) -> Learner:
        user = await self.user(provider, name, Role.LEARNER)
        employer_id = employer.id if employer else None
        return await self.add(
            Learner(provider_id=provider.id, user_id=user.id, employer_id=employer_id, created_at=self.now, **columns)
        )

    async def allocate(self, manager: User, *learners: Learner) -> None:
        """Learners to an Employer Manager."""
        for learner in learners:
            await self.add(
                ManagerAllocation(
                    user_id=manager.id, learner_id=learner.id, provider_id=learner.provider_id, allocated_at=self.now
                )
            )

    async def oversee(self, overview: User, *employers: Employer) -> None:
        """Sites to an Employer Overview."""
        for employer in employers:
            await self.add(
                OverviewAllocation(
                    user_id=overview.id,
                    employer_id=employer.id,
                    provider_id=employer.provider_id,
                    allocated_at=self.now,
                )
            )

    # ------------------------------------------------------------ the programme

    async def qualification(
        self, provider: Provider, title: str = "Qualification", units: tuple[int, ...] = (2,), **columns: Any
    ) -> Qualification:
        """A qualification version with one unit a number, which is how many criteria it has."""
        qualification = await self.add(
            Qualification(
                provider_id=provider.id,
                title=title,
                unit_count=len(units),
                criterion_count=sum(units),
                content_sha256=f"{next(self._numbers):064}",
                imported_at=self.now,
                **columns,
            )
        )
        keys = {"provider_id": provider.id, "qualification_id": qualification.id}
        for place, criteria in enumerate(units, 1):
            unit = await self.add(
                QualificationUnit(
                    number=str(place), title=f"Unit {place}", position=place, criterion_count=criteria, **keys
                )
            )
            for code in range(1, criteria + 1):
                await self.add(
                    QualificationCriterion(
                        unit_id=unit.id, code=f"{place}.{code}", description=f"Does {code}", position=code, **keys
                    )
                )
        return qualification

    async def aim(
        self,
        learner: Learner,
        qualification: Qualification | None = None,
        *,
        assessor: User | None = None,
        iqa: User | None = None,
        criteria: int = 0,
        mapped: int = 0,
        signed_off: int = 0,
        **columns: Any,
    ) -> Aim:
        """An aim in training, 100 days ago to 100 days ahead; its sums are `criteria`, `mapped` and `signed_off`."""
        if qualification is None:
            provider = await self.session.get_one(Provider, learner.provider_id)
            qualification = await self.qualification(provider, units=())
        values = {
            "status": AimStatus.IN_TRAINING,
            "start_date": self.today - 100 * DAY,
            "planned_end_date": self.today + 100 * DAY,
            **columns,
        }
        aim = await self.add(
            Aim(
                provider_id=learner.provider_id,
                learner_id=learner.id,
                qualification_id=qualification.id,
                assessor_id=assessor and assessor.id,
                iqa_id=iqa and iqa.id,
                created_at=self.now,
                **values,
            )
        )
        await self.add(
            AimProgress(
                aim_id=aim.id,
                provider_id=aim.provider_id,
                learner_id=aim.learner_id,
                criteria_total=criteria or qualification.criterion_count,
                criteria_mapped=mapped,
                criteria_signed_off=signed_off,
            )
        )
        return aim
