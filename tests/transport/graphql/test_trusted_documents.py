"""Registered documents in requests: by id, in Apollo's extension, by text in any layout, in the trusted mode too."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import parse, print_ast

from db.database import Database
from domain import clock
from services.trusted_documents.registry import TrustedDocuments
from services.trusted_documents.store import NewDocument, add_documents, retire_documents
from tests.support.anonymous_client import GENERIC, SIGNED, Asking
from tests.support.minimal_schema import SAVED
from transport.graphql import Limits, PersistedDocuments
from transport.graphql.persisted_documents import sha256

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

WRITTEN = "query Role {\n  # Who am I?\n  viewer { role, key }\n}"
SIGN_IN = 'mutation { logIn(name: "7") { token viewer { role } } }'
# As graphql-codegen names documents by default: no SHA-256.
ID = "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33"
DATA = {"viewer": {"role": "ASSESSOR", "key": 7}}
NOT_TRUSTED = {"code": "DOCUMENT_NOT_TRUSTED"}


def printed(text: str) -> str:
    return print_ast(parse(text))


def extension(identity: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": identity}}


@pytest.fixture
async def documents(database: Database) -> TrustedDocuments:
    async with database.writing() as session:
        stored = [NewDocument(ID, printed(WRITTEN)), NewDocument("sign-in", printed(SIGN_IN))]
        await add_documents(session, "portal", "1.4.0", stored, clock.now())
    return TrustedDocuments(database)


@pytest.fixture
async def ask(documents: TrustedDocuments) -> AsyncIterator[Asking]:
    asking = Asking(Limits(budget_anonymous=0), documents=PersistedDocuments(SAVED, True, documents))
    async with asking.client:
        yield asking


async def test_a_document_runs_by_its_id(ask: Asking) -> None:
    assert (await ask(documentId=ID, headers=SIGNED)).json()["data"] == DATA
    assert (await ask(documentId=ID.upper(), headers=SIGNED)).json()["data"] == DATA
    assert (await ask(extensions=extension(ID), headers=SIGNED)).json()["data"] == DATA
    assert (await ask(documentId=f"sha256:{sha256(printed(WRITTEN))}", headers=SIGNED)).json()["data"] == DATA
    sent = {"documentId": ID, "extensions": json.dumps(extension(ID))}
    got = await ask.client.get("/graphql", params={"extensions": sent["extensions"]}, headers=SIGNED)
    assert got.json()["data"] == DATA


async def test_a_document_runs_by_its_text_in_any_layout(ask: Asking) -> None:
    for text in (WRITTEN, printed(WRITTEN), "query Role{viewer{role key}}", WRITTEN):
        assert (await ask(text, headers=SIGNED)).json()["data"] == DATA
        assert (await ask(text, extensions=extension(sha256(text)), headers=SIGNED)).json()["data"] == DATA
    # The saved operations as a compiler prints them.
    assert (await ask(printed(SAVED["sample_kpis"]), headers=SIGNED)).json()["data"]["viewer"]["role"] == "ASSESSOR"


@pytest.mark.parametrize("text", ["query Role {viewer {role}}", "query Other {viewer {role key}}", "{", "{nothing}"])
async def test_every_other_text_is_refused(ask: Asking, text: str) -> None:
    refused = (await ask(text, headers=SIGNED)).json()
    assert refused["errors"][0]["extensions"] == NOT_TRUSTED
    hashed = (await ask(text, extensions=extension(sha256(text)), headers=SIGNED)).json()
    assert hashed["errors"][0]["extensions"] == NOT_TRUSTED


async def test_an_unknown_id_is_refused(ask: Asking) -> None:
    answer = (await ask(documentId="unknown", headers=SIGNED)).json()
    assert answer["errors"] == [
        {
            "message": "documentId must name a saved or registered operation.",
            "extensions": {"code": "BAD_REQUEST"},
        }
    ]
    hashed = await ask(extensions=extension("unknown"), headers=SIGNED)
    assert hashed.json()["errors"][0]["message"] == "PersistedQueryNotFound"


async def test_what_is_retired_is_refused_in_every_form(
    ask: Asking, documents: TrustedDocuments, database: Database
) -> None:
    forms: list[dict[str, Any]] = [{"documentId": ID}, {"extensions": extension(ID)}, {"query": WRITTEN}]
    hashed = {"extensions": extension(sha256(WRITTEN))}
    for form in (*forms, {"query": WRITTEN, **hashed}, hashed):
        assert (await ask(**form, headers=SIGNED)).json()["data"] == DATA
    sign_in = {"query": SIGN_IN}
    assert (await ask(**sign_in)).json()["data"]["logIn"]["token"]
    async with database.writing() as session:
        await retire_documents(session, "portal")
    await documents.look()
    for form in (*forms, hashed):
        assert "data" not in (await ask(**form, headers=SIGNED)).json(), form
    assert (await ask(**sign_in)).json() == GENERIC


async def test_a_sign_in_runs_without_a_token(ask: Asking) -> None:
    layouts = ({"query": SIGN_IN}, {"query": printed(SIGN_IN)}, {"query": SIGN_IN + "\n"})
    for form in ({"documentId": "sign-in"}, {"extensions": extension("sign-in")}, *layouts):
        answer = (await ask(**form)).json()
        assert answer["data"] == {"logIn": {"token": "token of 7", "viewer": {"role": "ASSESSOR"}}}


async def test_nothing_else_runs_without_a_token(ask: Asking) -> None:
    for form in ({"documentId": ID}, {"documentId": "unknown"}, {"query": WRITTEN}, {"extensions": extension(ID)}):
        assert (await ask(**form)).json() == GENERIC, form


async def test_uses_count_for_the_client_of_the_headers(ask: Asking, documents: TrustedDocuments) -> None:
    for headers in (
        {"graphql-client-name": "portal", "graphql-client-version": "1.4.0"},
        {"apollographql-client-name": "portal"},
        {},
    ):
        await ask(documentId=ID, headers={**SIGNED, **headers})
    assert documents.uses == {("portal", "1.4.0"): 3}


async def test_a_registered_document_costs_nothing_of_the_budget_of_new_ones(documents: TrustedDocuments) -> None:
    limits = Limits(budget_documents=1, characters_per_point=1, refusal_seconds=0)
    ask = Asking(limits, documents=PersistedDocuments(SAVED, False, documents))
    async with ask.client:
        assert (await ask(documentId=ID, headers=SIGNED)).json()["data"] == DATA
        assert (await ask(extensions=extension(ID), headers=SIGNED)).json()["data"] == DATA
        # The budget is whole for the first new document, and spent by it.
        for text, status in (("{ viewer { role } }", 200), ("{ viewer { key } }", 429)):
            assert (await ask(text, headers=SIGNED)).status_code == status
