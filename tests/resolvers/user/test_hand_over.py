"""A caseload is handed over: aims and sessions to come go along, and nothing is left with a person who leaves."""

import datetime as dt

from db.models.aim import Aim
from db.models.session import Session
from domain import clock
from domain import global_id as ids
from domain.enums import SessionStatus
from tests.resolvers.session.test_completion import planned
from tests.resolvers.user.test_account import user_id
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

DAY = dt.timedelta(days=1)


def asked(scenario: EmptyPortfolio, *aims: str, to: str = "other_assessor", of: str = "assessor") -> dict[str, object]:
    people = {"fromUserId": user_id(scenario, of), "toUserId": user_id(scenario, to)}
    return {**people, "aimIds": list(aims)} if aims else people


async def assessors(scenario: EmptyPortfolio) -> list[int]:
    return [session.assessor_id for session in await scenario.rows(Session)]


async def test_a_caseload_goes_to_another_assessor_with_its_sessions(scenario: EmptyPortfolio) -> None:
    about = await planned(scenario, scenario.aim, starts_at=clock.now() + DAY)
    general = await planned(scenario, starts_at=clock.now() + 2 * DAY)
    await planned(scenario, scenario.aim)
    cancelled = await planned(scenario, scenario.aim, starts_at=clock.now() + 3 * DAY)
    async with scenario.database.writing() as session:
        row = await session.get_one(Session, ids.decode("Session", cancelled))
        row.status = SessionStatus.CANCELLED
    payload = await scenario.client("basic").payload("assessorHandOver", input=asked(scenario))
    assert payload["errors"] == []
    assert [aim["assessor"]["name"] for aim in payload["aims"]] == ["Other Assessor"]
    assert [session["id"] for session in payload["sessions"]] == [about, general]
    old, new = scenario.user("assessor").id, scenario.user("other_assessor").id
    assert await assessors(scenario) == [new, new, old, old]
    mails = {mail.to_address: mail for mail in await scenario.mails()}
    assert mails.keys() == {scenario.user(who).email for who in ("learner", "assessor", "other_assessor")}
    to_learner = mails[scenario.user("learner").email]
    assert to_learner.subject == "Your assessor is now Other Assessor" and "instead of Assessor" in to_learner.body
    assert "- Session 1, " in to_learner.body
    assert "Session 1 with Learner" in mails[scenario.user("other_assessor").email].body
    read = "query($id: ID!) { aim(id: $id) { id } }"
    assert (await scenario.client("assessor").data(read, id=scenario.aim))["aim"] is None


async def test_named_aims_are_handed_over_and_others_stay(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        (await session.get_one(Aim, ids.decode("Aim", scenario.cys_aim))).assessor_id = scenario.user("assessor").id
        (await session.get_one(Aim, ids.decode("Aim", scenario.other_aim))).assessor_id = scenario.user("assessor").id
    await planned(scenario, starts_at=clock.now() + DAY)
    payload = await scenario.client("master").payload("assessorHandOver", input=asked(scenario, scenario.aim))
    # Ada's other aim is still the assessor's, and the session is about none in particular.
    assert ([aim["id"] for aim in payload["aims"]], payload["sessions"]) == ([scenario.aim], [])
    aims = {ids.encode("Aim", aim.id): aim.assessor_id for aim in await scenario.rows(Aim)}
    assert aims[scenario.cys_aim] == aims[scenario.other_aim] == scenario.user("assessor").id


async def test_what_cannot_be_handed_over(scenario: EmptyPortfolio) -> None:
    master = scenario.client("master")

    async def errors(*aims: str, **people: str) -> dict[str | None, str]:
        return await master.user_errors("assessorHandOver", input=asked(scenario, *aims, **people))

    assert await errors(to="assessor") == {"input.toUserId": "INVALID"}
    assert await errors(to="manager") == {"input.toUserId": "INVALID"}
    assert await errors(to="foreign_assessor") == {"input.toUserId": "NOT_FOUND"}
    assert await errors(scenario.other_aim, scenario.foreign_aim, "Aim_999") == {
        "input.aimIds.0": "INVALID", "input.aimIds.1": "NOT_FOUND", "input.aimIds.2": "NOT_FOUND",
    }  # fmt: skip
    async with scenario.database.writing() as session:
        (await session.get_one(Aim, ids.decode("Aim", scenario.aim))).iqa_id = scenario.user("other_assessor").id
    assert await errors() == {"input.toUserId": "INVALID"}
    empty = {**asked(scenario), "aimIds": []}
    assert (await master.user_errors("assessorHandOver", input=empty))["input.aimIds"] == "REQUIRED"
    for who in ("assessor", "learner", "iqa"):
        refused = await scenario.client(who).user_errors("assessorHandOver", input=asked(scenario))
        assert set(refused.values()) <= {"NOT_ALLOWED", "NOT_FOUND"} and refused


async def test_an_aim_that_changes_its_assessor_takes_its_sessions_along(scenario: EmptyPortfolio) -> None:
    session = await planned(scenario, scenario.aim, starts_at=clock.now() + DAY)
    change = {"assessorId": user_id(scenario, "other_assessor")}
    await scenario.client("master").mutate("aimUpdate", id=scenario.aim, input=change)
    assert await assessors(scenario) == [scenario.user("other_assessor").id]
    assert {mail.kind for mail in await scenario.mails()} == {"assessor_changed", "caseload_changed"}
    read = "query($id: ID!) { session(id: $id) { assessor { name } } }"
    shown = await scenario.client("learner").data(read, id=session)
    assert shown["session"]["assessor"]["name"] == "Other Assessor"


async def test_an_account_with_open_work_is_not_archived(scenario: EmptyPortfolio) -> None:
    master = scenario.client("master")
    await planned(scenario, scenario.aim, starts_at=clock.now() + DAY)
    for who, open_work in (
        ("assessor", "1 component as assessor and 1 planned session"), ("iqa", "1 component as IQA")
    ):  # fmt: skip
        (error,) = (await master.payload("userArchive", id=user_id(scenario, who)))["errors"]
        assert error["code"] == "CONFLICT" and open_work in error["message"]
    assert (await master.payload("assessorHandOver", input=asked(scenario)))["errors"] == []
    assert (await master.payload("userArchive", id=user_id(scenario, "assessor")))["errors"] == []
