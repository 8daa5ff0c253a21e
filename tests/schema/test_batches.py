"""What belongs to the entries of a list is read for all at once, and not by a task of the event loop for each."""

import asyncio
import datetime as dt
from collections.abc import Coroutine
from typing import Any

import pytest
from sqlalchemy import update

from db.models.aim import Aim
from domain.enums import ActionStatus, AimStatus, EvidenceStatus, Role
from tests.support.factories import DAY, Factory
from tests.support.scenarios.base import id_of
from tests.support.scenarios.full_portfolio import FullPortfolio

ENTRIES = 12
LIBRARY = """query($id: ID!) { learner(id: $id) { evidence(first: 50, filter: {search: "Photo"}) { nodes {
  title daysWaiting signatures { role signedBy { name } } mappings { criterion { code } } action { id }
  assessedBy { name } } } } }"""
PLAN = "query($id: ID!) { learner(id: $id) { sessions(first: 50) { nodes { startsAt hasOutstandingActions } } } }"
TASKS = "{ viewer { tasks(first: 100) { nodes { kind title subject { __typename id } } } } }"


@pytest.fixture
def scenario(full_portfolio: FullPortfolio) -> FullPortfolio:
    return full_portfolio


async def add_entries(scenario: FullPortfolio) -> None:
    """Adds evidence that waits and evidence that was assessed, in turn, and sessions with an action each, alike."""
    async with scenario.database.writing() as session:
        factory = Factory(session)
        for number in range(ENTRIES):
            waits = number % 2 == 0
            evidence = await factory.evidence(
                scenario.main, scenario.ann, EvidenceStatus.SUBMITTED if waits else EvidenceStatus.ASSESSED,
                title=f"Photo {number}", assessed_by_id=None if waits else scenario.ann.id,
                submitted_at=factory.now - 30 * DAY,
            )  # fmt: skip
            await factory.evidence_version(evidence, 1, submitted_at=factory.now - 30 * DAY)
            await factory.evidence_version(evidence, 2, submitted_at=factory.now - number * DAY)
            await factory.evidence_signature(evidence, scenario.ann, Role.ASSESSOR, version_number=1 + number % 2)
            await factory.evidence_mapping(evidence, scenario.criteria[number % 2], scenario.ann)
            start = factory.now - dt.timedelta(days=100 + number)
            visit = await factory.session_of(scenario.ada, scenario.ann, start, scenario.main)
            status = ActionStatus.OUTSTANDING if waits else ActionStatus.COMPLETE
            await factory.action(scenario.ada, scenario.ann, scenario.main, session_id=visit.id, status=status)


async def run(scenario: FullPortfolio, query: str, **variables: str) -> tuple[dict[str, Any], int]:
    """Returns the data for the assessor, and how many tasks the event loop started meanwhile."""
    loop, started = asyncio.get_running_loop(), []

    def start(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **more: Any) -> asyncio.Task[Any]:
        started.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **more)

    client = scenario.client("assessor")
    before = loop.get_task_factory()
    loop.set_task_factory(start)
    try:
        data = await client.data(query, **variables)
    finally:
        loop.set_task_factory(before)
    return data, len(started)


async def test_more_entries_start_no_more_tasks(scenario: FullPortfolio) -> None:
    ada = {"id": id_of(scenario.ada)}
    asked: list[tuple[str, dict[str, str]]] = [(LIBRARY, ada), (PLAN, ada), (TASKS, {})]
    await add_entries(scenario)
    few = [(await run(scenario, query, **variables))[1] for query, variables in asked]
    await add_entries(scenario)
    many = [(await run(scenario, query, **variables))[1] for query, variables in asked]
    assert many == few


async def test_what_was_reached_in_criteria_is_read_where_it_is_selected(scenario: FullPortfolio) -> None:
    await add_entries(scenario)
    sent: list[str] = []
    scenario.database.read_listeners.append(lambda sql, *_: sent.append(sql))
    query = """query($id: ID!) { learner(id: $id) { evidence(first: 50) { totalCount nodes {
      mappings { criterion { code %s } } } } } }"""
    found: list[set[str]] = []
    for more in ("", "status", "unit { criteriaComplete }"):
        sent.clear()
        page = (await run(scenario, query % more, id=id_of(scenario.ada)))[0]["learner"]["evidence"]
        assert page["totalCount"] == len(page["nodes"])
        assert sum("FROM evidence" in sql and "count(*)" in sql for sql in sent) == 1
        found.append({"criterion_progress" in sql for sql in sent})
        if more == "status":
            shown = [mapping["criterion"]["status"] for each in page["nodes"] for mapping in each["mappings"]]
            assert len(shown) > ENTRIES and "NOT_STARTED" not in shown
    assert found == [{False}, {False, True}, {False, True}]


async def test_each_entry_gets_what_is_its_own(scenario: FullPortfolio) -> None:
    await add_entries(scenario)
    evidence = (await run(scenario, LIBRARY, id=id_of(scenario.ada)))[0]["learner"]["evidence"]["nodes"]
    found = {each["title"]: each for each in evidence}
    for number in range(ENTRIES):
        waits, each = number % 2 == 0, found[f"Photo {number}"]
        assert each["daysWaiting"] == (number if waits else None)
        # A signature on the first of two versions is no longer valid.
        assert each["signatures"] == ([] if waits else [{"role": "ASSESSOR", "signedBy": {"name": "Ann"}}])
        assert each["mappings"] == [{"criterion": {"code": ("1.1", "1.2")[number % 2]}}]
        assert each["assessedBy"] == (None if waits else {"name": "Ann"})
    sessions = (await run(scenario, PLAN, id=id_of(scenario.ada)))[0]["learner"]["sessions"]["nodes"]
    added = [each for each in sessions if each["startsAt"] < (scenario.now - dt.timedelta(days=99)).isoformat()]
    assert sorted(each["hasOutstandingActions"] for each in added) == [False] * (ENTRIES // 2) + [True] * (ENTRIES // 2)
    tasks = (await run(scenario, TASKS))[0]["viewer"]["tasks"]["nodes"]
    assert {"Evidence", "Action"} <= {each["subject"]["__typename"] for each in tasks}
    titles = {each["title"]: each["subject"]["id"] for each in tasks if each["kind"] == "ASSESS_EVIDENCE"}
    waiting = await scenario.client("assessor").data(
        "query { evidenceLibrary(first: 100, awaitingAssessmentOnly: true) { nodes { id title } } }"
    )
    for each in waiting["evidenceLibrary"]["nodes"]:
        if each["title"].startswith("Photo "):
            assert titles[f"Assess the evidence: {each['title']}"] == each["id"]


@pytest.mark.parametrize("person", ["assessor", "iqa", "master"])
async def test_evidence_of_a_withdrawn_aim_does_not_wait(scenario: FullPortfolio, person: str) -> None:
    await add_entries(scenario)
    query = (
        "{ evidenceLibrary(first: 100, awaitingAssessmentOnly: true) { totalCount nodes { title aim { status } } } }"
    )
    found = (await scenario.client(person).data(query))["evidenceLibrary"]
    assert found["totalCount"] == len(found["nodes"]) >= ENTRIES // 2
    async with scenario.database.writing() as session:
        await session.execute(update(Aim).where(Aim.learner_id == scenario.ada.id).values(status=AimStatus.WITHDRAWN))
    left = (await scenario.client(person).data(query))["evidenceLibrary"]
    others = [each for each in found["nodes"] if not each["title"].startswith("Photo ")]
    assert [each for each in left["nodes"] if each["title"].startswith("Photo ")] == []
    assert left["totalCount"] == len(left["nodes"]) <= len(others)
