"""Sessions are booked, changed and cancelled; times do not overlap, and errors name only visible sessions."""

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
from tests.support.factories import Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

TOMORROW = (clock.now() + dt.timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)


def at(hours: float) -> str:
    """Returns a time tomorrow, in hours after 09:00."""
    return (TOMORROW + dt.timedelta(hours=hours)).isoformat()


def booking(learner: str, start: float = 0, length: float = 1, **changes: Any) -> dict[str, Any]:
    return {"learnerId": learner, "type": "GENERAL", "startsAt": at(start), "endsAt": at(start + length), **changes}


async def book(
    scenario: EmptyPortfolio, who: str = "assessor", start: float = 0, length: float = 1, **changes: Any
) -> dict[str, Any]:
    return await scenario.client(who).mutate("sessionBook", input=booking(scenario.ada, start, length, **changes))


async def cy_learns_with(scenario: EmptyPortfolio, who: str) -> None:
    """Gives Cy an aim with an assessor."""
    async with scenario.database.writing() as session:
        cy = await session.get_one(Learner, ids.decode("Learner", scenario.cy))
        await Factory(session).aim(cy, assessor=scenario.user(who))


async def test_a_booked_session_is_in_the_plan_and_mailed_to_the_learner(scenario: EmptyPortfolio) -> None:
    made = await book(
        scenario, location=" The  workshop ", aimIds=[scenario.aim, scenario.aim], planningNotes="Bring tools"
    )
    assert (made["number"], made["status"], made["location"]) == (1, "PLANNED", "The workshop")
    assert made["assessor"]["name"] == "Assessor" and [aim["id"] for aim in made["aims"]] == [scenario.aim]
    assert made["planningNotes"] == "Bring tools" and made["hasOutstandingActions"] is False
    assert (await book(scenario, start=1))["number"] == 2
    (mail, _) = await scenario.mails()
    assert (mail.to_address, mail.kind) == (scenario.user("learner").email, "session_booked")
    (line, _) = await scenario.rows(AuditEvent)
    assert (line.action, line.subject_type, ids.encode("Aim", line.aim_id)) == ("sessionBook", "Session", scenario.aim)
    assert "Bring" not in str(line.detail)


async def test_a_past_session_is_added_without_an_email(scenario: EmptyPortfolio) -> None:
    await book(scenario, start=-100)
    assert await scenario.mails() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"endsAt": at(0)}, "endsAt"),
        ({"endsAt": at(24.01)}, "endsAt"),
        ({"startsAt": at(-24 * 400), "endsAt": at(-24 * 400 + 1)}, "startsAt"),
        ({"startsAt": "1950-01-01T00:00:00+05:00"}, "startsAt"),
        ({"startsAt": "2199-12-31T23:59:59-05:00"}, "startsAt"),
        ({"location": "x" * 201}, "location"),
        ({"planningNotes": "x" * 20_001}, "planningNotes"),
    ],
)
async def test_invalid_sessions(scenario: EmptyPortfolio, changes: dict[str, Any], field: str) -> None:
    asked = {**booking(scenario.ada), **changes}
    assert await scenario.client("assessor").user_errors("sessionBook", input=asked) == {f"input.{field}": "INVALID"}
    assert await scenario.rows(Session) == []


async def test_all_errors_are_reported_together(scenario: EmptyPortfolio) -> None:
    asked = booking("Learner_999", length=-1, aimIds=[scenario.aim], location="x" * 201)
    assert await scenario.client("assessor").user_errors("sessionBook", input=asked) == {
        "input.learnerId": "NOT_FOUND",
        "input.endsAt": "INVALID",
        "input.location": "INVALID",
        "input.aimIds.0": "NOT_FOUND",
    }


async def test_records_of_another_provider_and_unknown_ids_are_not_found(scenario: EmptyPortfolio) -> None:
    for learner in (scenario.cy, scenario.zoe, "Learner_999", scenario.aim, "x"):
        found = await scenario.client("assessor").user_errors("sessionBook", input=booking(learner))
        assert found == {"input.learnerId": "NOT_FOUND"}
    for aim in (scenario.other_aim, scenario.cys_aim, scenario.foreign_aim, "Aim_999"):
        asked = booking(scenario.ada, aimIds=[scenario.aim, aim])
        assert await scenario.client("assessor").user_errors("sessionBook", input=asked) == {
            "input.aimIds.1": "NOT_FOUND"
        }
    made = await book(scenario, aimIds=[scenario.aim])
    for mutation, more in (("sessionUpdate", {"input": {}}), ("sessionCancel", {})):
        for who, id in (("other_assessor", made["id"]), ("colleague", made["id"]), ("basic", "Session_999")):
            assert await scenario.client(who).user_errors(mutation, id=id, **more) == {"id": "NOT_FOUND"}


