"""Sign-ins of anonymous callers: in any words of GraphQL, with what they select of the viewer read afterwards."""

import pytest

from tests.support.anonymous_client import GENERIC, SIGNED, Asking
from transport.graphql import Limits


@pytest.fixture
async def ask():
    # Without the budget, which every answer names, equal answers have equal bytes.
    asking = Asking(Limits(budget_anonymous=0))
    async with asking.client:
        yield asking


SIGN_INS = {
    "plain": 'mutation {logIn(name: "7") {token errors}}',
    "name and variables": "mutation SomeName($n: String!) {logIn(name: $n) {token errors}}",
    "typename": "mutation($n: String!) {__typename logIn(name: $n) {__typename token errors}}",
    "fragment": "mutation($n: String!) {logIn(name: $n) {...A}} fragment A on Session {token ...B} "
    "fragment B on Session {errors}",
    "root fragment": "mutation($n: String!) {...A} "
    "fragment A on Mutation {... on Mutation {logIn(name: $n) {token errors}}}",
    "inline fragment": "mutation($n: String!) {logIn(name: $n) {... on Session {token} ... {errors}}}",
    "directives": "mutation($n: String!, $y: Boolean = true) "
    "{logIn(name: $n) {token @include(if: $y) errors @skip(if: false)}}",
    "viewer": "mutation($n: String!) {logIn(name: $n) {token errors viewer {role kpis {learnerCount}}}}",
}  # fmt: skip


@pytest.mark.parametrize("query", SIGN_INS.values(), ids=SIGN_INS)
async def test_a_sign_in_runs_in_any_words(ask, query):
    for _ in range(2):
        data = (await ask.data(query, n="7"))["logIn"]
        assert (data["token"], data["errors"]) == ("token of 7", [])
        if "viewer" in query:
            assert data["viewer"] == {"role": "ASSESSOR", "kpis": {"learnerCount": 3}}
    parsed = ask.work
    await ask.data(query, n="7")
    assert ask.work == parsed


async def test_aliases_and_their_order_are_kept(ask):
    query = (
        "mutation($a: String!, $b: String!, $c: Boolean = false) {"
        " b: logIn(name: $b) {errors who: viewer {key} role: viewer {role} token} "
        ' a: logIn(name: $a, role: "IQA") {who: viewer {...V} skipped: viewer @include(if: $c) {key}} '
        ' wrong: logIn(name: "x") {viewer {key} errors} ok: signIn(input: {name: "n", password: "p"})} '
        "fragment V on Viewer {key role}"
    )
    data = await ask.data(query, a="7", b="8")
    assert list(data) == ["b", "a", "wrong", "ok"]
    assert list(data["b"]) == ["errors", "who", "role", "token"]
    assert data["b"] == {"errors": [], "who": {"key": 8}, "role": {"role": "ASSESSOR"}, "token": "token of 8"}
    assert data["a"] == {"who": {"key": 7, "role": "IQA"}}
    assert (data["wrong"], data["ok"]) == ({"viewer": None, "errors": ["wrong"]}, True)
    query = (
        "mutation($n: String!, $c: Boolean!) "
        "{logIn(name: $n) {... @include(if: $c) {viewer {key}} ...F @skip(if: $c)}} "
        "fragment F on Session {viewer {role} token}"
    )
    assert await ask.data(query, n="7", c=True) == {"logIn": {"viewer": {"key": 7}}}
    assert await ask.data(query, n="7", c=False) == {"logIn": {"viewer": {"role": "ASSESSOR"}, "token": "token of 7"}}


async def test_the_cost_is_that_of_the_whole_document(ask):
    query = "mutation($n: String!) {logIn(name: $n) {viewer {role learners(first: 5) {nodes {id}}}}}"
    answer = (await ask(query, {"n": "7"})).json()
    # The same message as for a signed-in caller.
    expected = (await ask(query, {"n": "7"}, headers=SIGNED)).json()["extensions"]["cost"]["requested"]
    assert answer["extensions"]["cost"]["requested"] == expected == 1 + 10 + 1 + 1 + 1 + 5
    # A sign-in that failed costs what it did.
    assert (await ask(query, {"n": "x"})).json()["extensions"]["cost"]["requested"] == 13


