"""The lists of Query: each filter and order gives what a filter over the whole list in Python gives."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from db.models.evidence import Evidence
from db.models.user import User
from domain import clock
from domain.clock import LONDON
from tests.support.client import InProcessClient
from tests.support.scenarios.authorization import AuthorizationScenario
from tests.support.scenarios.base import id_of

Client = Callable[[str], InProcessClient]

LEARNERS = """
query($filter: LearnerFilter, $orderBy: LearnerOrder!) { learners(filter: $filter, orderBy: $orderBy, first: 100) {
  totalCount nodes { id name lastLoginAt progress { criteriaTotal pointsAhead } trafficLight
    aims { status startDate plannedEndDate assessor { id } qualification { id } } } } }
"""
SESSIONS = """
query($filter: SessionFilter) { sessions(filter: $filter, first: 100) {
  totalCount nodes { id startsAt status type assessor { id } learner { id employer { id } } } } }
"""
EVIDENCE = """
query($filter: EvidenceFilter) { evidenceLibrary(filter: $filter, first: 100) {
  totalCount nodes { id status submittedAt assessedBy { name } assessedAt action { title } } } }
"""


async def listed(client: InProcessClient, operation: str, filter: Any, **variables: Any) -> list[dict[str, Any]]:
    """Returns the nodes of a list, which has one page."""
    (connection,) = (await client.data(operation, filter=filter, **variables)).values()
    assert connection["totalCount"] == len(connection["nodes"])
    return list(connection["nodes"])


async def learners(client: InProcessClient, filter: Any = None, order: str = "NAME_ASC") -> list[dict[str, Any]]:
    return await listed(client, LEARNERS, filter, orderBy=order)


def is_of(aim: dict[str, Any], assessor: str) -> bool:
    return bool(aim["assessor"]) and aim["assessor"]["id"] == assessor


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


async def test_filters_of_aims_speak_of_one_aim(client: Client, scenario: AuthorizationScenario):
    """`bob` assesses aims of Ada, Bea and Dan; only Bea and Dan have one of his that is what the filter says."""
    everyone = await learners(client("may"))
    aims = [aim for learner in everyone for aim in learner["aims"]]
    starts, ends = sorted(aim["startDate"] for aim in aims), sorted(aim["plannedEndDate"] for aim in aims)
    bob, english = f"User_{scenario.users['bob'].id}", id_of(scenario.english)
    conditions: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
        ({"status": ["WITHDRAWN"]}, lambda aim: aim["status"] == "WITHDRAWN"),
        ({"status": ["WITHDRAWN", "IN_TRAINING"]}, lambda aim: aim["status"] in ("WITHDRAWN", "IN_TRAINING")),
        (
            {"qualificationId": id_of(scenario.english)},
            lambda aim: aim["qualification"]["id"] == id_of(scenario.english),
        ),
        ({"startedFrom": starts[-1]}, lambda aim: aim["startDate"] >= starts[-1]),
        ({"startedTo": starts[0]}, lambda aim: aim["startDate"] <= starts[0]),
        ({"plannedEndFrom": ends[-1]}, lambda aim: aim["plannedEndDate"] >= ends[-1]),
        ({"plannedEndTo": ends[0]}, lambda aim: aim["plannedEndDate"] <= ends[0]),
    ]
    for filter, holds in conditions:
        found = {learner["name"] for learner in await learners(client("may"), filter)}
        assert found == {learner["name"] for learner in everyone if any(map(holds, learner["aims"]))} != set(), filter
        # Of one aim: that of the assessor.
        both = {learner["name"] for learner in await learners(client("may"), {**filter, "assessorId": bob})}
        of_bob = [(learner, aim) for learner in everyone for aim in learner["aims"] if is_of(aim, bob)]
        assert both == {learner["name"] for learner, aim in of_bob if holds(aim)}, filter
    assert await learners(client("may"), {"status": []}) == []
    assert await learners(client("may"), {"qualificationId": "Qualification_999999"}) == []
    # An assessor does not find learners by the aims of others.
    assert await learners(client("ann"), {"qualificationId": english}) == [
        learner for learner in await learners(client("ann"))
        if any(aim["qualification"]["id"] == english for aim in learner["aims"])
    ]  # fmt: skip


async def test_learners_who_have_not_logged_in(client: Client, scenario: AuthorizationScenario):
    late = dt.datetime(2026, 3, 31, 23, 30, tzinfo=dt.UTC)  # 1 April in London.
    async with scenario.database.writing() as session:
        users = {who: scenario.people[who][0].id for who in ("ada", "bea", "cyd", "dan")}
        for who, value in (("ada", late), ("bea", late - dt.timedelta(hours=1)), ("cyd", None)):
            await session.execute(update(User).where(User.id == users[who]).values(last_login_at=value))
    since = [learner["name"] for learner in await learners(client("may"), {"notSignedInSince": "2026-04-01"})]
    assert since == ["Bea", "Cyd"]
    longest_ago = [learner["name"] for learner in await learners(client("may"), None, "LAST_LOGIN_ASC")]
    most_recent = [learner["name"] for learner in await learners(client("may"), None, "LAST_LOGIN_DESC")]
    assert longest_ago[:3] == ["Cyd", "Bea", "Ada"]
    assert most_recent == longest_ago[::-1]


REVIEWS = """
query($filter: LearnerFilter, $after: String) {
  learners(filter: $filter, orderBy: REVIEW_DUE_ASC, first: 2, after: $after) {
    totalCount nodes { id reviewDueOn } pageInfo { endCursor hasNextPage } } }
