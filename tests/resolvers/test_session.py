"""Sessions: booked, changed, cancelled; nobody twice at a time, and nobody told more than they may know."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from db.models.aim import Aim
from db.models.audit_event import AuditEvent
from db.models.file import File
from db.models.learner import Learner
from db.models.session import Session, SessionFile
from domain import clock
from domain import global_id as ids
from domain.enums import AimStatus, SessionStatus
from tests.support.mutation_documents import ask, done, faults, words
from tests.support.scenarios import Stage
from tests.support.factories import Factory

TOMORROW = (clock.now() + dt.timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)


def at(hours: float) -> str:
    """So many hours after nine tomorrow."""
    return (TOMORROW + dt.timedelta(hours=hours)).isoformat()


def booking(learner: str, start: float = 0, length: float = 1, **changes: Any) -> dict[str, Any]:
    return {"learnerId": learner, "type": "GENERAL", "startsAt": at(start), "endsAt": at(start + length), **changes}


async def book(
    stage: Stage, who: str = "assessor", start: float = 0, length: float = 1, **changes: Any
) -> dict[str, Any]:
    return await done(stage, who, "sessionBook", input=booking(stage.ada, start, length, **changes))


async def cy_learns_with(stage: Stage, who: str) -> None:
    """Cy gets an aim with an assessor."""
    async with stage.database.writing() as session:
        cy = await session.get_one(Learner, ids.decode("Learner", stage.cy))
        await Factory(session).aim(cy, assessor=stage.user(who))


async def test_a_booked_session_is_in_the_plan_and_the_learner_hears(stage: Stage) -> None:
    made = await book(stage, location=" The  workshop ", aimIds=[stage.aim, stage.aim], planningNotes="Bring tools")
    assert (made["number"], made["status"], made["location"]) == (1, "PLANNED", "The workshop")
    assert made["assessor"] == {"name": "Assessor"} and [aim["id"] for aim in made["aims"]] == [stage.aim]
    assert made["planningNotes"] == "Bring tools" and made["hasOutstandingActions"] is False
    assert (await book(stage, start=1))["number"] == 2
    (mail, _) = await stage.mails()
    assert (mail.to_address, mail.kind) == (stage.user("learner").email, "session_booked")
    (line, _) = await stage.rows(AuditEvent)
    assert (line.action, line.subject_type, ids.encode("Aim", line.aim_id)) == ("sessionBook", "Session", stage.aim)
    assert "Bring" not in str(line.detail)


async def test_what_was_missed_can_be_put_into_the_plan_without_an_email(stage: Stage) -> None:
    await book(stage, start=-100)
    assert await stage.mails() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"endsAt": at(0)}, "endsAt"),
        ({"endsAt": at(24.01)}, "endsAt"),
        ({"startsAt": at(-24 * 400), "endsAt": at(-24 * 400 + 1)}, "startsAt"),
        ({"startsAt": "0001-01-01T00:00:00+05:00"}, "startsAt"),
        ({"startsAt": "9999-12-31T23:59:59-05:00"}, "startsAt"),
        ({"startsAt": at(0)[:19]}, "startsAt"),
        ({"location": "x" * 201}, "location"),
        ({"planningNotes": "a\0b"}, "planningNotes"),
    ],
)
async def test_what_cannot_be_a_session_is_invalid(stage: Stage, changes: dict[str, Any], field: str) -> None:
    asked = {**booking(stage.ada), **changes}
    assert await faults(stage, "assessor", "sessionBook", input=asked) == {f"input.{field}": "INVALID"}
    assert await stage.rows(Session) == []


async def test_several_faults_come_back_together(stage: Stage) -> None:
    asked = booking("Learner_999", length=-1, aimIds=[stage.aim], location="x" * 201)
    assert await faults(stage, "assessor", "sessionBook", input=asked) == {
        "input.learnerId": "NOT_FOUND",
        "input.endsAt": "INVALID",
        "input.location": "INVALID",
        "input.aimIds.0": "NOT_FOUND",
    }


async def test_the_foreign_and_the_unknown_are_not_found_alike(stage: Stage) -> None:
    for learner in (stage.cy, stage.zoe, "Learner_999", stage.aim, "x"):
        found = await faults(stage, "assessor", "sessionBook", input=booking(learner))
        assert found == {"input.learnerId": "NOT_FOUND"}
    for aim in (stage.other_aim, stage.cys_aim, stage.foreign_aim, "Aim_999"):
        asked = booking(stage.ada, aimIds=[stage.aim, aim])
        assert await faults(stage, "assessor", "sessionBook", input=asked) == {"input.aimIds.1": "NOT_FOUND"}
    made = await book(stage, aimIds=[stage.aim])
    for mutation, more in (("sessionUpdate", {"input": {}}), ("sessionCancel", {})):
        for who, id in (("other_assessor", made["id"]), ("colleague", made["id"]), ("basic", "Session_999")):
            assert await faults(stage, who, mutation, id=id, **more) == {"id": "NOT_FOUND"}


async def test_who_sees_the_learner_and_books_nothing_is_not_allowed(stage: Stage) -> None:
    made = await book(stage)
    for who in ("learner", "iqa", "manager", "overview"):
        assert await faults(stage, who, "sessionBook", input=booking(stage.ada, 5)) == {None: "NOT_ALLOWED"}
        assert await faults(stage, who, "sessionCancel", id=made["id"]) == {None: "NOT_ALLOWED"}
        assert await faults(stage, who, "sessionUpdate", id=made["id"], input={}) == {None: "NOT_ALLOWED"}
    for place, who in enumerate(("assessor", "basic", "master"), 1):
        await book(stage, who, start=place)


async def test_an_admin_books_with_the_assessor_of_the_aim(stage: Stage) -> None:
    assert (await book(stage, "basic", aimIds=[stage.other_aim, stage.aim]))["assessor"]["name"] == "Other Assessor"
    assert (await book(stage, "master", start=2))["assessor"]["name"] == "Assessor"
    assert await faults(stage, "basic", "sessionBook", input=booking(stage.cy)) == {"input.aimIds": "INVALID"}
    asked = booking(stage.cy, aimIds=[stage.cys_aim])
    assert await faults(stage, "basic", "sessionBook", input=asked) == {"input.aimIds": "INVALID"}


async def test_an_admin_books_an_induction_before_anything_is_in_training(stage: Stage) -> None:
    async with stage.database.writing() as session:
        for id in (stage.aim, stage.other_aim):
            (await session.get_one(Aim, ids.decode("Aim", id))).status = AimStatus.AWAITING_INDUCTION
    assert (await book(stage, "basic", type="INDUCTION"))["assessor"]["name"] == "Assessor"


async def test_nobody_is_booked_twice(stage: Stage) -> None:
    await cy_learns_with(stage, "assessor")
    await book(stage, start=0, length=2)
    for start, length in ((1, 1), (-1, 2), (0.5, 0.5), (-1, 4)):
        asked = booking(stage.cy, start, length)
        assert await faults(stage, "assessor", "sessionBook", input=asked) == {"input.startsAt": "CONFLICT"}
        asked = booking(stage.ada, start, length)
        assert await faults(stage, "other_assessor", "sessionBook", input=asked) == {"input.startsAt": "CONFLICT"}
    # What only touches does not overlap, and what is over or called off takes no time.
    await book(stage, start=2)
    before = await book(stage, start=-1)
    await done(stage, "assessor", "sessionCancel", id=before["id"])
    await book(stage, start=-1)


async def test_a_conflict_names_only_what_the_viewer_may_see(stage: Stage) -> None:
    await cy_learns_with(stage, "assessor")
    cys = booking(stage.cy)
    await book(stage, aimIds=[stage.aim])
    assert "You are booked with Learner, " in await words(stage, "assessor", "sessionBook", input=cys)
    # The other assessor does not see what Ada's session is about.
    said = await words(stage, "other_assessor", "sessionBook", input=booking(stage.ada))
    assert said.startswith("Learner is booked for another session then.") and " from " not in said
    assert "session 1, " in await words(stage, "master", "sessionBook", input=booking(stage.ada))
    # Ada is no learner of theirs any more: their own calendar is full all the same, without her name.
    async with stage.database.writing() as session:
        (await session.get_one(Aim, ids.decode("Aim", stage.aim))).assessor_id = stage.user("other_assessor").id
    said = await words(stage, "assessor", "sessionBook", input=cys)
    assert said.startswith("You are booked with somebody else then.")


async def test_of_racing_bookings_one_wins(stage: Stage) -> None:
    await cy_learns_with(stage, "assessor")
    asked = [("assessor", stage.ada), ("basic", stage.ada), ("other_assessor", stage.ada), ("assessor", stage.cy)] * 4

    async def one(who: str, learner: str, start: float) -> bool:
        payload = await ask(stage, who, "sessionBook", input=booking(learner, start))
        return payload["session"] is not None

    won = await asyncio.gather(*(one(who, learner, place % 3 / 4) for place, (who, learner) in enumerate(asked)))
    planned = await stage.rows(Session)
    assert len(planned) == sum(won) and planned
    for first in planned:
        for second in planned:
            same = first.learner_id == second.learner_id or first.assessor_id == second.assessor_id
            over = first.starts_at < second.ends_at and second.starts_at < first.ends_at
            assert first is second or not (same and over)


async def test_bookings_at_once_get_numbers_of_their_own(stage: Stage) -> None:
    await asyncio.gather(*(book(stage, start=place) for place in range(8)))
    assert sorted(made.number for made in await stage.rows(Session)) == list(range(1, 9))


async def test_a_planned_session_is_changed(stage: Stage) -> None:
    made = await book(stage, location="Here", planningNotes="Bring tools")
    changes = {"type": "TELEPHONE", "location": None, "planningNotes": "Bring nothing"}
    changed = await done(stage, "assessor", "sessionUpdate", id=made["id"], input=changes)
    assert (changed["type"], changed["location"], changed["planningNotes"]) == ("TELEPHONE", None, "Bring nothing")
    assert changed["startsAt"] == made["startsAt"] and len(await stage.mails()) == 1
    moved = await done(stage, "assessor", "sessionUpdate", id=made["id"], input={"startsAt": at(0.5)})
    assert moved["startsAt"] != made["startsAt"] and len(await stage.mails()) == 2
    # Nothing is changed by what is so already, and nothing is written of it.
    await done(stage, "assessor", "sessionUpdate", id=made["id"], input={"type": "TELEPHONE", "endsAt": at(1)})
    assert await stage.trail() == ["sessionBook", "sessionUpdate", "sessionUpdate"]


async def test_a_session_is_not_moved_to_where_somebody_is_booked(stage: Stage) -> None:
    first, second = await book(stage), await book(stage, start=2)
    move = {"startsAt": at(2.5), "endsAt": at(3)}
    found = await faults(stage, "assessor", "sessionUpdate", id=first["id"], input=move)
    assert found == {"input.startsAt": "CONFLICT"}
    await done(stage, "assessor", "sessionUpdate", id=second["id"], input=move)
    late = {"startsAt": at(6)}
    assert await faults(stage, "assessor", "sessionUpdate", id=first["id"], input=late) == {"input.endsAt": "INVALID"}


async def test_a_session_that_is_over_takes_files_only(stage: Stage) -> None:
    made = await book(stage, start=-48, aimIds=[stage.aim])
    await done(stage, "assessor", "sessionComplete", id=made["id"], input={"attended": True})
    there = {"location": "There"}
    assert await faults(stage, "assessor", "sessionUpdate", id=made["id"], input=there) == {"id": "CONFLICT"}
    assert await faults(stage, "assessor", "sessionCancel", id=made["id"]) == {"id": "CONFLICT"}
    file_id = await stage.upload("assessor")
    changed = await done(stage, "assessor", "sessionUpdate", id=made["id"], input={"addFileIds": [file_id, file_id]})
    assert [file["id"] for file in changed["files"]] == [file_id]
    file = await stage.file(file_id)
    assert (ids.encode("Learner", file.learner_id), ids.encode("Aim", file.aim_id)) == (stage.ada, stage.aim)
    # A file of the learner's can be saved to another session of theirs, and to one session only once.
    again = await book(stage, start=3, aimIds=[stage.aim])
    for id in (again["id"], again["id"], made["id"]):
        await done(stage, "assessor", "sessionUpdate", id=id, input={"addFileIds": [file_id]})
    assert len(await stage.rows(SessionFile)) == 2


async def test_only_files_that_are_the_viewers_or_the_learners_are_saved(stage: Stage) -> None:
    made = await book(stage)
    async with stage.database.writing() as session:
        cy = await session.get_one(Learner, ids.decode("Learner", stage.cy))
        cys = ids.encode("File", (await Factory(session).file(stage.user("basic"), cy)).id)
    theirs, coming = await stage.upload("other_assessor"), await stage.upload("assessor")
    async with stage.database.writing() as session:
        (await session.get_one(File, ids.decode("File", coming))).uploaded_at = None
    asked = {"addFileIds": [theirs, coming, "File_999"]}
    assert await faults(stage, "assessor", "sessionUpdate", id=made["id"], input=asked) == {
        "input.addFileIds.0": "NOT_FOUND",
        "input.addFileIds.1": "INVALID",
        "input.addFileIds.2": "NOT_FOUND",
    }
    asked = {"addFileIds": [cys]}
    found = await faults(stage, "basic", "sessionUpdate", id=made["id"], input=asked)
    assert found == {"input.addFileIds.0": "CONFLICT"}


async def test_a_session_is_cancelled_once(stage: Stage) -> None:
    made = await book(stage)
    for _ in range(2):
        assert (await done(stage, "basic", "sessionCancel", id=made["id"]))["status"] == "CANCELLED"
    assert await stage.trail() == ["sessionBook", "sessionCancel"]
    assert [row.status for row in await stage.rows(Session)] == [SessionStatus.CANCELLED]
    moved = {"startsAt": at(0.5)}
    assert await faults(stage, "basic", "sessionUpdate", id=made["id"], input=moved) == {"id": "CONFLICT"}
