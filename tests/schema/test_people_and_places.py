"""Employers, people, guides, settings and the audit trail in the schema, with both executors and databases."""

from collections.abc import Callable
from typing import Any

import pytest

from services.guides import guides
from services.storage.preview_types import CONTENT_TYPES
from services.storage.upload_rules import KINDS, MAX_UPLOAD_BYTES, kind_of
from tests.support.client import InProcessClient
from tests.support.scenarios.authorization import AuthorizationScenario
from tests.support.scenarios.base import id_of

Client = Callable[[str], InProcessClient]
EVERY_EMPLOYER = ["Head office", "Site A", "Site B", "Site C", "Site D"]


def names(connection: dict[str, Any]) -> list[str]:
    """Returns the names or titles of a page's nodes."""
    return [node.get("name") or node["title"] for node in connection["nodes"]]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("may", EVERY_EMPLOYER),
        ("ann", EVERY_EMPLOYER),
        ("mo", ["Site A", "Site B"]),
        ("olu", ["Site A", "Site B", "Site D"]),
        ("ada", ["Site A"]),
        ("ian", ["Site A", "Site C"]),
        ("nell", []),
    ],
)
async def test_employers_as_each_role_sees_them(client: Client, who: str, expected: list[str]):
    one = "query ($id: ID!) { employer(id: $id) { name } node(id: $id) { __typename } }"
    read = await client(who).data("{ employers { totalCount nodes { id name parent { name } sites { name } } } }")
    assert names(read["employers"]) == expected
    assert read["employers"]["totalCount"] == len(expected)
    # A head office and the sites of one show only where the viewer sees them by themselves.
    for employer in read["employers"]["nodes"]:
        is_head = employer["name"] == "Head office"
        assert employer["parent"] == ({"name": "Head office"} if "Head office" in expected and not is_head else None)
        assert [site["name"] for site in employer["sites"]] == (expected[1:] if is_head else [])
        found = await client(who).data(one, id=employer["id"])
        assert found == {"employer": {"name": employer["name"]}, "node": {"__typename": "Employer"}}


async def test_what_is_not_seen_is_absent(client: Client):
    ids_seen = await client("may").data("{ employers { nodes { id name } } }")
    head = next(node["id"] for node in ids_seen["employers"]["nodes"] if node["name"] == "Head office")
    read = "query ($id: ID!) { employer(id: $id) { name } node(id: $id) { id } }"
    for employer_id in (head, "Employer_999", "Learner_1", "nonsense"):
        found = await client("mo").data(read, id=employer_id)
        assert found["employer"] is None
        assert found["node"] is None or employer_id == "Learner_1"


async def test_search_and_pages(client: Client):
    operation = """query ($search: String, $after: String) {
      employers(search: $search, first: 2, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { name }
      }
    }"""
    first = (await client("may").data(operation))["employers"]
    assert (names(first), first["totalCount"], first["pageInfo"]["hasNextPage"]) == (["Head office", "Site A"], 5, True)
    second = (await client("may").data(operation, after=first["pageInfo"]["endCursor"]))["employers"]
    assert (names(second), second["totalCount"], second["pageInfo"]["hasNextPage"]) == (["Site B", "Site C"], 5, True)
    third = (await client("may").data(operation, after=second["pageInfo"]["endCursor"]))["employers"]
    assert (names(third), third["totalCount"], third["pageInfo"]["hasNextPage"]) == (["Site D"], 5, False)
    after_the_last = (await client("may").data(operation, after=third["pageInfo"]["endCursor"]))["employers"]
    assert (names(after_the_last), after_the_last["totalCount"]) == ([], 5)
    assert names((await client("may").data(operation, search="SITE b"))["employers"]) == ["Site B"]
    assert names((await client("may").data(operation, search="%"))["employers"]) == []
    accents = await client("may").data('{ qualifications(search: "BARISTA\'S CAFE") { totalCount nodes { title } } }')
    assert names(accents["qualifications"]) == ["Barista's café skills"]


