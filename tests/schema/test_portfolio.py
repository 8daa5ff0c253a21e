"""The portfolio in the graph: what every role is shown of it, in the right order and words, on both databases."""

from typing import Any

import pytest

from db.models.criterion_progress import CriterionProgress
from domain import global_id as ids
from domain.enums import Role
from tests.support.factories import SHA256, Factory
from tests.support.scenarios.base import id_of
from tests.support.scenarios.full_portfolio import FullPortfolio

ADA = "query($id: ID!) { learner(id: $id) { %s } }"
# All who see all of Ada's; of an Assessor and an IQA, those who see her `main` aim, or her `side` aim.
ALL = ("ada", "manager", "overview", "basic", "master")
MAIN, SIDE = ("assessor", "iqa"), ("other_assessor",)
NOBODY = ("cy", "colleague", "other_overview", "foreign")


@pytest.fixture
def scenario(full_portfolio: FullPortfolio) -> FullPortfolio:
    return full_portfolio


def values(rows: list[dict[str, Any]], key: str = "title") -> list[Any]:
    return [row[key] for row in rows]


async def ada(scenario: FullPortfolio, who: str, fields: str) -> dict:
    return (await scenario.client(who).data(ADA % fields, id=id_of(scenario.ada)))["learner"]


async def test_lists_follow_the_aim_for_who_holds_aims(scenario: FullPortfolio) -> None:
    fields = """evidence { totalCount nodes { title } } sessions { totalCount nodes { number } }
        actions { totalCount nodes { title } } timeLog { totalCount totalMinutes nodes { minutes } }
        outstandingActionCount nextSession { number }"""
    for who in (*ALL, *MAIN, *SIDE):
        found = await ada(scenario, who, fields)
        main, side = who not in SIDE, who not in MAIN
        assert values(found["evidence"]["nodes"]) == ["Essay"] * side + ["Photo"] * main, who
        assert values(found["sessions"]["nodes"], "number") == [1] * main + [2] + [3] * side + [4] * main, who
        assert values(found["actions"]["nodes"]) == ["Late"] * main + ["Side"] * side, who
        minutes = [15] * side + [30] + [60] * main
        assert values(found["timeLog"]["nodes"], "minutes") == minutes, who
        assert found["timeLog"]["totalMinutes"] == sum(minutes)
        assert [found[name]["totalCount"] for name in ("evidence", "sessions", "actions", "timeLog")] == [
            main + side, 1 + 2 * main + side, main + side, 1 + main + side
        ]  # fmt: skip
        assert found["outstandingActionCount"] == main + side
        assert found["nextSession"] == {"number": 3 if side else 4}, who


