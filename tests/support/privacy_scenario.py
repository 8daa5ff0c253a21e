"""The demo on a server and the rows of its main learner, for the tests of privacy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from db.database import Database
from db.models.base import Base
from db.models.learner import Learner
from db.models.user import User
from domain import global_id as ids
from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer, serving


class Scene:
    """The demo on a server and the rows of its learner Ada."""

    def __init__(self, running: RunningServer, database: Database, folder: Path, user: User, learner: Learner) -> None:
        self.running, self.database, self.folder, self.user, self.learner = running, database, folder, user, learner
        self.id = ids.encode("Learner", learner.id)

    async def dump(self) -> str:
        """Every row of every table as text."""
        lines = []
        async with self.database.snapshot() as session:
            for table in Base.metadata.sorted_tables:
                for row in await session.execute(select(table)):
                    lines.append(f"{table.name} {tuple(row)!r}")
        return "\n".join(lines)

    async def rows(self, entity: Any, *where: Any) -> list[Any]:
        async with self.database.snapshot() as session:
            return list(await session.scalars(select(entity).where(*where)))


@asynccontextmanager
async def scene_of(demo: Demo, backend: str, folder: Path) -> AsyncIterator[Scene]:
    url = await demo.copied(backend, folder)
    database = Database(url)
    async with serving(url, folder) as running:
        async with database.snapshot() as session:
            user = (await session.scalars(select(User).where(User.username == "learner"))).one()
            learner = (await session.scalars(select(Learner).where(Learner.user_id == user.id))).one()
        yield Scene(running, database, folder, user, learner)
    await database.close()
    await demo.release(url)
