"""Subject access on the demo: everything about a learner in one ZIP, nothing of others, for a Master Admin alone."""

import io
import json
import zipfile
from typing import Any

from sqlalchemy import func, select

from db.models.audit_event import AuditEvent
from db.models.base import Base
from db.models.file import File
from db.models.user import User
from tests.support.privacy_scenario import Scene

EXPORT = (
    "mutation($id: ID!) { subjectAccessExport(learnerId: $id) { download { url expiresAt } "
    "errors { code field message } } }"
)


async def export_of(scene: Scene, username: str = "master.admin", id: str | None = None) -> Any:
    async with scene.running.signed_in(username) as person:
        payload = (await person.data(EXPORT, id=id or scene.id))["subjectAccessExport"]
        if payload["download"] is None:
            return payload["errors"]
        response = await person.http.get(payload["download"]["url"])
    assert response.status_code == 200, response.text
    return response


async def test_everything_about_a_learner_is_in_the_export(reading: Scene) -> None:
    response = await export_of(reading)
    assert response.headers["content-type"] == "application/zip"
    disposition = response.headers["content-disposition"]
    assert disposition.startswith("attachment; filename=") and "Subject access" in disposition
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    tables = {
        name.removeprefix("data/").removesuffix(".json"): json.loads(archive.read(name))
        for name in archive.namelist()
        if name.startswith("data/")
    }
    async with reading.database.snapshot() as session:
        for table in Base.metadata.sorted_tables:
            if "learner_id" not in table.columns or table.name == "audit_event":
                continue
            theirs = select(func.count()).select_from(table).where(table.c.learner_id == reading.learner.id)
            count = await session.scalar(theirs)
            assert len(tables.get(table.name, [])) == count, table.name
    files = await reading.rows(File, File.learner_id == reading.learner.id)
    for file in files:
        stored = (reading.folder / "files" / file.storage_key).read_bytes()
        assert archive.read(f"files/{file.id} {file.name}") == stored
    (me,) = tables["user_account"]
    assert (me["name"], me["email"]) == (reading.user.name, reading.user.email)
    # In words: people by name, aims by title, files by their place in the archive.
    evidence = tables["evidence"][0]
    assert evidence["file"] in archive.namelist()
    assert isinstance(evidence["submittedBy"], str) and not evidence["submittedBy"].isdigit()
    assert {row["qualification"] for row in tables["aim"]} == {row["aim"] for row in tables["evidence"]} | {
        row["qualification"] for row in tables["aim"]
    }
    assert reading.user.name in archive.read("README.txt").decode()


async def test_the_export_holds_nothing_of_others_and_no_secret(reading: Scene) -> None:
    async with reading.running.signed_in("learner"):
        pass
    archive = zipfile.ZipFile(io.BytesIO((await export_of(reading)).content))
    said = "\n".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("data/"))
    async with reading.database.snapshot() as session:
        others = (await session.scalars(select(User).where(User.id != reading.user.id))).all()
        hashes = (await session.scalars(select(User.password_hash))).all()
    assert not [user.email for user in others if f'"{user.email}"' in said]
    assert not [hash_ for hash_ in hashes if hash_ in said]
    assert "passwordHash" not in said and "token" not in said.lower()
    # From where others acted is theirs.
    own = {row["actor"] for row in json.loads(archive.read("data/audit_event.json")) if row["address"]}
    assert own <= {reading.user.name}


async def test_who_may_ask_and_that_it_is_noted(reading: Scene) -> None:
    for who in ("learner", "assessor", "iqa", "employer.manager", "employer.overview", "basic.admin"):
        (error,) = await export_of(reading, who)
        assert error["code"] == "NOT_ALLOWED", who
    for id in (reading.id, "Learner_999999"):
        (error,) = await export_of(reading, "other.provider", id)
        assert (error["code"], error["field"]) == ("NOT_FOUND", ["learnerId"])
    before = len(await reading.rows(AuditEvent, AuditEvent.action == "subjectAccessExport"))
    await export_of(reading)
    lines = await reading.rows(AuditEvent, AuditEvent.action == "subjectAccessExport")
    assert len(lines) == before + 1 and lines[-1].learner_id == reading.learner.id


async def test_a_link_to_an_export_ends_with_the_sign_in(reading: Scene) -> None:
    async with reading.running.signed_in("master.admin") as master:
        url = (await master.data(EXPORT, id=reading.id))["subjectAccessExport"]["download"]["url"]
        token = master.tokens["refreshToken"]
        await master.data("mutation($t: String!) { logout(refreshToken: $t) { errors { code } } }", t=token)
        assert (await master.http.get(url)).status_code == 410
