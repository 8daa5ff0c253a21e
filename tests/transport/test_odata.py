"""OData over HTTP: a client for it reads every page with an access key, and the standard holds."""

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from odata.service import ODataService

from domain import clock
from queries.odata import feed
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, Clients

ROOT = "/reports/odata/"


@pytest.fixture(scope="module")
async def clients(demo: Demo) -> AsyncIterator[Clients]:
    async with demo.serving("sqlite") as running:
        clients = Clients(running)
        yield clients
        await clients.close()


async def key_of(clients: Clients, username: str, **values: Any) -> str:
    client = await clients(username)
    expires = (clock.now() + dt.timedelta(days=1)).isoformat()
    given = {"name": "Power BI", "expiresAt": expires, "password": PASSWORD, **values}
    return (await client.payload("accessKeyCreate", input=given))["secret"]


@pytest.fixture(scope="module")
async def secret(clients: Clients) -> str:
    return await key_of(clients, "master.admin")


@pytest.fixture
async def http(clients: Clients, secret: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=clients.running.address, auth=("any", secret), timeout=60) as http:
        yield http


async def rows_of(http: httpx2.AsyncClient, name: str, **variables: str) -> list[dict[str, Any]]:
    """The rows of a report as JSON, with the names that OData gives their columns."""
    rows = (await http.get(f"/reports/{name}.json", params=variables)).json()
    return without([{key.replace(".", "_"): value for key, value in row.items()} for row in rows])


