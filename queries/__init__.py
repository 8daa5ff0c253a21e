"""Saved operations (`*.graphql`) and the client that runs them over HTTP: `from queries import run`."""

from queries.faults import Fault, NotLetIn, Unanswered, WrongUse
from queries.result import Result
from queries.running import run

__all__ = ["Fault", "NotLetIn", "Result", "Unanswered", "WrongUse", "run"]
