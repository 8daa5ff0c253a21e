"""Erasure on the demo, through the graph and as the operator: no word remains, and what is kept has no name."""

import datetime as dt
import json
import re
from typing import Any

import pytest
from sqlalchemy import select, text, update

from commands import privacy as commands_privacy
from db.database import Database
from db.models.aim import Aim
from db.models.audit_event import AuditEvent
from db.models.auth_session import AuthSession
from db.models.file import File
from db.models.outbox import OutboxMail
from db.models.personal_data import DataSubject, ErasedInCode, erased_name, personal_columns
from db.models.provider import Provider
from db.models.registry import mapped_classes
from db.models.user import User
from domain import clock
from domain.enums import AimStatus
from services.audit.verify import find_problems
from services.privacy.retention import learners_past_retention, years_after
from services.storage.file_store import open_store
from tests.support.factories import Factory
from tests.support.personal_marks import mark
from tests.support.privacy_scenario import Scene

ERASE = (
    "mutation($id: ID!, $name: String!) { learnerErase(id: $id, confirmName: $name) { learner { id name uln "
    "employer { id } photo { id } managers { id } aims { status } } errors { code field message } } }"
)
MARK = "Zebedee"


async def marked_learner(scene: Scene) -> tuple[DataSubject, list[str]]:
    """Marks everything about the learner. Returns how erasure finds the rows, and the marked columns."""
    subject = DataSubject(scene.learner.id, scene.user.id, scene.user.provider_id, MARK, MARK)
    async with scene.database.writing() as session:
        await session.execute(update(User).where(User.id == scene.user.id).values(email=MARK, username=MARK))
        return subject, await mark(session, subject, MARK)


async def test_nothing_of_an_erased_learner_remains(scene: Scene) -> None:
    """Every column that can hold a learner's words is marked, their name too; afterwards the marks are nowhere."""
    subject, marked = await marked_learner(scene)
    async with scene.database.writing() as session:
        for number, (reply_to, words, sent) in enumerate(
            [(None, f"about {MARK}.", clock.now()), (None, f"{MARK}: ready", None), (MARK, "mine", clock.now()),
             (None, f"{MARK}son is another", None)]
        ):  # fmt: skip
            session.add(
                OutboxMail(
                    provider_id=subject.provider_key, kind="message", to_address="boss@example.org", reply_to=reply_to,
                    subject=f"{number}", body=words, created_at=clock.now(), due_at=clock.now() + dt.timedelta(days=1),
                    sent_at=sent, last_error=f"to {MARK}",
                )
            )  # fmt: skip
    assert {"evidence.title", "unit_signature.statement", "user_account.sort_name", "cv_section.text"} < set(marked)
    before = await scene.dump()
    assert before.count(MARK) > 50
    paths = [scene.folder / "files" / file.storage_key for file in await scene.rows(File, File.rows_about(subject))]
    assert paths and all(path.exists() for path in paths)
    async with scene.running.signed_in("master.admin") as master:
        answer = (await master.data(ERASE, id=scene.id, name=MARK))["learnerErase"]
    assert answer["errors"] == []
    shown = answer["learner"]
    assert (shown["name"], shown["uln"], shown["employer"], shown["photo"], shown["managers"]) == (
        erased_name(scene.learner.id), None, None, None, []
    )  # fmt: skip
    after = await scene.dump()
    # A mail about a name that only begins with the learner's is kept.
    (kept,) = [line for line in after.splitlines() if f"{MARK}son is another" in line]
    after = after.replace(kept, "")
    assert MARK.lower() not in after.lower(), next(line for line in after.splitlines() if MARK.lower() in line.lower())
    assert not any(path.exists() for path in paths)


async def test_each_column_and_row_is_what_its_table_declares(scene: Scene) -> None:
    """Also the columns that hold no text: moments, and references to what erasure deletes."""
    subject, _ = await marked_learner(scene)
    async with scene.running.signed_in("master.admin") as master:
        await master.data(ERASE, id=scene.id, name=MARK)
    compared = 0
    async with scene.database.snapshot() as session:
        for entity in mapped_classes():
            about = entity.rows_about(subject)
            if about is None:
                continue
            rows = (await session.execute(select(entity.__table__).where(about))).mappings().all()
            assert not (entity.__learner_rows__.deleted and rows), entity.__name__
            for column, declared in personal_columns(entity.__table__):
                if rows and not isinstance(declared.erased, ErasedInCode):
                    expected = {declared.value_for(scene.learner.id)} | ({None} if column.nullable else set())
                    assert {row[column.name] for row in rows} <= expected, f"{entity.__name__}.{column.name}"
                    compared += 1
    assert compared > 20


