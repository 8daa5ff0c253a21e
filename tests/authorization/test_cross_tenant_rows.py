"""Rows that name somebody of another provider open nothing: `tests/authorization/cross_tenant_rows.py` says which."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from db.database import Database
from db.migrate import migrate
from domain.enums import Role
from tests.authorization import loader_probe as directly
from tests.authorization.authorization_scenario import ONE_OF_EACH, STAFF, Everything, everything
from tests.authorization.cross_tenant_rows import SHOWN_A_SITE, add_crossings
from tests.authorization.each_condition import disagreements
from tests.authorization.oracle import Sight, cut
from tests.authorization.rows import read_rows, replace_rows
from tests.authorization.viewer_crawler import Looker, against, beyond, differences, unreached
from tests.support.databases import Databases


@dataclass
class Crossed:
    """A world with crossings in it, and beside it one that is cut to what somebody sees."""

    made: Everything
    looker: Looker
    beside: Looker

    def sight(self, who: str, role: Role) -> Sight:
        return Sight(self.looker.rows, self.made.people[who][0].id, role)


@pytest.fixture(scope="module")
async def crossed(
    databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crossed]:
    urls = [await databases.fresh(backend) for _ in range(2)]
    (database, other), folder = [Database(url) for url in urls], tmp_path_factory.mktemp("crossings")
    made = await everything(database)
    await add_crossings(database, made)
    await migrate(other)
    rows = await read_rows(database)
    lookers = Looker(database, folder, rows), Looker(other, folder, rows)
    lookers[1].now = lookers[0].now
    yield Crossed(made, *lookers)
    for used, url in zip((database, other), urls, strict=True):
        await used.close()
        await databases.release(url)


VIEWERS = [*ONE_OF_EACH, ("zak", Role.ASSESSOR), ("zev", Role.EMPLOYER_OVERVIEW), ("zed", Role.EMPLOYER_MANAGER)]
VIEWERS += [("oz", Role.EMPLOYER_OVERVIEW), ("oz", Role.LEARNER)]
VIEWERS += [("eve", Role.LEARNER), ("nell", Role.EMPLOYER_MANAGER), ("max", Role.ASSESSOR), ("max", Role.IQA)]


@pytest.mark.parametrize(("who", "role"), VIEWERS, ids=str)
async def test_the_provider_of_every_row_is_looked_at(crossed: Crossed, who: str, role: Role) -> None:
    looker, sight = crossed.looker, crossed.sight(who, role)
    assert await disagreements(looker.database, looker.context(sight.me, role).require_active_viewer(), sight) == []
    if who in SHOWN_A_SITE:
        return
    answer = await looker.everything(sight.me, role)
    assert against(sight, answer["nodes"], looker.ids) == []
    assert beyond(sight, answer) == []
    assert unreached(sight, answer) == []


@pytest.mark.parametrize(("who", "role"), [one for one in VIEWERS if one[0] in STAFF or one[0] == "ada"], ids=str)
async def test_a_loader_looks_at_it_by_itself(crossed: Crossed, who: str, role: Role) -> None:
    looker, beside, sight = crossed.looker, crossed.beside, crossed.sight(who, role)
    if not looker.database.is_sqlite and who not in ("ann", "olu"):
        return
    await replace_rows(beside.database, cut(looker.rows, sight))
    assert differences(await directly.given(looker, sight), await directly.given(beside, sight)) == []
    assert await directly.disagreements(looker, sight) == []
