"""Employers, people, guides, settings and the audit trail as the graph gives them, on both databases."""

import pytest

from domain import global_id as ids
from domain.enums import Role
from services.guides import guides
from tests.support.places import Asker, names

MANAGER, OVERVIEW, MASTER = Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW, Role.MASTER_ADMIN


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (MASTER, ["Head office", "Site A", "Site B", "Site C"]),
        (Role.ASSESSOR, ["Head office", "Site A", "Site B", "Site C"]),
        (MANAGER, ["Site A", "Site B"]),
        (OVERVIEW, ["Site A", "Site C"]),
        (Role.LEARNER, ["Site A"]),
        (Role.IQA, []),
    ],
)
async def test_employers_as_each_role_sees_them(ask: Asker, role: Role, expected: list[str]):
    one = "query ($id: ID!) { employer(id: $id) { name } node(id: $id) { __typename } }"
    read = await ask(role, "{ employers { totalCount nodes { id name parent { name } sites { name } } } }")
    assert names(read["employers"]) == expected
    assert read["employers"]["totalCount"] == len(expected)
    # A head office and the sites of one show only where the viewer sees them by themselves.
    for employer in read["employers"]["nodes"]:
        is_head = employer["name"] == "Head office"
        assert employer["parent"] == ({"name": "Head office"} if "Head office" in expected and not is_head else None)
        assert [site["name"] for site in employer["sites"]] == (expected[1:] if is_head else [])
        found = await ask(role, one, id=employer["id"])
        assert found == {"employer": {"name": employer["name"]}, "node": {"__typename": "Employer"}}


async def test_what_is_not_seen_is_absent(ask: Asker):
    ids_seen = await ask(MASTER, "{ employers { nodes { id name } } }")
    head = next(node["id"] for node in ids_seen["employers"]["nodes"] if node["name"] == "Head office")
    read = "query ($id: ID!) { employer(id: $id) { name } node(id: $id) { id } }"
    for employer_id in (head, "Employer_999", "Learner_1", "nonsense"):
        found = await ask(MANAGER, read, id=employer_id)
        assert found["employer"] is None
        assert found["node"] is None or employer_id == "Learner_1"


async def test_search_and_pages(ask: Asker):
    operation = """query ($search: String, $after: String) {
      employers(search: $search, first: 2, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { name }
      }
    }"""
    first = (await ask(MASTER, operation))["employers"]
    assert (names(first), first["totalCount"], first["pageInfo"]["hasNextPage"]) == (["Head office", "Site A"], 4, True)
    second = (await ask(MASTER, operation, after=first["pageInfo"]["endCursor"]))["employers"]
    assert (names(second), second["totalCount"], second["pageInfo"]["hasNextPage"]) == (["Site B", "Site C"], 4, False)
    beyond = (await ask(MASTER, operation, after=second["pageInfo"]["endCursor"]))["employers"]
    assert (names(beyond), beyond["totalCount"]) == ([], 4)
    assert names((await ask(MASTER, operation, search="SITE b"))["employers"]) == ["Site B"]
    assert names((await ask(MASTER, operation, search="%"))["employers"]) == []
    accents = await ask(MASTER, '{ qualifications(search: "ZOE\'S") { totalCount nodes { title } } }')
    assert names(accents["qualifications"]) == ["Zoë's standard"]


async def test_learners_of_employers_come_a_page_each_in_one_statement(ask: Asker):
    operation = """query ($order: LearnerOrder!, $after: String) { employers {
      nodes { name learners(first: 1, orderBy: $order, after: $after) {
        totalCount pageInfo { endCursor } nodes { name }
      } }
    } }"""
    read = await ask(MASTER, operation, order="NAME_DESC")
    pages = {node["name"]: node["learners"] for node in read["employers"]["nodes"]}
    assert ask.statements == 3
    assert {name: (names(page), page["totalCount"]) for name, page in pages.items()} == {
        "Head office": (["Ann"], 1),
        "Site A": (["Bob"], 2),
        "Site B": (["Cyd"], 1),
        "Site C": ([], 0),
    }
    after = pages["Site A"]["pageInfo"]["endCursor"]
    second = await ask(MASTER, operation, order="NAME_DESC", after=after)
    pages = {node["name"]: names(node["learners"]) for node in second["employers"]["nodes"]}
    # The place is one in the order of names: whoever comes after it, at any employer.
    assert pages == {"Head office": ["Ann"], "Site A": ["Ada"], "Site B": [], "Site C": []}
    for order in ("PLANNED_END_ASC", "LAST_LOGIN_DESC"):
        assert (await ask(OVERVIEW, operation, order=order))["employers"]["nodes"][0]["learners"]["totalCount"] == 2
    late = "{ employers { nodes { learners(filter: { trafficLight: OFF_TRACK }) { nodes { name } } } } }"
    seen = await ask(MANAGER, late)
    assert [names(node["learners"]) for node in seen["employers"]["nodes"]] == [["Ada"], ["Cyd"]]