"""


@pytest.mark.parametrize("who", ["may", "mo", *(pytest.param(who, marks=pytest.mark.long) for who in ("ann", "olu"))])
async def test_learners_whose_review_is_due(client: Client, scenario: AuthorizationScenario, who: str):
    async def found(overdue: bool | None) -> list[dict[str, Any]]:
        """Reads every page."""
        nodes: list[dict[str, Any]] = []
        after = None
        while True:
            page = (await client(who).data(REVIEWS, filter={"reviewOverdue": overdue}, after=after))["learners"]
            nodes, after = nodes + page["nodes"], page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                assert len(nodes) == page["totalCount"]
                return nodes

    everyone, today = await found(None), clock.today().isoformat()
    days = [each["reviewDueOn"] for each in everyone]
    assert days == sorted(days, key=lambda day: day or "9999")
    assert len({each["id"] for each in everyone}) == len(everyone)
    for overdue in (True, False):
        expected = [
            one for one in everyone if (one["reviewDueOn"] is not None and one["reviewDueOn"] < today) is overdue
        ]
        assert await found(overdue) == expected


@pytest.mark.parametrize("who", ["may", "ann", "mo", "olu"])
async def test_learners_furthest_behind_come_first(client: Client, who: str):
    found = await learners(client(who), None, "POINTS_AHEAD_ASC")

    def is_measured(learner: dict[str, Any]) -> bool:
        in_training = any(aim["status"] == "IN_TRAINING" for aim in learner["aims"])
        return in_training and learner["progress"]["criteriaTotal"] > 0

    measured = [learner["progress"]["pointsAhead"] for learner in found if is_measured(learner)]
    assert measured == sorted(measured)
    assert [is_measured(learner) for learner in found] == sorted(map(is_measured, found), reverse=True)
    # From both ends, a page at a time.
    query = """query($n: Int, $after: String, $last: Int, $before: String) {
      learners(orderBy: POINTS_AHEAD_ASC, first: $n, after: $after, last: $last, before: $before) {
        nodes { id } pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } }"""
    forwards: list[str] = []
    after = None
    while True:
        page = (await client(who).data(query, n=1, after=after))["learners"]
        forwards += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert forwards == [learner["id"] for learner in found]


async def test_the_diary(client: Client, scenario: AuthorizationScenario):
    everything = await listed(client("may"), SESSIONS, None)
    assert len(everything) > 5
    assert [one["startsAt"] for one in everything] == sorted(one["startsAt"] for one in everything)
    middle = everything[len(everything) // 2]
    start = moment(middle["startsAt"])
    here = f"Employer_{scenario.a.id}"
    conditions: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
        ({"from": middle["startsAt"]}, lambda one: moment(one["startsAt"]) >= start),
        ({"to": middle["startsAt"]}, lambda one: moment(one["startsAt"]) < start),
        ({"assessorId": middle["assessor"]["id"]}, lambda one: one["assessor"] == middle["assessor"]),
        ({"learnerId": middle["learner"]["id"]}, lambda one: one["learner"]["id"] == middle["learner"]["id"]),
        ({"employerId": here}, lambda one: (one["learner"]["employer"] or {}).get("id") == here),
        ({"statuses": ["PLANNED"]}, lambda one: one["status"] == "PLANNED"),
        ({"types": [middle["type"]]}, lambda one: one["type"] == middle["type"]),
    ]
    for filter, holds in conditions:
        assert await listed(client("may"), SESSIONS, filter) == [one for one in everything if holds(one)] != [], filter
    assert await listed(client("may"), SESSIONS, {"statuses": []}) == []
    # London's summer time: the filter compares moments, in whatever zone they are written.
    local = start.astimezone(LONDON).isoformat()
    assert await listed(client("may"), SESSIONS, {"from": local}) == await listed(
        client("may"), SESSIONS, {"from": middle["startsAt"]}
    )


async def test_the_evidence_library(client: Client):
    everything = await listed(client("may"), EVIDENCE, None)
    days = sorted({moment(one["submittedAt"]).astimezone(LONDON).date().isoformat() for one in everything})

    def day(one: dict[str, Any]) -> str:
        return moment(one["submittedAt"]).astimezone(LONDON).date().isoformat()

    for statuses in (["SUBMITTED"], ["SUBMITTED", "RETURNED"], ["ASSESSED", "RESUBMITTED"], []):
        expected = [one for one in everything if one["status"] in statuses]
        assert await listed(client("may"), EVIDENCE, {"statuses": statuses}) == expected
    for each in days:
        expected = [one for one in everything if day(one) >= each]
        assert await listed(client("may"), EVIDENCE, {"submittedFrom": each}) == expected
        expected = [one for one in everything if day(one) <= each]
        assert await listed(client("may"), EVIDENCE, {"submittedTo": each}) == expected
    assert await listed(client("may"), EVIDENCE, {"submittedTo": "2200-12-31"}) == everything
    assert await listed(client("may"), EVIDENCE, {"submittedFrom": "1900-01-01"}) == everything


async def test_evidence_is_searched_by_its_words(client: Client, scenario: AuthorizationScenario):
    title, description = "Søren’s lap-joint", "Welded in the Łódź workshop, at 100% heat"
    found = (await listed(client("may"), EVIDENCE, None))[0]
    async with scenario.database.writing() as session:
        evidence = await session.get_one(Evidence, int(found["id"].partition("_")[2]))
        evidence.title = title
        evidence.description = description
    for words in ("sorens lap joint", "LAP JOINT", "lodz", "lap-joint welded", "100%"):
        assert await listed(client("may"), EVIDENCE, {"search": words}) == [found], words
    for words in ("lap_joint", "%heat%x", "lodz lap"):
        assert await listed(client("may"), EVIDENCE, {"search": words}) == [], words
    # A row that a process of an earlier version added is found by its title in lower case.
    async with scenario.database.writing() as session:
        plain = {"search_text": None, "title": "Lap Joint"}
        await session.execute(update(Evidence).where(Evidence.title == title).values(**plain))
    assert await listed(client("may"), EVIDENCE, {"search": "LAP joint"}) == [found]


async def test_the_time_log_of_all_learners(client: Client, scenario: AuthorizationScenario):
    query = """query($learner: ID, $employer: ID, $filter: TimeLogFilter) {
      timeLogEntries(learnerId: $learner, employerId: $employer, filter: $filter, first: 100) {
        totalCount totalMinutes nodes { id minutes date addedBy { name } learner { id employer { id } } } } }"""
    everything = (await client("may").data(query))["timeLogEntries"]
    assert everything["totalMinutes"] == sum(entry["minutes"] for entry in everything["nodes"]) > 0
    assert [entry["date"] for entry in everything["nodes"]] == sorted(
        (entry["date"] for entry in everything["nodes"]), reverse=True
    )
    ada, here = f"Learner_{scenario.ada.id}", f"Employer_{scenario.a.id}"
    of_ada = (await client("may").data(query, learner=ada))["timeLogEntries"]
    assert of_ada["nodes"] == [entry for entry in everything["nodes"] if entry["learner"]["id"] == ada] != []
    assert of_ada["totalMinutes"] == sum(entry["minutes"] for entry in of_ada["nodes"])
    at_site = (await client("may").data(query, employer=here))["timeLogEntries"]["nodes"]
    assert at_site == [entry for entry in everything["nodes"] if (entry["learner"]["employer"] or {}).get("id") == here]
    one = of_ada["nodes"][0]
    read = "query($id: ID!) { timeLogEntry(id: $id) { minutes addedBy { name } } }"
    assert (await client("ada").data(read, id=one["id"]))["timeLogEntry"] == {
        "minutes": one["minutes"], "addedBy": one["addedBy"]
    }  # fmt: skip
    assert (await client("nell").data(read, id=one["id"]))["timeLogEntry"] is None


async def test_the_documents_of_all_learners(client: Client, scenario: AuthorizationScenario):
    query = """query($only: Boolean, $employer: ID) {
      signatureRequests(employerId: $employer, first: 100) { nodes { id learner { employer { id } } } }
      viewer { signatureRequests(awaitingViewerOnly: $only, first: 100) { totalCount nodes { id awaitingViewer } }
        awaitingSignatureCount }
      learners(first: 100) { nodes {
        signatureRequests(awaitingViewerOnly: true, first: 100) { nodes { id awaitingViewer } } } } }"""
    for who in ("may", "ann", "mo", "ada"):
        everything = await client(who).data(query, only=False)
        waiting = await client(who).data(query, only=True)
        expected = [one for one in everything["viewer"]["signatureRequests"]["nodes"] if one["awaitingViewer"]]
        assert waiting["viewer"]["signatureRequests"]["nodes"] == expected
        assert waiting["viewer"]["awaitingSignatureCount"] == len(expected)
        of_learners = [one["id"] for each in waiting["learners"]["nodes"] for one in each["signatureRequests"]["nodes"]]
        assert sorted(of_learners) == sorted(one["id"] for one in expected)
    here = f"Employer_{scenario.a.id}"
    everything = (await client("may").data(query))["signatureRequests"]["nodes"]
    at_site = (await client("may").data(query, employer=here))["signatureRequests"]["nodes"]
    assert at_site == [one for one in everything if (one["learner"]["employer"] or {}).get("id") == here] != []


async def test_an_action_is_read_by_its_id(client: Client):
    found = (await client("may").data("{ actions(first: 1) { nodes { id title learner { name } } } }"))["actions"]
    (action,) = found["nodes"]
    query = "query($id: ID!) { action(id: $id) { id title learner { name } } }"
    assert (await client("may").data(query, id=action["id"]))["action"] == action
    assert (await client("nell").data(query, id=action["id"]))["action"] is None


async def test_people_with_roles_and_learners(client: Client, scenario: AuthorizationScenario):
    query = """query($id: ID!) { node(id: $id) { ... on User { name email archivedAt
      grants { role employers { name } } learners(first: 10) { totalCount nodes { name } } } } }"""

    async def user(who: str, of: str) -> Any:
        return (await client(who).data(query, id=f"User_{scenario.users[of].id}"))["node"]

    mo = await user("may", "mo")
    assert (mo["grants"], mo["archivedAt"]) == ([{"role": "EMPLOYER_MANAGER", "employers": []}], None)
    assert mo["learners"] == {"totalCount": 2, "nodes": [{"name": "Ada"}, {"name": "Cyd"}]}
    olu = await user("may", "olu")
    assert olu["grants"] == [
        {"role": "EMPLOYER_OVERVIEW", "employers": [{"name": "Site A"}, {"name": "Site B"}, {"name": "Site D"}]}
    ]
    assert {grant["role"] for grant in (await user("bas", "max"))["grants"]} == {"ASSESSOR", "IQA"}
    # A learner sees the name of their manager, not the roles, and of the manager's learners only themself.
    seen = await user("ada", "mo")
    assert (seen["name"], seen["email"], seen["grants"]) == ("Mo", None, None)
    assert seen["learners"] == {"totalCount": 1, "nodes": [{"name": "Ada"}]}
    own = await client("ada").data("{ viewer { learner { email user { email grants { role } } } } }")
    learner = own["viewer"]["learner"]
    assert learner["email"] == learner["user"]["email"] is not None
    assert learner["user"]["grants"] == [{"role": "LEARNER"}]
    of_manager = await client("mo").data("{ learners(first: 1) { nodes { email user { name email } } } }")
    assert of_manager["learners"]["nodes"] == [{"email": None, "user": {"name": "Ada", "email": None}}]
