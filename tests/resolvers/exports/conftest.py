"""The export service that the tests of exports share."""

import pytest

from resolvers.signed_url_service import SignedUrlService
from tests.support.scenarios.full_portfolio import FullPortfolio
from tests.support.signed_url_counter import Counter


@pytest.fixture
def counter(full_portfolio: FullPortfolio) -> Counter:
    return Counter(full_portfolio, SignedUrlService(full_portfolio.services))
