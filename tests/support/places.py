"""A world of employers and people, and `Asker`, who runs operations in it as whoever holds a role."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from db.database import Database, statement_count
from db.migrate import migrate
from db.models.audit_event import AuditEvent
from db.models.learner import Learner
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role
from resolvers.core.context import Context, Services
from schema.root import make_schema
from services.audit.append import append
from tests.support.factories import Factory
from tests.support.viewers import services, viewer


async def fill(database: Database) -> None:
    """A head office with sites A, B and C; Ada and Bob at A, Cyd at B, Ann at the head office; another provider."""
    await migrate(database)
    async with database.writing() as session:
        factory = Factory(session)
        provider, far = await factory.provider(), await factory.provider("Far away")
        head = await factory.employer(provider, "Head office")
        a, b, c = [await factory.employer(provider, f"Site {name}", head) for name in "ABC"]
        people = {role: await factory.user(provider, role.value, role) for role in Role if role is not Role.LEARNER}
        ada, bob = [await factory.learner(provider, name, a) for name in ("Ada", "Bob")]
        cyd, ann = await factory.learner(provider, "Cyd", b), await factory.learner(provider, "Ann", head)
        await factory.allocate(people[Role.EMPLOYER_MANAGER], ada, cyd)
        await factory.oversee(people[Role.EMPLOYER_OVERVIEW], a, c)
        least = {"reference": "ST0001", "off_the_job_hours_minimum": 10}
        standard = await factory.qualification(provider, "Zoë's standard", **least)
        for learner in (ada, bob, cyd, ann):
            await factory.aim(learner, standard, assessor=people[Role.ASSESSOR], criteria=10, mapped=4)
        await factory.time_log_entry(ada, people[Role.ASSESSOR], 30)
        await factory.signature_request(ada, people[Role.ASSESSOR], (Role.EMPLOYER_MANAGER, Role.LEARNER))
        gone = await factory.user(provider, "Gone", Role.IQA, archived_at=factory.now)
        there = await factory.learner(far, "Stranger", await factory.employer(far, "Site far"))
        await factory.user(far, "Far admin", Role.MASTER_ADMIN)
        await factory.qualification(far, "Far standard")
        for learner, action, actor in ((ada, "learnerEnrol", people[Role.MASTER_ADMIN]), (there, "learnerEnrol", gone)):
            await append(
                session,
                AuditEvent(
                    provider_id=learner.provider_id,
                    at=clock.now(),
                    actor_id=actor.id,
                    role=Role.MASTER_ADMIN,
                    action=action,
                    subject_type="Learner",
                    subject_key=learner.id,
                    learner_id=learner.id,
                ),
            )


class Asker:
    """`await ask(role, operation, **variables)` gives the data of an answer without errors.

    `executor` is `compiled` or `generic`; `statements` is how many the last operation sent.
    """

    def __init__(self, executor: str, provided: Services, people: dict[Role, tuple[User, Learner | None]]) -> None:
        self.schema = make_schema(executor)
        self.services = provided
        self.people = people
        self.statements = 0

    @classmethod
    async def made(cls, executor: str, database: Database, folder: Path) -> "Asker":
        """Who asks in a world that `fill` made; each role is that of the first who holds it."""
        people: dict[Role, tuple[User, Learner | None]] = {}
        statement = select(RoleGrant.role, User, Learner).join(User, User.id == RoleGrant.user_id)
        async with database.writing() as session:
            for role, user, learner in await session.execute(
                statement.outerjoin(Learner, Learner.user_id == User.id).order_by(User.id)
            ):
                people.setdefault(role, (user, learner))
        return cls(executor, services(database, folder), people)

    async def __call__(self, role: Role, operation: str, /, **variables: Any) -> dict[str, Any]:
        user, learner = self.people[role]
        statement_count.set(count := [0])
        context = Context(self.services, viewer(user, role, learner))
        result = await self.schema.execute(operation, variable_values=variables, context_value=context)
        self.statements = count[0]
        assert result.errors is None, result.errors
        return result.data


def names(connection: dict[str, Any]) -> list[str]:
    """The names or titles of a page's nodes."""
    return [node.get("name") or node["title"] for node in connection["nodes"]]
