"""The scenario of the mutation tests: a learner and the users around them, on both databases."""

from collections.abc import AsyncIterator

import pytest

from services.push.keys import PushKeys
from services.push.push_services import PushServices
from services.push.sender import PushSender
from tests.support.push_service import PushService
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


@pytest.fixture
def scenario(empty_portfolio: EmptyPortfolio) -> EmptyPortfolio:
    """A copy of the scenario for one test."""
    return empty_portfolio


@pytest.fixture
async def push(scenario: EmptyPortfolio) -> AsyncIterator[PushService]:
    """A push service, the only one that the server sends to."""
    async with PushService() as service:
        keys = PushKeys({"new": b"n" * 32, "old": b"o" * 32}, "mailto:it@example.org")
        services = PushServices([service.host])
        scenario.services.push = PushSender(scenario.database, keys, services, service.client)
        service.public_key = keys.public_key
        yield service
