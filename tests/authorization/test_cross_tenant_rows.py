"""Rows that name a user of another provider make nothing visible. `cross_tenant_rows.py` adds the rows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.database import Database
from domain.enums import Role
from tests.authorization import loader_probe
from tests.authorization.cases import each_viewer
from tests.authorization.conftest import Crawlers, open_crawlers
from tests.authorization.cross_tenant_rows import (
    USERS_WITH_A_FOREIGN_SITE,
    build_with_cross_tenant_rows,
    build_with_foreign_learner,
)
from tests.authorization.each_condition import disagreements
from tests.authorization.oracle import visible_rows
from tests.authorization.rows import read_rows, replace_rows
from tests.authorization.viewer_crawler import ViewerCrawler, differences, leaks, node_mismatches, unreachable
from tests.support.databases import Databases
from tests.support.scenarios.authorization import ONE_OF_EACH, STAFF


@pytest.fixture(scope="module")
async def crawlers(
    databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crawlers]:
    """The scenario with rows that name users of another provider."""
    folder = tmp_path_factory.mktemp("cross-tenant")
    async with open_crawlers(databases, backend, build_with_cross_tenant_rows, folder) as opened:
        yield opened


VIEWERS = [*ONE_OF_EACH, ("zak", Role.ASSESSOR), ("zev", Role.EMPLOYER_OVERVIEW), ("zed", Role.EMPLOYER_MANAGER)]
VIEWERS += [("oz", Role.EMPLOYER_OVERVIEW), ("oz", Role.LEARNER)]
VIEWERS += [("eve", Role.LEARNER), ("nell", Role.EMPLOYER_MANAGER), ("max", Role.ASSESSOR), ("max", Role.IQA)]

# Those whom the loaders give something.
INSIDE = [viewer for viewer in VIEWERS if viewer[0] in STAFF or viewer[0] == "ada"]


@each_viewer({"sqlite": VIEWERS, "postgresql": VIEWERS}, {"sqlite": "mo", "postgresql": ""})
async def test_the_provider_of_every_row_is_checked(crawlers: Crawlers, who: str, role: Role) -> None:
    crawler, visibility = crawlers.full, crawlers.visibility(who, role)
    assert (
        await disagreements(crawler.database, crawler.context(visibility.me, role).require_active_viewer(), visibility)
        == []
    )
    if who in USERS_WITH_A_FOREIGN_SITE:
        return
    answer = await crawler.crawl(visibility.me, role)
    assert node_mismatches(visibility, answer["nodes"], crawler.ids) == []
    assert leaks(visibility, answer) == []
    assert unreachable(visibility, answer) == []


@each_viewer({"sqlite": INSIDE, "postgresql": INSIDE}, {"sqlite": "", "postgresql": ""})
async def test_each_loader_checks_the_provider(crawlers: Crawlers, who: str, role: Role) -> None:
    crawler, reduced, visibility = crawlers.full, crawlers.reduced, crawlers.visibility(who, role)
    await replace_rows(reduced.database, visible_rows(crawler.rows, visibility))
    assert (
        differences(await loader_probe.results(crawler, visibility), await loader_probe.results(reduced, visibility))
        == []
    )
    assert await loader_probe.disagreements(crawler, visibility) == []


async def test_a_foreign_learner_is_invisible_through_a_row_of_this_provider(
    databases: Databases, backend: str, tmp_path: Path
) -> None:
    """The aim or allocation makes the learner's key visible; the provider of the learner's own row does not match."""
    url, scenario = await databases.fresh_with_value(backend, build_with_foreign_learner)
    database = Database(url)
    crawler = ViewerCrawler(database, tmp_path, await read_rows(database))
    query = "query($id: ID!) { learner(id: $id) { id } learners(first: 100) { totalCount nodes { id } } }"
    for who, role in (("ann", Role.ASSESSOR), ("ian", Role.IQA), ("mo", Role.EMPLOYER_MANAGER)):
        foreign = f"Learner_{scenario.zoe.id}"
        data = await crawler.ask(scenario.user(who).id, role, query, id=foreign)
        listed = [node["id"] for node in data["learners"]["nodes"]]
        assert listed and foreign not in listed and data["learner"] is None, who
        assert data["learners"]["totalCount"] == len(listed), who
    await database.close()
    await databases.release(url)
