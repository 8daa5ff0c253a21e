"""Runs a saved query from Python: `run("site_comparison", url=…, username=…, password=…)`."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from queries.client import Client
from queries.errors import UsageError
from queries.operations import SavedOperation, get_query
from queries.pagination import ProgressCallback, fetch_all_pages, paginated_connections, truncated_lists
from queries.result import Result
from queries.rows import to_rows
from queries.variables import validate_variables

DEFAULT_URL = "http://127.0.0.1:8000"


def run(
    name: str,
    *,
    url: str | None = None,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    role: str | None = None,
    **variables: Any,
) -> Result:
    """Fetches every page of a saved query. Other keyword arguments are the query's variables.

    Arguments that are not given come from the environment: WAYMARK_URL, and WAYMARK_TOKEN or WAYMARK_USERNAME with
    WAYMARK_PASSWORD. Raises UsageError before a request is sent, AuthenticationError or ServerError.
    """
    operation = get_query(name)
    validated = validate_variables(operation, variables)
    token = token or (None if username else os.environ.get("WAYMARK_TOKEN"))
    username = username or os.environ.get("WAYMARK_USERNAME")
    password = password or os.environ.get("WAYMARK_PASSWORD")
    if not token and not (username and password):
        raise UsageError(
            "No credentials. Pass username and password, or token, or set WAYMARK_USERNAME and WAYMARK_PASSWORD, "
            "or WAYMARK_TOKEN."
        )

    def sign_in(client: Client) -> None:
        if token:
            client.use_token(token)
        else:
            client.sign_in(username or "", password or "", role)

    return fetch(operation, validated, url, sign_in)


def fetch(
    operation: SavedOperation,
    variables: Mapping[str, Any],
    url: str | None,
    sign_in: Callable[[Client], None],
    on_progress: ProgressCallback = lambda done, total: None,
    on_wait: Callable[[str], None] = lambda message: print(message, file=sys.stderr),
) -> Result:
    """Signs in and fetches every page of a query. `variables` must be validated already."""
    # Raises before a request is sent if the pages cannot be followed.
    paginated_connections(operation)
    cost = 0
    with Client(url or os.environ.get("WAYMARK_URL") or DEFAULT_URL, on_wait) as client:
        sign_in(client)

        def execute(values: Mapping[str, Any]) -> dict[str, Any]:
            nonlocal cost
            response = client.execute(operation, values)
            cost += response.cost or 0
            return response.data

        data = fetch_all_pages(operation, variables, execute, on_progress)
    notes = truncated_lists(operation, data)
    return Result(operation.name, operation.shape.columns, to_rows(operation.shape, data), data, cost, notes)
