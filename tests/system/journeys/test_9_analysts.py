"""An analyst makes an access key, and a program reads reports with it: files that real tools open, and nothing else."""

import asyncio
import base64
import csv
import datetime as dt
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import httpx2
import openpyxl
import polars as pl
import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from db.models.access_key import AccessKey
from db.models.audit_event import AuditEvent
from domain import clock
from services.exports import slots as export_slots
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD, Clients
from tests.support.lookup import user_id
from transport import reports

KEYS = "{ viewer { role accessKeys { id name role operations expiresAt revokedAt lastUsedAt } } }"


def a_key(days: int = 30, **values: Any) -> dict[str, Any]:
    expires = (clock.now() + dt.timedelta(days=days)).isoformat()
    return {"name": "Power Query", "expiresAt": expires, "password": PASSWORD, **values}


@pytest.fixture
async def program(clients: Clients) -> httpx2.AsyncClient:
    """A program with a key of the Master Admin for every query."""
    admin = await clients("master.admin")
    made = await admin.payload("accessKeyCreate", input=a_key())
    headers = {"authorization": f"Bearer {made['secret']}"}
    async with httpx2.AsyncClient(base_url=clients.running.address, headers=headers, timeout=60) as http:
        yield http


async def query(http: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    return (await http.post("/graphql", json=body)).json()


def code_of(answer: dict[str, Any]) -> str:
    return answer["errors"][0]["extensions"]["code"]


async def test_a_key_reads_as_its_owner_and_changes_nothing(clients: Clients, program: httpx2.AsyncClient):
    admin, overview = await clients("master.admin"), await clients("employer.overview")
    assert (await query(program, query="{ learners { totalCount } }"))["data"] == await admin.data(
        "{ learners { totalCount } }"
    )
    made = await overview.payload("accessKeyCreate", input=a_key(name="  Sites\u200b  report "))
    answer = await query(program, query="{ viewer { role } }")
    assert answer["data"]["viewer"]["role"] == "MASTER_ADMIN"
    as_overview = {"authorization": f"Bearer {made['secret']}"}
    async with httpx2.AsyncClient(base_url=clients.running.address, headers=as_overview) as http:
        with capture_logs() as logs:
            assert (await query(http, query="{ learners { totalCount } }"))["data"] == await overview.data(
                "{ learners { totalCount } }"
            )
        assert made["accessKey"]["id"] in {f"AccessKey_{line.get('access_key')}" for line in logs}
        for text in (
            'mutation { viewer: logout(refreshToken: "x") { errors { code } } }',
            'mutation { employerCreate(input: {name: "X"}) { errors { code } } }',
            f'mutation {{ accessKeyRevoke(id: "{made["accessKey"]["id"]}") {{ errors {{ code }} }} }}',
        ):
            assert code_of(await query(http, query=text)) == "NOT_ALLOWED"
        # An address that would outlive the key.
        await overview.mutate("notificationSettingsUpdate", input={"calendar": True})
        calendar = "{ viewer { notificationSettings { calendarUrl } } }"
        assert (await overview.data(calendar))["viewer"]["notificationSettings"]["calendarUrl"]
        kept = await query(http, query=calendar)
        assert kept["data"]["viewer"]["notificationSettings"] == {"calendarUrl": None}
        stream = await http.post(
            "/graphql",
            json={"query": "subscription { kpisChanged { aimCount } }"},
            headers={"accept": "text/event-stream"},
        )
        assert "NOT_ALLOWED" in stream.text
        listed = (await overview.data(KEYS))["viewer"]["accessKeys"]
        assert [(key["name"], key["role"], key["operations"]) for key in listed] == [
            ("Sites report", "EMPLOYER_OVERVIEW", [])
        ]
        assert listed[0]["lastUsedAt"] and listed[0]["revokedAt"] is None
        await overview.mutate("accessKeyRevoke", id=made["accessKey"]["id"])
        gone = await http.post("/graphql", json={"query": "{ viewer { role } }"})
        assert (gone.status_code, code_of(gone.json())) == (401, "UNAUTHENTICATED")
    # Another user's key is as one that never was.
    (own,) = (await overview.data(KEYS))["viewer"]["accessKeys"]
    assert await admin.user_errors("accessKeyRevoke", id=own["id"]) == {"id": "NOT_FOUND"}
    assert own["revokedAt"]


async def test_a_key_is_kept_as_a_hash_named_in_the_trail_and_ends_with_its_role(clients: Clients):
    both, admin = await clients("many.roles", "IQA"), await clients("master.admin")
    made = await both.payload("accessKeyCreate", input=a_key(operations=["site_comparison", "site_comparison"]))
    secret, key = made["secret"], int(made["accessKey"]["id"].partition("_")[2])
    assert made["accessKey"]["operations"] == ["site_comparison"]
    async with clients.running.server.services.database.writing() as session:
        row = await session.get_one(AccessKey, key)
        assert secret not in repr(vars(row)) and len(row.secret_sha256) == 64
        events = select(func.count()).where(AuditEvent.subject_type == "AccessKey", AuditEvent.subject_key == key)
        assert await session.scalar(events) == 1
    basic = base64.b64encode(f"anything:{secret}".encode()).decode()
    async with httpx2.AsyncClient(base_url=clients.running.address) as http:
        given = {"authorization": f"Basic {basic}"}
        answer = await http.post("/graphql", json={"documentId": "site_comparison"}, headers=given)
        assert answer.json()["data"]["employers"]
        for body in ({"documentId": "employer_kpis"}, {"query": "{ viewer { role } }"}):
            assert code_of((await http.post("/graphql", json=body, headers=given)).json()) == "NOT_ALLOWED"
        refused = await http.get("/reports/kpi_groups.csv", headers=given)
        assert (refused.status_code, code_of(refused.json())) == (403, "NOT_ALLOWED")
        person = (await both.data("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
        await admin.mutate("roleRevoke", userId=person, role="IQA")
        answer = await http.post("/graphql", json={"documentId": "site_comparison"}, headers=given)
        assert answer.status_code == 401


async def test_what_a_key_may_not_be(clients: Clients):
    learner = await clients("learner")
    wrong = {
        "input.name": ("REQUIRED", a_key(name=" \u200b ")), "input.expiresAt": ("INVALID", a_key(days=400)),
        "input.operations": ("INVALID", a_key(operations=["log_time"])),
        "input.password": ("WRONG_PASSWORD", a_key(password="not mine")),
    }  # fmt: skip
    for field, (code, given) in wrong.items():
        assert await learner.user_errors("accessKeyCreate", input=given) == {field: code}
    assert await learner.user_errors("accessKeyCreate", input=a_key(days=-1)) == {"input.expiresAt": "INVALID"}
    made = [await learner.payload("accessKeyCreate", input=a_key(name=f"Key {number}")) for number in range(20)]
    assert await learner.user_errors("accessKeyCreate", input=a_key()) == {None: "INVALID"}
    await learner.mutate("accessKeyRevoke", id=made[0]["accessKey"]["id"])
    assert (await learner.payload("accessKeyCreate", input=a_key()))["secret"]


async def test_a_key_expires(clients: Clients, program: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch):
    assert (await query(program, query="{ viewer { role } }"))["data"]
    real, later = clock.now, dt.timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: real() + later)
    assert (await program.post("/graphql", json={"query": "{ viewer { role } }"})).status_code == 401


async def test_reports_open_in_the_tools_that_read_them(program: httpx2.AsyncClient, tmp_path: Path):
    names = {report["name"]: report for report in (await program.get("/reports")).json()}
    assert {"site_comparison", "kpi_history", "kpi_groups"} <= names.keys()
    assert "log_time" not in names
    assert any("since: Date, required" in line for line in names["kpi_history"]["variables"])

    async def report(file: str, **variables: str) -> httpx2.Response:
        response = await program.get(f"/reports/{file}", params=variables)
        assert response.status_code == 200, response.text
        return response

    table = (await report("site_comparison.csv")).text
    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    frame = pl.read_parquet(io.BytesIO((await report("site_comparison.parquet")).content))
    sheet = openpyxl.load_workbook(io.BytesIO((await report("site_comparison.xlsx")).content)).worksheets[0]
    listed = (await report("site_comparison.json")).json()
    found = [frame["name"].to_list(), [row["name"] for row in rows], [line[1].value for line in list(sheet)[1:]]]
    assert found[0] == found[1] and set(found[0]) == set(found[2]) and len(listed) == len(found[0])
    by_name = sorted(found[0])
    for extension in ("csv", "json", "parquet"):
        file = tmp_path / f"sites.{extension}"
        file.write_bytes((await report(f"site_comparison.{extension}")).content)
        # Without options, as an analyst reads it.
        query = f'SELECT name, "kpis.learnerCount" + 0 FROM \'{file}\' WHERE "asOf" IS NOT NULL ORDER BY name'
        counted = duckdb.sql(query).fetchall()
        assert [name for name, _ in counted] == by_name
        assert sum(count for _, count in counted) == frame["kpis.learnerCount"].sum()
    month_ago = (clock.today() - dt.timedelta(days=60)).isoformat()
    history = (await report("kpi_history.json", since=month_ago, every="WEEK")).json()
    assert history[-1]["kpiHistory.day"] == clock.today().isoformat()
    skills = (await report("sign_off_funnel.csv", search="English")).text
    assert len(skills.splitlines()) < len((await report("sign_off_funnel.csv")).text.splitlines())


async def test_an_unchanged_report_is_not_sent_again(program: httpx2.AsyncClient):
    first = await program.get("/reports/kpi_groups.csv", params={"by": "EMPLOYER"})
    assert first.headers["cache-control"] == "private, no-cache"
    again = await program.get(
        "/reports/kpi_groups.csv",
        params={"by": "EMPLOYER"},
        headers={"if-none-match": f'W/"x", {first.headers["etag"]}'},
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_a_report_counts_as_an_export_until_it_is_sent(
    program: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    """Its file takes room for as long as a client takes to read it."""
    reading, content = asyncio.Event(), reports._content
    monkeypatch.setattr(export_slots, "REFUSAL_SECONDS", 0.01)

    async def slow(file: BinaryIO) -> AsyncIterator[bytes]:
        await reading.wait()
        async for chunk in content(file):
            yield chunk

    monkeypatch.setattr(reports, "_content", slow)
    path = "/reports/kpi_groups.csv?by=EMPLOYER"
    async with program.stream("GET", path) as one, program.stream("GET", path) as two:
        refused = await program.get(path)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
        reading.set()
        # Their numbers are of two moments, which the file names.
        assert len(await one.aread()) == len(await two.aread()) > 0
    async with asyncio.timeout(10):
        while (await program.get(path)).status_code == 429:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("file", "variables", "status", "said"),
    [
        ("nothing.csv", {}, 404, "no such report"), ("log_time.csv", {}, 404, "no such report"),
        ("kpi_history.exe", {}, 404, "csv, json"), ("kpi_history.csv", {}, 400, "since: give Date, required."),
        ("kpi_history.csv", {"since": "s3cret"}, 400, "since: give Date, required."),
        ("kpi_groups.csv", {"by": "s3cret"}, 400, "by: give KpiGroupBy, one of ASSESSOR"),
        ("kpi_groups.csv", {"s3cret": "x"}, 400, "Its variables are: by, on, filter."),
        ("kpi_history.csv", {"since": "1999-01-01"}, 400, "from: Give a day"),
    ],
)  # fmt: skip
async def test_a_report_that_cannot_be_made(
    program: httpx2.AsyncClient, file: str, variables: dict[str, str], status: int, said: str
):
    answer = await program.get(f"/reports/{file}", params=variables)
    assert answer.status_code == status
    assert said in answer.json()["errors"][0]["message"]
    assert "s3cret" not in answer.text


async def test_a_report_needs_a_key_in_the_header(clients: Clients):
    async with httpx2.AsyncClient(base_url=clients.running.address) as http:
        for path in ("/reports", "/reports/kpi_groups.csv"):
            answer = await http.get(path)
            assert answer.status_code == 401
            assert "Basic" in answer.headers["www-authenticate"]
            assert (await http.get(path, headers={"authorization": "Bearer wmk_wrong"})).status_code == 401
            assert (await http.get(path, params={"key": "wmk_x"})).status_code == 401


async def test_a_report_of_a_learners_token_has_only_what_they_see(clients: Clients):
    learner: HttpClient = await clients("learner")
    answer = await learner.http.get("/reports/kpi_groups.json", params={"by": "EMPLOYER"})
    (group,) = answer.json()
    assert group["kpiGroups.kpis.learnerCount"] == 1


async def test_the_demo_has_a_year_of_history(clients: Clients):
    admin = await clients("master.admin")
    since = (clock.today() - dt.timedelta(days=365)).isoformat()
    text = """query($since: Date!, $filter: KpiFilter) { viewer {
      kpis { aimCount offTrackCount progress { criteriaMapped } }
      kpiHistory(from: $since, every: MONTH, filter: $filter) { day aimCount offTrackCount criteriaMapped startedCount
        offTheJobMinutes } } }"""
    viewer = (await admin.data(text, since=since))["viewer"]
    points, now = viewer["kpiHistory"], viewer["kpis"]
    assert len(points) in (12, 13)
    last = points[-1]
    assert (last["aimCount"], last["offTrackCount"]) == (now["aimCount"], now["offTrackCount"])
    assert last["criteriaMapped"] == now["progress"]["criteriaMapped"]
    mapped = [point["criteriaMapped"] for point in points]
    assert mapped == sorted(mapped) and mapped[0] < mapped[-1] / 2
    assert sum(point["startedCount"] for point in points) and sum(point["offTheJobMinutes"] for point in points)
    assessor = await user_id(admin, "Priya Raman")
    slice_ = (await admin.data(text, since=since, filter={"assessorId": assessor}))["viewer"]["kpiHistory"]
    assert 0 < slice_[-1]["aimCount"] < last["aimCount"]
    answer = await admin.post(
        '{ viewer { kpiGroups(by: EMPLOYER, on: "2026-01-05") { kpis { overdueActionCount } } } }'
    )
    assert "Leave out the other fields" in answer.json()["errors"][0]["message"]
