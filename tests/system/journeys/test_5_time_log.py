"""Journey 5: learning is logged, changed, approved and exported; an attended session is logged once."""

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest
from sqlalchemy import update

from db.models.aim import Aim
from domain import clock
from tests.support.client import HttpClient
from tests.support.http_server import Clients
from tests.support.lookup import DIPLOMA, STANDARD, aim_of, learner_id

# The default setting of each activity, from the learner guide.
DEFAULTS = {
    "FACE_TO_FACE_SESSION": "OFF_THE_JOB",
    "TRAINER_LED_TRAINING": "OFF_THE_JOB",
    "DISTANCE_LEARNING_OR_SELF_STUDY": "OFF_THE_JOB",
    "COACHING_OR_MENTORING": "OFF_THE_JOB",
    "TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB": "ON_THE_JOB",
    "REVIEW_FEEDBACK_OR_SUPPORT": "ON_THE_JOB",
    "ASSESSMENT_OR_EXAMINATION": "OFF_THE_JOB",
}
LIST = """query($id: ID!, $filter: TimeLogFilter, $from: Date!, $to: Date!) { learner(id: $id) {
  timeLog(filter: $filter, first: 100) { totalCount totalMinutes nodes { id date minutes comments } }
  timeLogCalendar(from: $from, to: $to, filter: $filter) { date minutes entries { id } }
  timeLogExport(filter: $filter) { url } } }"""


@pytest.fixture(autouse=True)
async def early_start(clients: Clients) -> None:
    """Time is logged from a learner's first start: these tests log on days before the demo's own entries."""
    async with clients.running.server.services.database.writing() as session:
        await session.execute(update(Aim).values(start_date=clock.today() - dt.timedelta(days=1500)))


def day(ago: int) -> str:
    return (clock.today() - dt.timedelta(days=ago)).isoformat()


def entry(learner: str, ago: int, **more: Any) -> dict[str, Any]:
    """Returns the input of an entry, on a day before the demo's own entries or today."""
    return {
        "learnerId": learner, "date": day(ago), "activityType": "COACHING_OR_MENTORING", "minutes": 30,
        "comments": "Shadowed the workshop manager.", **more,
    }  # fmt: skip


async def listed(person: HttpClient, learner: str, first: int, last: int, **more: Any) -> dict[str, Any]:
    """Returns list, calendar and export of a period."""
    filter = {"from": day(first), "to": day(last), **more}
    return (await person.data(LIST, id=learner, filter=filter, **{"from": day(first), "to": day(last)}))["learner"]


async def test_each_activity_has_a_default_setting_that_can_be_overridden(clients: Clients):
    learner = await clients("learner")
    maya = await learner_id(learner, "Maya Thornton")
    before = (await learner.read("Learner", maya))["offTheJob"]["actualMinutes"]
    for activity, setting in DEFAULTS.items():
        added = await learner.mutate("timeLogEntryAdd", input=entry(maya, 900, activityType=activity))
        assert (added["jobSetting"], added["automatic"], added["assessor"]) == (setting, False, None)
    other = await learner.mutate("timeLogEntryAdd", input=entry(maya, 900, jobSetting="ON_THE_JOB"))
    assert other["jobSetting"] == "ON_THE_JOB"
    # Only minutes off the job count towards the required hours.
    assert other["learner"]["offTheJob"]["actualMinutes"] == before + 30 * list(DEFAULTS.values()).count("OFF_THE_JOB")


