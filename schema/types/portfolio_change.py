"""What a change of a portfolio concerns."""

import datetime as dt

from domain import enums
from resolvers.subscriptions import PortfolioChangeRow
from schema.described_enum import described
from schema.field_builders import attribute
from schema.relay import value
from schema.types.learner import Learner

PortfolioPart = described(
    enums.PortfolioPart,
    "A part of a learner's portfolio.",
    ACTION="The actions that were set for the learner.",
    AIM="The aims: their status, dates, breaks and sums.",
    CV="The CV: its sections and documents.",
    EVIDENCE="The evidence library.",
    LEARNER="The learner's own details, and who is allocated to them.",
    MESSAGE="A message was sent about the learner.",
    RESOURCE="The learning resources.",
    SESSION="The learning plan.",
    SIGNATURE="The documents to sign.",
    TIME_LOG="The time log.",
    UNIT="The units: their criteria and signatures, and which optional units are chosen.",
)


@value(PortfolioChangeRow, "A change of one learner's portfolio.")
class PortfolioChange:
    learner: Learner = attribute("The learner whose portfolio changed.")
    parts: list[PortfolioPart] = attribute("The parts that changed.")
    at: dt.datetime = attribute("When the change was noticed.")
