"""Anonymous callers: they can sign in, in any words of GraphQL, and find out nothing else."""

import json
import sys
from collections import Counter

import pytest

from tests.support.anonymous_client import GENERIC, GRAPHQL, JSON, SIGNED, Asking
from tests.support.minimal_schema import SAVED
from transport.graphql import Limits, PersistedDocuments
from transport.graphql.persisted_documents import sha256


@pytest.fixture
async def ask():
    # Without the budget, which every answer names, equal answers have equal bytes.
    asking = Asking(Limits(budget_anonymous=0))
    async with asking.client:
        yield asking


def unknown_names(count, name="unknownFieldWithANameThatIsAsLongAsInTheAttack"):
    return "{" + " ".join(f"{name}{index:04d}" for index in range(count)) + "}"


VALID = "{viewer {role kpis {learnerCount}}}"
LOG_IN = 'mutation {logIn(name: "7") {token errors}}'
REFUSED = {
    "valid": VALID,
    "unknown field": "{viewer {rol}}",
    "unknown root field": "{learnrs {totalCount}}",
    "unknown argument": "{learners(frst: 1) {totalCount}}",
    "no selection": "{viewer}",
    "syntax": "{",
    "nothing": "#",
    "introspection": "{__schema {queryType {name}}}",
    "introspection of a type": '{__type(name: "Learner") {name}}',
    "introspection in a fragment": "{a: __typename ...F} fragment F on Query {__schema {types {name}}}",
    "too large a page": "{learners(first: 1000) {totalCount}}",
    "mutation": "mutation {change}",
    "unknown mutation": "mutation {chnge}",
    "subscription": "subscription {kpisChanged {learnerCount}}",
    "beside a sign-in": 'mutation {logIn(name: "7") {token} change}',
    "unknown beside a sign-in": 'mutation {logIn(name: "7") {token} chnge}',
    "in another operation": 'mutation A {logIn(name: "7") {token}} query B {learner(id: "1") {id}}',
    "root fragment of another type": 'mutation {...F} fragment F on Query {logIn(name: "7") {token}}',
    "sign-in as a query": '{logIn(name: "7") {token}}',
    "sign-in with an unknown field": 'mutation {logIn(name: "7") {tokn}}',
    "sign-in with an unknown argument": 'mutation {logIn(nam: "7") {token}}',
    "cycle": 'mutation {logIn(name: "7") {...A}} fragment A on Session {...A}',
    "root cycle": "mutation {...A} fragment A on Mutation {...A}",
    "fan-out": "mutation {...A0} "
    + "".join(f"fragment A{n} on Mutation {{...A{n + 1} ...A{n + 1} ...A{n + 1}}} " for n in range(12))
    + 'fragment A12 on Mutation {logIn(name: "7") {token}}',
    "two fragments of one name": 'mutation {logIn(name: "7") {...A}}' + " fragment A on Session {token}" * 2,
    "a type definition": 'type A {a: Int} mutation {logIn(name: "7") {token}}',
    "unused variable": 'mutation M($a: Int) {logIn(name: "7") {token}}',
    "unused fragment": 'mutation {logIn(name: "7") {token}} fragment A on Session {token}',
    "long": 'mutation {logIn(name: "7") {token}} #' + "x" * 4_000,
    "many tokens": "mutation {"
    + " ".join(f'a{n}: logIn(name: "7", role: "x") {{token errors}}' for n in range(29))
    + "}",
    "480 unknown names": unknown_names(480),
}  # fmt: skip


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
async def test_everything_but_a_sign_in_has_one_answer(ask, query):
    for headers, status in ((GRAPHQL, 401), (JSON, 200)):
        answer = await ask(query, headers=headers)
        reference = await ask(VALID, headers=headers)
        assert (answer.status_code, answer.content) == (status, reference.content)
        assert answer.json() == GENERIC
        assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert ask.state.changes == 0
    assert all(context.viewer is None for context in ask.state.contexts)


async def test_no_work_is_done_for_documents_that_cannot_be_a_sign_in(ask):
    before = ask.work
    for number in range(30):
        await ask(unknown_names(480, f"field{number}OfSomeNameThatIsNotInTheSchemaAtAllYet"))
        await ask(f"{{learners(first: {number}) {{nodes {{id name}}}}}}")
    assert ask.work == before
    # Documents that name a sign-in field are parsed if they are short, and validated only if there is nothing else.
    for query in (REFUSED["beside a sign-in"], REFUSED["sign-in as a query"], REFUSED["introspection in a fragment"]):
        await ask(query)
    assert ask.work == (before[0] + 3, before[1])
    await ask(REFUSED["long"])
    assert ask.work == (before[0] + 3, before[1])
    await ask(REFUSED["sign-in with an unknown field"])
    assert ask.work == (before[0] + 4, before[1] + 1)


