"""A completed session: one automatic entry under retries and races, inductions begin aims, feedback and files."""

import asyncio
import datetime as dt

import pytest

from db.models.aim import Aim
from db.models.file import File
from db.models.learner import Learner
from db.models.session import Session, SessionFile
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain import global_id as ids
from domain.enums import ActivityType, AimStatus, JobSetting, SessionType
from tests.support.mutation_documents import ask, done, faults
from tests.support.scenarios import Stage
from tests.support.factories import Factory

ATTENDED, MISSED = {"attended": True}, {"attended": False}


async def planned(
    stage: Stage,
    *aims: str,
    minutes: float = 90,
    starts_at: dt.datetime | None = None,
    type: SessionType = SessionType.GENERAL,
) -> str:
    """A planned session of Ada's with her assessor, that ended a day ago unless it says when it starts."""
    starts_at = starts_at or clock.now() - dt.timedelta(days=1)
    async with stage.database.writing() as session:
        ada = await session.get_one(Learner, ids.decode("Learner", stage.ada))
        about = [await session.get_one(Aim, ids.decode("Aim", aim)) for aim in aims]
        made = await Factory(session).session_of(ada, stage.user("assessor"), starts_at, *about)
        made.ends_at, made.type = starts_at + dt.timedelta(minutes=minutes), type
    return ids.encode("Session", made.id)


async def wait_for_induction(stage: Stage) -> None:
    async with stage.database.writing() as session:
        for aim in (stage.aim, stage.other_aim):
            (await session.get_one(Aim, ids.decode("Aim", aim))).status = AimStatus.AWAITING_INDUCTION


async def statuses(stage: Stage) -> list[AimStatus]:
    return [(await stage.one(Aim, ids.decode("Aim", aim))).status for aim in (stage.aim, stage.other_aim)]


async def test_an_attended_session_logs_its_time(stage: Stage) -> None:
    id, file_id = await planned(stage, stage.aim), await stage.upload("assessor")
    outcome = {**ATTENDED, "feedback": "Went well", "fileIds": [file_id]}
    made = await done(stage, "assessor", "sessionComplete", id=id, input=outcome)
    assert (made["status"], made["feedback"]) == ("ATTENDED", "Went well")
    assert [file["id"] for file in made["files"]] == [file_id]
    (entry,), (session,) = await stage.rows(TimeLogEntry), await stage.rows(Session)
    assert (entry.activity_type, entry.job_setting) == (ActivityType.FACE_TO_FACE_SESSION, JobSetting.OFF_THE_JOB)
    assert (entry.minutes, entry.date, entry.automatic) == (90, clock.day_of(session.starts_at), True)
    assert (entry.session_id, ids.encode("Aim", entry.aim_id)) == (session.id, stage.aim)
    assert (entry.assessor_id, entry.comments) == (stage.user("assessor").id, "Session 1 with Assessor.")
    assert session.completed_at is not None and await stage.trail() == ["sessionComplete"]


async def test_the_day_is_london_s_and_the_aim_is_the_only_one(stage: Stage) -> None:
    # Half past midnight of the second of July in London.
    starts_at = dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC)
    id = await planned(stage, stage.aim, stage.other_aim, starts_at=starts_at)
    await done(stage, "assessor", "sessionComplete", id=id, input=ATTENDED)
    (entry,) = await stage.rows(TimeLogEntry)
    assert (entry.date, entry.aim_id) == (dt.date(2026, 7, 2), None)


@pytest.mark.parametrize(("minutes", "logged"), [(0.5, 1), (1440, 1440)])
async def test_the_minutes_are_those_of_a_day(stage: Stage, minutes: float, logged: int) -> None:
    id = await planned(stage, minutes=minutes, starts_at=clock.now() - dt.timedelta(days=3))
    await done(stage, "assessor", "sessionComplete", id=id, input=ATTENDED)
    assert [entry.minutes for entry in await stage.rows(TimeLogEntry)] == [logged]