async def test_a_learner_with_their_employer_managers_and_time(ask: Asker):
    read = await ask(
        Role.LEARNER,
        """{ viewer { awaitingSignatureCount learner {
      employer { name parent { name } } managers { name email }
      offTheJob { requiredMinutes expectedMinutes actualMinutes actualPercent }
      aims { qualification { id title reference unitCount criterionCount offTheJobHoursMinimum } }
    } } }""",
    )
    learner = read["viewer"]["learner"]
    assert read["viewer"]["awaitingSignatureCount"] == 1
    assert learner["employer"] == {"name": "Site A", "parent": None}
    assert learner["managers"] == [{"name": MANAGER.value, "email": None}]
    assert learner["offTheJob"] == {
        "requiredMinutes": 600, "expectedMinutes": 301, "actualMinutes": 30, "actualPercent": 5.0,
    }  # fmt: skip
    qualification = learner["aims"][0]["qualification"]
    assert qualification.pop("id").startswith("Qualification_")
    assert qualification == {
        "title": "Zoë's standard",
        "reference": "ST0001",
        "unitCount": 1,
        "criterionCount": 2,
        "offTheJobHoursMinimum": 10,
    }


async def test_people(ask: Asker):
    operation = """query ($role: Role, $search: String) {
      users(role: $role, search: $search, first: 100) { totalCount nodes { name } }
    }"""
    everyone = (await ask(MASTER, operation))["users"]
    assert everyone["totalCount"] == len(everyone["nodes"]) == 10
    assert not {"Gone", "Stranger", "Far admin"} & set(names(everyone))
    assert names((await ask(MASTER, operation, role="LEARNER"))["users"]) == ["Ada", "Ann", "Bob", "Cyd"]
    assert names((await ask(MANAGER, operation, role="LEARNER"))["users"]) == ["Ada", "Cyd"]
    assert names((await ask(MANAGER, operation, search="ADA"))["users"]) == ["Ada"]
    assert names((await ask(OVERVIEW, operation, role=MANAGER.value))["users"]) == [MANAGER.value]


async def test_grants_with_their_sites(ask: Asker):
    operation = "{ viewer { grants { role grantedBy { name } grantedAt employers { name } } } }"
    (grant,) = (await ask(OVERVIEW, operation))["viewer"]["grants"]
    assert grant["role"] == OVERVIEW.value
    assert grant["employers"] == [{"name": "Site A"}, {"name": "Site C"}]
    (grant,) = (await ask(MASTER, operation))["viewer"]["grants"]
    assert (grant["role"], grant["grantedBy"], grant["employers"]) == (MASTER.value, None, [])


async def test_the_audit_trail(ask: Asker):
    operation = """query ($id: ID) { auditTrail(subjectId: $id) { totalCount nodes {
      id action role actor { name } subject { __typename ... on Learner { name } }
    } } }"""
    (line,) = (await ask(MASTER, operation))["auditTrail"]["nodes"]
    assert line["subject"] == {"__typename": "Learner", "name": "Ada"}
    assert (line["action"], line["role"], line["actor"]) == ("learnerEnrol", MASTER.value, {"name": MASTER.value})
    again = await ask(MASTER, "query ($id: ID!) { node(id: $id) { ... on AuditEvent { action } } }", id=line["id"])
    assert again == {"node": {"action": "learnerEnrol"}}
    for role, id, count in (
        (MASTER, ids.encode("Learner", 1), 1),
        (MASTER, ids.encode("Learner", 2), 0),
        (MASTER, "nonsense", 0),
        (Role.ASSESSOR, None, 1),
        (Role.BASIC_ADMIN, None, 0),
        (MANAGER, None, 0),
        (Role.LEARNER, None, 0),
    ):
        assert (await ask(role, operation, id=id))["auditTrail"]["totalCount"] == count


async def test_guides_and_settings(ask: Asker):
    read = await ask(
        Role.LEARNER,
        """{
      all: guides { slug } mine: guides(audience: LEARNER) { slug audience }
      guide(slug: "kpi-app") { title body audience } none: guide(slug: "none") { title }
      providerSettings { trafficLightTolerance ratedFromPercent reviewIntervalWeeks unitSignatures disclaimer }
    }""",
    )
    assert [guide["slug"] for guide in read["all"]] == [guide.slug for guide in guides()]
    assert 0 < len(read["mine"]) < len(read["all"])
    assert all("LEARNER" in guide["audience"] for guide in read["mine"])
    assert read["guide"]["audience"] == [MANAGER.value, OVERVIEW.value]
    assert "Off track" in read["guide"]["body"]
    assert read["none"] is None
    assert read["providerSettings"] == {
        "trafficLightTolerance": 10.0,
        "ratedFromPercent": 0.0,
        "reviewIntervalWeeks": 12,
        "unitSignatures": ["ASSESSOR"],
        "disclaimer": None,
    }
    assert ask.statements == 0
