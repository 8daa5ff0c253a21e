"""Time log entries are added, changed, deleted and approved; a day has up to 24 hours."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from db.models.aim import Aim
from db.models.audit_event import AuditEvent
from db.models.learner import Learner
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain import global_id as ids
from tests.support.factories import Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


def day(ago: int = 0) -> str:
    return (clock.today() - dt.timedelta(days=ago)).isoformat()


def entry(learner: str, minutes: int = 60, **changes: Any) -> dict[str, Any]:
    words = {"date": day(), "activityType": "COACHING_OR_MENTORING", "comments": "Watched a wheel being trued"}
    return {"learnerId": learner, "minutes": minutes, **words, **changes}


async def add(scenario: EmptyPortfolio, who: str = "learner", minutes: int = 60, **changes: Any) -> dict[str, Any]:
    return await scenario.client(who).mutate("timeLogEntryAdd", input=entry(scenario.ada, minutes, **changes))


async def automatic(scenario: EmptyPortfolio) -> str:
    """Adds the automatic entry of an attended session of Ada today."""
    async with scenario.database.writing() as session:
        factory = Factory(session)
        ada = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        made = await factory.session_of(ada, scenario.user("assessor"), clock.now())
        logged = await factory.time_log_entry(ada, scenario.user("assessor"), 60, automatic=True, session_id=made.id)
    return ids.encode("TimeLogEntry", logged.id)


async def test_time_is_logged(scenario: EmptyPortfolio) -> None:
    assessor = ids.encode("User", scenario.user("assessor").id)
    made = await add(
        scenario, minutes=1, aimId=scenario.aim, unitId=scenario.units[0], assessorId=assessor, comments=" Trued "
    )
    assert (made["minutes"], made["comments"], made["jobSetting"]) == (1, "Trued", "OFF_THE_JOB")
    assert (made["aim"]["id"], made["unit"]["id"]) == (scenario.aim, scenario.units[0])
    assert made["assessor"]["name"] == "Assessor"
    assert made["automatic"] is False and made["approvedAt"] is None
    # The payload has the new sums.
    assert made["learner"]["offTheJob"]["actualMinutes"] == 1
    made = await add(scenario, activityType="REVIEW_FEEDBACK_OR_SUPPORT")
    assert (made["jobSetting"], made["aim"], made["unit"], made["assessor"]) == ("ON_THE_JOB", None, None, None)
    made = await add(scenario, activityType="REVIEW_FEEDBACK_OR_SUPPORT", jobSetting="OFF_THE_JOB")
    assert made["jobSetting"] == "OFF_THE_JOB"
    line = (await scenario.rows(AuditEvent))[0]
    assert (line.action, line.subject_type) == ("timeLogEntryAdd", "TimeLogEntry") and "Trued" not in str(line.detail)


async def test_a_unit_sets_its_aim(scenario: EmptyPortfolio) -> None:
    made = await add(scenario, unitId=scenario.units[1])
    assert (made["aim"]["id"], made["unit"]["id"]) == (scenario.aim, scenario.units[1])


async def test_all_errors_are_reported_together(scenario: EmptyPortfolio) -> None:
    asked = entry(
        scenario.ada, 0, date=day(-1), comments=" ", aimId=scenario.other_aim, unitId=scenario.units[0],
        assessorId=ids.encode("User", scenario.user("master").id),
    )  # fmt: skip
    assert await scenario.client("learner").user_errors("timeLogEntryAdd", input=asked) == {
        "input.comments": "REQUIRED",
        "input.minutes": "INVALID",
        "input.date": "INVALID",
        "input.unitId": "INVALID",
        "input.assessorId": "INVALID",
    }
    assert await scenario.rows(TimeLogEntry) == []


async def test_records_of_another_provider_and_unknown_ids_are_not_found(scenario: EmptyPortfolio) -> None:
    aim = ids.decode("Aim", scenario.aim)
    for field, id in (
        ("learnerId", scenario.cy), ("learnerId", "Learner_999"), ("aimId", scenario.cys_aim),
        ("aimId", scenario.foreign_aim), ("aimId", "Aim_999"),
        ("unitId", f"Unit_999.{scenario.units[0].split('.')[1]}"), ("unitId", f"Unit_{aim}.999"),
        ("unitId", scenario.other_criterion.replace("Criterion", "Unit")), ("unitId", "Unit_1"),
        ("assessorId", "User_999"), ("assessorId", ids.encode("User", scenario.user("foreign_assessor").id)),
    ):  # fmt: skip
        asked = entry(scenario.ada, **{field: id})
        found = await scenario.client("learner").user_errors("timeLogEntryAdd", input=asked)
        assert found == {f"input.{field}": "NOT_FOUND"}, id
    # The unit belongs to an aim that the assessor does not see.
    async with scenario.database.writing() as session:
        other = await session.get_one(Aim, ids.decode("Aim", scenario.other_aim))
    unit = f"Unit_{other.id}.{scenario.units[0].split('.')[1]}"
    for id in (unit, "Unit_999.1", "Unit_999.999"):
        asked = entry(scenario.ada, aimId=scenario.aim, unitId=id)
        assert await scenario.client("assessor").user_errors("timeLogEntryAdd", input=asked) == {
            "input.unitId": "NOT_FOUND"
        }
    asked = entry(scenario.ada, aimId=scenario.cys_aim)
    assert await scenario.client("master").user_errors("timeLogEntryAdd", input=asked) == {"input.aimId": "INVALID"}


async def test_a_day_has_24_hours(scenario: EmptyPortfolio) -> None:
    await add(scenario, minutes=1000)
    await automatic(scenario)
    full = {"input.minutes": "INVALID"}
    for who in ("learner", "assessor"):
        assert await scenario.client(who).user_errors("timeLogEntryAdd", input=entry(scenario.ada, 381)) == full
    assert await scenario.client("learner").user_errors("timeLogEntryAdd", input=entry(scenario.ada, 1441)) == full
    last = await add(scenario, minutes=380)
    await add(scenario, minutes=1440, date=day(1))
    asked = entry(scenario.ada, 380)
    await scenario.client("learner").mutate("timeLogEntryUpdate", id=last["id"], input=asked)
    assert (
        await scenario.client("learner").user_errors(
            "timeLogEntryUpdate", id=last["id"], input={**asked, "minutes": 381}
        )
        == full
    )
    assert (
        await scenario.client("learner").user_errors(
            "timeLogEntryUpdate", id=last["id"], input={**asked, "date": day(1)}
        )
        == full
    )


async def test_concurrent_entries_of_a_day_do_not_exceed_24_hours(scenario: EmptyPortfolio) -> None:
    whom = ("learner", "assessor", "basic")
    payloads = await asyncio.gather(
        *(
            scenario.client(whom[place % 3]).payload("timeLogEntryAdd", input=entry(scenario.ada, 400))
            for place in range(12)
        )
    )
    assert sum(one["timeLogEntry"] is not None for one in payloads) == 3
    assert sum(made.minutes for made in await scenario.rows(TimeLogEntry)) == 1200


async def test_an_update_replaces_every_field(scenario: EmptyPortfolio) -> None:
    made = await add(scenario, aimId=scenario.aim, unitId=scenario.units[0], jobSetting="ON_THE_JOB")
    asked = entry(scenario.ada, 90, date=day(2), comments="Trued one myself")
    changed = await scenario.client("learner").mutate("timeLogEntryUpdate", id=made["id"], input=asked)
    assert (changed["minutes"], changed["date"], changed["comments"]) == (90, day(2), "Trued one myself")
    assert (changed["jobSetting"], changed["aim"], changed["unit"]) == ("OFF_THE_JOB", None, None)
    await scenario.client("learner").mutate("timeLogEntryUpdate", id=made["id"], input=asked)
    assert await scenario.audit_trail() == ["timeLogEntryAdd", "timeLogEntryUpdate"]
    for learner in (scenario.cy, "Learner_999"):
        moved = {**asked, "learnerId": learner}
        for who in ("learner", "master"):
            assert await scenario.client(who).user_errors("timeLogEntryUpdate", id=made["id"], input=moved) == {
                "input.learnerId": "INVALID"
            }


async def test_an_entry_is_deleted(scenario: EmptyPortfolio) -> None:
    first, second = await add(scenario), await add(scenario, minutes=30)
    payload = await scenario.client("learner").payload("timeLogEntryDelete", id=first["id"])
    assert (payload["deletedId"], payload["errors"]) == (first["id"], [])
    assert (payload["learner"]["id"], payload["learner"]["offTheJob"]["actualMinutes"]) == (scenario.ada, 30)
    assert await scenario.client("learner").user_errors("timeLogEntryDelete", id=first["id"]) == {"id": "NOT_FOUND"}
    await scenario.client("basic").mutate("timeLogEntryDelete", id=second["id"])
    assert await scenario.rows(TimeLogEntry) == []


async def test_a_learner_changes_only_entries_they_added(scenario: EmptyPortfolio) -> None:
    for id in (await automatic(scenario), (await add(scenario, "assessor"))["id"]):
        assert await scenario.client("learner").user_errors("timeLogEntryDelete", id=id) == {"id": "NOT_ALLOWED"}
        asked = {"id": id, "input": entry(scenario.ada, 5)}
        assert await scenario.client("learner").user_errors("timeLogEntryUpdate", **asked) == {"id": "NOT_ALLOWED"}
        for who in ("assessor", "basic", "master"):
            assert (await scenario.client(who).mutate("timeLogEntryUpdate", **asked))["minutes"] == 5


async def test_an_automatic_entry_cannot_be_deleted(scenario: EmptyPortfolio) -> None:
    id = await automatic(scenario)
    for who in ("assessor", "master"):
        assert await scenario.client(who).user_errors("timeLogEntryDelete", id=id) == {"id": "NOT_ALLOWED"}


async def test_an_approved_entry_cannot_be_changed(scenario: EmptyPortfolio) -> None:
    id = (await add(scenario))["id"]
    await scenario.client("assessor").mutate("timeLogEntryApprove", ids=[id])
    for who in ("learner", "assessor", "basic", "master"):
        assert await scenario.client(who).user_errors("timeLogEntryDelete", id=id) == {"id": "NOT_ALLOWED"}
        assert await scenario.client(who).user_errors("timeLogEntryUpdate", id=id, input=entry(scenario.ada)) == {
            "id": "NOT_ALLOWED"
        }


async def test_permissions_by_role(scenario: EmptyPortfolio) -> None:
    id = (await add(scenario, aimId=scenario.aim))["id"]
    asks: list[tuple[str, dict[str, Any]]] = [
        ("timeLogEntryAdd", {"input": entry(scenario.ada)}),
        ("timeLogEntryUpdate", {"id": id, "input": entry(scenario.ada)}),
        ("timeLogEntryDelete", {"id": id}),
        ("timeLogEntryApprove", {"ids": [id]}),
    ]
    for mutation, asked in asks:
        for who in ("iqa", "manager", "overview"):
            assert await scenario.client(who).user_errors(mutation, **asked) == {None: "NOT_ALLOWED"}
    for who in ("learner", "basic", "master"):
        assert await scenario.client(who).user_errors("timeLogEntryApprove", ids=[id]) == {None: "NOT_ALLOWED"}
    for who in ("other_assessor", "colleague", "cy", "zoe", "foreign_assessor"):
        for mutation, asked in asks[1:3]:
            assert await scenario.client(who).user_errors(mutation, **asked) == {"id": "NOT_FOUND"}
        assert await scenario.client(who).user_errors("timeLogEntryApprove", ids=[id]) == {"ids.0": "NOT_FOUND"}


async def test_entries_are_approved_all_or_none(scenario: EmptyPortfolio) -> None:
    first, second = (await add(scenario, aimId=scenario.aim))["id"], (await add(scenario))["id"]
    theirs = (await add(scenario, aimId=scenario.other_aim))["id"]
    asked = [second, theirs, "TimeLogEntry_999", "x"]
    assert await scenario.client("assessor").user_errors("timeLogEntryApprove", ids=asked) == {
        "ids.1": "NOT_FOUND", "ids.2": "NOT_FOUND", "ids.3": "NOT_FOUND"
    }  # fmt: skip
    assert not any(made.approved_at for made in await scenario.rows(TimeLogEntry))
    approved = await scenario.client("assessor").mutate("timeLogEntryApprove", ids=[second, first, second])
    assert [one["id"] for one in approved] == [second, first]
    assert {one["approvedBy"]["name"] for one in approved} == {"Assessor"}
    # Approving again keeps the first approval.
    assert await scenario.client("assessor").mutate("timeLogEntryApprove", ids=[second, first]) == approved
    assert (await scenario.audit_trail()).count("timeLogEntryApprove") == 1
    assert await scenario.client("assessor").user_errors("timeLogEntryApprove", ids=[]) == {"ids": "REQUIRED"}
    many = [f"TimeLogEntry_{number}" for number in range(1, 102)]
    assert await scenario.client("assessor").user_errors("timeLogEntryApprove", ids=many) == {"ids": "INVALID"}


async def test_concurrent_approvals_do_not_deadlock(scenario: EmptyPortfolio) -> None:
    made = [(await add(scenario, minutes=1))["id"] for _ in range(6)]
    orders = [made, made[::-1]] * 10
    payloads = await asyncio.gather(
        *(scenario.client("assessor").payload("timeLogEntryApprove", ids=order) for order in orders)
    )
    assert all(one["errors"] == [] for one in payloads)
    assert len({row.approved_at for row in await scenario.rows(TimeLogEntry)}) == 1


@pytest.mark.parametrize("change", ["timeLogEntryUpdate", "timeLogEntryDelete"])
async def test_a_change_concurrent_with_approval_is_stored_before_it_or_rejected(
    scenario: EmptyPortfolio, change: str
) -> None:
    id = (await add(scenario))["id"]
    more = {"input": entry(scenario.ada, 61)} if change == "timeLogEntryUpdate" else {}
    changed, approved = await asyncio.gather(
        scenario.client("learner").payload(change, id=id, **more),
        scenario.client("assessor").payload("timeLogEntryApprove", ids=[id]),
    )
    codes = {error["code"] for error in changed["errors"]}
    rows = await scenario.rows(TimeLogEntry)
    if codes:
        assert codes == {"NOT_ALLOWED"} and [row.minutes for row in rows] == [60] and rows[0].approved_at
    elif change == "timeLogEntryDelete":
        assert rows == [] and [error["code"] for error in approved["errors"]] == ["NOT_FOUND"]
    else:
        assert [row.minutes for row in rows] == [61] and approved["errors"] == []


async def test_postgresql_plans_the_statements_of_an_entry_once(scenario: EmptyPortfolio) -> None:
    # It plans a statement for its values five times; then one plan for all values stays, unless it costs more.
    for aim in (None, scenario.aim):
        for _ in range(10):
            await add(scenario, minutes=1, aimId=aim)
    pool = scenario.database._write_pool
    planned: list[str] = []
    for connection in pool._idle if pool is not None else ():
        often = "SELECT statement FROM pg_prepared_statements WHERE custom_plans > 5"
        planned += [row["statement"] for row in await connection.driver.fetch(often)]
    assert planned == []