async def test_who_was_not_there_learned_nothing(stage: Stage) -> None:
    id = await planned(stage)
    assert (await done(stage, "basic", "sessionComplete", id=id, input=MISSED))["status"] == "NOT_ATTENDED"
    assert await stage.rows(TimeLogEntry) == []


async def test_completing_again_changes_nothing_and_otherwise_is_a_conflict(stage: Stage) -> None:
    id = await planned(stage)
    first = await done(stage, "assessor", "sessionComplete", id=id, input=ATTENDED)
    assert await done(stage, "master", "sessionComplete", id=id, input={**ATTENDED, "feedback": "Mine"}) == first
    assert await faults(stage, "assessor", "sessionComplete", id=id, input=MISSED) == {"id": "CONFLICT"}
    assert len(await stage.rows(TimeLogEntry)) == 1 and await stage.trail() == ["sessionComplete"]
    missed = await planned(stage)
    await done(stage, "assessor", "sessionComplete", id=missed, input=MISSED)
    assert await faults(stage, "assessor", "sessionComplete", id=missed, input=ATTENDED) == {"id": "CONFLICT"}
    called_off = await planned(stage)
    await done(stage, "assessor", "sessionCancel", id=called_off)
    assert await faults(stage, "assessor", "sessionComplete", id=called_off, input=ATTENDED) == {"id": "CONFLICT"}
    assert len(await stage.rows(TimeLogEntry)) == 1


async def test_twenty_who_complete_at_once_make_one_entry(stage: Stage) -> None:
    id = await planned(stage, stage.aim)
    whom = ("assessor", "basic", "master", "assessor")
    made = await asyncio.gather(
        *(done(stage, whom[place % 4], "sessionComplete", id=id, input=ATTENDED) for place in range(20))
    )
    assert {one["status"] for one in made} == {"ATTENDED"}
    assert len(await stage.rows(TimeLogEntry)) == 1 and await stage.trail() == ["sessionComplete"]


async def test_of_two_outcomes_at_once_one_stands(stage: Stage) -> None:
    id = await planned(stage)
    payloads = await asyncio.gather(
        *(ask(stage, "assessor", "sessionComplete", id=id, input={"attended": bool(n % 2)}) for n in range(10))
    )
    kept = {one["session"]["status"] for one in payloads if one["session"]}
    assert len(kept) == 1 and sum(one["session"] is None for one in payloads) == 5
    assert len(await stage.rows(TimeLogEntry)) == (1 if kept == {"ATTENDED"} else 0)


async def test_one_key_completes_once_however_often_it_is_sent(stage: Stage) -> None:
    id = await planned(stage)
    payloads = await asyncio.gather(
        *(ask(stage, "assessor", "sessionComplete", key="k", id=id, input=ATTENDED) for _ in range(10))
    )
    assert all(one == payloads[0] for one in payloads) and payloads[0]["session"]["status"] == "ATTENDED"
    assert len(await stage.rows(TimeLogEntry)) == 1


async def test_an_attended_induction_begins_the_aims_it_is_about(stage: Stage) -> None:
    await wait_for_induction(stage)
    id = await planned(stage, stage.aim, type=SessionType.INDUCTION)
    made = await done(stage, "assessor", "sessionComplete", id=id, input=ATTENDED)
    assert made["aims"] == [{"id": stage.aim, "status": "IN_TRAINING"}]
    assert await statuses(stage) == [AimStatus.IN_TRAINING, AimStatus.AWAITING_INDUCTION]


@pytest.mark.parametrize(
    ("who", "other"), [("assessor", AimStatus.AWAITING_INDUCTION), ("basic", AimStatus.IN_TRAINING)]
)
async def test_an_induction_about_no_aim_begins_those_the_viewer_sees(stage: Stage, who: str, other: AimStatus) -> None:
    await wait_for_induction(stage)
    id = await planned(stage, type=SessionType.INDUCTION)
    await done(stage, who, "sessionComplete", id=id, input=ATTENDED)
    assert await statuses(stage) == [AimStatus.IN_TRAINING, other]


