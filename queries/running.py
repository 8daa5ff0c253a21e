"""Runs a saved operation from Python: `run("site_comparison", url=…, username=…, password=…)`."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from queries.client import Client
from queries.faults import WrongUse
from queries.paging import Reached, cut_short, fetch_all, followed
from queries.result import Result
from queries.rows import rows_of
from queries.saved import Saved, find_query
from queries.variables import check_variables

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
    """Every page of a saved operation's answer. Further keywords are the operation's variables.

    What is left out comes from the environment: WAYMARK_URL, WAYMARK_TOKEN, or WAYMARK_USERNAME and WAYMARK_PASSWORD.
    Raises a `queries.Fault`: WrongUse before anything is sent, NotLetIn, Unanswered.
    """
    operation = find_query(name)
    checked = check_variables(operation, variables)
    token = token or (None if username else os.environ.get("WAYMARK_TOKEN"))
    username = username or os.environ.get("WAYMARK_USERNAME")
    password = password or os.environ.get("WAYMARK_PASSWORD")
    if not token and not (username and password):
        raise WrongUse("Say who asks: username and password, or token (or WAYMARK_USERNAME and so on).")

    def sign_in(client: Client) -> None:
        if token:
            client.use_token(token)
        else:
            client.sign_in(username or "", password or "", role)

    return fetch(operation, checked, url, sign_in)


def fetch(
    operation: Saved,
    variables: Mapping[str, Any],
    url: str | None,
    sign_in: Callable[[Client], None],
    reached: Reached = lambda done, total: None,
    told: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
) -> Result:
    """Signs in and fetches every page of an operation whose variables have been checked."""
    followed(operation)
    cost = 0
    with Client(url or os.environ.get("WAYMARK_URL") or DEFAULT_URL, told) as client:
        sign_in(client)

        def ask(values: Mapping[str, Any]) -> dict[str, Any]:
            nonlocal cost
            answer = client.ask(operation, values)
            cost += answer.cost or 0
            return answer.data

        data = fetch_all(operation, variables, ask, reached)
    notes = cut_short(operation, data)
    return Result(operation.name, operation.shape.columns, rows_of(operation.shape, data), data, cost, notes)
