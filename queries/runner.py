"""Runs a saved query from Python: `run("site_comparison", url=…, username=…, password=…)`."""

import datetime as dt
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .client import Client
from .errors import UsageError
from .operations import SavedOperation, get_query
from .pagination import ProgressCallback, fetch_all_pages, paginated_connections, truncated_lists
from .record_ids import OPERATION as RECORD_IDS
from .record_ids import check_record_ids
from .result import Result
from .variables import validate_variables

SignIn = Callable[[Client], None]
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
    return fetch(operation, validated, url, credentials(username, password, token, role))


def credentials(username: str | None, password: str | None, token: str | None, role: str | None) -> SignIn:
    """Returns what signs a client in: with what is given, else with what the environment has. Raises UsageError."""
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

    return sign_in


def fetch(
    operation: SavedOperation,
    variables: Mapping[str, Any],
    url: str | None,
    sign_in: SignIn,
    on_progress: ProgressCallback = lambda done, total: None,
    on_wait: Callable[[str], None] = lambda message: print(message, file=sys.stderr),
) -> Result:
    """Signs in and fetches every page of a query. `variables` must be validated already."""
    # Raises before a request is sent if the pages cannot be followed.
    paginated_connections(operation)
    cost = 0
    as_of: dt.datetime | None = None
    with Client(url or os.environ.get("WAYMARK_URL") or DEFAULT_URL, on_wait) as client:
        sign_in(client)

        def execute(values: Mapping[str, Any]) -> dict[str, Any]:
            nonlocal cost, as_of
            response = client.execute(operation, values)
            cost += response.cost or 0
            as_of = as_of or response.as_of
            return response.data

        check_record_ids(operation, variables, lambda ids: client.execute(get_query(RECORD_IDS), ids).data)
        data = fetch_all_pages(operation, variables, execute, on_progress)
    notes = truncated_lists(operation, data)
    assert as_of is not None
    return Result.of_data(operation, data, as_of, cost, notes)
