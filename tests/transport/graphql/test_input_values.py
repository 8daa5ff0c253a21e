"""What no argument takes is refused before an operation runs, by a message that names the place and repeats nothing."""

import json
from typing import Any

import httpx2 as httpx
import pytest

from tests.support.minimal_context import AppState
from tests.support.minimal_schema import make_app
from transport.graphql import Limits
from transport.graphql.errors import OperationRejected
from transport.graphql.input_values import check_literals, check_variables

LIMITS = Limits(input_values=6, text_characters=8)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"input": {"title": "a\0b"}}, "variables.input.title contains the character U+0000"),
        ({"input": {"ids": ["a", "\0"]}}, "variables.input.ids.1 contains the character U+0000"),
        ({"title": "secret" * 2}, "variables.title is longer than 8 characters"),
        ({"input": [{"ids": [1, 2, 3, 4, 5]}]}, "The variables have more than 6 values"),
        ({str(number): None for number in range(7)}, "The variables have more than 6 values"),
    ],
)
def test_the_message_names_the_place(variables: dict[str, Any], message: str) -> None:
    with pytest.raises(OperationRejected) as rejected:
        check_variables(variables, LIMITS)
    assert rejected.value.errors[0]["message"].startswith(message)
    assert rejected.value.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "secret" not in rejected.value.errors[0]["message"]


@pytest.mark.parametrize("variables", [None, {}, {"a": {"b": ["12345678", 10**30, None, True]}}])
def test_at_the_limits_everything_passes(variables: dict[str, Any] | None) -> None:
    check_variables(variables, LIMITS)


@pytest.mark.parametrize("escape", [r"\u0000", r"\u{0}", r"\u{0000000}"])
def test_a_document_cannot_write_it_either(escape: str) -> None:
    with pytest.raises(OperationRejected) as rejected:
        check_literals('{\n learner(name: "a' + escape + '") { id } }')
    assert "line 2, column 18" in rejected.value.errors[0]["message"]
    check_literals(r'{ learner(name: "\u0001\u{10FFFF}\\0") { id } }')


@pytest.mark.parametrize(
    ("query", "variables", "message"),
    [
        ("query($a: ID!) { learner(id: $a) { id } }", {"a": "secret\0"}, "variables.a contains the character U+0000"),
        ("query($a: ID!) { learner(id: $a) { id } }", {"a": "1", "b": [0] * 5000}, "The variables have more than 5000"),
        (r'{ learner(id: "secret\u0000") { id } }', {}, "The document contains the character U+0000 at line 1"),
    ],
)
async def test_a_request_is_refused_before_it_runs(query: str, variables: dict[str, Any], message: str) -> None:
    state = AppState()
    app, _, _ = make_app(state)
    headers = {"content-type": "application/json", "authorization": "Bearer 7"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        body = json.dumps({"query": query, "variables": variables})
        answer = await client.post("/graphql", content=body, headers=headers)
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["message"].startswith(message)
    assert "secret" not in answer.text
