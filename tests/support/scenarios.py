"""A learner with everybody who may be around them, and strangers: what the tests of the mutations act on.

    stage = await set_stage(database, folder)
    key = await evidence.submit(stage.at("learner"), aim_id=stage.aim, file_id=await stage.upload("learner"), …)

Ada learns with an assessor, an IQA and two managers. Her aim has a unit of two criteria and one of one; her other aim
is another assessor's. Cy learns with nobody whom Ada knows but the admins; Zoe at another provider.
"""

import secrets
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from auth.passwords import hash_password
from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.base import Base
from db.models.file import File
from db.models.learner import Learner
from db.models.outbox import OutboxMail
from db.models.qualification import QualificationCriterion, QualificationUnit
from db.models.user import User
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers.core.context import Client, Context, Services
from services.audit.progress_check import progress_mismatches
from tests.support.viewers import services, viewer
from tests.support.factories import Factory

PASSWORD = "a heron on the weir"


@dataclass
class Stage:
    """The world and who is in it: `people` by what the tests call them, ids as the graph shows them."""

    database: Database
    services: Services
    people: dict[str, tuple[User, Role, Learner | None]] = field(default_factory=dict)
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

    def at(self, who: str, idempotency_key: str | None = None) -> Context:
        """One operation's context as somebody."""
        user, role, learner = self.people[who]
        return Context(self.services, viewer(user, role, learner), Client(idempotency_key=idempotency_key))

    def user(self, who: str) -> User:
        return self.people[who][0]

    async def upload(self, who: str, **columns: Any) -> str:
        """A file that has arrived and that nobody has used."""
        async with self.database.writing() as session:
            factory, digest = Factory(session), secrets.token_hex(32)
            return ids.encode("File", (await factory.file(self.user(who), **{"sha256": digest, **columns})).id)

    async def rows(self, entity: type[Base], *where: Any) -> list[Any]:
        """Rows of a table, the oldest first."""
        async with self.database.writing() as session:
            found = await session.scalars(select(entity).where(*where).order_by(*entity.__table__.primary_key))
            return list(found)

    async def one(self, entity: type[Base], key: Any) -> Any:
        async with self.database.writing() as session:
            return await session.get_one(entity, key)

    async def file(self, id: str) -> File:
        return await self.one(File, ids.decode("File", id))

    async def trail(self) -> list[str]:
        """What the audit trail says was done, in order."""
        return [line.action for line in await self.rows(AuditEvent)]

    async def mails(self) -> list[OutboxMail]:
        return await self.rows(OutboxMail)

    async def check_sums(self) -> None:
        async with self.database.writing() as session:
            assert await progress_mismatches(session) == []

    async def state(self) -> dict[str, int]:
        """How many rows there are of everything: what a refusal leaves as it was."""
        counts = {}
        async with self.database.writing() as session:
            for table in Base.metadata.sorted_tables:
                if table.name not in ("wrong_guess", "audit_event"):
                    counts[table.name] = await session.scalar(select(func.count()).select_from(table))
        return counts


async def set_stage(database: Database, folder: Path) -> Stage:
    """Fills an empty database."""
    stage = Stage(database, services(database, folder))
    hashed = await hash_password(PASSWORD)
    async with database.writing() as session:
        factory = Factory(session)
        provider, elsewhere = await factory.provider(), await factory.provider("Elsewhere")
        garage = await factory.employer(provider, "Garage")

        async def person(who: str, role: Role, at: Any = provider) -> User:
            user = await factory.user(at, who.replace("_", " ").title(), role, password_hash=hashed)
            stage.people[who] = (user, role, None)
            return user

        assessor = await person("assessor", Role.ASSESSOR)
        other_assessor = await person("other_assessor", Role.ASSESSOR)
        iqa = await person("iqa", Role.IQA)
        manager, second = await person("manager", Role.EMPLOYER_MANAGER), await person("second", Role.EMPLOYER_MANAGER)
        await person("colleague", Role.EMPLOYER_MANAGER)
        overview = await person("overview", Role.EMPLOYER_OVERVIEW)
        await person("basic", Role.BASIC_ADMIN)
        await person("master", Role.MASTER_ADMIN)
        foreign_assessor = await person("foreign_assessor", Role.ASSESSOR, elsewhere)

        async def learner(who: str, at: Any = provider, employer: Any = None) -> Learner:
            made = await factory.learner(at, who.title(), employer)
            user = await session.get_one(User, made.user_id)
            user.password_hash = hashed
            stage.people[who] = (user, Role.LEARNER, made)
            return made

        ada, cy = await learner("learner", employer=garage), await learner("cy")
        zoe = await learner("zoe", elsewhere)
        await factory.allocate(manager, ada)
        await factory.allocate(second, ada)
        await factory.oversee(overview, garage)
        qualification = await factory.qualification(provider, "Cycle mechanic", units=(2, 1))
        english = await factory.qualification(provider, "English", units=(1,))
        aim = await factory.aim(ada, qualification, assessor=assessor, iqa=iqa)
        other_aim = await factory.aim(ada, english, assessor=other_assessor)
        cys_aim = await factory.aim(cy, qualification)
        foreign = await factory.qualification(elsewhere, units=(1,))
        foreign_aim = await factory.aim(zoe, foreign, assessor=foreign_assessor)

        async def of(entity: Any, made: Any, aim_key: int, name: str) -> list[str]:
            found = await session.scalars(
                select(entity.id).where(entity.qualification_id == made.id).order_by(entity.id)
            )
            return [ids.encode_pair(name, aim_key, key) for key in found]

        stage.units = await of(QualificationUnit, qualification, aim.id, "Unit")
        stage.criteria = await of(QualificationCriterion, qualification, aim.id, "Criterion")
        (stage.other_criterion,) = await of(QualificationCriterion, english, other_aim.id, "Criterion")
        (stage.foreign_criterion,) = await of(QualificationCriterion, foreign, foreign_aim.id, "Criterion")
        stage.ada, stage.cy, stage.zoe = (ids.encode("Learner", one.id) for one in (ada, cy, zoe))
        stage.aim, stage.other_aim, stage.cys_aim, stage.foreign_aim = (
            ids.encode("Aim", one.id) for one in (aim, other_aim, cys_aim, foreign_aim)
        )
    return stage


async def refused(doing: Awaitable[Any]) -> dict[str | None, UserErrorCode]:
    """Awaits what must be refused; the faults by their field, as `input.title`."""
    with pytest.raises(DomainError) as caught:
        await doing
    return {fault.field and ".".join(fault.field): fault.code for fault in caught.value.errors}
