"""The export service that the tests of exports share."""

from collections.abc import AsyncIterator

import pytest

from resolvers.signed_url_service import SignedUrlService
from tests.support.scenarios.full_portfolio import FullPortfolio
from tests.support.signed_url_counter import Counter


@pytest.fixture
async def counter(full_portfolio: FullPortfolio) -> AsyncIterator[Counter]:
    service = SignedUrlService(full_portfolio.services)
    yield Counter(full_portfolio, service)
    await service.workers.close()