async def test_an_entry_is_changed_deleted_and_approved(clients: Clients):
    learner, assessor, admin = await clients("learner"), await clients("assessor"), await clients("master.admin")
    maya = await learner_id(learner, "Maya Thornton")
    aim, other = await aim_of(learner, maya, STANDARD), await aim_of(learner, maya, DIPLOMA)
    kpis = await assessor.kpis()
    about = {"aimId": aim["id"], "unitId": aim["units"][0]["id"]}
    added = await learner.mutate("timeLogEntryAdd", input=entry(maya, 901, **about))
    assert (added["aim"]["id"], added["unit"]["number"]) == (aim["id"], "1")
    assert (await assessor.kpis())["offTheJob"]["actualMinutes"] == kpis["offTheJob"]["actualMinutes"] + 30
    changed = await learner.mutate("timeLogEntryUpdate", id=added["id"], input=entry(maya, 901, minutes=45, **about))
    assert (changed["minutes"], changed["learner"]["offTheJob"]["actualMinutes"]) == (
        45, added["learner"]["offTheJob"]["actualMinutes"] + 15
    )  # fmt: skip

    # Aim and unit must belong together, the day cannot be in the future or have more than 24 hours.
    wrong = entry(maya, 901, aimId=other["id"], unitId=about["unitId"])
    assert await learner.user_errors("timeLogEntryAdd", input=wrong) == {"input.unitId": "INVALID"}
    assert await learner.user_errors("timeLogEntryAdd", input=entry(maya, -1)) == {"input.date": "INVALID"}
    full = entry(maya, 901, minutes=24 * 60 - 45)
    filled = await learner.mutate("timeLogEntryAdd", input=full)
    assert await learner.user_errors("timeLogEntryAdd", input=entry(maya, 901, minutes=1)) == {
        "input.minutes": "INVALID"
    }
    gone = await learner.payload("timeLogEntryDelete", id=filled["id"])
    assert (gone["deletedId"], gone["errors"]) == (filled["id"], [])
    assert gone["learner"]["offTheJob"]["actualMinutes"] == changed["learner"]["offTheJob"]["actualMinutes"]
    assert await learner.read("TimeLogEntry", filled["id"]) is None

    # An approved entry cannot be changed.
    assert await learner.user_errors("timeLogEntryApprove", ids=[added["id"]]) == {None: "NOT_ALLOWED"}
    (approved,) = await assessor.mutate("timeLogEntryApprove", ids=[added["id"]])
    assert approved["approvedBy"]["name"] == "Priya Raman"
    assert await learner.user_errors("timeLogEntryDelete", id=added["id"]) == {"id": "NOT_ALLOWED"}
    errors = await learner.user_errors("timeLogEntryUpdate", id=added["id"], input=entry(maya, 901))
    assert errors == {"id": "NOT_ALLOWED"}
    assert await admin.audit_trail(added["id"]) == [
        ("timeLogEntryApprove", "Priya Raman"), ("timeLogEntryUpdate", "Maya Thornton"),
        ("timeLogEntryAdd", "Maya Thornton"),
    ]  # fmt: skip


async def test_an_attended_session_is_logged_and_the_learner_cannot_change_it(clients: Clients):
    learner, assessor = await clients("learner"), await clients("assessor")
    maya = await learner_id(assessor, "Maya Thornton")
    starts = clock.now() - dt.timedelta(hours=3)
    booking = {
        "learnerId": maya, "type": "GENERAL", "startsAt": starts.isoformat(),
        "endsAt": (starts + dt.timedelta(minutes=50)).isoformat(),
    }  # fmt: skip
    session = await assessor.mutate("sessionBook", input=booking)
    before = (await learner.read("Learner", maya))["offTheJob"]["actualMinutes"]
    for _ in range(2):
        done = await assessor.mutate("sessionComplete", id=session["id"], input={"attended": True})
        assert done["learner"]["offTheJob"]["actualMinutes"] == before + 50
    log = await learner.data(
        "query($id: ID!) { learner(id: $id) { timeLog(filter: { activityType: FACE_TO_FACE_SESSION }, first: 100) "
        "{ nodes { id minutes automatic jobSetting session { id } } } } }",
        id=maya,
    )
    (logged,) = [one for one in log["learner"]["timeLog"]["nodes"] if one["session"] == {"id": session["id"]}]
    assert (logged["minutes"], logged["automatic"], logged["jobSetting"]) == (50, True, "OFF_THE_JOB")
    assert await learner.user_errors("timeLogEntryDelete", id=logged["id"]) == {"id": "NOT_ALLOWED"}


async def test_list_calendar_and_workbook_show_the_same_entries(clients: Clients):
    learner, manager = await clients("learner"), await clients("employer.manager")
    maya = await learner_id(learner, "Maya Thornton")
    aim = await aim_of(learner, maya, STANDARD)
    tricky = '=HYPERLINK("http://example.org")'
    for ago, more in ((1000, {"aimId": aim["id"]}), (1000, {"comments": tricky}), (998, {"jobSetting": "ON_THE_JOB"})):
        await learner.mutate("timeLogEntryAdd", input=entry(maya, ago, **more))
    for filter, count in (({}, 3), ({"aimId": aim["id"]}, 1), ({"jobSetting": "ON_THE_JOB"}, 1),
                          ({"jobSetting": "OFF_THE_JOB"}, 2)):  # fmt: skip
        found = await listed(manager, maya, 1001, 998, **filter)
        log, calendar = found["timeLog"], found["timeLogCalendar"]
        assert (log["totalCount"], log["totalMinutes"]) == (count, 30 * count)
        assert sorted(one["id"] for each in calendar for one in each["entries"]) == sorted(
            one["id"] for one in log["nodes"]
        )
        assert sum(each["minutes"] for each in calendar) == 30 * count
        answer = await manager.fetch(found["timeLogExport"]["url"])
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        cells = [cell for row in sheet.iter_rows() for cell in row]
        comments = [cell.value for cell in cells if cell.value in {one["comments"] for one in log["nodes"]}]
        assert len(comments) == count
        # A value that starts with = is text, not a formula.
        assert all(cell.data_type == "s" for cell in cells if cell.value == tricky)
