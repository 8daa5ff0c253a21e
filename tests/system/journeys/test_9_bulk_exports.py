"""Bulk exports and schedules: a process of its own makes the file, which its user alone gets, while the role lasts."""

import asyncio
import datetime as dt
import io
import json
from typing import Any

import httpx2
import polars as pl
import pytest
from sqlalchemy import delete, func, select, update

from db.models.audit_event import AuditEvent
from db.models.bulk_export import BulkExport, ReportSchedule
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role
from resolvers import bulk_export
from services.demo.report_orders import order_reports
from services.exports import process as export_process
from tests.support import forked_exports
from tests.support.http_server import PASSWORD, Clients
from tests.support.smtp_server import Post, link_in

EXPORT = "id operation format status asOf rowCount failure download { url expiresAt }"
READ = f"query($id: ID!) {{ bulkExport(id: $id) {{ {EXPORT} }} }}"
OWN = "{ viewer { bulkExports { id } reportSchedules { id nextAt endedAt } } }"


async def done(client: Any, id: str) -> dict[str, Any]:
    """Asks until the export is not running any more."""
    async with asyncio.timeout(90):
        while True:
            export: dict[str, Any] = (await client.data(READ, id=id))["bulkExport"]
            if export["status"] != "RUNNING":
                return export
            await asyncio.sleep(0.2)


async def exported(client: Any, operation: str, format: str = "PARQUET", **variables: Any) -> dict[str, Any]:
    started = await client.mutate(
        "bulkExportStart", operation=operation, variables=json.dumps(variables) if variables else None, format=format
    )
    return await done(client, started["id"])


async def of_operation(client: Any, operation: str) -> list[str]:
    """The ids of the client's exports of an operation."""
    exports = (await client.data("{ viewer { bulkExports { id operation } } }"))["viewer"]["bulkExports"]
    return [each["id"] for each in exports if each["operation"] == operation]


@pytest.fixture
async def http(clients: Clients) -> httpx2.AsyncClient:
    async with httpx2.AsyncClient(base_url=clients.running.address, timeout=60) as http:
        yield http


