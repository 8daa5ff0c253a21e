"""The cases of 0.1.0 that people see in the graph: names, texts, days, cursors, and an open break.

Those of numbers are tested with their rules: optional units, shares, due days of reviews, minutes that count.
"""

import datetime as dt
import json
from typing import Any

import pytest

from db.models.learner import Learner
from domain import clock
from domain import global_id as ids
from domain.enums import AimStatus
from services.progress import recount_breaks
from tests.support.cases import CASES, COPY
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD, id_of
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

TESTED = {
    "optional_units", "breaks", "percentages", "review_due", "off_the_job", "names_found", "text", "dates_refused",
    "cursors_refused",
}  # fmt: skip
DAY = dt.date.fromisoformat


def test_every_table_is_tested_and_the_copy_is_complete() -> None:
    assert CASES.keys() == TESTED
    assert json.loads(COPY.read_text(encoding="utf-8")) == CASES


async def test_names_are_found_however_they_are_typed(scenario: EmptyPortfolio) -> None:
    query = "query($search: String!) { learners(filter: { search: $search }) { nodes { name } } }"
    user = f"User_{scenario.user('learner').id}"
    for case in CASES["names_found"]:
        await scenario.client("master").mutate("userUpdate", id=user, input={"name": case["name"]})
        for typed in case["typed"]:
            found = (await scenario.client("master").data(query, search=typed))["learners"]["nodes"]
            assert found == [{"name": case["name"]}], typed


async def test_texts_are_kept_as_people_meant_them(scenario: EmptyPortfolio) -> None:
    for number, case in enumerate(CASES["text"]):
        starts = clock.now() + dt.timedelta(days=1 + number)
        booking = {
            "learnerId": scenario.ada, "type": "GENERAL", "startsAt": starts.isoformat(),
            "endsAt": (starts + dt.timedelta(hours=1)).isoformat(), "planningNotes": case["typed"],
        }  # fmt: skip
        booked = await scenario.client("assessor").mutate("sessionBook", input=booking)
        assert booked["planningNotes"] == case["kept"], case


@pytest.mark.parametrize("day", CASES["dates_refused"])
async def test_days_that_nobody_can_mean_are_refused(scenario: EmptyPortfolio, day: str) -> None:
    mutation = """mutation($input: TimeLogEntryInput!) { timeLogEntryAdd(input: $input) {
      timeLogEntry { id } errors { code field } } }"""
    entry = {"learnerId": scenario.ada, "date": day, "activityType": "COACHING_OR_MENTORING", "minutes": 30}
    answer = await scenario.client("learner").execute(mutation, {"input": {**entry, "comments": "Shadowing."}})
    if answer.get("data"):
        assert answer["data"]["timeLogEntryAdd"] == {
            "timeLogEntry": None, "errors": [{"code": "INVALID", "field": ["input", "date"]}]
        }  # fmt: skip
    else:
        (error,) = answer["errors"]
        assert "Date" in error["message"] and day not in error["message"]


@pytest.mark.parametrize("cursor", CASES["cursors_refused"])
async def test_cursors_that_no_list_gave_are_refused(scenario: EmptyPortfolio, cursor: str) -> None:
    query = """query($cursor: String!) { evidenceLibrary(first: 1, after: $cursor) { nodes { id } } }"""
    answer = await scenario.client("master").execute(query, {"cursor": cursor})
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT" and cursor not in error["message"]


@pytest.mark.parametrize("case", [case for case in CASES["breaks"] if "trafficLight" in case])
async def test_an_aim_on_a_break_is_neither_rated_nor_late(scenario: EmptyPortfolio, case: dict[str, Any]) -> None:
    # The case, moved so that it is today.
    moved = clock.today() - DAY(case["today"])
    begun, returned = case["break"]
    async with scenario.database.writing() as session:
        factory = Factory(session)
        learner = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        aim = await factory.aim(
            learner, start_date=DAY(case["start"]) + moved, planned_end_date=DAY(case["plannedEnd"]) + moved,
            criteria=10, status=AimStatus.SUSPENDED, breaks=[(DAY(begun) + moved, returned and DAY(returned) + moved)],
        )  # fmt: skip
        await recount_breaks(session, aim)
    query = "query($id: ID!) { aim(id: $id) { trafficLight progress { pastPlannedEnd } } }"
    found = (await scenario.client("master").data(query, id=id_of(aim)))["aim"]
    late = {"pastPlannedEnd": case["pastPlannedEnd"]}
    assert found == {"trafficLight": case["trafficLight"], "progress": late}


TIMES = (
    ("query($at: DateTime) { sessions(filter: { from: $at }) { nodes { id } } }", {}),
    ("query($at: DateTime) { sessions(filter: { to: $at }) { nodes { id } } }", {}),
    (
        """mutation($at: DateTime!, $password: String!) { accessKeyCreate(
          input: { name: "Reports", expiresAt: $at, password: $password }) { errors { code } } }""",
        {"password": PASSWORD},
    ),
)


@pytest.mark.parametrize(("document", "variables"), TIMES)
async def test_a_time_needs_its_offset(scenario: EmptyPortfolio, document: str, variables: dict[str, Any]) -> None:
    at = f"{clock.today() + dt.timedelta(days=9)}T09:30:00"
    assert "errors" not in await scenario.client("master").execute(document, {"at": f"{at}Z", **variables})
    (error,) = (await scenario.client("master").execute(document, {"at": at, **variables}))["errors"]
    assert "A DateTime must be like" in error["message"] and at not in error["message"]


async def test_names_are_listed_where_a_reader_looks_for_them(scenario: EmptyPortfolio) -> None:
    master, query = scenario.client("master"), "{ learners { nodes { name } } }"
    for who, name in (("learner", "Łukasz Nowak"), ("cy", "Zoe\u0301 Ærø")):
        await master.mutate("userUpdate", id=f"User_{scenario.user(who).id}", input={"name": name})
    for site in ("O’Brien & Sons", "Oakes", "Øst", "Smith-Jones", "Smith Adams"):
        await master.mutate("employerCreate", input={"name": site})
    names = [each["name"] for each in (await master.data(query))["learners"]["nodes"]]
    assert names == ["Łukasz Nowak", "Zoé Ærø"]
    sites = [each["name"] for each in (await master.data(query.replace("learners", "employers")))["employers"]["nodes"]]
    assert [site for site in sites if site != "Garage"] == [
        "Oakes", "O’Brien & Sons", "Øst", "Smith Adams", "Smith-Jones"
    ]  # fmt: skip


async def test_an_erasure_is_confirmed_in_any_form_of_the_letters(scenario: EmptyPortfolio) -> None:
    master, user = scenario.client("master"), f"User_{scenario.user('cy').id}"
    await master.mutate("userUpdate", id=user, input={"name": "Zoé Brontë"})
    confirmed = await master.payload("learnerErase", id=scenario.cy, confirmName="Zoe\u0301 \u200bBronte\u0308 ")
    assert confirmed["errors"] == []
