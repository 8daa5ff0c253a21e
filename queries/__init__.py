"""Saved operations (`*.graphql`) and a Python client that runs them over HTTP: `from queries import run`."""

from queries.errors import AuthenticationError, ServerError, UsageError, WaymarkError
from queries.result import Result
from queries.runner import run

__all__ = ["AuthenticationError", "Result", "ServerError", "UsageError", "WaymarkError", "run"]
