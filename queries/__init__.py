"""Saved operations (`*.graphql`) and a Python client that runs them over HTTP: `from waymark import run`.

The installed client is this package under the name `waymark` (client/pyproject.toml), so its imports are relative.
"""

from .errors import AuthenticationError, ServerError, UsageError, WaymarkError
from .exports import Exported, export
from .result import Result
from .runner import run

__all__ = ["AuthenticationError", "Exported", "Result", "ServerError", "UsageError", "WaymarkError", "export", "run"]