async def test_an_export_is_the_report_with_all_pages(
    clients: Clients, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    # Once a database as outside the tests.
    monkeypatch.setattr(export_process, "start", forked_exports.start_interpreter)
    admin = await clients("master.admin")
    before = clock.now()
    made = await exported(admin, "overdue_actions")
    assert (made["status"], made["failure"], made["format"]) == ("DONE", None, "PARQUET")
    assert before < dt.datetime.fromisoformat(made["asOf"]) < clock.now()
    file = await http.get(made["download"]["url"])
    frame = pl.read_parquet(io.BytesIO(file.content))
    headers = {"authorization": f"Bearer {admin.tokens['accessToken']}"}
    report = await http.get("/reports/overdue_actions.parquet", headers=headers)
    assert frame.drop("asOf").equals(pl.read_parquet(io.BytesIO(report.content)).drop("asOf"))
    assert len(frame) == made["rowCount"] > 10
    assert set(frame["asOf"]) == {dt.datetime.fromisoformat(made["asOf"])}
    assert "attachment" in file.headers["content-disposition"]

    # A download goes on where it stopped.
    etag = file.headers["etag"]
    rest = await http.get(made["download"]["url"], headers={"range": "bytes=100-", "if-range": etag})
    assert rest.status_code == 206 and rest.content == file.content[100:]
    assert rest.headers["content-range"] == f"bytes 100-{len(file.content) - 1}/{len(file.content)}"
    other = await http.get(made["download"]["url"], headers={"range": "bytes=100-", "if-range": '"other"'})
    assert other.status_code == 200 and other.content == file.content
    end = await http.get(made["download"]["url"], headers={"range": f"bytes={len(file.content)}-"})
    assert end.status_code == 416

    # A program fetches it with the token, or with an access key for this query.
    address = f"/reports/exports/{made['id']}"
    assert (await http.get(address, headers=headers)).content == file.content
    assert (await http.get(address)).status_code == 401
    expires = (clock.now() + dt.timedelta(days=1)).isoformat()
    for operations, status in ((["overdue_actions"], 200), (["site_comparison"], 404)):
        given = {"name": "Load", "expiresAt": expires, "password": PASSWORD, "operations": operations}
        secret = (await admin.payload("accessKeyCreate", input=given))["secret"]
        assert (await http.get(address, headers={"authorization": f"Bearer {secret}"})).status_code == status
    async with clients.running.server.services.database.reading() as connection:
        events = select(func.count()).where(AuditEvent.action == "bulkExportStart")
        assert (await connection.execute(events)).scalar_one() == 1


async def test_an_export_is_of_its_user_in_its_role(clients: Clients):
    """What a user exports is what they see, and nobody else sees the export, nor they in another role."""
    many = await clients("many.roles")
    made = await exported(many, "employer_learners", "JSON")
    assert made["status"] == "DONE"
    admin = await clients("master.admin")
    assert (await admin.data(READ, id=made["id"]))["bulkExport"] is None
    assert made["id"] not in str((await admin.data(OWN))["viewer"])
    roles = (await many.data("{ viewer { role grants { role } } }"))["viewer"]
    another = next(each["role"] for each in roles["grants"] if each["role"] != roles["role"])
    async with clients.running.server.services.database.writing() as session:
        key = int(made["id"].partition("_")[2])
        await session.execute(update(BulkExport).where(BulkExport.id == key).values(role=Role(another)))
    assert (await many.data(READ, id=made["id"]))["bulkExport"] is None
    assert (await many.data(OWN))["viewer"]["bulkExports"] == []


async def test_what_cannot_be_exported_is_refused(clients: Clients):
    assessor = await clients("assessor")
    assert await assessor.user_errors("bulkExportStart", operation="nothing", variables=None, format="CSV") == {
        "operation": "INVALID"
    }
    for text in ('{"after": 1', "[]", '{"unknown": 1}', '{"after": 7}', "[" * 5000):
        assert await assessor.user_errors(
            "bulkExportStart", operation="overdue_actions", variables=text, format="CSV"
        ) == {"variables": "INVALID"}
    failed = await exported(assessor, "progress_map", "CSV", learnerId="Learner_1", filter="ALL")
    assert failed["status"] in ("DONE", "FAILED")


async def test_the_file_goes_with_the_role(clients: Clients, http: httpx2.AsyncClient):
    overview = await clients("employer.overview")
    made = await exported(overview, "employer_learners", "CSV")
    url, services = made["download"]["url"], clients.running.server.services
    assert (await http.get(url)).status_code == 200
    key = int(made["id"].partition("_")[2])
    async with services.database.writing() as session:
        export = await session.get_one(BulkExport, key)
        storage_key = export.storage_key
        grant = (RoleGrant.user_id == export.user_id) & (RoleGrant.role == export.role)
        row = dict((await session.execute(select(RoleGrant.__table__).where(grant))).one()._mapping)
        await session.execute(delete(RoleGrant).where(grant))
    assert (await http.get(url)).status_code in (401, 410)
    async with asyncio.timeout(30):
        while await services.files.exists(storage_key):
            await asyncio.sleep(0.2)
    async with services.database.writing() as session:
        export = await session.get_one(BulkExport, key)
        assert (export.status.value, export.failure, export.storage_key) == ("FAILED", "ROLE_ENDED", None)
        session.add(RoleGrant(**row))


async def test_a_schedule_sends_a_link(clients: Clients, post: Post, http: httpx2.AsyncClient):
    admin, services = await clients("master.admin"), clients.running.server.services
    made = await admin.mutate(
        "reportSchedule", input={"operation": "reviews_due", "every": "WEEK", "format": "XLSX", "variables": None}
    )
    at = dt.datetime.fromisoformat(made["nextAt"]).astimezone(clock.LONDON)
    assert (at.weekday(), at.hour, at.minute) == (0, 6, 0) and at > clock.now()
    key = int(made["id"].partition("_")[2])
    async with services.database.writing() as session:
        await session.execute(update(ReportSchedule).where(ReportSchedule.id == key).values(next_at=clock.now()))
    services.export_started.set()
    async with asyncio.timeout(90):
        while not (started := await of_operation(admin, "reviews_due")):
            await asyncio.sleep(0.2)
    assert (await done(admin, started[0]))["status"] == "DONE"
    async with services.database.reading() as connection:
        email = (await connection.execute(select(User.email).where(User.username == "master.admin"))).scalar_one()
    mail = await post.to(email, "reviews_due")
    text = mail.get_content()
    link = link_in(mail)
    headers = {"authorization": f"Bearer {admin.tokens['accessToken']}"}
    file = await http.get(link, headers=headers)
    assert file.status_code == 200 and file.content.startswith(b"PK")
    # No row is in the e-mail.
    learners = (await admin.data("{ learners(first: 100) { nodes { name } } }"))["learners"]["nodes"]
    assert not any(each["name"] in text for each in learners)
    listed = next(each for each in (await admin.data(OWN))["viewer"]["reportSchedules"] if each["id"] == made["id"])
    assert dt.datetime.fromisoformat(listed["nextAt"]) > clock.now() and listed["endedAt"] is None


async def test_a_schedule_is_stopped_and_started_again(clients: Clients, monkeypatch: pytest.MonkeyPatch):
    admin, assessor = await clients("master.admin"), await clients("assessor")
    given = {"operation": "reviews_due", "every": "MONTH", "format": "CSV"}
    made = await admin.mutate("reportSchedule", input=given)
    for _ in range(2):
        stopped = await admin.mutate("reportScheduleEnd", id=made["id"])
        assert dt.datetime.fromisoformat(stopped["endedAt"]) < clock.now()
    async with clients.running.server.services.database.writing() as session:
        # It would have been made meanwhile.
        key = int(made["id"].partition("_")[2])
        await session.execute(update(ReportSchedule).where(ReportSchedule.id == key).values(next_at=clock.now()))
    for _ in range(2):
        again = await admin.mutate("reportScheduleResume", id=made["id"])
        assert again["endedAt"] is None and dt.datetime.fromisoformat(again["nextAt"]) > clock.now()
    query = "{ viewer { reportSchedules { id viewerActions { mutation allowed } } } }"
    own = {each["id"]: each["viewerActions"] for each in (await admin.data(query))["viewer"]["reportSchedules"]}
    assert {each["mutation"]: each["allowed"] for each in own[made["id"]]} == {
        "reportScheduleEnd": True, "reportScheduleResume": True
    }  # fmt: skip
    for mutation in ("reportScheduleEnd", "reportScheduleResume"):
        assert await assessor.user_errors(mutation, id=made["id"]) == {"id": "NOT_FOUND"}
    # Two users of the limit: a new one, and one that is started again.
    await admin.mutate("reportScheduleEnd", id=made["id"])
    monkeypatch.setattr(bulk_export, "MOST_SCHEDULES", 0)
    assert await admin.user_errors("reportScheduleResume", id=made["id"]) == {None: "INVALID"}
    assert await admin.user_errors("reportSchedule", input=given) == {None: "INVALID"}


async def test_the_demo_begins_with_a_file_and_a_schedule(clients: Clients):
    admin, services = await clients("master.admin"), clients.running.server.services
    await order_reports(services.database)
    services.export_started.set()
    made = await done(admin, (await of_operation(admin, "learner_criteria"))[0])
    assert made["status"] == "DONE" and made["rowCount"] > 1000 and made["download"]["url"]
    schedules = (await admin.data("{ viewer { reportSchedules { operation endedAt } } }"))["viewer"]["reportSchedules"]
    assert {"operation": "reviews_due", "endedAt": None} in schedules


async def test_the_erasure_of_a_learner_removes_exports(clients: Clients):
    admin, services = await clients("master.admin"), clients.running.server.services
    made = await exported(admin, "employer_learners", "CSV")
    async with services.database.reading() as connection:
        key = int(made["id"].partition("_")[2])
        storage_key = (
            await connection.execute(select(BulkExport.storage_key).where(BulkExport.id == key))
        ).scalar_one()
    assert await services.files.exists(storage_key)
    learners = (await admin.data("{ learners(last: 1) { nodes { id name } } }"))["learners"]["nodes"]
    await admin.mutate("learnerErase", id=learners[0]["id"], confirmName=learners[0]["name"])
    assert (await admin.data(READ, id=made["id"]))["bulkExport"] is None
    assert not await services.files.exists(storage_key)