def without(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """The rows without these columns and `asOf`, and with times as a file has them."""

    def plain(value: Any) -> Any:
        is_time = isinstance(value, str) and value[10:11] == "T" and value[4:5] == "-"
        return f"{value[:19]}Z" if is_time else value

    return [{key: plain(value) for key, value in row.items() if key not in ("asOf", *names)} for row in rows]


async def test_a_client_for_odata_reads_every_page(
    clients: Clients,
    http: httpx2.AsyncClient,
    secret: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(feed, "PAGE_ROWS", 2)
    caplog.set_level(logging.INFO, "odata.connection")

    def read() -> dict[str, Any]:
        service = ODataService(
            clients.running.address + ROOT, auth=("power.bi", secret), reflect_entities=True, quiet_progress=True
        )
        criteria, actions = service.entities["learner_criteria"], service.entities["overdue_actions"]
        late = service.query(actions).filter(actions.daysOverdue > 3).select(actions.id, actions.daysOverdue)
        return {
            "names": list(service.entities),
            "criteria": [(each.id, each.row) for each in service.query(criteria)],
            "late": list(late),
            "first": service.query(actions).order_by(actions.daysOverdue.desc(), actions.row.asc()).first(),
        }

    found = await asyncio.to_thread(read)
    criteria = await rows_of(http, "learner_criteria")
    assert found["criteria"] == [(row["id"], number) for number, row in enumerate(criteria, 1)]
    assert len({row["id"] for row in criteria}) > 40 and caplog.text.count("skiptoken") > 1
    rows = await rows_of(http, "overdue_actions")
    late = [{"id": row["id"], "daysOverdue": row["daysOverdue"]} for row in rows if row["daysOverdue"] > 3]
    assert found["late"] == late and 0 < len(late) < len(rows)
    assert found["first"].daysOverdue == max(row["daysOverdue"] for row in rows)
    listed = (await http.get(ROOT)).json()
    assert listed["@odata.context"] == f"{clients.running.address}{ROOT}$metadata"
    assert {"overdue_actions", "learner_criteria"} <= {each["name"] for each in listed["value"]} < set(found["names"])


async def test_every_set_answers_as_its_report_and_metadata_say(http: httpx2.AsyncClient):
    day = clock.today()
    period = {"from": (day - dt.timedelta(days=90)).isoformat(), "to": day.isoformat()}
    given = {
        "kpi_history": {"since": period["from"]},
        "outcomes": {"endedFrom": period["from"], "endedTo": period["to"]},
        "turnaround": {"since": period["from"], "until": period["to"]},
        "assessor_workload": {"since": period["from"], "until": period["to"]},
        "dictionary": {"search": "criteria"},
        "learner_criteria": {"filter.search": "Ann"},
    }
    for name, entity_set in feed.entity_sets().items():
        variables = given.get(name, {})
        answer = await http.get(ROOT + name, params=variables)
        assert answer.status_code == 200, (name, answer.text)
        assert answer.headers["odata-version"] == "4.0"
        rows = answer.json()["value"]
        assert (name, without(rows, "row")) == (name, await rows_of(http, name, **variables))
        assert [row["row"] for row in rows] == list(range(1, len(rows) + 1))
        for each in entity_set.properties:
            assert not rows or all(each.name in row for row in rows)
            assert each.nullable or all(row[each.name] is not None for row in rows), (name, each.name)


async def test_the_options_are_those_of_a_page_of_rows(http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch):
    whole = (await http.get(ROOT + "overdue_actions")).json()["value"]

    async def get(**options: str) -> dict[str, Any]:
        answer = await http.get(ROOT + "overdue_actions", params={f"${name}": value for name, value in options.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert without((await get(top="3", skip="2"))["value"]) == without(whole[2:5])
    assert (await get(top="0", count="true"))["value"] == []
    counted = await get(filter="daysOverdue gt 3", count="true", top="1")
    late = [row for row in whole if row["daysOverdue"] > 3]
    assert (counted["@odata.count"], without(counted["value"])) == (len(late), without(late[:1]))
    assert "@odata.nextLink" not in counted
    number = await http.get(ROOT + "overdue_actions/$count", params={"$filter": "daysOverdue gt 3"})
    assert (number.text, number.headers["content-type"]) == (str(len(late)), "text/plain; charset=utf-8")
    ordered = (await get(orderby="daysOverdue desc,row desc", skip="1", top="4"))["value"]
    expected = sorted(whole, key=lambda row: (-row["daysOverdue"], -row["row"]))[1:5]
    assert without(ordered) == without(expected)
    chosen = await get(select="daysOverdue,id", top="1")
    assert chosen["@odata.context"].endswith("$metadata#overdue_actions(daysOverdue,id)")
    assert list(chosen["value"][0]) == ["daysOverdue", "id"]
    bare = await get(format="application/json;odata.metadata=none", top="1")
    assert list(bare) == ["value"]

    # The parts that follow have what is left of $top and $skip, and all of $filter and $select.
    monkeypatch.setattr(feed, "PAGE_ROWS", 1)
    rows = await rows_of(http, "learner_criteria")
    signed = [n for n, row in enumerate(rows, 1) if row["aims_units_criteria_status"] == "SIGNED_OFF"]
    options = {"filter": "aims_units_criteria_status eq 'SIGNED_OFF'", "skip": "3", "select": "row", "count": "true"}
    given = {f"${name}": value for name, value in options.items()}
    part = (await http.get(ROOT + "learner_criteria", params={**given, "$top": str(len(signed) - 5)})).json()
    found, parts = list(part["value"]), 1
    assert part["@odata.count"] == len(signed)
    while "@odata.nextLink" in part:
        part = (await http.get(part["@odata.nextLink"])).json()
        found += part["value"]
        parts += 1
    assert [row["row"] for row in found] == signed[3:-2]
    assert parts > 1


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [
        ("overdue_actions?$expand=learner", 501, "$expand"), ("overdue_actions?$search=s3cret", 501, "$search"),
        ("overdue_actions?$apply=aggregate(row)", 501, "$apply"), ("overdue_actions?$s3cret=1", 400, None),
        ("overdue_actions?$filter=s3cret eq 1", 400, "$filter"), ("overdue_actions?$select=s3cret", 400, "$select"),
        ("overdue_actions?$top=-1", 400, "$top"), ("overdue_actions?$skip=s3cret", 400, "$skip"),
        ("overdue_actions?$top=1&$top=2", 400, "$top"), ("overdue_actions?$count=s3cret", 400, "$count"),
        ("overdue_actions?$skiptoken=s3cret", 400, "$skiptoken"),
        ("overdue_actions?$skiptoken=WyJzM2NyZXQiLDAsMCxudWxsXQ", 400, None),
        ("overdue_actions?$format=atom", 406, None), ("$metadata?$format=json", 406, None),
        ("overdue_actions?s3cret=1", 400, "variables"), ("overdue_actions?employerId=Employer_999", 400, "variables"),
        ("kpi_history", 400, "variables"), ("overdue_actions(1)", 501, None), ("s3cret", 404, None),
        ("overdue_actions/s3cret", 404, None), ("sign_in", 404, None),
    ],
)  # fmt: skip
async def test_what_cannot_be_answered_is_an_error_of_odata(
    http: httpx2.AsyncClient, path: str, status: int, target: str | None
):
    answer = await http.get(ROOT + path)
    error = answer.json()["error"]
    assert (answer.status_code, error.get("target")) == (status, target)
    assert error["code"] and error["message"] and "s3cret" not in answer.text
    assert answer.headers["odata-version"] == "4.0"


async def test_versions_tags_and_who_may_ask(clients: Clients, http: httpx2.AsyncClient):
    assert (await http.get(ROOT, headers={"odata-maxversion": "3.0"})).status_code == 400
    assert (await http.get(ROOT, headers={"accept": "application/atom+xml"})).status_code == 406
    power_bi = "application/json;odata.metadata=minimal;q=1.0,application/atomsvc+xml;q=0.8,application/xml;q=0.5"
    for path in ("", "$metadata", "site_comparison"):
        answer = await http.get(ROOT + path, headers={"accept": power_bi, "odata-maxversion": "4.0"})
        assert answer.status_code == 200
        again = await http.get(ROOT + path, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert (await http.post(ROOT + "site_comparison", json={})).status_code == 405
    async with httpx2.AsyncClient(base_url=clients.running.address) as nobody:
        for path in ("", "$metadata", "site_comparison", "site_comparison/$count"):
            answer = await nobody.get(ROOT + path)
            assert answer.status_code == 401 and "Basic" in answer.headers["www-authenticate"]
            assert answer.json()["error"]["code"] == "UNAUTHENTICATED"
        # A key for some queries lists those, and reads no other.
        some = await key_of(clients, "employer.overview", operations=["overdue_actions"])
        nobody.auth = httpx2.BasicAuth("", some)
        assert [each["name"] for each in (await nobody.get(ROOT)).json()["value"]] == ["overdue_actions"]
        assert (await nobody.get(ROOT + "site_comparison")).status_code == 403
        seen = (await nobody.get(ROOT + "overdue_actions")).json()["value"]
        everything = (await http.get(ROOT + "overdue_actions")).json()["value"]
        assert {row["id"] for row in seen} < {row["id"] for row in everything}
