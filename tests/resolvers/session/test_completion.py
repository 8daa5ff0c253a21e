"""Completed sessions log their time once, also under retries and concurrency; inductions start aims."""

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
from tests.support.factories import Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

ATTENDED, MISSED = {"attended": True}, {"attended": False}


async def planned(
    scenario: EmptyPortfolio,
    *aims: str,
    minutes: float = 90,
    starts_at: dt.datetime | None = None,
    type: SessionType = SessionType.GENERAL,
) -> str:
    """Adds a planned session of Ada and her assessor, which ended a day ago by default."""
    starts_at = starts_at or clock.now() - dt.timedelta(days=1)
    async with scenario.database.writing() as session:
        ada = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        about = [await session.get_one(Aim, ids.decode("Aim", aim)) for aim in aims]
        made = await Factory(session).session_of(ada, scenario.user("assessor"), starts_at, *about)
        made.ends_at, made.type = starts_at + dt.timedelta(minutes=minutes), type
    return ids.encode("Session", made.id)


async def wait_for_induction(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        for aim in (scenario.aim, scenario.other_aim):
            (await session.get_one(Aim, ids.decode("Aim", aim))).status = AimStatus.AWAITING_INDUCTION


async def statuses(scenario: EmptyPortfolio) -> list[AimStatus]:
    return [(await scenario.one(Aim, ids.decode("Aim", aim))).status for aim in (scenario.aim, scenario.other_aim)]


async def test_an_attended_session_logs_its_time(scenario: EmptyPortfolio) -> None:
    id, file_id = await planned(scenario, scenario.aim), await scenario.upload("assessor")
    outcome = {**ATTENDED, "feedback": "Went well", "fileIds": [file_id]}
    made = await scenario.client("assessor").mutate("sessionComplete", id=id, input=outcome)
    assert (made["status"], made["feedback"]) == ("ATTENDED", "Went well")
    assert [file["id"] for file in made["files"]] == [file_id]
    (entry,), (session,) = await scenario.rows(TimeLogEntry), await scenario.rows(Session)
    assert (entry.activity_type, entry.job_setting) == (ActivityType.FACE_TO_FACE_SESSION, JobSetting.OFF_THE_JOB)
    assert (entry.minutes, entry.date, entry.automatic) == (90, clock.day_of(session.starts_at), True)
    assert (entry.session_id, ids.encode("Aim", entry.aim_id)) == (session.id, scenario.aim)
    assert (entry.assessor_id, entry.comments) == (scenario.user("assessor").id, "Session 1 with Assessor.")
    assert session.completed_at is not None and await scenario.audit_trail() == ["sessionComplete"]


async def test_the_entry_has_the_london_day_and_the_sessions_single_aim(scenario: EmptyPortfolio) -> None:
    # 00:30 on 2 July in London.
    starts_at = dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC)
    id = await planned(scenario, scenario.aim, scenario.other_aim, starts_at=starts_at)
    await scenario.client("assessor").mutate("sessionComplete", id=id, input=ATTENDED)
    (entry,) = await scenario.rows(TimeLogEntry)
    assert (entry.date, entry.aim_id) == (dt.date(2026, 7, 2), None)


@pytest.mark.parametrize(("minutes", "logged"), [(0.5, 1), (1440, 1440)])
async def test_the_minutes_are_between_1_and_1440(scenario: EmptyPortfolio, minutes: float, logged: int) -> None:
    id = await planned(scenario, minutes=minutes, starts_at=clock.now() - dt.timedelta(days=3))
    await scenario.client("assessor").mutate("sessionComplete", id=id, input=ATTENDED)
    assert [entry.minutes for entry in await scenario.rows(TimeLogEntry)] == [logged]


async def test_a_missed_session_logs_no_time(scenario: EmptyPortfolio) -> None:
    id = await planned(scenario)
    assert (await scenario.client("basic").mutate("sessionComplete", id=id, input=MISSED))["status"] == "NOT_ATTENDED"
    assert await scenario.rows(TimeLogEntry) == []