async def test_only_an_attended_induction_begins_an_aim(stage: Stage) -> None:
    await wait_for_induction(stage)
    for kind, outcome in ((SessionType.INDUCTION, MISSED), (SessionType.GENERAL, ATTENDED)):
        id = await planned(stage, stage.aim, type=kind)
        await done(stage, "assessor", "sessionComplete", id=id, input=outcome)
    assert await statuses(stage) == [AimStatus.AWAITING_INDUCTION] * 2
    # A suspended aim is not begun again by another induction.
    async with stage.database.writing() as session:
        (await session.get_one(Aim, ids.decode("Aim", stage.aim))).status = AimStatus.SUSPENDED
    id = await planned(stage, stage.aim, type=SessionType.INDUCTION)
    await done(stage, "assessor", "sessionComplete", id=id, input=ATTENDED)
    assert (await statuses(stage))[0] is AimStatus.SUSPENDED


@pytest.mark.parametrize("outcome", [ATTENDED, MISSED])
async def test_a_session_to_come_is_not_completed(stage: Stage, outcome: dict[str, bool]) -> None:
    id = await planned(stage, starts_at=clock.now() + dt.timedelta(minutes=5))
    assert await faults(stage, "assessor", "sessionComplete", id=id, input=outcome) == {"input.attended": "INVALID"}
    begun = await planned(stage, starts_at=clock.now() - dt.timedelta(seconds=1))
    await done(stage, "assessor", "sessionComplete", id=begun, input=outcome)


async def test_a_day_that_is_full_has_no_room_for_a_session(stage: Stage) -> None:
    starts_at = clock.now() - dt.timedelta(days=3)
    id = await planned(stage, minutes=60, starts_at=starts_at)
    async with stage.database.writing() as session:
        ada = await session.get_one(Learner, ids.decode("Learner", stage.ada))
        entry = await Factory(session).time_log_entry(ada, stage.user("learner"), 1381, date=clock.day_of(starts_at))
    assert await faults(stage, "assessor", "sessionComplete", id=id, input=ATTENDED) == {"id": "CONFLICT"}
    async with stage.database.writing() as session:
        (await session.get_one(TimeLogEntry, entry.id)).minutes = 1380
    await done(stage, "assessor", "sessionComplete", id=id, input=ATTENDED)


async def test_files_of_another_component_stay_there(stage: Stage) -> None:
    id = await planned(stage, stage.aim)
    async with stage.database.writing() as session:
        factory, by = Factory(session), stage.user("basic")
        ada = await session.get_one(Learner, ids.decode("Learner", stage.ada))
        other = await session.get_one(Aim, ids.decode("Aim", stage.other_aim))
        files = [await factory.file(by, ada, other), await factory.file(by, ada)]
    elsewhere, loose = (ids.encode("File", file.id) for file in files)
    asked = {**ATTENDED, "fileIds": [loose, elsewhere]}
    assert await faults(stage, "basic", "sessionComplete", id=id, input=asked) == {"input.fileIds.1": "INVALID"}
    await done(stage, "basic", "sessionComplete", id=id, input={**ATTENDED, "fileIds": [loose]})
    assert [row.file_id for row in await stage.rows(SessionFile)] == [files[1].id]
    assert (await stage.one(File, files[1].id)).aim_id is None


async def test_who_sees_a_session_and_may_not_complete_it(stage: Stage) -> None:
    id = await planned(stage, stage.aim)
    for who in ("learner", "iqa", "manager", "overview"):
        assert await faults(stage, who, "sessionComplete", id=id, input=ATTENDED) == {None: "NOT_ALLOWED"}
    for who in ("other_assessor", "colleague", "cy", "zoe", "foreign_assessor"):
        assert await faults(stage, who, "sessionComplete", id=id, input=ATTENDED) == {"id": "NOT_FOUND"}
    assert await faults(stage, "assessor", "sessionComplete", id="Session_999", input=ATTENDED) == {"id": "NOT_FOUND"}
