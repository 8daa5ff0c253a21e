"""The portfolio in the graph: what every role is shown of it, in the right order and words, on both databases."""

from pathlib import Path

import pytest

from db.database import Database
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import EvidenceSignature
from db.models.unit_signature import UnitSignature
from domain import global_id as ids
from domain.enums import Role
from tests.support.learner_scenario import Shelf, fill_shelf, id_of, named
from tests.support.factories import SHA256

ADA = "query($id: ID!) { learner(id: $id) { %s } }"
# All who see all of Ada's; of an Assessor and an IQA, those who see her `main` aim, or her `side` aim.
ALL = ("ada", "manager", "overview", "basic", "master")
MAIN, SIDE = ("assessor", "iqa"), ("other_assessor",)
NOBODY = ("cy", "colleague", "other_overview", "foreign")


@pytest.fixture
async def shelf(database: Database, tmp_path: Path) -> Shelf:
    return await fill_shelf(database, tmp_path)


async def ada(shelf: Shelf, who: str, fields: str) -> dict:
    return (await shelf.ask(who, ADA % fields, id=id_of(shelf.it.ada)))["learner"]


async def test_lists_follow_the_aim_for_who_holds_aims(shelf: Shelf) -> None:
    fields = """evidence { totalCount nodes { title } } sessions { totalCount nodes { number } }
        actions { totalCount nodes { title } } timeLog { totalCount totalMinutes nodes { minutes } }
        outstandingActionCount nextSession { number }"""
    for who in (*ALL, *MAIN, *SIDE):
        found = await ada(shelf, who, fields)
        main, side = who not in SIDE, who not in MAIN
        assert named(found["evidence"]["nodes"]) == ["Essay"] * side + ["Photo"] * main, who
        assert named(found["sessions"]["nodes"], "number") == [1] * main + [2] + [3] * side + [4] * main, who
        assert named(found["actions"]["nodes"]) == ["Late"] * main + ["Side"] * side, who
        minutes = [15] * side + [30] + [60] * main
        assert named(found["timeLog"]["nodes"], "minutes") == minutes, who
        assert found["timeLog"]["totalMinutes"] == sum(minutes)
        assert [found[name]["totalCount"] for name in ("evidence", "sessions", "actions", "timeLog")] == [
            main + side, 1 + 2 * main + side, main + side, 1 + main + side
        ]  # fmt: skip
        assert found["outstandingActionCount"] == main + side
        assert found["nextSession"] == {"number": 3 if side else 4}, who