async def test_the_same_outcome_changes_nothing_and_another_is_a_conflict(scenario: EmptyPortfolio) -> None:
    id = await planned(scenario)
    first = await scenario.client("assessor").mutate("sessionComplete", id=id, input=ATTENDED)
    again = await scenario.client("master").mutate("sessionComplete", id=id, input={**ATTENDED, "feedback": "Mine"})
    # An admin sees the learner's other aim too.
    assert {**again, "learner": first["learner"]} == first
    assert await scenario.client("assessor").user_errors("sessionComplete", id=id, input=MISSED) == {"id": "CONFLICT"}
    assert len(await scenario.rows(TimeLogEntry)) == 1 and await scenario.audit_trail() == ["sessionComplete"]
    missed = await planned(scenario)
    await scenario.client("assessor").mutate("sessionComplete", id=missed, input=MISSED)
    assert await scenario.client("assessor").user_errors("sessionComplete", id=missed, input=ATTENDED) == {
        "id": "CONFLICT"
    }
    called_off = await planned(scenario)
    await scenario.client("assessor").mutate("sessionCancel", id=called_off)
    assert await scenario.client("assessor").user_errors("sessionComplete", id=called_off, input=ATTENDED) == {
        "id": "CONFLICT"
    }
    assert len(await scenario.rows(TimeLogEntry)) == 1


async def test_twenty_concurrent_completions_make_one_entry(scenario: EmptyPortfolio) -> None:
    id = await planned(scenario, scenario.aim)
    whom = ("assessor", "basic", "master", "assessor")
    made = await asyncio.gather(
        *(scenario.client(whom[place % 4]).mutate("sessionComplete", id=id, input=ATTENDED) for place in range(20))
    )
    assert {one["status"] for one in made} == {"ATTENDED"}
    assert len(await scenario.rows(TimeLogEntry)) == 1 and await scenario.audit_trail() == ["sessionComplete"]


async def test_of_two_concurrent_outcomes_one_is_recorded(scenario: EmptyPortfolio) -> None:
    id = await planned(scenario)
    payloads = await asyncio.gather(
        *(
            scenario.client("assessor").payload("sessionComplete", id=id, input={"attended": bool(n % 2)})
            for n in range(10)
        )
    )
    kept = {one["session"]["status"] for one in payloads if one["session"]}
    assert len(kept) == 1 and sum(one["session"] is None for one in payloads) == 5
    assert len(await scenario.rows(TimeLogEntry)) == (1 if kept == {"ATTENDED"} else 0)


async def test_one_idempotency_key_completes_once(scenario: EmptyPortfolio) -> None:
    id = await planned(scenario)
    payloads = await asyncio.gather(
        *(
            scenario.client("assessor").payload("sessionComplete", idempotency_key="k", id=id, input=ATTENDED)
            for _ in range(10)
        )
    )
    assert all(one == payloads[0] for one in payloads) and payloads[0]["session"]["status"] == "ATTENDED"
    assert len(await scenario.rows(TimeLogEntry)) == 1


async def test_an_attended_induction_starts_its_aims(scenario: EmptyPortfolio) -> None:
    await wait_for_induction(scenario)
    id = await planned(scenario, scenario.aim, type=SessionType.INDUCTION)
    made = await scenario.client("assessor").mutate("sessionComplete", id=id, input=ATTENDED)
    assert [(aim["id"], aim["status"]) for aim in made["aims"]] == [(scenario.aim, "IN_TRAINING")]
    assert await statuses(scenario) == [AimStatus.IN_TRAINING, AimStatus.AWAITING_INDUCTION]


@pytest.mark.parametrize(
    ("who", "other"), [("assessor", AimStatus.AWAITING_INDUCTION), ("basic", AimStatus.IN_TRAINING)]
)
async def test_an_induction_without_aims_starts_those_the_viewer_sees(
    scenario: EmptyPortfolio, who: str, other: AimStatus
) -> None:
    await wait_for_induction(scenario)
    id = await planned(scenario, type=SessionType.INDUCTION)
    await scenario.client(who).mutate("sessionComplete", id=id, input=ATTENDED)
    assert await statuses(scenario) == [AimStatus.IN_TRAINING, other]


