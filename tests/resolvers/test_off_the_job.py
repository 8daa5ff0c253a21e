"""Off the job: logged as the guides say, counted as the rules say; agreed hours, policy, confirmations, revisions."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from db.models.aim import Aim
from db.models.qualification import Qualification
from db.models.time_log_entry import TimeLogEntry
from db.models.time_log_revision import TimeLogRevision
from domain import clock
from domain import global_id as ids
from domain.enums import SessionType
from services.importer.off_the_job_policy import HoursRule, read_hours, store_hours
from services.importer.problems import ImportRejected
from tests.support.cases import CASES
from tests.support.factories import DAY
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

TIME = """
fragment Time on OffTheJob {
  requiredMinutes expectedMinutes actualMinutes actualPercent loggedMinutes approvedMinutes plannedMinutes
  priorLearningMinutes lastLearningOn monthsWithoutLearning excluded { reason minutes }
  byMonth { month actualMinutes loggedMinutes }
  policy { startsFrom minimumHours floorHours source reference }
}
query($id: ID!) {
  viewer { kpis { offTheJob { ...Time } } }
  learner(id: $id) {
    offTheJob { ...Time } aims { id offTheJob { ...Time } }
    timeLog { nodes {
      id minutes exclusion employerConfirmedAt addedBy { name }
      revisions { changedBy { name } date minutes jobSetting activityType comments }
    } }
  }
}
"""


async def read(scenario: EmptyPortfolio, who: str = "assessor") -> dict[str, Any]:
    found = await scenario.client(who).data(TIME, id=scenario.ada)
    learner = found["learner"]
    aim = next((aim["offTheJob"] for aim in learner["aims"] if aim["id"] == scenario.aim), None)
    for each in (found["viewer"]["kpis"]["offTheJob"], *(aim["offTheJob"] for aim in learner["aims"])):
        for sum_of in ("actualMinutes", "loggedMinutes"):
            assert sum(month[sum_of] for month in each["byMonth"]) == each[sum_of]
    return {
        "kpis": found["viewer"]["kpis"]["offTheJob"], "learner": learner["offTheJob"], "aim": aim,
        "log": learner["timeLog"]["nodes"],
    }  # fmt: skip


def entry(scenario: EmptyPortfolio, minutes: int, days: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "learnerId": scenario.ada, "date": (clock.today() - days * DAY).isoformat(), "minutes": minutes,
        "activityType": "COACHING_OR_MENTORING", "aimId": scenario.aim, "comments": "Wheel building", **more,
    }  # fmt: skip


async def log(scenario: EmptyPortfolio, minutes: int, days: int = 1, who: str = "assessor", **more: Any) -> str:
    added = await scenario.client(who).mutate("timeLogEntryAdd", input=entry(scenario, minutes, days, **more))
    return added["id"]


async def start_on(scenario: EmptyPortfolio, days: int) -> None:
    """Corrects the start of the aim to so many days ago."""
    corrected = {"startDate": (clock.today() - days * DAY).isoformat(), "reason": "Typed wrong"}
    await scenario.client("master").mutate("aimUpdate", id=scenario.aim, input=corrected)


async def attended(scenario: EmptyPortfolio, type: SessionType, minutes: int) -> None:
    """Completes a session of yesterday as attended."""
    starts = clock.now() - dt.timedelta(days=1, hours=12 + list(SessionType).index(type) * 5)
    client = scenario.client("assessor")
    booked = await client.mutate(
        "sessionBook", input={
            "learnerId": scenario.ada, "type": type.value, "startsAt": starts.isoformat(),
            "endsAt": (starts + dt.timedelta(minutes=minutes)).isoformat(), "aimIds": [scenario.aim],
        },
    )  # fmt: skip
    await client.mutate("sessionComplete", id=booked["id"], input={"attended": True})


async def set_kind(scenario: EmptyPortfolio, kind: str, **columns: Any) -> None:
    async with scenario.database.writing() as session:
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        changing = update(Qualification).where(Qualification.id == aim.qualification_id)
        await session.execute(changing.values(kind=kind, **columns))


@pytest.mark.parametrize("case", CASES["off_the_job"], ids=[case["entry"] for case in CASES["off_the_job"]])
async def test_the_cases(scenario: EmptyPortfolio, case: dict[str, Any]) -> None:
    match case["entry"].split(", ")[0]:
        case "automatic":
            _, kind, minutes = case["entry"].split(", ")
            await attended(scenario, SessionType[kind], int(minutes.split()[0]))
        case "self study on the aim of a functional skill":
            await set_kind(scenario, "functional_skills")
            await log(scenario, 90, activityType="DISTANCE_LEARNING_OR_SELF_STUDY")
        case _:
            started = (clock.today() - 9 * DAY).isoformat()
            begin = {"aimIds": [scenario.aim], "startDate": started, "reason": "ILLNESS"}
            await scenario.client("assessor").mutate("breakBegin", input=begin)
            await log(scenario, 30)
    found = await read(scenario)
    [logged] = found["log"]
    assert (logged["minutes"], logged["exclusion"]) == (case["logged"], case["exclusion"])
    excluded = [{"reason": case["exclusion"], "minutes": case["logged"]}] if case["exclusion"] else []
    for owner in ("kpis", "learner", "aim"):
        time = found[owner]
        assert (time["loggedMinutes"], time["actualMinutes"], time["excluded"]) == (
            case["logged"], case["counts"], excluded,
        ), owner  # fmt: skip


async def test_exclusions_follow_every_change(scenario: EmptyPortfolio) -> None:
    client = scenario.client("assessor")
    id = await log(scenario, 60, days=20)

    async def exclusion() -> str | None:
        return (await read(scenario))["log"][0]["exclusion"]

    assert await exclusion() is None
    begin = {"aimIds": [scenario.aim], "startDate": (clock.today() - 25 * DAY).isoformat(), "reason": "OTHER"}
    await client.mutate("breakBegin", input=begin)
    assert await exclusion() == "ON_BREAK"
    found = await client.data("query($id: ID!) { aim(id: $id) { breaks { id } } }", id=scenario.aim)
    [each] = found["aim"]["breaks"]
    await client.mutate("breakEnd", id=each["id"], returnedOn=(clock.today() - 20 * DAY).isoformat())
    assert await exclusion() is None
    await client.mutate("timeLogEntryUpdate", id=id, input=entry(scenario, 60, days=21))
    assert await exclusion() == "ON_BREAK"
    # Time before the start is refused, but the start can be corrected afterwards.
    await start_on(scenario, 150)
    await client.mutate("timeLogEntryUpdate", id=id, input=entry(scenario, 60, days=101))
    assert await exclusion() is None
    await start_on(scenario, 100)
    assert await exclusion() == "BEFORE_START"
    await start_on(scenario, 150)
    assert await exclusion() is None
    ended = {"status": "COMPLETED", "actualEndDate": (clock.today() - 102 * DAY).isoformat()}
    await client.mutate("aimUpdate", id=scenario.aim, input=ended)
    assert await exclusion() == "AFTER_END"
    await client.mutate("aimUpdate", id=scenario.aim, input={"status": "IN_TRAINING"})
    await client.mutate("aimUpdate", id=scenario.aim, input={"status": "WITHDRAWN"})
    assert await exclusion() == "WITHDRAWN_AIM"
    on_the_job = entry(scenario, 60, days=101, jobSetting="ON_THE_JOB")
    await client.mutate("timeLogEntryUpdate", id=id, input=on_the_job)
    assert await exclusion() is None


async def test_agreed_hours_and_prior_learning(scenario: EmptyPortfolio) -> None:
    await set_kind(scenario, "standard", off_the_job_hours_minimum=300, reference="ST0001")
    provider = scenario.user("basic").provider_id
    rules = [
        HoursRule(None, dt.date(2010, 8, 1), 278, 0, "General rule"),
        HoursRule("ST0001", dt.date(2011, 8, 1), 300, 187, "The standard's own"),
        HoursRule("ST0001", clock.today() + DAY, 500, 187, "Not yet"),
    ]
    async with scenario.database.writing() as session:
        assert await store_hours(session, provider, rules) == 3
    async with scenario.database.writing() as session:
        assert await store_hours(session, provider, rules) == 0
    client = scenario.client("assessor")
    time = (await read(scenario))["aim"]
    assert (time["requiredMinutes"], time["plannedMinutes"], time["priorLearningMinutes"]) == (18_000, None, 0)
    assert time["policy"] == {
        "startsFrom": "2011-08-01", "minimumHours": 300, "floorHours": 187, "source": "The standard's own",
        "reference": "ST0001",
    }  # fmt: skip
    await client.mutate("hoursAgree", aimId=scenario.aim, plannedMinutes=24_000, priorLearningMinutes=6_000)
    found = await read(scenario)
    for owner in ("aim", "learner", "kpis"):
        time = found[owner]
        assert (time["requiredMinutes"], time["plannedMinutes"], time["priorLearningMinutes"]) == (
            12_000, 18_000, 6_000,
        ), owner  # fmt: skip
    assert found["learner"]["policy"]["minimumHours"] == 300 and found["kpis"]["policy"] is None
    # Prior learning never reduces the hours below the floor.
    await client.mutate("hoursAgree", aimId=scenario.aim, plannedMinutes=12_000, priorLearningMinutes=12_000)
    time = (await read(scenario))["aim"]
    assert (time["requiredMinutes"], time["plannedMinutes"]) == (187 * 60, 187 * 60)
    # The policy is that of the original start.
    original = {"originalStartDate": "2010-09-01"}
    await client.mutate("aimUpdate", id=scenario.aim, input=original)
    time = (await read(scenario))["aim"]
    assert (time["policy"]["source"], time["requiredMinutes"]) == ("General rule", 278 * 60 - 12_000)
    for wrong in ({"plannedMinutes": -1, "priorLearningMinutes": 0}, {"plannedMinutes": 1, "priorLearningMinutes": -1}):
        errors = await client.user_errors("hoursAgree", aimId=scenario.aim, **wrong)
        assert set(errors.values()) == {"INVALID"}


async def test_months_without_learning(scenario: EmptyPortfolio) -> None:
    today = clock.today()
    start = (today.replace(day=1) - 150 * DAY).replace(day=1)
    async with scenario.database.writing() as session:
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        aim.start_date, aim.planned_end_date = start, today + 100 * DAY
    months = []
    day = start
    while day < today.replace(day=1):
        months.append(day)
        day = (day + 31 * DAY).replace(day=1)
    await log(scenario, 60, days=(today - months[1]).days)
    # A review is no learning that counts; the third month is a break.
    found = (await read(scenario))["aim"]
    assert found["monthsWithoutLearning"] == [f"{each:%Y-%m}" for each in (months[0], *months[2:])]
    assert found["lastLearningOn"] == months[1].isoformat()
    assert found["byMonth"] == [{"month": f"{months[1]:%Y-%m}", "actualMinutes": 60, "loggedMinutes": 60}]
    begin = {"aimIds": [scenario.aim], "startDate": months[2].isoformat(), "reason": "ILLNESS"}
    await scenario.client("assessor").mutate("breakBegin", input=begin)
    query = "query($id: ID!) { aim(id: $id) { breaks { id } } }"
    [each] = (await scenario.client("assessor").data(query, id=scenario.aim))["aim"]["breaks"]
    await scenario.client("assessor").mutate("breakEnd", id=each["id"], returnedOn=months[3].isoformat())
    found = await read(scenario)
    assert found["aim"]["monthsWithoutLearning"] == [f"{each:%Y-%m}" for each in (months[0], *months[3:])]
    assert found["kpis"]["monthsWithoutLearning"] == []


async def test_the_employer_confirms_and_a_change_takes_that_back(scenario: EmptyPortfolio) -> None:
    id = await log(scenario, 60)
    manager = scenario.client("manager")
    await manager.mutate("timeLogEntryConfirm", ids=[id])
    first = (await scenario.one(TimeLogEntry, ids.decode("TimeLogEntry", id))).employer_confirmed_at
    await scenario.client("overview").mutate("timeLogEntryConfirm", ids=[id])
    row = await scenario.one(TimeLogEntry, ids.decode("TimeLogEntry", id))
    assert row.employer_confirmed_at == first and row.employer_confirmed_by_id == scenario.user("manager").id
    assert (await read(scenario, "manager"))["log"][0]["employerConfirmedAt"] is not None
    changed = entry(scenario, 45, jobSetting="ON_THE_JOB", comments="Wheel truing")
    await scenario.client("assessor").mutate("timeLogEntryUpdate", id=id, input=changed)
    [logged] = (await read(scenario, "manager"))["log"]
    assert logged["employerConfirmedAt"] is None
    assert logged["revisions"] == [
        {
            "changedBy": {"name": "Assessor"}, "date": (clock.today() - DAY).isoformat(), "minutes": 60,
            "jobSetting": "OFF_THE_JOB", "activityType": "COACHING_OR_MENTORING", "comments": "Wheel building",
        }
    ]  # fmt: skip
    await scenario.client("assessor").mutate("timeLogEntryUpdate", id=id, input=changed)
    assert len(await scenario.rows(TimeLogRevision)) == 1
    assert await scenario.client("colleague").user_errors("timeLogEntryConfirm", ids=[id]) == {"ids.0": "NOT_FOUND"}
    for who in ("learner", "assessor", "master"):
        assert await scenario.client(who).user_errors("timeLogEntryConfirm", ids=[id]) == {None: "NOT_ALLOWED"}
    assert await manager.user_errors("timeLogEntryConfirm", ids=[]) == {"ids": "REQUIRED"}


async def test_approved_minutes_are_those_that_count(scenario: EmptyPortfolio) -> None:
    await start_on(scenario, 150)
    good, early = await log(scenario, 60), await log(scenario, 30, days=101)
    await start_on(scenario, 100)
    await log(scenario, 15, days=2)
    await scenario.client("assessor").mutate("timeLogEntryApprove", ids=[good, early])
    time = (await read(scenario))["learner"]
    assert (time["loggedMinutes"], time["actualMinutes"], time["approvedMinutes"]) == (105, 75, 60)


def test_files_of_hours(tmp_path: Path) -> None:
    rules = tmp_path / "rules.csv"
    rules.write_text(
        "reference,startsFrom,minimumHours,floorHours,source\nST0499,2025-08-01,443,187,Published table\n"
        ",2015-01-01,278,,General\n"
    )
    expected = [
        HoursRule("ST0499", dt.date(2025, 8, 1), 443, 187, "Published table"),
        HoursRule(None, dt.date(2015, 1, 1), 278, 0, "General"),
    ]
    assert read_hours(rules) == expected
    document = [
        {"reference": "ST0499", "startsFrom": "2025-08-01", "minimumHours": 443, "floorHours": 187,
         "source": "Published table"},
        {"reference": None, "startsFrom": "2015-01-01", "minimumHours": 278, "source": "General"},
    ]  # fmt: skip
    (tmp_path / "rules.json").write_text(json.dumps(document))
    assert read_hours(tmp_path / "rules.json") == expected
    rules.write_text("reference,startsFrom,minimumHours,floorHours,source\nST1,soon,many,187,\nST1,soon,1,1,x\n")
    with pytest.raises(ImportRejected) as rejected:
        read_hours(rules)
    assert [problem.position for problem in rejected.value.problems] == [
        "line 2.source", "line 2.minimumHours", "line 2.startsFrom", "line 3.startsFrom",
    ]  # fmt: skip
