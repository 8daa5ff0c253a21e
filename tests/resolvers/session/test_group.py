"""Group sessions: booked and registered as one, each in its learner's plan."""

import datetime as dt
from typing import Any

from db.models.provider import Provider
from db.models.session import Session
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain import global_id as ids
from domain.enums import Role, SessionStatus
from tests.support.factories import DAY, Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

PLAN = """
query($id: ID!) { learner(id: $id) {
  sessions { nodes { id number status groupId minutesLogged type location assessor { name } aims { id } } }
} }
"""


async def group_of(scenario: EmptyPortfolio, size: int) -> list[str]:
    """Adds learners whose assessor is the scenario's, and returns the ids of the group with Ada."""
    learners = [scenario.ada]
    async with scenario.database.writing() as session:
        factory = Factory(session)
        provider = await session.get_one(Provider, scenario.user("basic").provider_id)
        standard = await factory.qualification(provider, "Day release", content_sha256="d" * 64)
        for number in range(size - 1):
            learner = await factory.learner(provider, f"Member {number}")
            await factory.aim(learner, standard, assessor=scenario.user("assessor"))
            learners.append(ids.encode("Learner", learner.id))
    return learners


def workshop(learners: list[str], starts: dt.datetime, **more: Any) -> dict[str, Any]:
    return {
        "learnerIds": learners, "type": "WORKSHOP", "startsAt": starts.isoformat(), "location": "Workshop 2",
        "endsAt": (starts + dt.timedelta(hours=6)).isoformat(), **more,
    }  # fmt: skip


async def plan(scenario: EmptyPortfolio, learner: str) -> list[dict[str, Any]]:
    found = await scenario.client("basic").data(PLAN, id=learner)
    return found["learner"]["sessions"]["nodes"]


async def booked(scenario: EmptyPortfolio, size: int, starts: dt.datetime) -> tuple[list[str], list[dict[str, Any]]]:
    learners = await group_of(scenario, size)
    client = scenario.client("assessor")
    await client.payload("sessionBookMany", input=workshop(learners, starts, aimIds=[scenario.aim]))
    return learners, [(await plan(scenario, learner))[-1] for learner in learners]


async def test_a_day_release_of_twenty_is_booked_as_one(scenario: EmptyPortfolio) -> None:
    starts = clock.now() + 3 * DAY
    learners, sessions = await booked(scenario, 20, starts)
    assert len({each["groupId"] for each in sessions}) == 1 and sessions[0]["groupId"]
    assert {(each["number"], each["type"], each["location"]) for each in sessions} == {(1, "WORKSHOP", "Workshop 2")}
    assert [len(each["aims"]) for each in sessions] == [1] + [0] * 19
    assert len(await scenario.mails()) == 20
    assert await scenario.audit_trail() == ["sessionBookMany"]
    # The group does not clash with itself: moving one of its sessions within the time is possible.
    client = scenario.client("assessor")
    moved = {"startsAt": (starts + dt.timedelta(hours=1)).isoformat()}
    await client.mutate("sessionUpdate", id=sessions[3]["id"], input=moved)
    # Anything else at that time does.
    payload = await client.payload("sessionBookMany", input=workshop(learners[:2], starts))
    assert {(each["code"], *each["field"]) for each in payload["errors"]} == {("CONFLICT", "input", "startsAt")}


async def test_a_register_is_filled_in_parts(scenario: EmptyPortfolio) -> None:
    _, sessions = await booked(scenario, 4, clock.now() - DAY)
    group = sessions[0]["groupId"]
    client = scenario.client("assessor")
    first = [
        {"sessionId": sessions[0]["id"], "attended": True, "feedback": "Well done"},
        {"sessionId": sessions[1]["id"], "attended": True, "minutes": 90},
    ]
    answer = await client.payload("sessionCompleteMany", groupId=group, attendances=first)
    assert [each["status"] for each in answer["sessions"]] == ["ATTENDED", "ATTENDED"]
    rest = [{"sessionId": each["id"], "attended": False} for each in sessions[2:]]
    await client.payload("sessionCompleteMany", groupId=group, attendances=[*first, *rest])
    rows = await scenario.rows(Session)
    outcomes = [SessionStatus.ATTENDED] * 2 + [SessionStatus.NOT_ATTENDED] * 2
    assert [row.status for row in rows] == outcomes
    entries = await scenario.rows(TimeLogEntry)
    assert [(entry.minutes, entry.automatic) for entry in entries] == [(360, True), (90, True)]
    assert (await plan(scenario, scenario.ada))[-1]["minutesLogged"] == 360
    # Nothing changes with the same register again.
    audited = len(await scenario.audit_trail())
    await client.payload("sessionCompleteMany", groupId=group, attendances=[*first, *rest])
    assert (len(await scenario.audit_trail()), len(await scenario.rows(TimeLogEntry))) == (audited, 2)


