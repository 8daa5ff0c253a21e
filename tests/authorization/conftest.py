"""What the tests of scope share: a world with everything in it, one beside it to cut down, and who looks at them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from db.database import Database
from domain.enums import Role
from tests.authorization.authorization_scenario import ONE_OF_EACH, Everything, everything
from tests.authorization.oracle import Sight, cut
from tests.authorization.rows import Rows, read_rows, replace_rows
from tests.authorization.viewer_crawler import Looker
from tests.support.databases import Databases


@dataclass
class Worlds:
    """`looker` looks at the whole world; `beside` at what is left of it for one viewer."""

    made: Everything
    rows: Rows
    looker: Looker
    beside: Looker
    _answers: dict[tuple[str, Role], dict[str, Any]]

    @property
    def some(self) -> list[tuple[str, Role]]:
        """Somebody in each role, and Max, who holds one of Ada's three aims; on PostgreSQL a few of them."""
        if self.looker.database.is_sqlite:
            return [*ONE_OF_EACH, ("max", Role.ASSESSOR)]
        return [("max", Role.ASSESSOR), ("mo", Role.EMPLOYER_MANAGER), ("may", Role.MASTER_ADMIN)]

    def user(self, who: str) -> int:
        return self.made.people[who][0].id

    def sight(self, who: str, role: Role) -> Sight:
        return Sight(self.rows, self.user(who), role)

    async def answer(self, who: str, role: Role) -> dict[str, Any]:
        """What somebody is told about everything; asked once."""
        if (who, role) not in self._answers:
            self._answers[who, role] = await self.looker.everything(self.user(who), role)
        return self._answers[who, role]

    async def cut_to(self, who: str, role: Role) -> Looker:
        """The world beside, with nothing in it but what somebody sees, says the oracle."""
        await replace_rows(self.beside.database, cut(self.rows, self.sight(who, role)))
        return self.beside


@pytest.fixture(scope="session")
async def worlds(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worlds]:
    """A world that nobody changes."""
    folder: Path = tmp_path_factory.mktemp("scope")
    urls = [await databases.fresh(backend) for _ in range(2)]
    whole, beside = [Database(url) for url in urls]
    made = await everything(whole)
    rows = await read_rows(whole)
    lookers = Looker(whole, folder, rows), Looker(beside, folder, rows)
    lookers[1].now = lookers[0].now
    yield Worlds(made, rows, *lookers, {})
    for database, url in zip((whole, beside), urls, strict=True):
        await database.close()
        await databases.release(url)
