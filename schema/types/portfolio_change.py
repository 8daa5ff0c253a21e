"""What a change of a portfolio concerns."""

import datetime as dt

from resolvers.subscriptions import PortfolioChangeRow
from schema.field_builders import attribute
from schema.relay import value
from schema.task_enums import PortfolioPart
from schema.types.learner import Learner


@value(PortfolioChangeRow, "A change of one learner's portfolio.")
class PortfolioChange:
    learner: Learner = attribute("The learner whose portfolio changed.")
    parts: list[PortfolioPart] = attribute("The parts that changed.")
    at: dt.datetime = attribute("When the change was noticed.")