async def test_learners_of_employers_come_a_page_each_in_one_statement(client: Client):
    operation = """query ($order: LearnerOrder!, $after: String) { employers {
      nodes { name learners(first: 1, orderBy: $order, after: $after) {
        totalCount pageInfo { endCursor } nodes { name }
      } }
    } }"""
    may = client("may")
    read = await may.data(operation, order="NAME_DESC")
    pages = {node["name"]: node["learners"] for node in read["employers"]["nodes"]}
    assert may.statements == 3
    assert {name: (names(page), page["totalCount"]) for name, page in pages.items()} == {
        "Head office": (["Fay"], 1),
        "Site A": (["Bea"], 2),
        "Site B": (["Cyd"], 1),
        "Site C": (["Dan"], 1),
        "Site D": ([], 0),
    }
    # A cursor is a place in the order of names, at every employer.
    for employer, expected in (
        ("Site A", {"Head office": [], "Site A": ["Ada"], "Site B": [], "Site C": [], "Site D": []}),
        ("Site C", {"Head office": [], "Site A": ["Bea"], "Site B": ["Cyd"], "Site C": [], "Site D": []}),
    ):
        after = pages[employer]["pageInfo"]["endCursor"]
        second = await may.data(operation, order="NAME_DESC", after=after)
        assert {node["name"]: names(node["learners"]) for node in second["employers"]["nodes"]} == expected
    for order in ("PLANNED_END_ASC", "LAST_LOGIN_DESC"):
        assert (await client("olu").data(operation, order=order))["employers"]["nodes"][0]["learners"][
            "totalCount"
        ] == 2
    late = "{ employers { nodes { learners(filter: { trafficLight: OFF_TRACK }) { nodes { name } } } } }"
    for who, expected in (("mo", [[], []]), ("olu", [["Bea"], [], []])):
        seen = await client(who).data(late)
        assert [names(node["learners"]) for node in seen["employers"]["nodes"]] == expected


async def test_a_learner_with_their_employer_managers_and_time(client: Client):
    read = await client("ada").data(
        """{ viewer { awaitingSignatureCount learner {
      employer { name parent { name } } managers { name email }
      offTheJob { requiredMinutes expectedMinutes actualMinutes actualPercent }
      aims { qualification { id title reference unitCount criterionCount offTheJobHoursMinimum } }
    } } }""",
    )
    learner = read["viewer"]["learner"]
    # Two documents, and a review of each aim.
    assert read["viewer"]["awaitingSignatureCount"] == 5
    assert learner["employer"] == {"name": "Site A", "parent": None}
    assert learner["managers"] == [{"name": "Mo", "email": None}]
    assert learner["offTheJob"] == {
        "requiredMinutes": 6000, "expectedMinutes": 3015, "actualMinutes": 340, "actualPercent": 5.7,
    }  # fmt: skip
    qualification = learner["aims"][0]["qualification"]
    assert qualification.pop("id").startswith("Qualification_")
    assert qualification == {
        "title": "Cycle mechanic",
        "reference": "ST0001",
        "unitCount": 2,
        "criterionCount": 3,
        "offTheJobHoursMinimum": 100,
    }


async def test_people(client: Client):
    operation = """query ($role: Role, $search: String) {
      users(role: $role, search: $search, first: 100) { totalCount nodes { name } }
    }"""
    everyone = (await client("may").data(operation))["users"]
    assert everyone["totalCount"] == len(everyone["nodes"]) == 18
    # The archived manager, and people of the other provider.
    assert not {"Old", "Zoe", "Zoo"} & set(names(everyone))
    learners = (await client("may").data(operation, role="LEARNER"))["users"]
    assert names(learners) == ["Ada", "Bea", "Cyd", "Dan", "Eve", "Fay"]
    assert names((await client("mo").data(operation, role="LEARNER"))["users"]) == ["Ada", "Cyd"]
    assert names((await client("mo").data(operation, search="ADA"))["users"]) == ["Ada"]
    assert names((await client("olu").data(operation, role="EMPLOYER_MANAGER"))["users"]) == ["Mo", "Nat"]