async def test_what_the_law_needs_is_kept_without_a_name(scene: Scene) -> None:
    kept = ("aim_progress", "criterion_progress", "evidence_mapping")
    numbers = {
        "evidence_signature": "id, evidence_id, version_number, role, signed_by_id, signed_at, file_sha256",
        "signature_slot": "id, request_id, role, signed_by_id, signed_at, document_sha256",
        "unit_signature": "id, aim_id, unit_id, role, signed_by_id, signed_at, content_sha256, withdrawn_at",
        "time_log_entry": "id, date, minutes, job_setting, activity_type, approved_by_id, approved_at",
        "evidence": "id, aim_id, status, submitted_by_id, submitted_at, assessed_by_id, assessed_at",
        "evidence_version": "id, evidence_id, number, submitted_at",
        "file": "id, size, sha256, uploaded_at",
        "aim": "id, qualification_id, start_date, planned_end_date, assessor_id, iqa_id",
        "audit_event": "id, sequence, hash",
    }

    async def facts() -> dict[str, list[Any]]:
        found = {}
        async with scene.database.snapshot() as session:
            for table, columns in {**dict.fromkeys(kept, "*"), **numbers}.items():
                asked = f"select {columns} from {table} where learner_id = {scene.learner.id} order by 1, 2"
                found[table] = [tuple(row) for row in await session.execute(text(asked))]
        return found

    before = await facts()
    async with scene.running.signed_in("master.admin") as master:
        assert (await master.data(ERASE, id=scene.id, name=scene.user.name))["learnerErase"]["errors"] == []
    after = await facts()
    # The trail has one line more: who erased whom, by number.
    (line,) = [row for row in after.pop("audit_event") if row not in before["audit_event"]]
    del before["audit_event"]
    assert {table: len(rows) for table, rows in before.items() if not rows} == {}
    assert after == before
    (event,) = await scene.rows(AuditEvent, AuditEvent.id == line[0])
    assert (event.action, event.subject_key) == ("learnerErase", scene.learner.id)
    assert scene.user.name not in json.dumps(event.detail)
    aims = await scene.rows(Aim, Aim.learner_id == scene.learner.id)
    assert {aim.status for aim in aims} <= {AimStatus.WITHDRAWN, AimStatus.COMPLETED}
    assert all(aim.actual_end_date for aim in aims)
    # No column that is declared free of personal data had the learner's.
    left = (await scene.dump()).lower()
    assert [word for word in (scene.user.name, scene.user.email) if word.lower() in left] == []
    # Everybody else is as they were; the chain, the sums, the signatures and the files are whole.
    assert [problem async for problem in find_problems(scene.database, open_store(scene.folder / "files"))] == []
    others = await scene.rows(User, User.id != scene.user.id, User.name.like("Erased%"))
    assert others == []


async def test_an_erased_learner_is_out_at_once_and_an_admin_sees_a_number(scene: Scene) -> None:
    async with (
        scene.running.signed_in("learner") as ada,
        scene.running.signed_in("employer.manager") as manager,
        scene.running.signed_in("master.admin") as master,
    ):
        seen = "query($id: ID!) { learner(id: $id) { name evidence(first: 5) { nodes { title } } } }"
        assert (await manager.data(seen, id=scene.id))["learner"]["name"] == scene.user.name
        await master.data(ERASE, id=scene.id, name=scene.user.name)
        assert (await ada.response("{ viewer { user { name } } }"))["errors"][0]["extensions"][
            "code"
        ] == "UNAUTHENTICATED"
        assert (await manager.data(seen, id=scene.id))["learner"] is None
        learner = (await master.data(seen, id=scene.id))["learner"]
        assert learner["name"] == erased_name(scene.learner.id)
        assert {one["title"] for one in learner["evidence"]["nodes"]} == {"(erased)"}
        # A second erasure, with any name, changes nothing and adds no line to the audit trail.
        assert (await master.data(ERASE, id=scene.id, name="x"))["learnerErase"]["errors"] == []
    lines = await scene.rows(AuditEvent, AuditEvent.action == "learnerErase")
    assert len(lines) == 1
    async with scene.running.anonymous() as stranger:
        answer = await stranger.data(
            'mutation { login(input: { username: "learner", password: "waymark-demo" }) { errors { code } } }'
        )
        assert answer["login"]["errors"] != []
    assert await scene.rows(AuthSession, AuthSession.user_id == scene.user.id) == []