async def test_by_id_as_in_lists(scenario: FullPortfolio) -> None:
    of_main = [
        scenario.photo,
        scenario.past,
        scenario.visit,
        scenario.late,
        scenario.entries[0],
        scenario.resource,
        scenario.book,
        scenario.older,
        scenario.plan,
    ]
    of_side = [scenario.essay, scenario.side_visit, scenario.side_action, scenario.entries[2]]
    of_both = [scenario.missed, scenario.entries[1], scenario.waiting]
    every = [id_of(record) for record in (*of_main, *of_side, *of_both)]
    shown = {
        **dict.fromkeys(ALL, every),
        **dict.fromkeys(MAIN, [id_of(record) for record in (*of_main, *of_both)]),
        **dict.fromkeys(SIDE, [id_of(record) for record in (*of_side, *of_both)]),
        **dict.fromkeys(NOBODY, []),
    }
    for who, expected in shown.items():
        data = await scenario.client(who).data("query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=every)
        assert [node["id"] for node in data["nodes"] if node] == [id for id in every if id in expected], who
        assert all(node["id"].startswith(node["__typename"] + "_") for node in data["nodes"] if node)


async def test_roots_and_strangers(scenario: FullPortfolio) -> None:
    query = """query($e: ID!, $s: ID!, $r: ID!) {
        evidence(id: $e) { title } session(id: $s) { number } signatureRequest(id: $r) { title } }"""
    asked = {"e": id_of(scenario.photo), "s": id_of(scenario.past), "r": id_of(scenario.waiting)}
    found = {"evidence": {"title": "Photo"}, "session": {"number": 1}, "signatureRequest": {"title": "Review"}}
    assert await scenario.client("ada").data(query, **asked) == found
    nothing = dict.fromkeys(found)
    for who in NOBODY:
        assert await scenario.client(who).data(query, **asked) == nothing
    # An id of another type is no id of this one.
    assert await scenario.client("ada").data(query, e=asked["s"], s=asked["e"], r="Evidence_1.2") == nothing


async def test_evidence_with_everything_on_it(scenario: FullPortfolio) -> None:
    query = """query($id: ID!) { evidence(id: $id) {
        title description status declaredOwnWork feedback assessmentMethods submittedBy { name } learner { name }
        aim { id }
        file { id name size sha256 uploadedBy { name } } signatures { role }
        versions { number comment file { id name } submittedBy { name } signatures { role signedBy { name } } }
        mappings { signedOff mappedBy { name } criterion { code status evidence { title } unit { number } } } } }"""
    found = (await scenario.client("iqa").data(query, id=id_of(scenario.photo)))["evidence"]
    assert found["versions"] == [
        {
            "number": 1,
            "comment": None,
            "file": {"id": id_of(scenario.older), "name": "older.txt"},
            "submittedBy": {"name": "Ada"},
            "signatures": [{"role": "LEARNER", "signedBy": {"name": "Ada"}}],
        },
        {
            "number": 2,
            "comment": "Sharper",
            "file": {"id": ids.encode("File", scenario.photo.file_id), "name": "notes.txt"},
            "submittedBy": {"name": "Ada"},
            "signatures": [],
        },
    ]
    # The version that was signed is not the one that stands.
    assert found["signatures"] == []
    assert found["assessmentMethods"] == ["PRODUCT"]
    signed_off = {one["criterion"]["code"]: one["signedOff"] for one in found["mappings"]}
    assert list(signed_off.items()) == [("1.1", True), ("1.2", False)]
    assert [one["criterion"]["evidence"] for one in found["mappings"]] == [[{"title": "Photo"}]] * 2
    assert found["file"] == {
        "id": ids.encode("File", scenario.photo.file_id),
        "name": "notes.txt",
        "size": 5,
        "sha256": SHA256,
        "uploadedBy": {"name": "Ada"},
    }
    async with scenario.database.writing() as session:
        await Factory(session).evidence_signature(scenario.photo, scenario.ann, Role.ASSESSOR, version_number=2)
    assert (await scenario.client("iqa").data(query, id=id_of(scenario.photo)))["evidence"]["signatures"] == [
        {"role": "ASSESSOR"}
    ]


async def test_evidence_is_filtered(scenario: FullPortfolio) -> None:
    for filter, titles in (
        (f'{{aimId: "{id_of(scenario.side)}"}}', ["Essay"]),
        ('{aimId: "Aim_999999"}', []),
        ('{aimId: "nonsense"}', []),
        ("{unmappedOnly: true}", ["Essay"]),
        ("{unmappedOnly: false, status: null}", ["Essay", "Photo"]),
        (f'{{status: SUBMITTED, aimId: "{id_of(scenario.main)}"}}', ["Photo"]),
        ("{status: ASSESSED}", []),
    ):
        found = (await ada(scenario, "ada", f"evidence(filter: {filter}) {{ totalCount nodes {{ title }} }}"))[
            "evidence"
        ]
        assert (values(found["nodes"]), found["totalCount"]) == (titles, len(titles)), filter


async def test_a_session_with_everything_in_it(scenario: FullPortfolio) -> None:
    query = """query($id: ID!) { session(id: $id) { status feedback assessor { name } aims { title } files { name }
        hasOutstandingActions learner { name }
        actions { title overdue files { name } session { number } aim { title } } } }"""
    found = (await scenario.client("manager").data(query, id=id_of(scenario.past)))["session"]
    late = {"title": "Late", "overdue": True, "files": [{"name": "book.pdf"}], "session": {"number": 1}}
    side = {"title": "Side", "overdue": False, "files": [], "session": {"number": 1}}
    assert found["actions"] == [{**late, "aim": {"title": "Mechanic"}}, {**side, "aim": {"title": "English"}}]
    assert (found["aims"], found["files"]) == ([{"title": "Mechanic"}], [{"name": "plan.pdf"}])
    assert found["hasOutstandingActions"] is True
    assert (await scenario.client("ada").data(query, id=id_of(scenario.visit)))["session"][
        "hasOutstandingActions"
    ] is False
    # Who holds the other aim sees the action, not the session it was set in.
    of_action = "query($id: ID!) { node(id: $id) { ... on Action { title session { number } aim { title } } } }"
    assert (await scenario.client("other_assessor").data(of_action, id=id_of(scenario.side_action)))["node"] == {
        "title": "Side", "session": None, "aim": {"title": "English"}
    }  # fmt: skip


async def test_actions_are_filtered(scenario: FullPortfolio) -> None:
    for arguments, titles in (
        ("status: OUTSTANDING", ["Late", "Side"]),
        ("status: COMPLETE", []),
        ("outstandingOnly: true", ["Late", "Side"]),
        ("outstandingOnly: null, status: null", ["Late", "Side"]),
        ("outstandingOnly: true, status: COMPLETE", []),
    ):
        found = await ada(scenario, "ada", f"actions({arguments}) {{ nodes {{ title }} }}")
        assert values(found["actions"]["nodes"]) == titles, arguments


async def test_the_time_log_in_list_and_calendar(scenario: FullPortfolio) -> None:
    today, yesterday = (day.isoformat() for day in (scenario.today, scenario.entries[0].date))
    entry = "minutes aim { title } unit { number } assessor { name } session { id } approvedBy { name }"
    found = await ada(scenario, "ada", f"timeLog(first: 1) {{ totalMinutes nodes {{ {entry} }} }}")
    assert found["timeLog"]["totalMinutes"] == 105
    of_main = f'{{aimId: "{id_of(scenario.main)}", from: "{yesterday}", to: "{today}", jobSetting: OFF_THE_JOB}}'
    found = await ada(scenario, "ada", f"timeLog(filter: {of_main}) {{ totalMinutes totalCount nodes {{ {entry} }} }}")
    assert found["timeLog"]["nodes"] == [
        {"minutes": 60, "aim": {"title": "Mechanic"}, "unit": {"number": "1"}, "assessor": None, "session": None,
         "approvedBy": None}
    ]  # fmt: skip
    assert (found["timeLog"]["totalMinutes"], found["timeLog"]["totalCount"]) == (60, 1)
    calendar = f'timeLogCalendar(from: "{yesterday}", to: "{today}") {{ date minutes entries {{ minutes }} }}'
    assert (await ada(scenario, "ada", calendar))["timeLogCalendar"] == [
        {"date": yesterday, "minutes": 60, "entries": [{"minutes": 60}]},
        {"date": today, "minutes": 45, "entries": [{"minutes": 30}, {"minutes": 15}]},
    ]
    later = f'timeLogCalendar(from: "{yesterday}", to: "{today}", filter: {{from: "{today}"}}) {{ minutes }}'
    assert (await ada(scenario, "ada", later))["timeLogCalendar"] == [{"minutes": 45}]
    for first, last in (("2025-01-01", "2026-01-02"), ("2026-01-02", "2026-01-01")):
        calendar = ADA % f'timeLogCalendar(from: "{first}", to: "{last}") {{ date }}'
        (message,) = await scenario.client("ada").error_messages(calendar, id=id_of(scenario.ada))
        assert message.startswith("to: ")


async def test_documents_wait_for_the_role_that_is_asked(scenario: FullPortfolio) -> None:
    query = """{ viewer { awaitingSignatureCount
        signatureRequests { totalCount nodes { title awaitingViewer learner { awaitingSignatureCount } } }
        pending: signatureRequests(status: PENDING) { totalCount } } }"""
    for who, waits, titles in (
        ("ada", 1, ["Review"]),
        ("assessor", 1, ["Plan", "Review"]),
        ("manager", 0, ["Review"]),
        ("iqa", 0, []),
        ("overview", 0, []),
        ("cy", 0, []),
        ("foreign", 0, []),
    ):
        found = (await scenario.client(who).data(query))["viewer"]
        requests = found["signatureRequests"]
        assert sorted(values(requests["nodes"])) == titles, who
        assert found["awaitingSignatureCount"] == waits, who
        assert requests["totalCount"] == len(titles)
        assert found["pending"]["totalCount"] == titles.count("Review")
        awaiting = [one["awaitingViewer"] for one in requests["nodes"] if one["title"] == "Review"]
        assert awaiting == [waits == 1] * titles.count("Review"), who
        assert all(one["learner"]["awaitingSignatureCount"] == waits for one in requests["nodes"]), who
    slots = "signatureRequests(status: PENDING) { nodes { slots { role signedBy { name } documentSha256 } } }"
    found = await ada(scenario, "basic", slots)
    assert found["signatureRequests"]["nodes"][0]["slots"] == [
        {"role": "ASSESSOR", "signedBy": None, "documentSha256": None},
        {"role": "LEARNER", "signedBy": None, "documentSha256": None},
        {"role": "EMPLOYER_MANAGER", "signedBy": {"name": "Mo"}, "documentSha256": None},
    ]


async def test_a_unit_with_its_signatures(scenario: FullPortfolio) -> None:
    query = """query($id: ID!) { unit(id: $id) { confirmationStatement criteriaComplete signedOff
        progress { criteriaTotal criteriaMapped criteriaSignedOff mappedPercent signedOffPercent }
        signatures { role required signedBy { name } signedAt } evidence { title mappings { signedOff } } } }"""
    first, second = scenario.criteria[0].unit_id, scenario.criteria[2].unit_id
    unit = {"id": ids.encode_pair("Unit", scenario.main.id, first)}
    found = (await scenario.client("assessor").data(query, **unit))["unit"]
    assert found["progress"] == {
        "criteriaTotal": 2, "criteriaMapped": 2, "criteriaSignedOff": 1, "mappedPercent": 100.0,
        "signedOffPercent": 50.0,
    }  # fmt: skip
    assert found["confirmationStatement"].startswith(
        "I confirm that the evidence recorded for unit 1, Unit 1, of Mechanic is the work of Ada"
    )
    assert found["evidence"] == [{"title": "Photo", "mappings": [{"signedOff": True}, {"signedOff": False}]}]
    assert found["signatures"] == [{"role": "ASSESSOR", "required": True, "signedBy": None, "signedAt": None}]
    assert (found["criteriaComplete"], found["signedOff"]) == (False, False)
    async with scenario.database.writing() as session:
        factory = Factory(session)
        progress = await session.get_one(CriterionProgress, (scenario.main.id, scenario.criteria[1].id))
        progress.signed_off, progress.signed_off_by_id = True, scenario.ann.id
        await factory.unit_signature(scenario.main, first, scenario.user("ada"), Role.LEARNER)
        withdrawn = {"withdrawn_at": scenario.now, "withdrawn_reason": "new evidence"}
        await factory.unit_signature(scenario.main, first, scenario.ann, Role.ASSESSOR, **withdrawn)
    # Complete, but the one signature that is required was withdrawn.
    found = (await scenario.client("assessor").data(query, **unit))["unit"]
    assert (found["criteriaComplete"], found["signedOff"]) == (True, False)
    assert [(one["role"], one["required"], bool(one["signedAt"])) for one in found["signatures"]] == [
        ("LEARNER", False, True), ("ASSESSOR", True, False), ("ASSESSOR", False, True)
    ]  # fmt: skip
    async with scenario.database.writing() as session:
        await Factory(session).unit_signature(scenario.main, first, scenario.ann, Role.ASSESSOR)
    assert (await scenario.client("assessor").data(query, **unit))["unit"]["signedOff"] is True
    both = scenario.client("assessor", unit_signatures=(Role.ASSESSOR, Role.EMPLOYER_MANAGER))
    assert (await both.data(query, **unit))["unit"]["signedOff"] is False
    # A unit without progress, and a unit of an aim of another assessor.
    untouched = await scenario.client("assessor").data(query, id=ids.encode_pair("Unit", scenario.main.id, second))
    assert untouched["unit"]["progress"]["criteriaMapped"] == 0
    assert await scenario.client("other_assessor").data(query, **unit) == {"unit": None}


async def test_material_cv_and_photo(scenario: FullPortfolio) -> None:
    fields = """photo { name } cv { sections { name text } documents { kind file { name } } }
        aims { title resourceCount resources { title file { name } } files { title } }"""
    for who in (*ALL, *MAIN, *SIDE):
        found = await ada(scenario, who, fields)
        assert found["photo"] == {"name": "ada.png"}
        assert [section["name"] for section in found["cv"]["sections"]] == ["PERSONAL_PROFILE", "SKILLS"]
        assert found["cv"]["documents"] == [{"kind": "JOB_DESCRIPTION", "file": {"name": "job.pdf"}}]
        for aim in found["aims"]:
            main = aim["title"] == "Mechanic"
            assert aim["resourceCount"] == main
            assert values(aim["resources"]) == ["manual"] * main
            assert values(aim["files"]) == ["slides"] * main