@pytest.mark.parametrize("query", [REFUSED["fan-out"], REFUSED["sign-in with an unknown field"], REFUSED["long"]])
async def test_the_work_for_a_refused_document_is_small_and_no_suggestion_is_computed(ask, query):
    await ask(query)
    calls = Counter()
    sys.setprofile(lambda frame, event, argument: calls.update([frame.f_code.co_name] if event == "call" else ()))
    try:
        await ask(query + " #")
    finally:
        sys.setprofile(None)
    assert calls["suggestion_list"] == 0
    assert calls.total() < 25_000


async def test_a_document_that_is_cached_for_others_is_not_found_by_anonymous_callers(ask):
    for query in (VALID, "{viewer {rol}}"):
        await ask(query, headers=SIGNED)
        await ask(query, headers=SIGNED, extensions={"persistedQuery": {"version": 1, "sha256Hash": sha256(query)}})
        before = ask.work
        assert (await ask(query)).json() == GENERIC
        hashed = await ask(extensions={"persistedQuery": {"version": 1, "sha256Hash": sha256(query)}})
        assert hashed.json()["errors"][0]["extensions"] == {"code": "PERSISTED_QUERY_NOT_FOUND"}
        assert ask.work == before


async def test_variables_before_a_sign_in_get_no_details(ask):
    query = "mutation($i: SignIn!) {signIn(input: $i)}"
    for input in ({"name": "a"}, {"name": "a", "password": "b", "hunter2": 1}, {"name": 1, "password": {}}, "hunter2"):
        answer = await ask(query, {"i": input})
        assert {error["message"] for error in answer.json()["errors"]} == {"The variables do not fit the operation."}
        assert "hunter2" not in answer.text


async def test_saved_operations_run_if_they_need_no_viewer(ask):
    identities = ["sample_log_in", sha256(SAVED["sample_log_in"]), f"sha256:{sha256(SAVED['sample_log_in'])}"]
    before = ask.work
    for identity in identities:
        answer = await ask(documentId=identity, variables={"name": "7"})
        assert answer.json()["data"]["logIn"]["viewer"] == {"role": "ASSESSOR"}
    assert (await ask(SAVED["sample_log_in"], {"name": "7"})).json()["data"]["logIn"]["token"] == "token of 7"
    hashed = {"persistedQuery": {"version": 1, "sha256Hash": sha256(SAVED["sample_kpis"])}}
    assert (await ask(extensions=hashed)).json()["errors"][0]["message"] == "PersistedQueryNotFound"
    for identity in ("sample_kpis", sha256(SAVED["sample_kpis"]), "nothing", "x" * 5_000):
        assert (await ask(documentId=identity)).json() == GENERIC
    assert ask.work == before


async def test_a_sign_in_can_be_registered_by_its_hash(ask):
    text = LOG_IN
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}
    assert (await ask(extensions=extensions)).json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert (await ask(text, extensions=extensions)).json()["data"]["logIn"]["token"] == "token of 7"
    assert (await ask(extensions=extensions)).json()["data"]["logIn"]["token"] == "token of 7"
    assert (await ask(VALID, extensions=extensions)).status_code == 400


async def test_the_trusted_mode_runs_saved_sign_ins_only():
    ask = Asking(documents=PersistedDocuments(SAVED, trusted_only=True))
    async with ask.client:
        assert (await ask(documentId="sample_log_in", variables={"name": "7"})).json()["data"]
        parsed, validated = ask.work
        for query in (LOG_IN, VALID, "{"):
            assert (await ask(query)).json() == GENERIC
        # A sign-in may be a saved one in another layout, so it is printed.
        assert ask.work == (parsed + 1, validated)


async def test_with_open_introspection_reasons_are_given_as_documented():
    ask = Asking(open_introspection=True)
    async with ask.client:
        assert (await ask("{__schema {queryType {name}}}")).json()["data"]["__schema"]["queryType"] == {"name": "Query"}
        assert "Did you mean" in (await ask("{learnrs {totalCount}}")).json()["errors"][0]["message"]
        answer = await ask(VALID)
        assert (answer.status_code, answer.json()["data"]) == (401, None)
        assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_an_event_stream_is_refused_like_a_request(ask):
    for query in (VALID, "{rol}", "subscription {kpisChanged {learnerCount}}"):
        answer = await ask(query, headers={**JSON, "accept": "text/event-stream"})
        assert (
            answer.text
            == f"event: next\ndata: {json.dumps(GENERIC, separators=(',', ':'))}\n\nevent: complete\ndata:\n\n"
        )
