"""What the tests of the mutations share: a learner with everybody around them, on both databases."""

import pytest

from tests.support.scenarios.empty_portfolio import EmptyPortfolio


@pytest.fixture
def scenario(empty_portfolio: EmptyPortfolio) -> EmptyPortfolio:
    """Rows of its own for one test."""
    return empty_portfolio