async def test_grants_with_their_sites(client: Client):
    operation = "{ viewer { grants { role grantedBy { name } grantedAt employers { name } } } }"
    (grant,) = (await client("olu").data(operation))["viewer"]["grants"]
    assert (grant["role"], grant["grantedBy"]) == ("EMPLOYER_OVERVIEW", {"name": "May"})
    assert grant["employers"] == [{"name": "Site A"}, {"name": "Site B"}, {"name": "Site D"}]
    (grant,) = (await client("zoo").data(operation))["viewer"]["grants"]
    assert (grant["role"], grant["grantedBy"], grant["employers"]) == ("MASTER_ADMIN", None, [])


async def test_the_audit_trail(client: Client, scenario: AuthorizationScenario):
    operation = """query ($id: ID) { auditTrail(subjectId: $id) { totalCount nodes {
      id action role actor { name } subject { __typename ... on Learner { name } }
    } } }"""
    line, *others = (await client("may").data(operation, id=id_of(scenario.ada)))["auditTrail"]["nodes"]
    assert line["subject"] == {"__typename": "Learner", "name": "Ada"}
    assert (line["action"], line["role"], line["actor"]) == ("learnerUpdate", "MASTER_ADMIN", {"name": "May"})
    assert [(one["action"], one["actor"]["name"]) for one in others] == [("cvSectionSave", "Ada")] * 3
    by_id = "query ($id: ID!) { node(id: $id) { ... on AuditEvent { action } } }"
    assert await client("may").data(by_id, id=line["id"]) == {"node": {"action": "learnerUpdate"}}
    for who, id, count in (
        ("may", id_of(scenario.ada), 4),
        ("may", id_of(scenario.eve), 0),
        ("may", id_of(scenario.zoe), 0),
        ("may", "nonsense", 0),
        # Ann assesses `main` and `cyds`, and sees their lines and those about Ada and Cyd themselves.
        ("ann", None, 15),
        ("bas", None, 0),
        ("mo", None, 0),
        # A learner sees her own signatures.
        ("ada", None, 3),
    ):
        assert (await client(who).data(operation, id=id))["auditTrail"]["totalCount"] == count


async def test_guides_and_settings(client: Client):
    ada = client("ada")
    read = await ada.data(
        """{
      all: guides { slug } mine: guides(audience: LEARNER) { slug audience }
      guide(slug: "kpi-app") { title body audience } none: guide(slug: "none") { title }
      providerSettings { trafficLightTolerance ratedFromPercent reviewIntervalWeeks unitSignatures disclaimer }
    }""",
    )
    assert [guide["slug"] for guide in read["all"]] == [guide.slug for guide in guides()]
    assert 0 < len(read["mine"]) < len(read["all"])
    assert all("LEARNER" in guide["audience"] for guide in read["mine"])
    assert read["guide"]["audience"] == ["EMPLOYER_MANAGER", "EMPLOYER_OVERVIEW"]
    assert "Off track" in read["guide"]["body"]
    assert read["none"] is None
    assert read["providerSettings"] == {
        "trafficLightTolerance": 10.0,
        "ratedFromPercent": 0.0,
        "reviewIntervalWeeks": 12,
        "unitSignatures": ["ASSESSOR"],
        "disclaimer": None,
    }
    assert ada.statements == 0


async def test_the_kinds_of_files_that_are_accepted(client: Client):
    """What the field says is what an upload is compared with."""
    ada = client("ada")
    read = (await ada.data("{ acceptedFiles { contentType endings maxBytes hasPreview } }"))["acceptedFiles"]
    assert ada.statements == 0
    assert len(read) == len({kind["contentType"] for kind in read}) == len(KINDS)
    for kind in read:
        for ending in kind["endings"]:
            assert kind_of(f"a{ending}").content_type == kind["contentType"]
    assert {kind["maxBytes"] for kind in read} == {MAX_UPLOAD_BYTES}
    assert {kind["contentType"] for kind in read if kind["hasPreview"]} == CONTENT_TYPES