async def test_who_may_not_erase_and_what_is_refused(reading: Scene) -> None:
    name = reading.user.name
    before = await reading.dump()

    async def refused(username: str, id: str, by: str) -> tuple[str, Any]:
        async with reading.running.signed_in(username) as person:
            payload = (await person.data(ERASE, id=id, name=by))["learnerErase"]
        assert payload["learner"] is None
        (error,) = payload["errors"]
        return error["code"], error["field"]

    for who in ("learner", "assessor", "iqa", "employer.manager", "employer.overview", "basic.admin"):
        assert await refused(who, reading.id, name) == ("NOT_ALLOWED", None), who
    for id in (reading.id, "Learner_999999", "Aim_1", "x"):
        assert await refused("other.provider", id, name) == ("NOT_FOUND", ["id"])
    assert await refused("master.admin", reading.id, name.upper()) == ("INVALID", ["confirmName"])
    after = await reading.dump()
    kept = re.compile(r"^(evidence|learner|aim|file|cv_section|outbox_mail) ", re.MULTILINE)
    # The learner has signed in, which is a change of the record.
    moved = re.compile(r"(?<=None, None, )datetime\.datetime\([^()]*\)(?=, \d+\)$)")
    # PostgreSQL gives rows that were written again last.
    assert sorted(moved.sub("", line) for line in after.splitlines() if kept.match(line)) == sorted(
        moved.sub("", line) for line in before.splitlines() if kept.match(line)
    )


# ---------------------------------------------------------------- retention


async def test_who_is_due(database: Database) -> None:
    today = dt.date(2026, 11, 21)
    async with database.writing() as session:
        factory = Factory(session)
        keeps, forever = await factory.provider("Keeps", retention_years=6), await factory.provider("Forever")

        async def ended(
            provider: Provider, name: str, *ends: dt.date | None, status: Any = AimStatus.COMPLETED
        ) -> None:
            learner = await factory.learner(provider, name)
            for end in ends:
                await factory.aim(
                    learner, status=status if end else AimStatus.IN_TRAINING, actual_end_date=end,
                    start_date=dt.date(2015, 1, 1), planned_end_date=dt.date(2016, 1, 1),
                )  # fmt: skip

        await ended(keeps, "Day before", dt.date(2020, 11, 20))
        await ended(keeps, "To the day", dt.date(2020, 11, 21))
        await ended(keeps, "Withdrawn", dt.date(2019, 2, 28), status=AimStatus.WITHDRAWN)
        await ended(keeps, "Still learning", dt.date(2010, 1, 1), None)
        await ended(keeps, "Last one counts", dt.date(2010, 1, 1), dt.date(2024, 1, 1))
        await ended(keeps, "No aim yet")
        await ended(forever, "Kept for ever", dt.date(2000, 1, 1))
    async with database.snapshot() as session:
        due = await learners_past_retention(session, today)
        assert [one.name for one in due] == ["Withdrawn", "Day before"]
        assert await learners_past_retention(session, today, forever.id) == []
    assert years_after(dt.date(2020, 2, 29), 6) == dt.date(2026, 2, 28)


@pytest.mark.long
async def test_the_command_erases_who_is_due(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    async with scene.database.writing() as session:
        provider = await session.get_one(Provider, scene.learner.provider_id)
        provider.retention_years = 1
        long_ago = dt.date(2001, 1, 1)
        values = {
            "status": AimStatus.COMPLETED,
            "start_date": long_ago,
            "planned_end_date": long_ago,
            "actual_end_date": long_ago,
        }
        await session.execute(update(Aim).where(Aim.learner_id == scene.learner.id).values(values))
    store = open_store(scene.folder / "files")
    async with scene.database.snapshot() as session:
        (due, *rest) = await learners_past_retention(session, clock.today())
    assert due.learner_key == scene.learner.id
    assert await commands_privacy.erase_as_operator(scene.database, store, due.learner_key) is None
    async with scene.database.snapshot() as session:
        assert await learners_past_retention(session, clock.today()) == rest
    (event,) = await scene.rows(AuditEvent, AuditEvent.action == "learnerErase")
    assert (event.actor_id, event.role) == (None, None)
    assert [problem async for problem in find_problems(scene.database, store)] == []


async def test_somebody_with_another_role_stays(scene: Scene) -> None:
    async with scene.database.writing() as session:
        await session.execute(
            text("update role_grant set user_id = :user where role = 'BASIC_ADMIN' and provider_id = :provider and id "
                 "= (select min(id) from role_grant where role = 'BASIC_ADMIN')"),
            {"user": scene.user.id, "provider": scene.learner.provider_id},
        )  # fmt: skip
    async with scene.running.signed_in("master.admin") as master:
        payload = (await master.data(ERASE, id=scene.id, name=scene.user.name))["learnerErase"]
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [("CONFLICT", ["id"])]
    store = open_store(scene.folder / "files")
    assert await commands_privacy.erase_as_operator(scene.database, store, scene.learner.id) == "BASIC_ADMIN"
