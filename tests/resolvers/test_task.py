"""Tasks appear when something waits for a viewer, and are gone once it is done; each role has its own."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.qualification import QualificationCriterion
from domain import clock
from domain import global_id as ids
from domain.enums import AimStatus, EvidenceStatus, Role
from tests.support.factories import DAY, Factory
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

TASKS = """
query($kinds: [TaskKind!], $dueBy: Date, $first: Int, $after: String) { viewer {
  taskCounts { kind count overdueCount }
  tasks(kinds: $kinds, dueBy: $dueBy, first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { id kind title dueOn overdueDays waitingSince learner { id } subject { __typename id } } } } }
"""


async def tasks(scenario: EmptyPortfolio, who: str, *kinds: str, **more: Any) -> list[dict[str, Any]]:
    found = await scenario.client(who, **more).data(TASKS, kinds=kinds or None)
    return found["viewer"]["tasks"]["nodes"]


async def subjects(scenario: EmptyPortfolio, who: str, kind: str, **more: Any) -> list[str]:
    return [task["subject"]["id"] for task in await tasks(scenario, who, kind, **more)]


async def set_status(scenario: EmptyPortfolio, status: AimStatus, *aims: str) -> None:
    async with scenario.database.writing() as session:
        for id in aims:
            (await session.get_one(Aim, ids.decode("Aim", id))).status = status


async def submit(scenario: EmptyPortfolio, who: str = "learner") -> str:
    asked = {
        "aimId": scenario.aim, "title": "Brakes", "description": "Bled", "fileId": await scenario.upload(who),
        "declareOwnWork": True, "password": PASSWORD,
    }  # fmt: skip
    return (await scenario.client(who).mutate("evidenceSubmit", input=asked))["id"]


async def test_evidence_waits_for_the_assessor_then_for_who_submitted_it(scenario: EmptyPortfolio) -> None:
    id = await submit(scenario)
    [task] = await tasks(scenario, "assessor", "ASSESS_EVIDENCE")
    assert (task["title"], task["subject"]) == ("Assess the evidence: Brakes", {"__typename": "Evidence", "id": id})
    assert (task["dueOn"], task["overdueDays"], task["learner"]) == (None, 0, {"id": scenario.ada})
    # Assessing belongs to the assessor of the aim alone, and nothing waits for the learner meanwhile.
    for who in ("other_assessor", "iqa", "manager", "overview", "basic", "master", "learner"):
        assert await tasks(scenario, who, "ASSESS_EVIDENCE", "RESUBMIT_EVIDENCE") == []
    await scenario.client("assessor").mutate("evidenceReturn", id=id, pointsForImprovement="Say why")
    assert await tasks(scenario, "assessor", "ASSESS_EVIDENCE") == []
    assert await subjects(scenario, "learner", "RESUBMIT_EVIDENCE") == [id]
    assert await subjects(scenario, "manager", "RESUBMIT_EVIDENCE") == []


async def test_evidence_of_an_archived_submitter_waits_for_the_learner(scenario: EmptyPortfolio) -> None:
    id = await submit(scenario, "manager")
    await scenario.client("assessor").mutate("evidenceReturn", id=id, pointsForImprovement="Say why")
    assert await subjects(scenario, "manager", "RESUBMIT_EVIDENCE") == [id]
    assert await subjects(scenario, "learner", "RESUBMIT_EVIDENCE") == []
    await scenario.client("master").mutate("userArchive", id=ids.encode("User", scenario.user("manager").id))
    assert await subjects(scenario, "learner", "RESUBMIT_EVIDENCE") == [id]


async def test_a_returned_record_without_its_day_is_still_in_the_order(scenario: EmptyPortfolio) -> None:
    """Rows of an earlier version do not say when evidence was returned, or who signed a criterion off when."""
    async with scenario.database.writing() as session:
        factory, aim = Factory(session), await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        await factory.evidence(aim, scenario.user("learner"), EvidenceStatus.RETURNED, returned_at=None)
        unit = ids.decode_pair("Unit", scenario.units[1])[1]
        [criterion] = await session.scalars(
            select(QualificationCriterion).where(QualificationCriterion.unit_id == unit)
        )
        signed = await factory.criterion_progress(aim, criterion, scenario.user("assessor"))
        signed.signed_off_at = None
    rules = {"unit_signatures": (Role.LEARNER,)}
    client = scenario.client("learner", **rules)
    page = (await client.data(TASKS, first=1))["viewer"]["tasks"]
    found = [page["nodes"][0]["kind"]]
    while page["pageInfo"]["hasNextPage"]:
        page = (await client.data(TASKS, first=1, after=page["pageInfo"]["endCursor"]))["viewer"]["tasks"]
        found.append(page["nodes"][0]["kind"])
    assert sorted(found) == ["LOG_LEARNING", "RESUBMIT_EVIDENCE", "SIGN_UNIT"]


async def test_a_document_waits_for_each_role_that_has_not_signed(scenario: EmptyPortfolio) -> None:
    roles = ["LEARNER", "EMPLOYER_MANAGER", "IQA"]
    asked = {"learnerId": scenario.ada, "title": "Plan", "fileId": await scenario.upload("assessor"), "roles": roles}
    request = await scenario.client("assessor").mutate("signatureRequestCreate", input=asked)
    for who in ("learner", "manager", "second", "iqa"):
        assert await subjects(scenario, who, "SIGN_DOCUMENT") == [request["id"]]
    for who in ("assessor", "overview", "colleague", "cy", "master"):
        assert await subjects(scenario, who, "SIGN_DOCUMENT") == []
    digest = (await scenario.client("learner").read("SignatureRequest", request["id"]))["document"]["sha256"]
    signing = {"id": request["id"], "documentSha256": digest, "password": PASSWORD}
    await scenario.client("manager").mutate("signatureRequestSign", **signing)
    assert await subjects(scenario, "manager", "SIGN_DOCUMENT") == await subjects(scenario, "second", "SIGN_DOCUMENT")
    assert await subjects(scenario, "second", "SIGN_DOCUMENT") == []
    assert await subjects(scenario, "learner", "SIGN_DOCUMENT") == [request["id"]]


async def test_a_unit_waits_for_the_signatures_that_the_provider_requires(scenario: EmptyPortfolio) -> None:
    id, rules = await submit(scenario), {"unit_signatures": (Role.ASSESSOR, Role.IQA)}
    mappings = [{"criterionId": one, "signOff": True} for one in scenario.criteria[:2]]
    asked = {"mappings": mappings, "assessmentMethods": ["PRODUCT"], "feedback": "Good"}
    assert await subjects(scenario, "assessor", "SIGN_UNIT", **rules) == []
    await scenario.client("assessor").mutate("evidenceAssess", id=id, input=asked)
    assert await subjects(scenario, "assessor", "SIGN_UNIT", **rules) == [scenario.units[0]]
    assert await subjects(scenario, "iqa", "SIGN_UNIT", **rules) == [scenario.units[0]]
    assert await subjects(scenario, "iqa", "SIGN_UNIT") == []
    await scenario.client("assessor", **rules).mutate("unitSign", id=scenario.units[0], password=PASSWORD)
    assert await subjects(scenario, "assessor", "SIGN_UNIT", **rules) == []
    [task] = await tasks(scenario, "iqa", "SIGN_UNIT", **rules)
    assert task["title"] == "Sign the unit: Unit 1"
    await scenario.client("iqa", **rules).mutate("unitSign", id=scenario.units[0], password=PASSWORD)
    assert await subjects(scenario, "iqa", "SIGN_UNIT", **rules) == []


async def test_an_action_waits_for_the_answer_then_for_the_assessor(scenario: EmptyPortfolio) -> None:
    day = (clock.today() + 7 * DAY).isoformat()
    words = {"kind": "ACTION", "title": "Read", "description": "Make notes", "targetDate": day}
    asked = {"learnerId": scenario.ada, "aimId": scenario.aim, **words}
    action = await scenario.client("assessor").mutate("actionSet", input=asked)
    [task] = await tasks(scenario, "learner", "RESPOND_TO_ACTION")
    assert (task["title"], task["dueOn"], task["overdueDays"]) == ("Respond to the action: Read", day, 0)
    assert await tasks(scenario, "assessor", "FOLLOW_UP_ACTION") == []
    answer = {"learnerFeedback": "Read it"}
    await scenario.client("learner").mutate("actionRespond", id=action["id"], input=answer)
    assert await tasks(scenario, "learner", "RESPOND_TO_ACTION") == []
    assert await subjects(scenario, "assessor", "FOLLOW_UP_ACTION") == [action["id"]]
    # Another assessor of the learner does not follow up what is about this aim.
    assert await subjects(scenario, "other_assessor", "FOLLOW_UP_ACTION") == []
    await scenario.client("assessor").mutate("actionComplete", id=action["id"])
    assert await subjects(scenario, "assessor", "FOLLOW_UP_ACTION") == []


async def test_an_overdue_action_waits_for_both_and_is_counted(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        factory, aim = Factory(session), await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        learner = await session.get_one(Learner, aim.learner_id)
        await factory.action(learner, scenario.user("assessor"), aim, target_date=clock.today() - 3 * DAY)
    for who, kind in (("learner", "RESPOND_TO_ACTION"), ("assessor", "FOLLOW_UP_ACTION")):
        [task] = await tasks(scenario, who, kind)
        assert task["overdueDays"] == 3
        counts = (await scenario.client(who).data(TASKS))["viewer"]["taskCounts"]
        assert {"kind": kind, "count": 1, "overdueCount": 1} in counts


@pytest.mark.parametrize("status", [AimStatus.SUSPENDED, AimStatus.WITHDRAWN])
async def test_nothing_waits_on_a_break_or_after_a_withdrawal(scenario: EmptyPortfolio, status: AimStatus) -> None:
    evidence = await submit(scenario)
    asked = {"learnerId": scenario.ada, "title": "P", "fileId": await scenario.upload("assessor"), "roles": ["LEARNER"]}
    await scenario.client("assessor").mutate("signatureRequestCreate", input=asked)
    await set_status(scenario, status, scenario.aim)
    assert await tasks(scenario, "assessor") == []
    # The learner's other aim runs, so the document still waits; not once every aim has stopped.
    assert {task["kind"] for task in await tasks(scenario, "learner")} == {"SIGN_DOCUMENT", "LOG_LEARNING"}
    await set_status(scenario, status, scenario.other_aim)
    assert await tasks(scenario, "learner") == []
    await set_status(scenario, AimStatus.IN_TRAINING, scenario.aim, scenario.other_aim)
    assert await subjects(scenario, "assessor", "ASSESS_EVIDENCE") == [evidence]


async def test_pages_are_ordered_by_due_day_and_cost_the_same_for_any_number(scenario: EmptyPortfolio) -> None:
    client, kinds = scenario.client("learner"), ["RESPOND_TO_ACTION", "SIGN_DOCUMENT"]
    async with scenario.database.writing() as session:
        factory, aim = Factory(session), await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        learner = await session.get_one(Learner, aim.learner_id)
        request = await factory.signature_request(learner, scenario.user("assessor"), (Role.LEARNER,))
        for number in range(3):
            await factory.action(learner, scenario.user("assessor"), aim, target_date=clock.today() + number * DAY)
    few = (await client.data(TASKS, kinds=kinds, first=100))["viewer"]["tasks"]
    statements = client.statements
    async with scenario.database.writing() as session:
        factory = Factory(session)
        learner, aim = await session.get_one(Learner, learner.id), await session.get_one(Aim, aim.id)
        for number in range(60):
            day = clock.today() + dt.timedelta(days=number % 7)
            await factory.action(learner, scenario.user("assessor"), aim, target_date=day)
    many = (await client.data(TASKS, kinds=kinds, first=100))["viewer"]["tasks"]
    assert (few["totalCount"], many["totalCount"], client.statements) == (4, 64, statements)
    days = [task["dueOn"] for task in many["nodes"]]
    assert days[:-1] == sorted(days[:-1])
    assert many["nodes"][-1]["subject"]["id"] == ids.encode("SignatureRequest", request.id)
    followed, after = [], None
    while True:
        page = (await client.data(TASKS, kinds=kinds, first=9, after=after))["viewer"]["tasks"]
        followed += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert followed == many["nodes"]
    due = (await client.data(TASKS, kinds=kinds, dueBy=clock.today().isoformat()))["viewer"]["tasks"]
    assert due["nodes"] == [task for task in many["nodes"] if task["dueOn"] == clock.today().isoformat()]


async def test_a_task_is_read_by_its_id_while_it_waits_and_by_its_viewer_alone(scenario: EmptyPortfolio) -> None:
    evidence = await submit(scenario)
    [task] = await tasks(scenario, "assessor", "ASSESS_EVIDENCE")
    query = "query($id: ID!) { node(id: $id) { id ... on Task { title } } }"
    assert (await scenario.client("assessor").data(query, id=task["id"]))["node"]["title"] == task["title"]
    for who in ("learner", "other_assessor", "iqa", "master", "foreign_assessor"):
        assert (await scenario.client(who).data(query, id=task["id"]))["node"] is None
    await scenario.client("assessor").mutate("evidenceReturn", id=evidence, pointsForImprovement="More")
    for id in (task["id"], "Task_1", "Task_31", "Task_99999999999999999"):
        assert (await scenario.client("assessor").data(query, id=id))["node"] is None


async def test_a_statement_reads_each_kind_once_and_no_kind_that_cannot_wait(scenario: EmptyPortfolio) -> None:
    sent: list[str] = []
    scenario.database.read_listeners.append(lambda sql, *_: sent.append(sql))
    page = "query($kinds: [TaskKind!]) { viewer { tasks(kinds: $kinds) { totalCount nodes { id } } } }"
    await scenario.client("manager").data(page, kinds=["SIGN_DOCUMENT", "CONFIRM_TIME"])
    # The page with its count.
    [statement] = [sql for sql in sent if "FROM time_log_entry" in sql]
    assert [statement.count(f"FROM {table} JOIN") for table in ("signature_slot", "time_log_entry")] == [1, 1]
    assert "review_answer" not in statement and "criterion_progress" not in statement
    sent.clear()
    for rules in ({}, {"unit_signatures": (Role.EMPLOYER_MANAGER,)}):
        await scenario.client("manager", **rules).data("{ viewer { taskCounts { kind count } } }")
    counts = [sql for sql in sent if "FROM time_log_entry" in sql]
    # Only a role that has to sign units waits for them.
    assert ["criterion_progress" in sql for sql in counts] == [False, True]


async def test_no_kinds_are_no_tasks(scenario: EmptyPortfolio) -> None:
    await submit(scenario)
    assert (await scenario.client("assessor").data(TASKS, kinds=[]))["viewer"]["tasks"]["nodes"] == []
