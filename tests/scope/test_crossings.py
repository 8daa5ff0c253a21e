"""Rows that name somebody of another provider open nothing: `tests/scope/crossings.py` says which."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.engine import Database
from db.enums import Role
from tests.databases import Databases
from tests.scope.alone import disagreements
from tests.scope.crossings import SHOWN_A_SITE, add_crossings
from tests.scope.everything import ONE_OF_EACH, Everything, everything
from tests.scope.looking import Looker, against, beyond, unreached
from tests.scope.oracle import Sight
from tests.scope.rows import read_rows


@dataclass
class Crossed:
    made: Everything
    looker: Looker


@pytest.fixture(scope="module")
async def crossed(
    databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crossed]:
    url = await databases.fresh(backend)
    database, folder = Database(url), tmp_path_factory.mktemp("crossings")
    made = await everything(database)
    await add_crossings(database, made)
    yield Crossed(made, Looker(database, Path(folder), await read_rows(database)))
    await database.close()
    await databases.drop(url)


VIEWERS = [*ONE_OF_EACH, ("zak", Role.ASSESSOR), ("zev", Role.EMPLOYER_OVERVIEW), ("zed", Role.EMPLOYER_MANAGER)]
VIEWERS += [("oz", Role.EMPLOYER_OVERVIEW), ("oz", Role.LEARNER)]
VIEWERS += [("eve", Role.LEARNER), ("nell", Role.EMPLOYER_MANAGER), ("max", Role.ASSESSOR), ("max", Role.IQA)]


@pytest.mark.parametrize(("who", "role"), VIEWERS, ids=str)
async def test_the_provider_of_every_row_is_looked_at(crossed: Crossed, who: str, role: Role) -> None:
    looker, user = crossed.looker, crossed.made.people[who][0].id
    sight = Sight(looker.rows, user, role)
    assert await disagreements(looker.database, looker.context(user, role).let_in, sight) == []
    if who in SHOWN_A_SITE:
        return
    answer = await looker.everything(user, role)
    assert against(sight, answer["nodes"], looker.ids) == []
    assert beyond(sight, answer) == []
    assert unreached(sight, answer) == []
