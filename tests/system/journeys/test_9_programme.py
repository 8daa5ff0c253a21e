"""Journey 9: a programme as it is lived: units chosen, a break, another version, agreed hours, a group."""

import datetime as dt
from typing import Any

from domain import clock
from tests.support.client import HttpClient
from tests.support.http_server import Clients
from tests.support.lookup import learner_id

DAY = dt.timedelta(days=1)
AIMS = """
query($id: ID!) { learner(id: $id) {
  aims {
    id status startDate plannedEndDate unitsToChoose trafficLight
    qualification { id title version kind optionalUnitsMinimum }
    progress { criteriaTotal criteriaMapped durationPercent daysOnBreak }
    units(chosenOnly: false) { id number mandatory chosen criteria { code } }
    breaks { id returnedOn } offTheJob { requiredMinutes plannedMinutes policy { source } }
  }
} }
"""


async def aim_of_kind(person: HttpClient, learner: str, kind: str) -> dict[str, Any]:
    aims = (await person.data(AIMS, id=learner))["learner"]["aims"]
    return next(aim for aim in aims if aim["qualification"]["kind"] == kind)


async def test_units_are_chosen(clients: Clients):
    assessor = await clients("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = await aim_of_kind(assessor, maya, "DIPLOMA")
    optional = [unit for unit in aim["units"] if not unit["mandatory"]]
    assert (aim["unitsToChoose"], aim["qualification"]["optionalUnitsMinimum"]) == (0, 1)
    both = await assessor.payload("aimUnitsChoose", id=aim["id"], unitIds=[unit["id"] for unit in optional])
    added = sum(len(unit["criteria"]) for unit in optional if not unit["chosen"])
    assert both["aim"]["progress"]["criteriaTotal"] == aim["progress"]["criteriaTotal"] + added
    none = await assessor.payload("aimUnitsChoose", id=aim["id"], unitIds=[])
    assert none["aim"]["unitsToChoose"] == 1
    await assessor.payload("aimUnitsChoose", id=aim["id"], unitIds=[each["id"] for each in optional if each["chosen"]])
    assert (await aim_of_kind(assessor, maya, "DIPLOMA"))["progress"] == aim["progress"]


async def test_a_break_moves_the_end_and_no_light(clients: Clients):
    assessor = await clients("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    before = await aim_of_kind(assessor, maya, "STANDARD")
    today, first = clock.today(), clock.today() - 20 * DAY
    begin = {"aimIds": [before["id"]], "startDate": first.isoformat(), "reason": "ILLNESS", "note": "Broken wrist"}
    await assessor.payload("breakBegin", input=begin)
    away = await aim_of_kind(assessor, maya, "STANDARD")
    assert (away["status"], away["trafficLight"], away["progress"]["daysOnBreak"]) == ("SUSPENDED", "NOT_RATED", 21)
    [found] = away["breaks"]
    moved = (dt.date.fromisoformat(before["plannedEndDate"]) + 15 * DAY).isoformat()
    await assessor.payload("breakEnd", id=found["id"], returnedOn=(today - 5 * DAY).isoformat(), plannedEndDate=moved)
    await assessor.payload("breakUpdate", id=found["id"], input={"returnedOn": (today - 6 * DAY).isoformat()})
    back = await aim_of_kind(assessor, maya, "STANDARD")
    assert (back["status"], back["progress"]["daysOnBreak"], back["plannedEndDate"]) == ("IN_TRAINING", 14, moved)
    assert abs(back["progress"]["durationPercent"] - before["progress"]["durationPercent"]) < 5


async def test_hours_are_agreed_and_time_confirmed(clients: Clients):
    assessor, manager = await clients("assessor"), await clients("employer.manager")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = await aim_of_kind(assessor, maya, "STANDARD")
    required = aim["offTheJob"]["requiredMinutes"]
    assert aim["offTheJob"]["policy"]["source"] == "Written for the demo."
    await assessor.payload("hoursAgree", aimId=aim["id"], plannedMinutes=required + 600, priorLearningMinutes=600)
    agreed = (await aim_of_kind(assessor, maya, "STANDARD"))["offTheJob"]
    assert (agreed["requiredMinutes"], agreed["plannedMinutes"]) == (required - 600, required)
    log = "query($id: ID!) { learner(id: $id) { timeLog(first: 3) { nodes { id employerConfirmedAt } } } }"
    entries = (await manager.data(log, id=maya))["learner"]["timeLog"]["nodes"]
    await manager.payload("timeLogEntryConfirm", ids=[entry["id"] for entry in entries])
    after = (await assessor.data(log, id=maya))["learner"]["timeLog"]["nodes"]
    assert all(entry["employerConfirmedAt"] for entry in after)


async def test_an_aim_moves_to_another_version(clients: Clients):
    assessor = await clients("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    aim = await aim_of_kind(assessor, maya, "STANDARD")
    found = (await assessor.data("{ qualifications(first: 20) { nodes { id title version } } }"))["qualifications"]
    other = next(
        each["id"] for each in found["nodes"]
        if each["title"] == aim["qualification"]["title"] and each["version"] != aim["qualification"]["version"]
    )  # fmt: skip
    steps = [
        {"fromUnitNumber": unit["number"], "fromCode": each["code"], "toUnitNumber": unit["number"],
         "toCode": each["code"]}
        for unit in aim["units"] for each in unit["criteria"]
    ]  # fmt: skip
    await assessor.payload("aimVersionChange", id=aim["id"], input={"qualificationId": other, "criterionMap": steps})
    moved = await aim_of_kind(assessor, maya, "STANDARD")
    assert moved["qualification"]["id"] == other
    # Everything has a successor, and the other version has one criterion more.
    assert moved["progress"]["criteriaMapped"] == aim["progress"]["criteriaMapped"]
    assert moved["progress"]["criteriaTotal"] == aim["progress"]["criteriaTotal"] + 1


async def test_a_day_release_is_booked_and_registered_as_one(clients: Clients):
    assessor = await clients("assessor")
    page = await assessor.data("{ learners(first: 6) { nodes { id } } }")
    learners = [each["id"] for each in page["learners"]["nodes"]]
    starts = (clock.now() - dt.timedelta(days=1)).replace(hour=4, minute=0, second=0, microsecond=0)
    times = {"startsAt": starts.isoformat(), "endsAt": (starts + dt.timedelta(hours=2)).isoformat()}
    booked = await assessor.payload("sessionBookMany", input={"learnerIds": learners, "type": "WORKSHOP", **times})
    plan = "query($id: ID!) { node(id: $id) { ... on Session { groupId status minutesLogged } } }"
    sessions = [each["id"] for each in booked["sessions"]]
    group = (await assessor.data(plan, id=sessions[0]))["node"]["groupId"]
    lines = [{"sessionId": id, "attended": number > 0, "minutes": 90} for number, id in enumerate(sessions)]
    await assessor.payload("sessionCompleteMany", groupId=group, attendances=lines)
    read = [(await assessor.data(plan, id=id))["node"] for id in sessions]
    assert [(each["status"], each["minutesLogged"]) for each in read] == [
        ("NOT_ATTENDED", None), *[("ATTENDED", 90)] * (len(sessions) - 1)
    ]  # fmt: skip