AFTER = {
    "valid": "role",
    "unknown field": "rol",
    "unknown field in a fragment": "...F",
    "unknown fragment": "...G",
    "unknown argument": "learners(frst: 1) {totalCount}",
    "too large a page": "learners(first: 1000) {totalCount}",
    "too large a page of an unknown field": "learnrs(first: 1000) {totalCount}",
    "unknown type": "... on Nothing {role}",
    "type that does not fit": "... on Learner {id}",
    "no selection": "kpis",
    "deep": "kpis {a" * 12 + "}" * 12,
    "wrong literal": 'learners(first: "x") {totalCount}',
    "variable": "learners(first: $v) {totalCount}",
    "directive": "role @unknown",
}  # fmt: skip


@pytest.mark.parametrize("selection", AFTER.values(), ids=AFTER)
@pytest.mark.parametrize("type_", ["Int", "Nothing", "SignIn", "[Int!]!"])
async def test_before_a_sign_in_nobody_learns_what_a_viewer_has(ask, selection, type_):
    declared = f"$v: {type_}, " if "$v" in selection else ""
    query = f"mutation({declared}$n: String!) {{logIn(name: $n) {{errors viewer {{{selection}}}}}}}"
    if selection == "...F":
        query += " fragment F on Viewer {rol}"
    reference = await ask("mutation($n: String!) {logIn(name: $n) {errors viewer {role}}}", {"n": "x", "v": "x"})
    validated = ask.work[1]
    for value in ({"n": "x"}, {"n": "x", "v": "x"}, {"n": "x", "v": 1}):
        assert (await ask(query, value)).content == reference.content
    assert reference.json()["data"] == {"logIn": {"errors": ["wrong"], "viewer": None}}
    assert ask.work[1] == validated + (selection != "role")
    # Once signed in, a caller is given the reason like any other, in the place of what could not be read.
    answer = (await ask(query, {"n": "7"})).json()
    assert answer["data"]["logIn"]["errors"] == []
    valid = selection == "role" or ("$v" in selection and type_ == "Int")
    assert (answer["data"]["logIn"]["viewer"] is not None) == valid
    assert ("errors" in answer) != valid
    for error in answer.get("errors", ()):
        assert error["path"] == ["logIn", "viewer"]
        assert error["message"] != GENERIC["errors"][0]["message"]


async def test_suggestions_are_for_callers_who_have_signed_in(ask):
    answer = await ask('mutation {logIn(name: "7") {viewer {rol}}}')
    assert "Did you mean" in answer.json()["errors"][0]["message"]
    assert "Did you mean" not in (await ask('mutation {logIn(name: "x") {viewer {rol}}}')).text


async def test_faults_after_a_sign_in_are_masked_and_placed(ask):
    answer = (await ask('mutation {a: logIn(name: "7") {token v: viewer {role fails}}}')).json()
    assert answer["data"] == {"a": {"token": "token of 7", "v": {"role": "ASSESSOR", "fails": None}}}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["a", "v", "fails"], "INTERNAL")
    answer = (
        await ask('mutation {a: logIn(name: "7") {viewer {key}} b: logIn(name: "7", role: "broken") {viewer {key}}}')
    ).json()
    assert answer["data"] is None
    assert [error["path"] for error in answer["errors"]] == [["b"]]


async def test_a_viewer_whose_budget_is_spent_still_signs_in():
    ask = Asking(Limits(budget=1))
    async with ask.client:
        answer = (await ask('mutation {logIn(name: "7") {token viewer {learners(first: 9) {nodes {id}}}}}')).json()
        assert answer["data"] == {"logIn": {"token": "token of 7", "viewer": None}}
        assert "the limit is 1 points a minute" in answer["errors"][0]["message"]


async def test_an_outage_after_the_first_sign_in_is_an_error_of_the_operation(ask):
    query = 'mutation {{a: logIn(name: "7"{}) {{viewer {{key}}}} b: logIn(name: "8"{}) {{viewer {{key}}}}}}'
    answer = await ask(query.format("", ', role: "outage"'))
    assert (answer.status_code, answer.json()["data"]) == (200, None)
    assert answer.json()["errors"][0]["extensions"] == {"code": "SERVICE_UNAVAILABLE"}
    assert (await ask(query.format(', role: "outage"', ""))).status_code == 503


async def test_variables_after_a_sign_in_get_details(ask):
    query = "mutation($n: String!, $f: Int) {logIn(name: $n) {viewer {learners(first: $f) {totalCount}}}}"
    answer = (await ask(query, {"n": "7", "f": "x"})).json()
    assert answer["data"] == {"logIn": {"viewer": None}}
    assert "Int cannot represent" in answer["errors"][0]["message"]
