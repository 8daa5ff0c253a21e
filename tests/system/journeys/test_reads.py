"""Every query of the contract over HTTP, as every user of the demo."""

from dataclasses import dataclass
from typing import Any

import pytest

from queries.operations import get_operation, saved_operations
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD, Clients

# The demo's users, their role, and how many learners they see (see the README).
PEOPLE = {
    "learner": ("LEARNER", 1),
    "assessor": ("ASSESSOR", 20),
    "iqa": ("IQA", None),
    "employer.manager": ("EMPLOYER_MANAGER", 6),
    "employer.overview": ("EMPLOYER_OVERVIEW", 30),
    "basic.admin": ("BASIC_ADMIN", 60),
    "master.admin": ("MASTER_ADMIN", 60),
    "many.roles": ("ASSESSOR", None),
    "other.provider": ("MASTER_ADMIN", 8),
}
# The queries of the contract; its mutations are in the journeys.
READS = (
    "awaiting_signature", "employer_dashboard", "employer_kpis", "learner_home", "learning_plan", "progress_map",
    "site_comparison", "time_log", "unit_record_sheet",
)  # fmt: skip


@dataclass
class Reader:
    """A user with a learner and a unit that they see."""

    actor: HttpClient
    role: str
    count: int | None
    learner: str
    unit: str

    async def run(self, name: str, **variables: Any) -> dict[str, Any]:
        """Runs a saved operation by its name, as the employer app does."""
        answer = await self.actor.http.post("/graphql", json={"documentId": name, "variables": variables})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert "errors" not in found, found["errors"]
        return found["data"]


@pytest.fixture(scope="module", params=PEOPLE)
async def reader(request: pytest.FixtureRequest, clients: Clients) -> Reader:
    actor = await clients(request.param)
    found = await actor.data("{ learners(first: 100) { nodes { id name trafficLight nextSession { id } } } }")
    # Which of the visible learners have a booked session depends on the day.
    learners = [one for one in found["learners"]["nodes"] if one["nextSession"] and one["trafficLight"] != "NOT_RATED"]
    learners.sort(key=lambda one: (one["name"] != "Maya Thornton", one["trafficLight"] != "ON_TRACK"))
    learner = learners[0]["id"]
    found = await actor.data(
        "query($id: ID!) { learner(id: $id) { aims { units { id evidence { id } } } } }", id=learner
    )
    units = [unit["id"] for aim in found["learner"]["aims"] for unit in aim["units"] if unit["evidence"]]
    return Reader(actor, *PEOPLE[request.param], learner, units[0])


def test_every_query_of_the_contract_is_tested():
    queries = {name for name, operation in saved_operations().items() if operation.is_query}
    assert set(READS) <= queries
    assert all(get_operation(name).description for name in READS)


async def test_the_dashboard_and_the_kpis_count_the_same_learners(reader: Reader):
    page = await reader.run("employer_dashboard", first=100)
    kpis = (await reader.run("employer_kpis"))["viewer"]["kpis"]
    learners = page["learners"]["nodes"]
    assert page["learners"]["totalCount"] == len(learners)
    assert reader.count in (None, len(learners))
    found = await reader.actor.data(
        "{ learners(first: 100) { nodes { aims { status } } } viewer { kpis { endedLearnerCount } } }"
    )
    ended, everyone = found["viewer"]["kpis"]["endedLearnerCount"], found["learners"]["nodes"]
    statuses = [{aim["status"] for aim in learner["aims"]} for learner in everyone]
    over = [one for one in statuses if one and one <= {"COMPLETED", "WITHDRAWN"}]
    # Learners whose every aim has ended count apart, and not at all if every aim is withdrawn.
    assert kpis["learnerCount"] == len(learners) - len(over) > 0
    assert ended == sum("COMPLETED" in one for one in over)
    lights = [aim["trafficLight"] for learner in learners for aim in learner["aims"]]
    assert (lights.count("OFF_TRACK"), lights.count("ON_TRACK"), lights.count("AHEAD")) == (
        kpis["offTrackCount"], kpis["onTrackCount"], kpis["aheadCount"]
    )  # fmt: skip
    assert len(set(lights)) >= (3 if len(learners) > 1 else 1)
    assert all(aim["assessor"]["name"] for learner in learners for aim in learner["aims"])
    assert any(learner["nextSession"] for learner in learners)
    assert 0 < kpis["progress"]["signedOffPercent"] <= kpis["progress"]["mappedPercent"] <= 100


async def test_the_progress_map_has_the_units_with_every_criterion(reader: Reader):
    map_ = (await reader.run("progress_map", learnerId=reader.learner))["learner"]
    left = (await reader.run("progress_map", learnerId=reader.learner, filter="NON_COMPLETED"))["learner"]
    criteria = [one for aim in map_["aims"] for unit in aim["units"] for one in unit["criteria"]]
    assert {one["status"] for one in criteria} == {"NOT_STARTED", "IN_PROGRESS", "SIGNED_OFF"}
    assert all(bool(one["evidenceCount"]) == (one["status"] != "NOT_STARTED") for one in criteria)
    assert [one for aim in left["aims"] for unit in aim["units"] for one in unit["criteria"]] == [
        one for one in criteria if one["status"] != "SIGNED_OFF"
    ]


