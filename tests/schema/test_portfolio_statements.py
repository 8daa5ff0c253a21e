"""How many SQL statements the portfolio's pages take: as many for one entry as for a full page, within bounds."""

import datetime as dt
from pathlib import Path

import pytest

from db.database import Database
from db.models.action import ActionFile
from db.models.evidence import EvidenceMapping
from db.models.learner import Learner
from db.models.session import SessionFile
from domain import global_id as ids
from domain.enums import SessionStatus
from tests.support.learner_scenario import Shelf, fill_shelf, id_of
from tests.support.factories import Factory

# Every signed-in request begins with one statement that is not an operation's own.
SIGN_IN = 1

LEARNING_PLAN = """query($id: ID!) { learner(id: $id) { id sessions(first: 20) {
  pageInfo { hasNextPage endCursor }
  nodes { id number type status startsAt endsAt planningNotes feedback hasOutstandingActions assessor { id name }
    files { id name download { url expiresAt } }
    actions { id kind title description targetDate status overdue learnerFeedback minutesSpent acceptsEvidence
      files { id name } } } } } }"""
TIME_LOG = """query($id: ID!) { learner(id: $id) { id timeLog(first: 50) { totalCount totalMinutes
  pageInfo { hasNextPage endCursor }
  nodes { id date activityType jobSetting minutes comments automatic aim { id title } unit { id number }
    assessor { name } approvedAt } } } }"""
UNIT_RECORD_SHEET = """query($id: ID!) { unit(id: $id) {
  id number title criteriaComplete signedOff confirmationStatement
  progress { criteriaTotal criteriaMapped criteriaSignedOff } signatures { role required signedBy { name } signedAt }
  criteria { id code description status signedOffBy { name } signedOffAt }
  evidence { id title status submittedBy { name } file { id name size }
    mappings { signedOff criterion { id code } } } } }"""
LEARNER_HOME = """{ viewer { learner { id name photo { download { url } } daysRemaining trafficLight
  progress { durationPercent pastPlannedEnd mappedPercent signedOffPercent }
  nextSession { id number startsAt endsAt type } awaitingSignatureCount outstandingActionCount
  offTheJob { requiredMinutes expectedMinutes actualMinutes actualPercent }
  aims { id title assessor { name } iqa { name } progress { mappedPercent signedOffPercent } resourceCount } } } }"""
AWAITING = """{ viewer { awaitingSignatureCount signatureRequests(status: PENDING) { totalCount
  nodes { id title awaitingViewer requestedAt learner { id name } requestedBy { name }
    document { id name size sha256 download { url } } slots { role signedBy { name } signedAt } } } } }"""
DASHBOARD = """{ viewer { awaitingSignatureCount } learners(first: 50) { totalCount pageInfo { hasNextPage endCursor }
  nodes { id name lastLoginAt employer { id name } nextSession { id startsAt type } outstandingActionCount
    aims { id title assessor { id name } trafficLight
      progress { durationPercent pastPlannedEnd mappedPercent signedOffPercent } } } } }"""
EVERY_LIST = """{ learners(first: 50) { nodes {
  sessions { totalCount nodes { aims { id } actions { evidence { versions { number } mappings { signedOff } } } } }
  evidence { totalCount nodes { signatures { role } file { name } } }
  timeLog { totalCount totalMinutes nodes { id } } timeLogCalendar(from: "2026-01-01", to: "2026-12-31") { date }
  signatureRequests { totalCount nodes { slots { role } } } cv { sections { text } documents { kind } } } } }"""


@pytest.fixture
async def shelf(database: Database, tmp_path: Path) -> Shelf:
    return await fill_shelf(database, tmp_path)


async def statements(shelf: Shelf, who: str, query: str, **variables: str) -> int:
    """As a client is served: with the sign-in, and with the qualification's words in memory."""
    context = shelf.context(who)
    await context.services.qualifications.qualifications(
        [shelf.it.main.qualification_id, shelf.it.side.qualification_id]
    )
    await shelf.ask(who, query, context, **variables)
    return SIGN_IN + shelf.statements


async def fill_up(shelf: Shelf) -> None:
    """A full page of everything: 20 sessions with files and actions with files, 60 entries, 20 pieces of evidence."""
    it = shelf.it
    async with shelf.database.writing() as session:
        factory = Factory(session)
        ada = await session.get_one(Learner, it.ada.id)
        keys = {"provider_id": it.provider.id, "learner_id": ada.id}
        for number in range(20):
            start = factory.now - dt.timedelta(days=30 + number)
            visit = await factory.session_of(ada, it.ann, start, it.main, status=SessionStatus.ATTENDED)
            action = await factory.action(ada, it.ann, it.main, session_id=visit.id)
            for link, key in ((SessionFile, {"session_id": visit.id}), (ActionFile, {"action_id": action.id})):
                await factory.add(link(**keys, **key, file_id=(await factory.file(it.ann, ada, it.main)).id))
            for _ in range(3):
                await factory.time_log_entry(
                    ada, it.ann, 10, it.main, unit_id=it.criteria[0].unit_id, assessor_id=it.bob.id
                )
            evidence = await factory.evidence(it.main, it.manager)
            criterion = it.criteria[number % 2]
            place = {"aim_id": it.main.id, "unit_id": criterion.unit_id, "criterion_id": criterion.id}
            await factory.add(
                EvidenceMapping(**keys, **place, evidence_id=evidence.id, mapped_by_id=it.ann.id, mapped_at=factory.now)
            )


async def test_a_full_page_takes_no_more_statements_than_a_short_one(shelf: Shelf) -> None:
    learner, unit = id_of(shelf.it.ada), ids.encode_pair("Unit", shelf.it.main.id, shelf.it.criteria[0].unit_id)
    bounds = {
        "learning plan": (7, "assessor", LEARNING_PLAN, {"id": learner}),
        "time log": (5, "ada", TIME_LOG, {"id": learner}),
        "unit record sheet": (9, "iqa", UNIT_RECORD_SHEET, {"id": unit}),
        "learner home": (9, "ada", LEARNER_HOME, {}),
        "awaiting signature": (6, "assessor", AWAITING, {}),
    }
    few = {name: await statements(shelf, who, query, **asked) for name, (_, who, query, asked) in bounds.items()}
    await fill_up(shelf)
    many = {name: await statements(shelf, who, query, **asked) for name, (_, who, query, asked) in bounds.items()}
    assert many == few
    assert {name: few[name] for name, (most, *_) in bounds.items() if few[name] > most} == {}


async def test_many_learners_take_no_more_statements_than_one(shelf: Shelf) -> None:
    # The manager has one learner; the admin all of them.
    one = [await statements(shelf, "manager", query) for query in (DASHBOARD, EVERY_LIST)]
    async with shelf.database.writing() as session:
        factory = Factory(session)
        for number in range(30):
            learner = await factory.learner(shelf.it.provider, f"Learner {number}", shelf.it.site)
            aim = await factory.aim(learner, shelf.it.mechanic, assessor=shelf.it.ann)
            visit = await factory.session_of(learner, shelf.it.ann, factory.now + dt.timedelta(days=1), aim)
            await factory.action(learner, shelf.it.ann, aim, session_id=visit.id)
            await factory.evidence(aim, shelf.it.ann)
            await factory.time_log_entry(learner, shelf.it.ann, 5)
    assert [await statements(shelf, "master", query) for query in (DASHBOARD, EVERY_LIST)] == one
    assert one[0] <= 5