async def test_only_an_attended_induction_starts_an_aim(scenario: EmptyPortfolio) -> None:
    await wait_for_induction(scenario)
    for kind, outcome in ((SessionType.INDUCTION, MISSED), (SessionType.GENERAL, ATTENDED)):
        id = await planned(scenario, scenario.aim, type=kind)
        await scenario.client("assessor").mutate("sessionComplete", id=id, input=outcome)
    assert await statuses(scenario) == [AimStatus.AWAITING_INDUCTION] * 2
    # Another induction does not start a suspended aim.
    async with scenario.database.writing() as session:
        (await session.get_one(Aim, ids.decode("Aim", scenario.aim))).status = AimStatus.SUSPENDED
    id = await planned(scenario, scenario.aim, type=SessionType.INDUCTION)
    await scenario.client("assessor").mutate("sessionComplete", id=id, input=ATTENDED)
    assert (await statuses(scenario))[0] is AimStatus.SUSPENDED


@pytest.mark.parametrize("outcome", [ATTENDED, MISSED])
async def test_a_future_session_cannot_be_completed(scenario: EmptyPortfolio, outcome: dict[str, bool]) -> None:
    id = await planned(scenario, starts_at=clock.now() + dt.timedelta(minutes=5))
    assert await scenario.client("assessor").user_errors("sessionComplete", id=id, input=outcome) == {
        "input.attended": "INVALID"
    }
    begun = await planned(scenario, starts_at=clock.now() - dt.timedelta(seconds=1))
    await scenario.client("assessor").mutate("sessionComplete", id=begun, input=outcome)


async def test_a_session_must_fit_into_the_24_hours_of_its_day(scenario: EmptyPortfolio) -> None:
    starts_at = clock.now() - dt.timedelta(days=3)
    id = await planned(scenario, minutes=60, starts_at=starts_at)
    async with scenario.database.writing() as session:
        ada = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        entry = await Factory(session).time_log_entry(ada, scenario.user("learner"), 1381, date=clock.day_of(starts_at))
    assert await scenario.client("assessor").user_errors("sessionComplete", id=id, input=ATTENDED) == {"id": "CONFLICT"}
    async with scenario.database.writing() as session:
        (await session.get_one(TimeLogEntry, entry.id)).minutes = 1380
    await scenario.client("assessor").mutate("sessionComplete", id=id, input=ATTENDED)


async def test_files_of_another_aim_cannot_be_attached(scenario: EmptyPortfolio) -> None:
    id = await planned(scenario, scenario.aim)
    async with scenario.database.writing() as session:
        factory, by = Factory(session), scenario.user("basic")
        ada = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        other = await session.get_one(Aim, ids.decode("Aim", scenario.other_aim))
        files = [await factory.file(by, ada, other), await factory.file(by, ada)]
    elsewhere, loose = (ids.encode("File", file.id) for file in files)
    asked = {**ATTENDED, "fileIds": [loose, elsewhere]}
    assert await scenario.client("basic").user_errors("sessionComplete", id=id, input=asked) == {
        "input.fileIds.1": "INVALID"
    }
    await scenario.client("basic").mutate("sessionComplete", id=id, input={**ATTENDED, "fileIds": [loose]})
    assert [row.file_id for row in await scenario.rows(SessionFile)] == [files[1].id]
    assert (await scenario.one(File, files[1].id)).aim_id is None


async def test_roles_that_cannot_complete_a_session(scenario: EmptyPortfolio) -> None:
    id = await planned(scenario, scenario.aim)
    for who in ("learner", "iqa", "manager", "overview"):
        assert await scenario.client(who).user_errors("sessionComplete", id=id, input=ATTENDED) == {None: "NOT_ALLOWED"}
    for who in ("other_assessor", "colleague", "cy", "zoe", "foreign_assessor"):
        assert await scenario.client(who).user_errors("sessionComplete", id=id, input=ATTENDED) == {"id": "NOT_FOUND"}
    assert await scenario.client("assessor").user_errors("sessionComplete", id="Session_999", input=ATTENDED) == {
        "id": "NOT_FOUND"
    }
