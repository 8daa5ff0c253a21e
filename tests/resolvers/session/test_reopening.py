"""Sessions are planned again: what attendance and the induction caused is taken back, with a reason on record."""

import datetime as dt

from db.models.change_reason import ChangeReason
from db.models.session import Session
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain.enums import AimStatus, SessionType
from tests.resolvers.session.test_completion import ATTENDED, planned, statuses, wait_for_induction
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

DAY = dt.timedelta(days=1)


async def test_a_session_that_was_completed_wrongly_is_planned_again(scenario: EmptyPortfolio) -> None:
    assessor, id = scenario.client("assessor"), await planned(scenario, scenario.aim)
    await assessor.mutate("sessionComplete", id=id, input={**ATTENDED, "feedback": "Well done"})
    (entry,) = await scenario.rows(TimeLogEntry)
    await assessor.payload("timeLogEntryApprove", ids=[f"TimeLogEntry_{entry.id}"])
    session = await assessor.mutate("sessionReopen", id=id, reason="They\nwere not there")
    assert (session["status"], session["feedback"]) == ("PLANNED", "Well done")
    assert await scenario.rows(TimeLogEntry) == []
    (row,) = await scenario.rows(Session)
    assert row.completed_at is None
    trail = "{ auditTrail(first: 1) { nodes { action reason } } }"
    (event,) = (await scenario.client("master").data(trail))["auditTrail"]["nodes"]
    assert event["action"] == "sessionReopen" and event["reason"].startswith("They")
    # It can be completed with the other outcome, and reopening a planned one changes nothing.
    await assessor.mutate("sessionComplete", id=id, input={"attended": False})
    await scenario.client("basic").mutate("sessionReopen", id=id, reason="They came late")
    await assessor.mutate("sessionReopen", id=id, reason="")
    assert len(await scenario.rows(ChangeReason)) == 2


async def test_aims_that_an_induction_started_wait_for_it_again(scenario: EmptyPortfolio) -> None:
    await wait_for_induction(scenario)
    id = await planned(scenario, scenario.aim, type=SessionType.INDUCTION)
    assessor = scenario.client("assessor")
    await assessor.mutate("sessionComplete", id=id, input=ATTENDED)
    assert await statuses(scenario) == [AimStatus.IN_TRAINING, AimStatus.AWAITING_INDUCTION]
    await assessor.mutate("sessionReopen", id=id, reason="Wrong learner")
    assert await statuses(scenario) == [AimStatus.AWAITING_INDUCTION] * 2


async def test_a_cancelled_session_is_planned_again_unless_the_time_is_taken(scenario: EmptyPortfolio) -> None:
    assessor, starts = scenario.client("assessor"), clock.now() + DAY
    id = await planned(scenario, scenario.aim, starts_at=starts)
    await assessor.mutate("sessionCancel", id=id)
    other = await planned(scenario, scenario.aim, starts_at=starts + dt.timedelta(minutes=30))
    assert await assessor.user_errors("sessionReopen", id=id, reason="Not ill") == {"input.startsAt": "CONFLICT"}
    await assessor.mutate("sessionCancel", id=other)
    assert (await assessor.mutate("sessionReopen", id=id, reason="Not ill"))["status"] == "PLANNED"


async def test_who_may_not_reopen_a_session(scenario: EmptyPortfolio) -> None:
    id = await planned(scenario, scenario.aim)
    await scenario.client("assessor").mutate("sessionComplete", id=id, input=ATTENDED)
    for who, code in (("learner", "NOT_ALLOWED"), ("manager", "NOT_ALLOWED"), ("iqa", "NOT_ALLOWED")):
        assert await scenario.client(who).user_errors("sessionReopen", id=id, reason="No") == {None: code}
    assert await scenario.client("other_assessor").user_errors("sessionReopen", id=id, reason="No") == {
        "id": "NOT_FOUND"
    }
    assert await scenario.client("assessor").user_errors("sessionReopen", id=id, reason=" ") == {"reason": "REQUIRED"}


async def test_feedback_is_written_afterwards(scenario: EmptyPortfolio) -> None:
    id, assessor = await planned(scenario, scenario.aim), scenario.client("assessor")
    await assessor.mutate("sessionComplete", id=id, input=ATTENDED)
    assert (await assessor.mutate("sessionUpdate", id=id, input={"feedback": " Good "}))["feedback"] == "Good"
    assert (await assessor.mutate("sessionUpdate", id=id, input={"feedback": None}))["feedback"] is None
    wrong = {"feedback": "Good", "location": "Here"}
    assert await assessor.user_errors("sessionUpdate", id=id, input=wrong) == {"id": "CONFLICT"}
    cancelled = await planned(scenario, scenario.aim, starts_at=clock.now() + DAY)
    await assessor.mutate("sessionCancel", id=cancelled)
    assert await assessor.user_errors("sessionUpdate", id=cancelled, input={"feedback": "Good"}) == {"id": "CONFLICT"}
