"""Each mutation that adds a row to a list without pages checks the list's limit, and a rejection leaves no row."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.orm import InstrumentedAttribute

from db.models.action import Action, ActionFile
from db.models.aim import Aim
from db.models.aim_break import AimBreak
from db.models.aim_status_change import AimStatusChange
from db.models.aim_version import AimVersion
from db.models.base import Base
from db.models.cv import CvDocument
from db.models.evidence import Evidence, EvidenceMapping, EvidenceVersion
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.resource import Resource
from db.models.session import SessionFile
from db.models.time_log_revision import TimeLogRevision
from domain import clock
from domain import global_id as ids
from domain.sentences import say
from tests.support.client import InProcessClient
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

# The name of the mutation, its arguments, and who calls it.
Call = tuple[str, str, dict[str, Any]]


def day(ahead: int) -> str:
    return (clock.today() + dt.timedelta(days=ahead)).isoformat()


async def a_session(scenario: EmptyPortfolio) -> str:
    async with scenario.database.writing() as session:
        ada = await session.get_one(Learner, ids.decode("Learner", scenario.ada))
        made = await Factory(session).session_of(ada, scenario.user("assessor"), clock.now() + dt.timedelta(days=1))
    return ids.encode("Session", made.id)


async def an_action(scenario: EmptyPortfolio, **more: Any) -> str:
    who, name, arguments = setting_an_action(scenario, **more)
    made = await scenario.client(who).mutate(name, **arguments)
    return str(made["id"])


def setting_an_action(scenario: EmptyPortfolio, **more: Any) -> Call:
    words = {"kind": "ACTION", "title": "Read", "description": "Make notes", "targetDate": day(7)}
    return "assessor", "actionSet", {"input": {"learnerId": scenario.ada, **words, **more}}


async def submitting(scenario: EmptyPortfolio, **more: Any) -> Call:
    words = {"title": "Brakes", "description": "What I did", "declareOwnWork": True, "password": PASSWORD}
    file = await scenario.upload("learner")
    return "learner", "evidenceSubmit", {"input": {"aimId": scenario.aim, "fileId": file, **words, **more}}


async def call(scenario: EmptyPortfolio, call: Call) -> dict[str, Any]:
    who, name, arguments = call
    return await scenario.client(who).mutate(name, **arguments)


# Each returns how to add one more row of the list; the same list at each call of the result.


async def cv(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    async def one() -> Call:
        return "learner", "cvDocumentAdd", {"kind": "CV", "fileId": await scenario.upload("learner")}

    return one


async def actions_of_session(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    session_id = await a_session(scenario)

    async def one() -> Call:
        return setting_an_action(scenario, sessionId=session_id)

    return one


async def files_of_action(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    id = await an_action(scenario)

    async def one() -> Call:
        return "assessor", "actionUpdate", {"id": id, "input": {"addFileIds": [await scenario.upload("assessor")]}}

    return one


async def files_of_session(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    id = await a_session(scenario)

    async def one() -> Call:
        return "assessor", "sessionUpdate", {"id": id, "input": {"addFileIds": [await scenario.upload("assessor")]}}

    return one


async def evidence_of_action(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    id = await an_action(scenario, acceptsEvidence=True)

    async def one() -> Call:
        return await submitting(scenario, actionId=id)

    return one


async def versions(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    id = (await call(scenario, await submitting(scenario)))["id"]

    async def one() -> Call:
        await scenario.client("assessor").mutate("evidenceReturn", id=id, pointsForImprovement="Say why")
        file = await scenario.upload("learner")
        return "learner", "evidenceResubmit", {"id": id, "input": {"fileId": file, "comment": "Here"}}

    return one


async def evidence_of_criterion(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    async def one() -> Call:
        id = (await call(scenario, await submitting(scenario)))["id"]
        mappings = [{"criterionId": criterion, "signOff": False} for criterion in scenario.criteria[:2]]
        return (
            "assessor",
            "evidenceAssess",
            {"id": id, "input": {"mappings": mappings, "assessmentMethods": ["PRODUCT"]}},
        )

    return one


async def breaks(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    starts = iter((day(-20), day(0)))

    async def one() -> Call:
        begun = {"aimIds": [scenario.aim], "startDate": next(starts), "reason": "ILLNESS"}
        return "assessor", "breakBegin", {"input": begun}

    return one


async def suspensions(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    async def one() -> Call:
        return "assessor", "aimUpdate", {"id": scenario.aim, "input": {"status": "SUSPENDED"}}

    return one


async def statuses(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    (aim,) = [each for each in await scenario.rows(Aim) if ids.encode("Aim", each.id) == scenario.aim]
    following = iter(("SUSPENDED", "IN_TRAINING"))
    assert aim.status.name == "IN_TRAINING"

    async def one() -> Call:
        return "assessor", "aimUpdate", {"id": scenario.aim, "input": {"status": next(following)}}

    return one


async def two_qualifications(scenario: EmptyPortfolio, *titles: str) -> Iterator[str]:
    async with scenario.database.writing() as session:
        provider = await session.get_one(Provider, scenario.user("basic").provider_id)
        factory = Factory(session)
        made = [await factory.qualification(provider, title, units=(1,)) for title in titles]
    return iter([ids.encode("Qualification", each.id) for each in made])


async def versions_of_aim(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    qualifications = await two_qualifications(scenario, "Cycle mechanic", "Cycle mechanic")

    async def one() -> Call:
        target = {"qualificationId": next(qualifications), "criterionMap": []}
        return "assessor", "aimVersionChange", {"id": scenario.aim, "input": target}

    return one


async def aims(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    qualifications = await two_qualifications(scenario, "Maths", "Science")

    async def one() -> Call:
        words = {"startDate": "2026-09-01", "plannedEndDate": "2028-08-31", "qualificationId": next(qualifications)}
        people = {"learnerId": scenario.ada, "assessorId": ids.encode("User", scenario.user("assessor").id)}
        return "basic", "aimAdd", {"input": {**words, **people}}

    return one


async def resources(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    async def one() -> Call:
        file = await scenario.upload("assessor")
        return "assessor", "resourceAdd", {"input": {"aimId": scenario.aim, "title": "Manual", "fileId": file}}

    return one


async def revisions(scenario: EmptyPortfolio) -> Callable[[], Awaitable[Call]]:
    words = {"learnerId": scenario.ada, "date": day(0), "activityType": "COACHING_OR_MENTORING", "comments": "Watched"}
    client: InProcessClient = scenario.client("learner")
    id = (await client.mutate("timeLogEntryAdd", input={**words, "minutes": 60}))["id"]
    minutes = iter((61, 62))

    async def one() -> Call:
        return "learner", "timeLogEntryUpdate", {"id": id, "input": {**words, "minutes": next(minutes)}}

    return one


LISTS = {
    "cv": (CvDocument.learner_id, cv, "CV_FULL", None),
    "actions of a session": (Action.session_id, actions_of_session, "SESSION_ACTIONS_FULL", "input.sessionId"),
    "files of an action": (ActionFile.action_id, files_of_action, "ATTACHED_FILES_FULL", "input.addFileIds"),
    "files of a session": (SessionFile.session_id, files_of_session, "ATTACHED_FILES_FULL", "input.addFileIds"),
    "evidence of an action": (Evidence.action_id, evidence_of_action, "ACTION_EVIDENCE_FULL", "input.actionId"),
    "versions of evidence": (EvidenceVersion.evidence_id, versions, "EVIDENCE_VERSIONS_FULL", None),
    "evidence of a criterion": (
        EvidenceMapping.criterion_id, evidence_of_criterion, "CRITERION_EVIDENCE_FULL", "input.mappings.0.criterionId",
    ),
    "breaks": (AimBreak.aim_id, breaks, "BREAKS_FULL", "input.aimIds.0"),
    "breaks by status": (AimBreak.aim_id, suspensions, "BREAKS_FULL", "input.status"),
    "statuses of an aim": (AimStatusChange.aim_id, statuses, "STATUS_HISTORY_FULL", "input.status"),
    "versions of an aim": (AimVersion.aim_id, versions_of_aim, "AIM_VERSIONS_FULL", "input.qualificationId"),
    "aims": (Aim.learner_id, aims, "PROGRAMME_FULL", "input.learnerId"),
    "resources": (Resource.aim_id, resources, "RESOURCES_FULL", "input.aimId"),
    "revisions of an entry": (TimeLogRevision.entry_id, revisions, "ENTRY_REVISIONS_FULL", "id"),
}  # fmt: skip
# How many rows the scenario has in the list already, and how many the first call adds.
BEGINS_WITH = {"aims": 2, "versions of evidence": 1}


def test_every_limit_is_tried() -> None:
    tried = {(column.class_, column.key) for column, *_ in LISTS.values()}
    declared = {
        (mapper.class_, name) for mapper in Base.registry.mappers for name in mapper.class_.__row_limits__
    }  # fmt: skip
    assert tried == declared


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_has_a_limit(scenario: EmptyPortfolio, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    column, prepare, reason, field = LISTS[name]
    limit_rows(monkeypatch, column, BEGINS_WITH.get(name, 0) + 1)
    one = await prepare(scenario)
    await call(scenario, await one())
    if name == "breaks":
        [found] = await scenario.rows(AimBreak)
        await scenario.client("assessor").mutate("breakEnd", id=ids.encode("Break", found.id), returnedOn=day(-10))
    if name == "breaks by status":
        await scenario.client("assessor").mutate("aimUpdate", id=scenario.aim, input={"status": "IN_TRAINING"})
    who, mutation, arguments = await one()
    before = await scenario.row_counts()
    payload = await scenario.client(who).payload(mutation, **arguments)
    errors = {error["field"] and ".".join(error["field"]): error for error in payload["errors"]}
    most = column.class_.__row_limits__[column.key]
    assert (errors[field]["code"], errors[field]["message"]) == ("INVALID", say(reason, most=most))
    assert await scenario.row_counts() == before
    limit_rows(monkeypatch, column, 100)
    assert not (await scenario.client(who).payload(mutation, **arguments))["errors"]


def limit_rows(monkeypatch: pytest.MonkeyPatch, column: InstrumentedAttribute[Any], most: int) -> None:
    monkeypatch.setitem(column.class_.__row_limits__, column.key, most)
