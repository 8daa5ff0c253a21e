"""Saved operations and persisted queries by name and hash, ETags, and the mode that runs saved operations only."""

import json

import httpx2 as httpx
import pytest

from tests.support.minimal_schema import SAVED, AppState, make_app
from transport.graphql import PersistedDocuments
from transport.graphql.persisted_documents import sha256

SIGNED = {"content-type": "application/json", "authorization": "Bearer 7"}
GRAPHQL = {"accept": "application/graphql-response+json"}
TEXT = SAVED["sample_kpis"]
EXPECTED = {"viewer": {"role": "ASSESSOR", "kpis": {"learnerCount": 3}}}


def client_of(**options):
    app, endpoint, _ = make_app(AppState(), **options)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=GRAPHQL)
    client.endpoint = endpoint
    return client


@pytest.fixture
async def client():
    async with client_of() as client:
        yield client


async def post(client, **body):
    return await client.post("/graphql", content=json.dumps(body), headers=SIGNED)


def persisted(text, **more):
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}, **more}


@pytest.mark.parametrize("identity", ["sample_kpis", sha256(TEXT), f"sha256:{sha256(TEXT)}", sha256(TEXT).upper()])
async def test_a_saved_operation_runs_by_name_and_by_hash(client, identity):
    answer = await post(client, documentId=identity, variables={})
    assert answer.json()["data"] == EXPECTED
    assert (client.endpoint.cache_stats.hits, client.endpoint.cache_stats.misses) == (1, 0)


async def test_an_unknown_document_is_refused(client):
    answer = await post(client, documentId="nothing")
    assert (answer.status_code, "data" in answer.json()) == (400, False)
    both = await post(client, documentId="sample_kpis", query="{__typename}")
    assert both.status_code == 400


async def test_a_persisted_query_is_registered_once_and_found_again(client):
    text = "query Once {__typename}"
    unknown = await post(client, **persisted(text))
    assert unknown.json()["errors"] == [
        {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
    ]
    assert (await post(client, **persisted(text, query=text))).json()["data"] == {"__typename": "Query"}
    assert (await post(client, **persisted(text))).json()["data"] == {"__typename": "Query"}
    assert (await post(client, **persisted(text, query="{viewer{role}}"))).status_code == 400
    assert (await post(client, **persisted(TEXT))).json()["data"] == EXPECTED


async def test_an_invalid_query_is_not_registered(client):
    await post(client, **persisted("{nothing}", query="{nothing}"))
    answer = await post(client, **persisted("{nothing}"))
    assert answer.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_get_has_an_etag_of_its_viewer_and_is_answered_304(client):
    async def get(token, tag=None):
        headers = {**SIGNED, "authorization": f"Bearer {token}", **({"if-none-match": tag} if tag else {})}
        return await client.get("/graphql", params={"documentId": "sample_kpis"}, headers=headers)

    first = await get(7)
    assert first.json()["data"] == EXPECTED
    assert first.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in first.headers["vary"]
    tag = first.headers["etag"]
    again = await get(7, tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await get(7, f'"other", {tag}')).status_code == 304
    other = await get(8, tag)
    assert (other.status_code, other.headers["etag"] != tag) == (200, True)


async def test_a_persisted_query_runs_over_get(client):
    extensions = json.dumps(persisted(TEXT)["extensions"])
    answer = await client.get("/graphql", params={"extensions": extensions}, headers=SIGNED)
    assert answer.json()["data"] == EXPECTED


async def test_an_error_has_no_etag(client):
    answer = await client.get("/graphql", params={"query": "{fails}"}, headers=SIGNED)
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


async def test_the_trusted_mode_runs_saved_operations_only():
    async with client_of(documents=PersistedDocuments(SAVED, trusted_only=True)) as client:
        assert (await post(client, documentId="sample_kpis")).json()["data"] == EXPECTED
        assert (await post(client, query=TEXT)).json()["data"] == EXPECTED
        for body in ({"query": "{__typename}"}, persisted("{__typename}", query="{__typename}")):
            response = await post(client, **body)
            assert response.status_code == 400
            assert response.json()["errors"][0]["extensions"] == {"code": "DOCUMENT_NOT_TRUSTED"}
        assert (await post(client, **persisted("{__typename}"))).status_code == 400


def test_saved_operations_are_read_from_a_folder(tmp_path):
    (tmp_path / "employer_kpis.graphql").write_text(TEXT)
    (tmp_path / "README.md").write_text("not one")
    documents = PersistedDocuments.read(tmp_path)
    assert documents.texts() == [TEXT]
    assert documents.text("employer_kpis") == documents.text(sha256(TEXT)) == TEXT
    assert documents.name(TEXT) == "employer_kpis"


def test_a_saved_operation_must_fit_the_schema():
    with pytest.raises(ValueError, match="saved operation broken: Cannot query field"):
        make_app(AppState(), documents=PersistedDocuments({"broken": "{nothing}"}))
