"""Every page of a list, and of lists inside lists, from recorded and computed responses."""

import datetime as dt
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from queries.errors import ServerError, UsageError
from queries.operations import SavedOperation, get_operation
from queries.pagination import fetch_all_pages, truncated_lists
from queries.result import Result
from queries.streaming import fetch_pieces


def test_cursor_that_does_not_advance_is_an_error():
    page = {"totalCount": 9, "pageInfo": {"hasNextPage": True, "endCursor": "x"}, "nodes": [{}]}
    with pytest.raises(ServerError, match="employers changed while it was being read"):
        fetch_all_pages(get_operation("site_comparison"), {}, lambda variables: {"employers": {**page, "nodes": [{}]}})
    pieces = fetch_pieces(get_operation("site_comparison"), {}, lambda variables: {"employers": page})
    with pytest.raises(ServerError, match="employers changed while it was being read"):
        list(itertools.islice(pieces, 5))


def test_connections_that_share_a_cursor_are_rejected_before_a_request_is_sent():
    shared = SavedOperation(
        "shared",
        "query($after: String) { learners(after: $after) { pageInfo { hasNextPage endCursor } nodes { sessions(after: "
        "$after) { pageInfo { hasNextPage endCursor } nodes { id } } } } }",
    )
    with pytest.raises(UsageError, match="shared cannot be paginated: two connections share a cursor"):
        fetch_all_pages(shared, {}, lambda variables: pytest.fail("a request was sent"))


NESTED = SavedOperation(
    "nested",
    """query($after: String, $learnersAfter: String, $sessionsAfter: String) {
      employers(first: 2, after: $after) { pageInfo { hasNextPage endCursor } nodes {
        id
        learners(first: 2, after: $learnersAfter) { pageInfo { hasNextPage endCursor } nodes {
          id
          sessions(first: 1, after: $sessionsAfter) { pageInfo { hasNextPage endCursor } nodes { id } }
        } }
      } }
    }""",
)


def test_lists_within_lists_are_followed():
    """Three employers, each with as many learners as its number, each learner with as many sessions."""
    sent: list[Mapping[str, Any]] = []

    def page(ids: list[str], size: int, after: str | None, entry: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        # The cursor of another list is one of this list too: only what comes after it is returned.
        rest = [each for each in ids if after is None or each.rpartition("-")[2] > after.rpartition("-")[2]]
        shown = rest[:size]
        info = {"hasNextPage": len(rest) > size, "endCursor": shown[-1] if shown else after}
        return {"pageInfo": info, "nodes": [entry(each) for each in shown]}

    def execute(variables: Mapping[str, Any]) -> dict[str, Any]:
        sent.append(variables)

        def learner(name: str) -> dict[str, Any]:
            count = int(name.rpartition("-")[2])
            ids = [f"{name}-{number}" for number in range(1, count + 1)]
            return {"id": name, "sessions": page(ids, 1, variables.get("sessionsAfter"), lambda each: {"id": each})}

        def employer(name: str) -> dict[str, Any]:
            ids = [f"{name}-{number}" for number in range(1, int(name) + 1)]
            return {"id": name, "learners": page(ids, 2, variables.get("learnersAfter"), learner)}

        return {"employers": page(["1", "2", "3"], 2, variables.get("after"), employer)}

    rows = Result.of_data(NESTED, fetch_all_pages(NESTED, {}, execute), dt.datetime.now(dt.UTC)).rows
    expected = [f"{a}-{b}-{c}" for a in range(1, 4) for b in range(1, a + 1) for c in range(1, b + 1)]
    assert sorted(row["learners.sessions.id"] for row in rows) == sorted(expected)
    # Piece by piece, each page of employers has the whole of what is in it.
    pieces = list(fetch_pieces(NESTED, {}, execute))
    assert [piece.cursor for piece in pieces] == ["2", None]
    parts = [Result.of_data(NESTED, piece.data, dt.datetime.now(dt.UTC)).rows for piece in pieces]
    assert [row["learners.sessions.id"] for part in parts for row in part] == [
        row["learners.sessions.id"] for row in rows
    ]
    (rest,) = fetch_pieces(NESTED, {}, execute, "2")
    assert rest.data == pieces[1].data
    assert truncated_lists(NESTED, fetch_all_pages(NESTED, {}, execute)) == []
    assert all(set(variables) <= {"after", "learnersAfter", "sessionsAfter"} for variables in sent)


def test_a_list_that_changes_while_its_inner_lists_are_read_is_an_error():
    answers = iter(["1", "2"])

    def execute(variables: Mapping[str, Any]) -> dict[str, Any]:
        learners = {"pageInfo": {"hasNextPage": True, "endCursor": "x"}, "nodes": []}
        employer = {"id": next(answers), "learners": learners}
        return {"employers": {"pageInfo": {"hasNextPage": False, "endCursor": "y"}, "nodes": [employer]}}

    with pytest.raises(ServerError, match="employers.nodes.learners changed while it was being read"):
        fetch_all_pages(NESTED, {}, execute)
