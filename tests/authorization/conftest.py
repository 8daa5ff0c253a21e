"""What the authorization tests share: a database with all rows, and one reduced to what a viewer may see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from db.database import Database
from domain.enums import Role
from tests.authorization.oracle import Visibility, visible_rows
from tests.authorization.rows import Rows, read_rows, replace_rows
from tests.authorization.viewer_crawler import ViewerCrawler
from tests.support.databases import Databases, Recipe
from tests.support.scenarios.authorization import ONE_OF_EACH, AuthorizationScenario, build_authorization


@dataclass
class Crawlers:
    """`full` reads the database with all rows, `reduced` the one with those that one viewer may see."""

    scenario: AuthorizationScenario
    rows: Rows
    full: ViewerCrawler
    reduced: ViewerCrawler
    _responses: dict[tuple[str, Role], dict[str, Any]] = field(default_factory=dict)

    @property
    def viewers(self) -> list[tuple[str, Role]]:
        """A user of each role, and Max, who assesses one of Ada's three aims; on PostgreSQL a few of them."""
        if self.full.database.is_sqlite:
            return [*ONE_OF_EACH, ("max", Role.ASSESSOR)]
        return [("max", Role.ASSESSOR), ("mo", Role.EMPLOYER_MANAGER), ("may", Role.MASTER_ADMIN)]

    def user(self, who: str) -> int:
        return self.scenario.user(who).id

    def visibility(self, who: str, role: Role) -> Visibility:
        return Visibility(self.rows, self.user(who), role)

    async def crawled(self, who: str, role: Role) -> dict[str, Any]:
        """Returns everything that a viewer reads from the full database; read once."""
        if (who, role) not in self._responses:
            self._responses[who, role] = await self.full.crawl(self.user(who), role)
        return self._responses[who, role]

    async def reduce_to(self, who: str, role: Role) -> ViewerCrawler:
        """Replaces the rows of the reduced database by those that the oracle lets a viewer see."""
        await replace_rows(self.reduced.database, visible_rows(self.rows, self.visibility(who, role)))
        return self.reduced


@asynccontextmanager
async def open_crawlers(databases: Databases, backend: str, recipe: Recipe, folder: Path) -> AsyncIterator[Crawlers]:
    """Opens two databases; `recipe` fills the full one and returns its scenario."""
    url, scenario = await databases.fresh_with_value(backend, recipe)
    reduced_url = await databases.fresh(backend)
    full, reduced = Database(url), Database(reduced_url)
    rows = await read_rows(full)
    crawlers = Crawlers(scenario, rows, ViewerCrawler(full, folder, rows), ViewerCrawler(reduced, folder, rows))
    crawlers.reduced.now = crawlers.full.now
    yield crawlers
    for database in (full, reduced):
        await database.close()
        await databases.release(database.url)


@pytest.fixture(scope="session")
async def crawlers(
    databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crawlers]:
    """The authorization scenario, which no test changes."""
    folder = tmp_path_factory.mktemp("authorization")
    async with open_crawlers(databases, backend, build_authorization, folder) as opened:
        yield opened
