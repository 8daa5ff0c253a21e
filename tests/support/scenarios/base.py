"""What the scenarios share: the users that a test acts as, and the rows that it checks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import func, select

from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.auth_session import LoginAttempt
from db.models.base import Base
from db.models.learner import Learner
from db.models.outbox import OutboxMail
from db.models.user import User
from domain import global_id as ids
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers.core.context import Client, Context, Services
from tests.support.client import InProcessClient
from tests.support.databases import Databases
from tests.support.passwords import cheap_hash
from tests.support.viewers import services, viewer

PASSWORD = "a heron on the weir"
PASSWORD_HASH = cheap_hash(PASSWORD)


@dataclass
class Scenario:
    """`people` are the users by the names that tests use, with their role and, of a learner, their record."""

    people: dict[str, tuple[User, Role, Learner | None]] = field(default_factory=dict)
    database: Database = field(init=False, repr=False)
    services: Services = field(init=False, repr=False)

    def connect(self, database: Database, folder: Path) -> None:
        """Uses a database that holds the scenario's rows. `folder`: for files and mail."""
        self.database = database
        self.services = services(database, folder)

    def context(self, who: str, idempotency_key: str | None = None, **rules: Any) -> Context:
        """Returns the context of one operation. `rules`: settings of the provider that differ from the default."""
        user, role, learner = self.people[who]
        return Context(self.services, viewer(user, role, learner, **rules), Client(idempotency_key=idempotency_key))

    def client(self, who: str, executor: str = "compiled", **rules: Any) -> InProcessClient:
        """Returns a client that runs operations as a user. `rules` as in `context`."""
        return InProcessClient(lambda key: self.context(who, key, **rules), executor)

    def user(self, who: str) -> User:
        return self.people[who][0]

    async def add(self, *entities: Base) -> None:
        async with self.database.writing() as session:
            session.add_all(entities)

    async def rows(self, entity: type[Base], *where: Any) -> list[Any]:
        """Returns rows of a table in the order of their keys."""
        async with self.database.writing() as session:
            found = await session.scalars(select(entity).where(*where).order_by(*entity.__table__.primary_key))
            return list(found)

    async def one(self, entity: type[Base], key: Any) -> Any:
        async with self.database.writing() as session:
            return await session.get_one(entity, key)

    async def audit_trail(self) -> list[str]:
        """Returns the actions in the audit trail, the oldest first."""
        return [line.action for line in await self.rows(AuditEvent)]

    async def seal_audit_trail(self) -> None:
        """Gives the events of the test's mutations their places in the chain, as a server does within a second."""
        if self.services.changes.publisher is not None:
            await self.services.changes.publisher.publish()

    async def mails(self) -> list[OutboxMail]:
        """Returns the mails in the outbox, with the links that are filled in when they are sent."""
        mails = await self.rows(OutboxMail)
        for mail in mails:
            mail.body = self.services.one_time_secrets.fill_in(mail.body, mail.to_address)
        return mails

    async def row_counts(self) -> dict[str, int]:
        """Returns the number of rows of every table that a rejected mutation must leave unchanged."""
        counts = {}
        async with self.database.writing() as session:
            for table in Base.metadata.sorted_tables:
                if table.name not in (LoginAttempt.__tablename__, AuditEvent.__tablename__):
                    counts[table.name] = await session.scalar(select(func.count()).select_from(table))
        return counts


Built = TypeVar("Built", bound=Scenario)


@asynccontextmanager
async def open_scenario(
    databases: Databases, backend: str, build: Callable[[Database], Awaitable[Built]], folder: Path
) -> AsyncIterator[Built]:
    """Opens a scenario on a database of its own; `build` runs once a run and backend."""
    async with databases.opened(backend, build) as (database, scenario):
        scenario.connect(database, folder)
        yield scenario


def id_of(entity: Any) -> str:
    """Returns the global id of an entity."""
    return ids.encode(type(entity).type_name(), entity.id)


async def rejected(operation: Awaitable[Any]) -> dict[str | None, UserErrorCode]:
    """Awaits an operation that must be rejected, and returns the codes by the path of the input, as `input.title`."""
    with pytest.raises(DomainError) as caught:
        await operation
    return {error.field and ".".join(error.field): error.code for error in caught.value.errors}