async def test_a_register_is_kept_whole_or_not_at_all(scenario: EmptyPortfolio) -> None:
    _, sessions = await booked(scenario, 2, clock.now() - DAY)
    group, client = sessions[0]["groupId"], scenario.client("assessor")
    good = {"sessionId": sessions[0]["id"], "attended": True}
    for line, errors in (
        ({"sessionId": "Session_999999", "attended": True}, {"attendances.1.sessionId": "NOT_FOUND"}),
        (good, {"attendances.1.sessionId": "INVALID"}),
        ({"sessionId": sessions[1]["id"], "attended": True, "minutes": 100_000}, {"attendances.1.minutes": "INVALID"}),
    ):
        lines = [good, line]
        assert await client.user_errors("sessionCompleteMany", groupId=group, attendances=lines) == errors
    assert not await scenario.rows(TimeLogEntry)
    for unknown in ("SessionGroup_999999", "nonsense", sessions[0]["id"]):
        errors = await client.user_errors("sessionCompleteMany", groupId=unknown, attendances=[good])
        assert errors == {"groupId": "NOT_FOUND"}
    assert await client.user_errors("sessionCompleteMany", groupId=group, attendances=[]) == {"attendances": "REQUIRED"}
    assert await scenario.client("learner").user_errors("sessionCompleteMany", groupId=group, attendances=[good]) == {
        None: "NOT_ALLOWED"
    }


async def test_who_books_for_whom(scenario: EmptyPortfolio) -> None:
    starts = clock.now() + 3 * DAY
    learners = [*await group_of(scenario, 2), scenario.cy]
    client = scenario.client("assessor")
    # Cy has no aim of this assessor.
    errors = await client.user_errors("sessionBookMany", input=workshop(learners, starts))
    assert errors == {"input.learnerIds.2": "NOT_FOUND"}
    other = ids.encode("User", scenario.user("other_assessor").id)
    errors = await client.user_errors("sessionBookMany", input=workshop(learners[:2], starts, assessorId=other))
    assert errors == {"input.assessorId": "INVALID"}
    basic = scenario.client("basic")
    wrong = ids.encode("User", scenario.user("iqa").id)
    errors = await basic.user_errors("sessionBookMany", input=workshop(learners, starts, assessorId=wrong))
    assert errors == {"input.assessorId": "INVALID"}
    await basic.payload("sessionBookMany", input=workshop(learners, starts, assessorId=other))
    assert {each.assessor_id for each in await scenario.rows(Session)} == {scenario.user("other_assessor").id}
    assert await basic.user_errors("sessionBookMany", input=workshop([], starts)) == {"input.learnerIds": "REQUIRED"}
    assert scenario.people["other_assessor"][1] is Role.ASSESSOR


async def test_attendance_never_logs_more_than_has_passed(scenario: EmptyPortfolio) -> None:
    client = scenario.client("assessor")

    async def begun(minutes: float, hours: int = 18) -> str:
        starts = clock.now() - dt.timedelta(minutes=minutes)
        booked = await client.mutate(
            "sessionBook", input={
                "learnerId": scenario.ada, "type": "WORKSHOP", "startsAt": starts.isoformat(),
                "endsAt": (starts + dt.timedelta(hours=hours)).isoformat(),
            },
        )  # fmt: skip
        return booked["id"]

    # 18 hours are planned, and one minute has passed.
    id = await begun(1.2)
    await client.mutate("sessionComplete", id=id, input={"attended": True})
    assert [entry.minutes for entry in await scenario.rows(TimeLogEntry)] == [1]
    id = await begun(30.5)
    too_long = {"attended": True, "minutes": 31}
    assert await client.user_errors("sessionComplete", id=id, input=too_long) == {"input.minutes": "INVALID"}
    await client.mutate("sessionComplete", id=id, input={"attended": True})
    assert [entry.minutes for entry in await scenario.rows(TimeLogEntry)] == [1, 30]
    # A session that overran is logged as long as it was.
    id = await begun(200, hours=1)
    await client.mutate("sessionComplete", id=id, input={"attended": True, "minutes": 75})
    assert [entry.minutes for entry in await scenario.rows(TimeLogEntry)] == [1, 30, 75]