async def test_roles_that_cannot_book(scenario: EmptyPortfolio) -> None:
    made = await book(scenario)
    for who in ("learner", "iqa", "manager", "overview"):
        assert await scenario.client(who).user_errors("sessionBook", input=booking(scenario.ada, 5)) == {
            None: "NOT_ALLOWED"
        }
        assert await scenario.client(who).user_errors("sessionCancel", id=made["id"]) == {None: "NOT_ALLOWED"}
        assert await scenario.client(who).user_errors("sessionUpdate", id=made["id"], input={}) == {None: "NOT_ALLOWED"}
    for place, who in enumerate(("assessor", "basic", "master"), 1):
        await book(scenario, who, start=place)


async def test_an_admin_books_with_the_assessor_of_the_aim(scenario: EmptyPortfolio) -> None:
    assert (await book(scenario, "basic", aimIds=[scenario.other_aim, scenario.aim]))["assessor"][
        "name"
    ] == "Other Assessor"
    assert (await book(scenario, "master", start=2))["assessor"]["name"] == "Assessor"
    assert await scenario.client("basic").user_errors("sessionBook", input=booking(scenario.cy)) == {
        "input.aimIds": "INVALID"
    }
    asked = booking(scenario.cy, aimIds=[scenario.cys_aim])
    assert await scenario.client("basic").user_errors("sessionBook", input=asked) == {"input.aimIds": "INVALID"}


