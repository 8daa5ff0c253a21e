"""What the served schema lets anonymous callers do: exactly the fields that are declared for them, in any words."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.support.argument_values import call, plausible_arguments, root_fields
from tests.support.client import served_schema
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, RunningServer
from transport.graphql.anonymous_document import anonymous_fields

SERVED = served_schema()._schema
DECLARED = {*anonymous_fields(SERVED.query_type), *anonymous_fields(SERVED.mutation_type)}


@pytest.fixture(scope="module")
async def running(demo: Demo, backend: str) -> AsyncIterator[RunningServer]:
    async with demo.serving(backend) as served:
        yield served


async def ask(running: RunningServer, query: str, variables: object = None) -> httpx2.Response:
    async with running.anonymous() as person:
        headers = {"accept": "application/graphql-response+json"}
        return await person.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)


async def test_exactly_the_declared_fields_need_no_viewer(demo: Demo, backend: str) -> None:
    async with demo.serving(backend, WAYMARK_LIMIT_BUDGET_ANONYMOUS="0") as running:
        # Without the gate for anonymous callers, each resolver has to refuse them itself.
        running.server.endpoint.runner.open_introspection = True
        open_to_all = set()
        for root, name, field in root_fields():
            if root.name == "Subscription":
                continue
            answer = await ask(running, call(root, name, field), plausible_arguments(field.args))
            codes = {error["extensions"]["code"] for error in answer.json().get("errors", ())}
            assert codes in (set(), {"UNAUTHENTICATED"}), (name, answer.text)
            if not codes:
                open_to_all.add(name)
        assert open_to_all == DECLARED >= {"login", "tokenRefresh", "logout", "passwordReset", "passwordResetRequest"}


async def test_all_other_fields_have_the_answer_of_a_field_that_does_not_exist(running: RunningServer) -> None:
    nothing = await ask(running, "mutation Call { nothing }")
    assert (nothing.status_code, nothing.headers["www-authenticate"]) == (401, "Bearer")
    assert nothing.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    for root, name, field in root_fields():
        if name not in DECLARED:
            for document in (call(root, name, field), call(root, name, field).replace("__typename", "nothing")):
                answer = await ask(running, document, plausible_arguments(field.args))
                assert (answer.status_code, answer.content) == (nothing.status_code, nothing.content), name


SIGN_INS = [
    "mutation($u: String!, $p: String!) { login(input: { username: $u, password: $p }) { accessToken } }",
    "mutation In($u: String!, $p: String!) { __typename me: login(input: { username: $u, password: $p }) "
    "{ __typename ...T errors { code message field } } } fragment T on TokenPayload { accessToken ...V } "
    "fragment V on TokenPayload { viewer { __typename role user { id name } kpis { learnerCount } grants { role } } }",
    "mutation($u: String!, $p: String!, $first: Int = 3) { ...L } fragment L on Mutation { "
    "login(input: { username: $u, password: $p }) { accessToken viewer { "
    "signatureRequests(first: $first) { totalCount nodes { id title } } learner { id } } } }",
]


@pytest.mark.parametrize("document", SIGN_INS)
async def test_a_sign_in_in_any_words(running: RunningServer, document: str) -> None:
    answer = (await ask(running, document, {"u": "assessor", "p": PASSWORD})).json()
    assert "errors" not in answer
    (payload,) = (value for value in answer["data"].values() if isinstance(value, dict))
    assert payload["accessToken"].count(".") == 2
    if "viewer" in payload:
        # What follows the sign-in is what a signed-in caller reads.
        async with running.signed_in("assessor") as person:
            read = await person.data("{ viewer { role user { id name } signatureRequests(first: 3) { totalCount } } }")
        shown = payload["viewer"]
        assert shown.get("role", "ASSESSOR") == read["viewer"]["role"] == "ASSESSOR"
        for name in shown.keys() & {"user", "signatureRequests"}:
            assert read["viewer"][name].items() <= shown[name].items()


async def test_a_wrong_password_tells_nothing_about_the_viewer(running: RunningServer) -> None:
    answers = set()
    for selection in ("role", "rol", "nothing { at { all } }", "kpis { learnerCount }", "... on Nothing { a }"):
        document = (
            "mutation($u: String!, $p: String!) { login(input: { username: $u, password: $p }) "
            f"{{ accessToken viewer {{ {selection} }} errors {{ code }} }} }}"
        )
        answer = (await ask(running, document, {"u": "nobody.at.all", "p": "wrong"})).json()
        answers.add(json.dumps(answer["data"]))
        assert "errors" not in answer
    assert answers == {'{"login": {"accessToken": null, "viewer": null, "errors": [{"code": "WRONG_PASSWORD"}]}}'}
