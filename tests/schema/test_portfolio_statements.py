"""How many SQL statements the portfolio's pages take: as many for one entry as for a full page, within bounds."""

import datetime as dt

import pytest

from db.models.learner import Learner
from domain import global_id as ids
from domain.enums import SessionStatus
from tests.support.client import InProcessClient
from tests.support.factories import Factory
from tests.support.scenarios.base import id_of
from tests.support.scenarios.full_portfolio import FullPortfolio

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
def scenario(full_portfolio: FullPortfolio) -> FullPortfolio:
    return full_portfolio


async def statements(scenario: FullPortfolio, who: str, query: str, **variables: str) -> int:
    """As a client is served: with the sign-in, and with the qualification's words in memory."""
    context = scenario.context(who)
    await context.services.qualifications.qualifications(
        [scenario.main.qualification_id, scenario.side.qualification_id]
    )
    client = InProcessClient.of(context)
    await client.data(query, **variables)
    return SIGN_IN + client.statements


async def fill_up(scenario: FullPortfolio) -> None:
    """A full page of everything: 20 sessions with files and actions with files, 60 entries, 20 pieces of evidence."""
    async with scenario.database.writing() as session:
        factory = Factory(session)
        ada = await session.get_one(Learner, scenario.ada.id)
        unit_id = scenario.criteria[0].unit_id
        for number in range(20):
            start = factory.now - dt.timedelta(days=30 + number)
            visit = await factory.session_of(ada, scenario.ann, start, scenario.main, status=SessionStatus.ATTENDED)
            action = await factory.action(ada, scenario.ann, scenario.main, session_id=visit.id)
            await factory.session_file(visit, await factory.file(scenario.ann, ada, scenario.main))
            await factory.action_file(action, await factory.file(scenario.ann, ada, scenario.main))
            for _ in range(3):
                about = {"unit_id": unit_id, "assessor_id": scenario.bob.id}
                await factory.time_log_entry(ada, scenario.ann, 10, scenario.main, **about)
            evidence = await factory.evidence(scenario.main, scenario.manager)
            await factory.evidence_mapping(evidence, scenario.criteria[number % 2], scenario.ann)


async def test_a_full_page_takes_no_more_statements_than_a_short_one(scenario: FullPortfolio) -> None:
    learner, unit = id_of(scenario.ada), ids.encode_pair("Unit", scenario.main.id, scenario.criteria[0].unit_id)
    bounds = {
        "learning plan": (7, "assessor", LEARNING_PLAN, {"id": learner}),
        "time log": (5, "ada", TIME_LOG, {"id": learner}),
        "unit record sheet": (9, "iqa", UNIT_RECORD_SHEET, {"id": unit}),
        "learner home": (9, "ada", LEARNER_HOME, {}),
        "awaiting signature": (6, "assessor", AWAITING, {}),
    }
    few = {name: await statements(scenario, who, query, **asked) for name, (_, who, query, asked) in bounds.items()}
    await fill_up(scenario)
    many = {name: await statements(scenario, who, query, **asked) for name, (_, who, query, asked) in bounds.items()}
    assert many == few
    assert {name: few[name] for name, (most, *_) in bounds.items() if few[name] > most} == {}


async def test_many_learners_take_no_more_statements_than_a_few(scenario: FullPortfolio) -> None:
    # The manager has one learner; the admin all of them. The lists of one learner are counted with their pages.
    one = [await statements(scenario, "manager", query) for query in (DASHBOARD, EVERY_LIST)]
    few = [await statements(scenario, "master", query) for query in (DASHBOARD, EVERY_LIST)]
    async with scenario.database.writing() as session:
        factory = Factory(session)
        for number in range(30):
            learner = await factory.learner(scenario.provider, f"Learner {number}", scenario.site)
            aim = await factory.aim(learner, scenario.mechanic, assessor=scenario.ann)
            visit = await factory.session_of(learner, scenario.ann, factory.now + dt.timedelta(days=1), aim)
            await factory.action(learner, scenario.ann, aim, session_id=visit.id)
            await factory.evidence(aim, scenario.ann)
            await factory.time_log_entry(learner, scenario.ann, 5)
    assert [await statements(scenario, "master", query) for query in (DASHBOARD, EVERY_LIST)] == few
    assert one[0] == few[0] <= 5 and one[1] <= few[1] <= 19
