"""The scenario of the mutation tests: a learner and the users around them, on both databases."""

import pytest

from tests.support.scenarios.empty_portfolio import EmptyPortfolio


@pytest.fixture
def scenario(empty_portfolio: EmptyPortfolio) -> EmptyPortfolio:
    """A copy of the scenario for one test."""
    return empty_portfolio