async def test_by_id_as_in_lists(shelf: Shelf) -> None:
    it = shelf.it
    of_main = [it.photo, it.past, it.visit, it.late, it.entries[0], it.resource, it.book, it.older, it.plan]
    of_side = [it.essay, it.side_visit, it.side_action, it.entries[2]]
    of_both = [it.missed, it.entries[1], it.waiting]
    every = [id_of(record) for record in (*of_main, *of_side, *of_both)]
    shown = {
        **dict.fromkeys(ALL, every),
        **dict.fromkeys(MAIN, [id_of(record) for record in (*of_main, *of_both)]),
        **dict.fromkeys(SIDE, [id_of(record) for record in (*of_side, *of_both)]),
        **dict.fromkeys(NOBODY, []),
    }
    for who, expected in shown.items():
        data = await shelf.ask(who, "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=every)
        assert [node["id"] for node in data["nodes"] if node] == [id for id in every if id in expected], who
        assert all(node["id"].startswith(node["__typename"] + "_") for node in data["nodes"] if node)


async def test_roots_and_strangers(shelf: Shelf) -> None:
    query = """query($e: ID!, $s: ID!, $r: ID!) {
        evidence(id: $e) { title } session(id: $s) { number } signatureRequest(id: $r) { title } }"""
    it = shelf.it
    asked = {"e": id_of(it.photo), "s": id_of(it.past), "r": id_of(it.waiting)}
    found = {"evidence": {"title": "Photo"}, "session": {"number": 1}, "signatureRequest": {"title": "Review"}}
    assert await shelf.ask("ada", query, **asked) == found
    nothing = dict.fromkeys(found)
    for who in NOBODY:
        assert await shelf.ask(who, query, **asked) == nothing
    # An id of another type is no id of this one.
    assert await shelf.ask("ada", query, e=asked["s"], s=asked["e"], r="Evidence_1.2") == nothing


async def test_evidence_with_everything_on_it(shelf: Shelf) -> None:
    it = shelf.it
    query = """query($id: ID!) { evidence(id: $id) {
        title description status declaredOwnWork feedback assessmentMethods submittedBy { name } learner { name }
        aim { id }
        file { id name size sha256 uploadedBy { name } } signatures { role }
        versions { number comment file { id name } submittedBy { name } signatures { role signedBy { name } } }
        mappings { signedOff mappedBy { name } criterion { code status evidence { title } unit { number } } } } }"""
    found = (await shelf.ask("iqa", query, id=id_of(it.photo)))["evidence"]
    assert found["versions"] == [
        {
            "number": 1,
            "comment": None,
            "file": {"id": id_of(it.older), "name": "older.txt"},
            "submittedBy": {"name": "Ada"},
            "signatures": [{"role": "LEARNER", "signedBy": {"name": "Ada"}}],
        },
        {
            "number": 2,
            "comment": "Sharper",
            "file": {"id": ids.encode("File", it.photo.file_id), "name": "notes.txt"},
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
        "id": ids.encode("File", it.photo.file_id),
        "name": "notes.txt",
        "size": 5,
        "sha256": SHA256,
        "uploadedBy": {"name": "Ada"},
    }
    ann = shelf.people["assessor"][0]
    await shelf.add(
        EvidenceSignature(
            provider_id=it.provider.id, learner_id=it.ada.id, evidence_id=it.photo.id, version_number=2,
            role=Role.ASSESSOR, signed_by_id=ann.id, signed_at=it.photo.submitted_at, statement="-", file_sha256=SHA256,
        )
    )  # fmt: skip
    assert (await shelf.ask("iqa", query, id=id_of(it.photo)))["evidence"]["signatures"] == [{"role": "ASSESSOR"}]


async def test_evidence_is_filtered(shelf: Shelf) -> None:
    it = shelf.it
    for filter, titles in (
        ('{aimId: "%s"}' % id_of(it.side), ["Essay"]),
        ('{aimId: "Aim_999999"}', []),
        ('{aimId: "nonsense"}', []),
        ("{unmappedOnly: true}", ["Essay"]),
        ("{unmappedOnly: false, status: null}", ["Essay", "Photo"]),
        ('{status: SUBMITTED, aimId: "%s"}' % id_of(it.main), ["Photo"]),
        ("{status: ASSESSED}", []),
    ):
        found = (await ada(shelf, "ada", f"evidence(filter: {filter}) {{ totalCount nodes {{ title }} }}"))["evidence"]
        assert (named(found["nodes"]), found["totalCount"]) == (titles, len(titles)), filter


async def test_a_session_with_everything_in_it(shelf: Shelf) -> None:
    query = """query($id: ID!) { session(id: $id) { status feedback assessor { name } aims { title } files { name }
        hasOutstandingActions learner { name }
        actions { title overdue files { name } session { number } aim { title } } } }"""
    found = (await shelf.ask("manager", query, id=id_of(shelf.it.past)))["session"]
    late = {"title": "Late", "overdue": True, "files": [{"name": "book.pdf"}], "session": {"number": 1}}
    side = {"title": "Side", "overdue": False, "files": [], "session": {"number": 1}}
    assert found["actions"] == [{**late, "aim": {"title": "Mechanic"}}, {**side, "aim": {"title": "English"}}]
    assert (found["aims"], found["files"]) == ([{"title": "Mechanic"}], [{"name": "plan.pdf"}])
    assert found["hasOutstandingActions"] is True
    assert (await shelf.ask("ada", query, id=id_of(shelf.it.visit)))["session"]["hasOutstandingActions"] is False
    # Who holds the other aim sees the action, not the session it was set in.
    of_action = "query($id: ID!) { node(id: $id) { ... on Action { title session { number } aim { title } } } }"
    assert (await shelf.ask("other_assessor", of_action, id=id_of(shelf.it.side_action)))["node"] == {
        "title": "Side", "session": None, "aim": {"title": "English"}
    }  # fmt: skip


async def test_actions_are_filtered(shelf: Shelf) -> None:
    for arguments, titles in (
        ("status: OUTSTANDING", ["Late", "Side"]),
        ("status: COMPLETE", []),
        ("outstandingOnly: true", ["Late", "Side"]),
        ("outstandingOnly: null, status: null", ["Late", "Side"]),
        ("outstandingOnly: true, status: COMPLETE", []),
    ):
        found = await ada(shelf, "ada", f"actions({arguments}) {{ nodes {{ title }} }}")
        assert named(found["actions"]["nodes"]) == titles, arguments


async def test_the_time_log_in_list_and_calendar(shelf: Shelf) -> None:
    it = shelf.it
    today, yesterday = (day.isoformat() for day in (it.factory.today, it.entries[0].date))
    entry = "minutes aim { title } unit { number } assessor { name } session { id } approvedBy { name }"
    found = await ada(shelf, "ada", f"timeLog(first: 1) {{ totalMinutes nodes {{ {entry} }} }}")
    assert found["timeLog"]["totalMinutes"] == 105
    of_main = f'{{aimId: "{id_of(it.main)}", from: "{yesterday}", to: "{today}", jobSetting: OFF_THE_JOB}}'
    found = await ada(shelf, "ada", f"timeLog(filter: {of_main}) {{ totalMinutes totalCount nodes {{ {entry} }} }}")
    assert found["timeLog"]["nodes"] == [
        {"minutes": 60, "aim": {"title": "Mechanic"}, "unit": {"number": "1"}, "assessor": None, "session": None,
         "approvedBy": None}
    ]  # fmt: skip
    assert (found["timeLog"]["totalMinutes"], found["timeLog"]["totalCount"]) == (60, 1)
    calendar = f'timeLogCalendar(from: "{yesterday}", to: "{today}") {{ date minutes entries {{ minutes }} }}'
    assert (await ada(shelf, "ada", calendar))["timeLogCalendar"] == [
        {"date": yesterday, "minutes": 60, "entries": [{"minutes": 60}]},
        {"date": today, "minutes": 45, "entries": [{"minutes": 30}, {"minutes": 15}]},
    ]
    later = f'timeLogCalendar(from: "{yesterday}", to: "{today}", filter: {{from: "{today}"}}) {{ minutes }}'
    assert (await ada(shelf, "ada", later))["timeLogCalendar"] == [{"minutes": 45}]
    for first, last in (("2025-01-01", "2026-01-02"), ("2026-01-02", "2026-01-01")):
        calendar = ADA % f'timeLogCalendar(from: "{first}", to: "{last}") {{ date }}'
        (message,) = await shelf.errors("ada", calendar, id=id_of(it.ada))
        assert message.startswith("to: ")


async def test_documents_wait_for_the_role_that_is_asked(shelf: Shelf) -> None:
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
        found = (await shelf.ask(who, query))["viewer"]
        requests = found["signatureRequests"]
        assert sorted(named(requests["nodes"])) == titles, who
        assert found["awaitingSignatureCount"] == waits, who
        assert requests["totalCount"] == len(titles)
        assert found["pending"]["totalCount"] == titles.count("Review")
        awaiting = [one["awaitingViewer"] for one in requests["nodes"] if one["title"] == "Review"]
        assert awaiting == [waits == 1] * titles.count("Review"), who
        assert all(one["learner"]["awaitingSignatureCount"] == waits for one in requests["nodes"]), who
    slots = "signatureRequests(status: PENDING) { nodes { slots { role signedBy { name } documentSha256 } } }"
    found = await ada(shelf, "basic", slots)
    assert found["signatureRequests"]["nodes"][0]["slots"] == [
        {"role": "ASSESSOR", "signedBy": None, "documentSha256": None},
        {"role": "LEARNER", "signedBy": None, "documentSha256": None},
        {"role": "EMPLOYER_MANAGER", "signedBy": {"name": "Mo"}, "documentSha256": None},
    ]


async def test_a_unit_with_its_signatures(shelf: Shelf) -> None:
    it = shelf.it
    query = """query($id: ID!) { unit(id: $id) { confirmationStatement criteriaComplete signedOff
        progress { criteriaTotal criteriaMapped criteriaSignedOff mappedPercent signedOffPercent }
        signatures { role required signedBy { name } signedAt } evidence { title mappings { signedOff } } } }"""
    first, second = it.criteria[0].unit_id, it.criteria[2].unit_id
    unit = {"id": ids.encode_pair("Unit", it.main.id, first)}
    found = (await shelf.ask("assessor", query, **unit))["unit"]
    assert found["progress"] == {
        "criteriaTotal": 2, "criteriaMapped": 2, "criteriaSignedOff": 1, "mappedPercent": 100.0,
        "signedOffPercent": 50.0,
    }  # fmt: skip
    assert found["confirmationStatement"].startswith(
        "I confirm that the evidence recorded for unit 1, Unit 1, of Mechanic is the work of Ada"
    )
    assert found["evidence"] == [{"title": "Photo", "mappings": [{"signedOff": True}, {"signedOff": False}]}]
    open_place = {"signedBy": None, "signedAt": None}
    assert found["signatures"] == [{"role": "ASSESSOR", "required": True, **open_place}]
    assert (found["criteriaComplete"], found["signedOff"]) == (False, False)
    async with shelf.database.writing() as session:
        keys = {"provider_id": it.provider.id, "learner_id": it.ada.id, "aim_id": it.main.id, "unit_id": first}
        place = await session.get_one(CriterionProgress, (it.main.id, it.criteria[1].id))
        place.signed_off, place.signed_off_by_id = True, it.ann.id
        words = {"statement": "-", "content_sha256": SHA256, "signed_at": it.factory.now}
        session.add(UnitSignature(**keys, **words, role=Role.LEARNER, signed_by_id=it.ada.user_id))
        gone = {"withdrawn_at": it.factory.now, "withdrawn_reason": "new evidence"}
        session.add(UnitSignature(**keys, **words, **gone, role=Role.ASSESSOR, signed_by_id=it.ann.id))
    # Complete, but the one signature that is required was taken back.
    found = (await shelf.ask("assessor", query, **unit))["unit"]
    assert (found["criteriaComplete"], found["signedOff"]) == (True, False)
    assert [(one["role"], one["required"], bool(one["signedAt"])) for one in found["signatures"]] == [
        ("LEARNER", False, True), ("ASSESSOR", True, False)
    ]  # fmt: skip
    async with shelf.database.writing() as session:
        session.add(UnitSignature(**keys, **words, role=Role.ASSESSOR, signed_by_id=it.ann.id))
    assert (await shelf.ask("assessor", query, **unit))["unit"]["signedOff"] is True
    both = shelf.context("assessor", unit_signatures=(Role.ASSESSOR, Role.EMPLOYER_MANAGER))
    assert (await shelf.ask("assessor", query, both, **unit))["unit"]["signedOff"] is False
    # A unit that nobody touched, and one of an aim that is another's.
    untouched = await shelf.ask("assessor", query, id=ids.encode_pair("Unit", it.main.id, second))
    assert untouched["unit"]["progress"]["criteriaMapped"] == 0
    assert await shelf.ask("other_assessor", query, **unit) == {"unit": None}


async def test_material_cv_and_photo(shelf: Shelf) -> None:
    fields = """photo { name } cv { sections { name text } documents { kind file { name } } }
        aims { title resourceCount resources { title file { name } } files { title } }"""
    for who in (*ALL, *MAIN, *SIDE):
        found = await ada(shelf, who, fields)
        assert found["photo"] == {"name": "ada.png"}
        assert [section["name"] for section in found["cv"]["sections"]] == ["PERSONAL_PROFILE", "SKILLS"]
        assert found["cv"]["documents"] == [{"kind": "JOB_DESCRIPTION", "file": {"name": "job.pdf"}}]
        for aim in found["aims"]:
            main = aim["title"] == "Mechanic"
            assert aim["resourceCount"] == main
            assert named(aim["resources"]) == ["manual"] * main
            assert named(aim["files"]) == ["slides"] * main