async def test_an_admin_books_an_induction_before_an_aim_is_in_training(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        for id in (scenario.aim, scenario.other_aim):
            (await session.get_one(Aim, ids.decode("Aim", id))).status = AimStatus.AWAITING_INDUCTION
    assert (await book(scenario, "basic", type="INDUCTION"))["assessor"]["name"] == "Assessor"


async def test_overlapping_sessions_are_rejected(scenario: EmptyPortfolio) -> None:
    await cy_learns_with(scenario, "assessor")
    await book(scenario, start=0, length=2)
    for start, length in ((1, 1), (-1, 2), (0.5, 0.5), (-1, 4)):
        asked = booking(scenario.cy, start, length)
        assert await scenario.client("assessor").user_errors("sessionBook", input=asked) == {
            "input.startsAt": "CONFLICT"
        }
        asked = booking(scenario.ada, start, length)
        assert await scenario.client("other_assessor").user_errors("sessionBook", input=asked) == {
            "input.startsAt": "CONFLICT"
        }
    # Sessions that only touch do not overlap; completed and cancelled ones do not count.
    await book(scenario, start=2)
    before = await book(scenario, start=-1)
    await scenario.client("assessor").mutate("sessionCancel", id=before["id"])
    await book(scenario, start=-1)


async def test_a_conflict_names_only_what_the_viewer_sees(scenario: EmptyPortfolio) -> None:
    await cy_learns_with(scenario, "assessor")
    cys = booking(scenario.cy)
    await book(scenario, aimIds=[scenario.aim])
    assert "You already have a session with Learner on " in await scenario.client("assessor").user_error_text(
        "sessionBook", input=cys
    )
    # The other assessor does not see Ada's session.
    said = await scenario.client("other_assessor").user_error_text("sessionBook", input=booking(scenario.ada))
    assert said.startswith("Learner already has another session at that time.") and " from " not in said
    assert "session 1 on " in await scenario.client("master").user_error_text(
        "sessionBook", input=booking(scenario.ada)
    )
    # The assessor no longer sees Ada, but is still booked: the error does not name her.
    async with scenario.database.writing() as session:
        (await session.get_one(Aim, ids.decode("Aim", scenario.aim))).assessor_id = scenario.user("other_assessor").id
    said = await scenario.client("assessor").user_error_text("sessionBook", input=cys)
    assert said.startswith("You already have another session at that time.")


async def test_one_of_concurrent_bookings_succeeds(scenario: EmptyPortfolio) -> None:
    await cy_learns_with(scenario, "assessor")
    asked = [
        ("assessor", scenario.ada),
        ("basic", scenario.ada),
        ("other_assessor", scenario.ada),
        ("assessor", scenario.cy),
    ] * 4

    async def one(who: str, learner: str, start: float) -> bool:
        payload = await scenario.client(who).payload("sessionBook", input=booking(learner, start))
        return payload["session"] is not None

    won = await asyncio.gather(*(one(who, learner, place % 3 / 4) for place, (who, learner) in enumerate(asked)))
    planned = await scenario.rows(Session)
    assert len(planned) == sum(won) and planned
    for first in planned:
        for second in planned:
            same = first.learner_id == second.learner_id or first.assessor_id == second.assessor_id
            over = first.starts_at < second.ends_at and second.starts_at < first.ends_at
            assert first is second or not (same and over)


async def test_concurrent_bookings_get_different_numbers(scenario: EmptyPortfolio) -> None:
    assessor = scenario.client("assessor")
    bookings = [booking(scenario.ada, start=hour) for hour in range(8)]
    payloads = await asyncio.gather(*(assessor.payload("sessionBook", input=input) for input in bookings))
    assert [payload["errors"] for payload in payloads] == [[]] * 8
    assert sorted(made.number for made in await scenario.rows(Session)) == list(range(1, 9))


async def test_a_planned_session_is_changed(scenario: EmptyPortfolio) -> None:
    made = await book(scenario, location="Here", planningNotes="Bring tools")
    changes = {"type": "TELEPHONE", "location": None, "planningNotes": "Bring nothing"}
    changed = await scenario.client("assessor").mutate("sessionUpdate", id=made["id"], input=changes)
    assert (changed["type"], changed["location"], changed["planningNotes"]) == ("TELEPHONE", None, "Bring nothing")
    assert changed["startsAt"] == made["startsAt"]
    moved = await scenario.client("assessor").mutate("sessionUpdate", id=made["id"], input={"startsAt": at(0.5)})
    assert moved["startsAt"] != made["startsAt"]
    mails = await scenario.mails()
    assert [mail.kind for mail in mails] == ["session_booked", "session_changed", "session_moved"]
    assert "The place was Here before." in mails[1].body and "Before:" in mails[2].body
    # Each has a link to act, and an entry that replaces the one before.
    assert all(f"http://waymark.test/open/{made['id']}" in mail.body for mail in mails)
    assert all(f"SEQUENCE:{number}" in mail.calendar for number, mail in enumerate(mails, 1))
    # Values that are already stored change nothing and are not audited.
    await scenario.client("assessor").mutate(
        "sessionUpdate", id=made["id"], input={"type": "TELEPHONE", "endsAt": at(1)}
    )
    assert await scenario.audit_trail() == ["sessionBook", "sessionUpdate", "sessionUpdate"]


async def test_a_session_cannot_be_moved_to_a_booked_time(scenario: EmptyPortfolio) -> None:
    first, second = await book(scenario), await book(scenario, start=2)
    move = {"startsAt": at(2.5), "endsAt": at(3)}
    found = await scenario.client("assessor").user_errors("sessionUpdate", id=first["id"], input=move)
    assert found == {"input.startsAt": "CONFLICT"}
    await scenario.client("assessor").mutate("sessionUpdate", id=second["id"], input=move)
    late = {"startsAt": at(6)}
    assert await scenario.client("assessor").user_errors("sessionUpdate", id=first["id"], input=late) == {
        "input.endsAt": "INVALID"
    }


async def test_a_completed_session_accepts_files_only(scenario: EmptyPortfolio) -> None:
    made = await book(scenario, start=-48, aimIds=[scenario.aim])
    await scenario.client("assessor").mutate("sessionComplete", id=made["id"], input={"attended": True})
    there = {"location": "There"}
    assert await scenario.client("assessor").user_errors("sessionUpdate", id=made["id"], input=there) == {
        "id": "CONFLICT"
    }
    assert await scenario.client("assessor").user_errors("sessionCancel", id=made["id"]) == {"id": "CONFLICT"}
    file_id = await scenario.upload("assessor")
    changed = await scenario.client("assessor").mutate(
        "sessionUpdate", id=made["id"], input={"addFileIds": [file_id, file_id]}
    )
    assert [file["id"] for file in changed["files"]] == [file_id]
    file = await scenario.file(file_id)
    assert (ids.encode("Learner", file.learner_id), ids.encode("Aim", file.aim_id)) == (scenario.ada, scenario.aim)
    # A file of the learner can be attached to several of their sessions, once to each.
    again = await book(scenario, start=3, aimIds=[scenario.aim])
    for id in (again["id"], again["id"], made["id"]):
        await scenario.client("assessor").mutate("sessionUpdate", id=id, input={"addFileIds": [file_id]})
    assert len(await scenario.rows(SessionFile)) == 2


async def test_only_files_of_the_viewer_or_the_learner_can_be_attached(scenario: EmptyPortfolio) -> None:
    made = await book(scenario)
    async with scenario.database.writing() as session:
        cy = await session.get_one(Learner, ids.decode("Learner", scenario.cy))
        cys = ids.encode("File", (await Factory(session).file(scenario.user("basic"), cy)).id)
    theirs, coming = await scenario.upload("other_assessor"), await scenario.upload("assessor")
    async with scenario.database.writing() as session:
        (await session.get_one(File, ids.decode("File", coming))).uploaded_at = None
    asked = {"addFileIds": [theirs, coming, "File_999"]}
    assert await scenario.client("assessor").user_errors("sessionUpdate", id=made["id"], input=asked) == {
        "input.addFileIds.0": "NOT_FOUND",
        "input.addFileIds.1": "INVALID",
        "input.addFileIds.2": "NOT_FOUND",
    }
    asked = {"addFileIds": [cys]}
    found = await scenario.client("basic").user_errors("sessionUpdate", id=made["id"], input=asked)
    assert found == {"input.addFileIds.0": "CONFLICT"}


async def test_a_session_is_cancelled_once(scenario: EmptyPortfolio) -> None:
    made = await book(scenario)
    for _ in range(2):
        assert (await scenario.client("basic").mutate("sessionCancel", id=made["id"]))["status"] == "CANCELLED"
    assert await scenario.audit_trail() == ["sessionBook", "sessionCancel"]
    assert [row.status for row in await scenario.rows(Session)] == [SessionStatus.CANCELLED]
    moved = {"startsAt": at(0.5)}
    assert await scenario.client("basic").user_errors("sessionUpdate", id=made["id"], input=moved) == {"id": "CONFLICT"}