async def test_the_learning_plan_has_past_and_future_sessions(reader: Reader):
    plan = (await reader.run("learning_plan", learnerId=reader.learner))["learner"]["sessions"]
    assert plan["nodes"] and {"PLANNED", "ATTENDED"} <= {one["status"] for one in plan["nodes"]}
    actions = [action for session in plan["nodes"] for action in session["actions"]]
    assert actions and any(action["files"] for action in actions)
    files = [file for session in plan["nodes"] for file in session["files"]]
    answer = await reader.actor.fetch(files[0]["download"]["url"])
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")


async def test_the_time_log_has_its_totals(reader: Reader):
    log = (await reader.run("time_log", learnerId=reader.learner, filter=None))["learner"]["timeLog"]
    off = (await reader.run("time_log", learnerId=reader.learner, filter={"jobSetting": "OFF_THE_JOB"}))["learner"]
    assert log["totalCount"] >= len(log["nodes"]) > 10
    assert log["totalMinutes"] > off["timeLog"]["totalMinutes"] > 0
    assert {one["jobSetting"] for one in off["timeLog"]["nodes"]} == {"OFF_THE_JOB"}


async def test_the_evidence_record_sheet_has_the_units_evidence(reader: Reader):
    unit = (await reader.run("unit_record_sheet", unitId=reader.unit))["unit"]
    codes = {one["code"] for one in unit["criteria"]}
    assert unit["progress"]["criteriaTotal"] == len(unit["criteria"]) > 0
    assert unit["evidence"] and unit["confirmationStatement"]
    mapped = {each["criterion"]["code"] for one in unit["evidence"] for each in one["mappings"]}
    assert mapped & codes
    assert any(one["role"] == "ASSESSOR" and one["required"] for one in unit["signatures"])


async def test_a_document_that_awaits_a_signature_can_be_opened(reader: Reader):
    viewer = (await reader.run("awaiting_signature", first=100))["viewer"]
    documents = viewer["signatureRequests"]["nodes"]
    assert viewer["awaitingSignatureCount"] == sum(one["awaitingViewer"] for one in documents)
    signs = reader.role in ("LEARNER", "ASSESSOR", "IQA", "EMPLOYER_MANAGER", "EMPLOYER_OVERVIEW")
    if signs and reader.count is not None:
        assert viewer["awaitingSignatureCount"] > 0
        answer = await reader.actor.fetch(documents[0]["document"]["download"]["url"])
        assert (answer.status_code, len(answer.content)) == (200, documents[0]["document"]["size"])


async def test_sites_are_compared_over_visible_learners(reader: Reader):
    sites = (await reader.run("site_comparison"))["employers"]["nodes"]
    kpis = (await reader.run("employer_kpis"))["viewer"]["kpis"]
    assert sum(one["kpis"]["learnerCount"] for one in sites) == kpis["learnerCount"]


async def test_home_shows_the_learners_own_record(reader: Reader):
    home = (await reader.run("learner_home"))["viewer"]["learner"]
    if reader.role != "LEARNER":
        assert home is None
        return
    assert (home["name"], len(home["aims"])) == ("Maya Thornton", 3)
    assert home["nextSession"]["number"] > 1 and home["awaitingSignatureCount"] > 0
    assert home["outstandingActionCount"] > 0 and home["offTheJob"]["actualMinutes"] > 0
    assert all(aim["assessor"] and aim["iqa"] and aim["resourceCount"] for aim in home["aims"])
    photo = await reader.actor.fetch(home["photo"]["download"]["url"])
    assert photo.headers["content-type"].startswith("image/")


async def test_records_of_another_provider_are_not_found(clients: Clients):
    ruth, victor = await clients("other.provider"), await clients("master.admin")
    found = await victor.data(
        "{ learners(first: 3) { nodes { id aims { id units { id criteria { id } } } "
        "evidence(first: 1) { nodes { id file { id } } } sessions(first: 1) { nodes { id } } "
        "timeLog(first: 1) { nodes { id } } employer { id } } } "
        "users(first: 1) { nodes { id } } qualifications(first: 1) { nodes { id } } "
        "auditTrail(first: 1) { nodes { id } } }"
    )

    def ids(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(ids, value))
        if isinstance(value, dict):
            return ids(list(value.values())) | {one for name, one in value.items() if name == "id"}
        return set()

    theirs = sorted(ids(found))
    assert {one.partition("_")[0] for one in theirs} >= {
        "Learner", "Aim", "Unit", "Criterion", "Evidence", "File", "Session", "TimeLogEntry", "Employer", "User",
        "Qualification", "AuditEvent",
    }  # fmt: skip
    for start in range(0, len(theirs), 100):
        some = theirs[start : start + 100]
        assert (await ruth.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=some))["nodes"] == [None] * len(
            some
        )
    # A record of another provider and an unknown id give the same bytes.
    for kind, id in (("learner", theirs_of(theirs, "Learner")), ("aim", theirs_of(theirs, "Aim"))):
        asked = f"query($id: ID!) {{ {kind}(id: $id) {{ id }} }}"
        assert (
            (await ruth.response(asked, id=id))["data"]
            == (await ruth.response(asked, id=f"{id}999"))["data"]
            == {kind: None}
        )
    signed = {"id": theirs_of(theirs, "Unit"), "password": PASSWORD}
    assert await ruth.user_errors("unitSign", **signed) == {"id": "NOT_FOUND"}


def theirs_of(ids: list[str], kind: str) -> str:
    return next(one for one in ids if one.startswith(f"{kind}_"))
