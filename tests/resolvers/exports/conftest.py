"""The export service that the tests of exports share."""

import pytest

from resolvers.exports.export_service import ExportService
from tests.support.export_counter import Counter
from tests.support.scenarios.full_portfolio import FullPortfolio


@pytest.fixture
def counter(full_portfolio: FullPortfolio) -> Counter:
    return Counter(full_portfolio, ExportService(full_portfolio.services))
