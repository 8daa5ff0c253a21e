"""A learner with staff and managers of every role, and nothing submitted yet.

Ada learns with an assessor, an IQA and two employer managers. Her aim has a unit of two criteria and one of one; her
other aim is another assessor's. Cy learns at the same provider, and Zoe at another.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from db.database import Database
from db.models.file import File
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.qualification import QualificationCriterion, QualificationUnit
from db.models.user import User
from domain import global_id as ids
from domain.enums import Role
from services.audit.progress_check import progress_mismatches
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD_HASH, Scenario, id_of

STAFF = {
    "assessor": Role.ASSESSOR, "other_assessor": Role.ASSESSOR, "iqa": Role.IQA, "manager": Role.EMPLOYER_MANAGER,
    "second": Role.EMPLOYER_MANAGER, "colleague": Role.EMPLOYER_MANAGER, "overview": Role.EMPLOYER_OVERVIEW,
    "basic": Role.BASIC_ADMIN, "master": Role.MASTER_ADMIN,
}  # fmt: skip


@dataclass
class EmptyPortfolio(Scenario):
    """The scenario, with global ids of its records."""

    ada: str = ""
    cy: str = ""
    zoe: str = ""
    aim: str = ""
    other_aim: str = ""
    cys_aim: str = ""
    foreign_aim: str = ""
    units: list[str] = field(default_factory=list)
    criteria: list[str] = field(default_factory=list)
    other_criterion: str = ""
    foreign_criterion: str = ""

    async def upload(self, who: str, **columns: Any) -> str:
        """Adds an uploaded file that is not attached to anything, and returns its id."""
        async with self.database.writing() as session:
            values = {"sha256": secrets.token_hex(32), **columns}
            return id_of(await Factory(session).file(self.user(who), **values))

    async def file(self, id: str) -> File:
        return await self.one(File, ids.decode("File", id))

    async def check_progress(self) -> None:
        """Fails if the progress of an aim is not what its criteria say."""
        async with self.database.writing() as session:
            assert await progress_mismatches(session) == []


async def build_empty_portfolio(database: Database) -> EmptyPortfolio:
    """Fills a database that has every table and no row."""
    scenario = EmptyPortfolio()
    async with database.writing() as session:
        factory = Factory(session)
        provider, elsewhere = await factory.provider(), await factory.provider("Elsewhere")
        garage = await factory.employer(provider, "Garage")

        async def staff(who: str, role: Role, at: Provider) -> User:
            user = await factory.user(at, who.replace("_", " ").title(), role, password_hash=PASSWORD_HASH)
            scenario.people[who] = (user, role, None)
            return user

        async def learner(who: str, at: Provider, **columns: Any) -> Learner:
            made = await factory.learner(at, who.title(), **columns)
            user = await session.get_one(User, made.user_id)
            user.password_hash = PASSWORD_HASH
            scenario.people[who] = (user, Role.LEARNER, made)
            return made

        users = {who: await staff(who, role, provider) for who, role in STAFF.items()}
        foreign_assessor = await staff("foreign_assessor", Role.ASSESSOR, elsewhere)
        ada, cy = await learner("learner", provider, employer=garage), await learner("cy", provider)
        zoe = await learner("zoe", elsewhere)
        await factory.allocate(users["manager"], ada)
        await factory.allocate(users["second"], ada)
        await factory.oversee(users["overview"], garage)
        mechanic = await factory.qualification(provider, "Cycle mechanic", units=(2, 1))
        english = await factory.qualification(provider, "English", units=(1,))
        foreign = await factory.qualification(elsewhere, units=(1,))
        aim = await factory.aim(ada, mechanic, assessor=users["assessor"], iqa=users["iqa"])
        other_aim = await factory.aim(ada, english, assessor=users["other_assessor"])
        cys_aim = await factory.aim(cy, mechanic)
        foreign_aim = await factory.aim(zoe, foreign, assessor=foreign_assessor)

        async def parts(entity: Any, qualification: Any, aim_key: int, name: str) -> list[str]:
            found = await session.scalars(
                select(entity.id).where(entity.qualification_id == qualification.id).order_by(entity.id)
            )
            return [ids.encode_pair(name, aim_key, key) for key in found]

        scenario.units = await parts(QualificationUnit, mechanic, aim.id, "Unit")
        scenario.criteria = await parts(QualificationCriterion, mechanic, aim.id, "Criterion")
        (scenario.other_criterion,) = await parts(QualificationCriterion, english, other_aim.id, "Criterion")
        (scenario.foreign_criterion,) = await parts(QualificationCriterion, foreign, foreign_aim.id, "Criterion")
        scenario.ada, scenario.cy, scenario.zoe = id_of(ada), id_of(cy), id_of(zoe)
        scenario.aim, scenario.other_aim = id_of(aim), id_of(other_aim)
        scenario.cys_aim, scenario.foreign_aim = id_of(cys_aim), id_of(foreign_aim)
    return scenario
