"""What the tests of the schema share: the authorization scenario, with both executors and both databases."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.support.client import InProcessClient
from tests.support.databases import Databases
from tests.support.scenarios.authorization import AuthorizationScenario, build_authorization
from tests.support.scenarios.base import open_scenario


@pytest.fixture(scope="module")
async def scenario(
    databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AuthorizationScenario]:
    """The authorization scenario, which no test changes."""
    folder = tmp_path_factory.mktemp("schema")
    async with open_scenario(databases, backend, build_authorization, folder) as opened:
        yield opened


@pytest.fixture(params=["compiled", pytest.param("generic", marks=pytest.mark.long)])
def client(request: pytest.FixtureRequest, scenario: AuthorizationScenario) -> Callable[[str], InProcessClient]:
    """Returns a client of a user: `client("may")`."""
    return lambda who: scenario.client(who, request.param)
