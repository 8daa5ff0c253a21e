"""Sessions: booked, changed and called off; nobody is booked twice for the same time."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.session import Session, SessionAim, SessionFile
from db.models.user import User
from domain import global_id as ids
from domain.clock import LONDON
from domain.enums import AimStatus, Role, SessionStatus, SessionType, UserErrorCode
from domain.errors import not_found, reject
from repositories.session import LONGEST_SESSION, BookedSession, aims_of_session, booked_between, visible_aims
from resolvers.core.attachments import attach_all, attachable_files
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity, single_line
from services.mail.messages import session_booked

# What was missed can be put into the plan for a year; what is further ahead than five years is a slip of the pen.
_EARLIEST = dt.timedelta(days=366)
_LATEST = dt.timedelta(days=5 * 366)

# The same words for every way to the same refusal.
_IN_WORDS = {
    SessionStatus.ATTENDED: "was attended",
    SessionStatus.NOT_ATTENDED: "was not attended",
    SessionStatus.CANCELLED: "was cancelled",
}


class SessionChanges(TypedDict, total=False):
    """What a change of a session may set; what is left out stays, and None empties a text."""

    type: SessionType | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    location: str | None
    planning_notes: str | None
    add_file_ids: list[str] | None


@mutation("sessionBook")
async def book(
    uow: UnitOfWork,
    *,
    learner_id: str,
    type: SessionType,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    location: str | None = None,
    aim_ids: Sequence[str] | None = None,
    planning_notes: str | None = None,
) -> int:
    """Puts a session into a learner's plan; the learner hears by e-mail.

    With the viewer, if they are an assessor; else with the assessor of the first aim named, or of the first aim in
    training. Refuses with NOT_FOUND, NOT_ALLOWED, INVALID for the fields, and CONFLICT where the learner or the
    assessor is booked at that time.
    """
    learner = await require_entity(uow, Learner, learner_id, "input", "learnerId")
    if learner is not None:
        uow.authorize()
    sound = _check_times(uow, starts_at, ends_at)
    location = _location(uow, location)
    planning_notes = _text(uow, planning_notes, "planningNotes")
    seen = await visible_aims(uow.session, uow.viewer, learner.id) if learner else []
    aims = _named_aims(uow, aim_ids or (), seen)
    assessor = await _assessor(uow, aims, seen) if learner else None
    if learner and assessor and sound:
        await _check_free(uow, learner, assessor, starts_at, ends_at)
    uow.raise_errors()
    assert learner is not None and assessor is not None
    learner.last_session_number += 1
    of_learner = {"provider_id": learner.provider_id, "learner_id": learner.id}
    session = Session(
        **of_learner, number=learner.last_session_number, type=type, status=SessionStatus.PLANNED, starts_at=starts_at,
        ends_at=ends_at, location=location, assessor_id=assessor.id, planning_notes=planning_notes,
    )  # fmt: skip
    uow.session.add(session)
    await uow.session.flush()
    uow.session.add_all(SessionAim(**of_learner, session_id=session.id, aim_id=aim.id) for aim in aims)
    await _tell_learner(uow, learner, assessor, session)
    uow.audit("Session", session.id, learner_id=learner.id, aim_id=only([aim.id for aim in aims]))
    return session.id


@mutation("sessionUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[SessionChanges]) -> int:
    """Changes a planned session; files can be added to it afterwards too. Moved, the learner hears by e-mail.

    Refuses with NOT_FOUND, NOT_ALLOWED, INVALID for the fields, and CONFLICT where it is not planned any more, or where
    the learner or the assessor is booked at the new time.
    """
    session = await uow.get(Session, id, "id")
    uow.authorize()
    fields = _changed(uow, session, changes)
    if fields and session.status is not SessionStatus.PLANNED:
        uow.add_error(
            UserErrorCode.CONFLICT,
            f"Session {session.number} {_IN_WORDS[session.status]}: only a planned one can change. Files can be added.",
            "id",
        )  # fmt: skip
    aim_ids = [aim.id for aim in await aims_of_session(uow.session, session.id)]
    files = await attachable_files(
        uow, changes.get("add_file_ids") or (), session.learner_id, aim_ids, "input", "addFileIds"
    )
    starts_at, ends_at = fields.get("starts_at", session.starts_at), fields.get("ends_at", session.ends_at)
    moved = fields.keys() & {"starts_at", "ends_at"}
    if moved and _check_times(uow, starts_at, ends_at) and session.status is SessionStatus.PLANNED:
        learner = await uow.session.get_one(Learner, session.learner_id, with_for_update={"key_share": True})
        assessor = await _locked_person(uow, session.assessor_id)
        await _check_free(uow, learner, assessor, starts_at, ends_at, session.id)
    uow.raise_errors()
    for name, value in fields.items():
        setattr(session, name, value)
    if moved:
        await _tell_learner(uow, learner, assessor, session)
    added = await add_files(uow, session, files, aim_ids)
    if fields or added:
        uow.audit(
            "Session", session.id, learner_id=session.learner_id, aim_id=only(aim_ids), fields=sorted(fields),
            files=added,
        )  # fmt: skip
    return session.id


@mutation("sessionCancel")
async def cancel(uow: UnitOfWork, *, id: str) -> int:
    """Calls a planned session off; one that was cancelled stays so. Refuses with NOT_FOUND, NOT_ALLOWED or CONFLICT."""
    session = await uow.get(Session, id, "id")
    uow.authorize()
    if session.status is SessionStatus.CANCELLED:
        return session.id
    if session.status is not SessionStatus.PLANNED:
        raise reject(
            UserErrorCode.CONFLICT,
            f"Session {session.number} {_IN_WORDS[session.status]}: only a planned one can be cancelled.",
            "id",
        )  # fmt: skip
    session.status = SessionStatus.CANCELLED
    aim_ids = [aim.id for aim in await aims_of_session(uow.session, session.id)]
    uow.audit("Session", session.id, learner_id=session.learner_id, aim_id=only(aim_ids), fields=["status"])
    return session.id


def only(keys: Sequence[int]) -> int | None:
    """The one key of a list that has just one."""
    return keys[0] if len(keys) == 1 else None


async def add_files(uow: UnitOfWork, session: Session, files: Sequence[Any], aim_ids: Sequence[int]) -> list[int]:
    """Saves files to a session; gives the keys of those that were not there yet."""
    attach_all(files, session.learner_id, aim_ids)
    added = []
    for file in files:
        if await uow.session.get(SessionFile, (session.id, file.id)) is None:
            added.append(file.id)
            uow.session.add(
                SessionFile(
                    session_id=session.id, file_id=file.id, provider_id=session.provider_id,
                    learner_id=session.learner_id,
                )
            )  # fmt: skip
    return added


def _changed(uow: UnitOfWork, session: Session, changes: SessionChanges) -> dict[str, Any]:
    """The columns that would be another value than they are."""
    wanted: dict[str, Any] = {
        name: changes[name] for name in ("type", "starts_at", "ends_at") if changes.get(name) is not None
    }
    if "location" in changes:
        wanted["location"] = _location(uow, changes["location"])
    if "planning_notes" in changes:
        wanted["planning_notes"] = _text(uow, changes["planning_notes"], "planningNotes")
    return {name: value for name, value in wanted.items() if getattr(session, name) != value}


def _location(uow: UnitOfWork, location: str | None) -> str | None:
    return single_line(uow, location, "input", "location") if location and location.strip() else None


def _text(uow: UnitOfWork, text: str | None, field: str) -> str | None:
    return multi_line(uow, text or "", "input", field, required=False) or None


def _check_times(uow: UnitOfWork, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
    """Whether the times can be those of a session; else notes why not."""
    naive = [name for name, at in (("startsAt", starts_at), ("endsAt", ends_at)) if at.tzinfo is None]
    for name in naive:
        uow.add_error(UserErrorCode.INVALID, "Say in which time zone, as in 2026-12-01T09:30:00Z.", "input", name)
    if naive:
        return False
    wrong = None
    if not uow.now - _EARLIEST <= starts_at <= uow.now + _LATEST:
        wrong = "startsAt", "Give a start within the last year or the next five."
    elif ends_at <= starts_at:
        wrong = "endsAt", "Give an end that is after the start."
    elif ends_at - starts_at > LONGEST_SESSION:
        wrong = "endsAt", "A session has 24 hours at most. Give an earlier end, or book several."
    if wrong is not None:
        uow.add_error(UserErrorCode.INVALID, wrong[1], "input", wrong[0])
    return wrong is None


def _named_aims(uow: UnitOfWork, aim_ids: Sequence[str], seen: Sequence[Aim]) -> list[Aim]:
    """The aims named, each once; notes those that are not the learner's, or not for the viewer to see."""
    by_key = {aim.id: aim for aim in seen}
    found: dict[int, Aim] = {}
    for place, id in enumerate(aim_ids):
        aim = by_key.get(ids.decode("Aim", id) or 0)
        if aim is None:
            (fault,) = not_found().errors
            uow.add_error(fault.code, fault.message, "input", "aimIds", str(place))
        else:
            found[aim.id] = aim
    return list(found.values())


async def _assessor(uow: UnitOfWork, aims: Sequence[Aim], seen: Sequence[Aim]) -> User | None:
    """With whom the session is, locked; notes where there is nobody."""
    if uow.viewer.role is Role.ASSESSOR:
        return await _locked_person(uow, uow.viewer.user_key)
    if aims:
        key, mend = aims[0].assessor_id, "The first component has no assessor. Give it one, or name another first."
    else:
        # Before the induction none is in training: then whoever is to begin one.
        begun = [aim for aim in seen if aim.status is AimStatus.IN_TRAINING]
        waiting = [aim for aim in seen if aim.status is AimStatus.AWAITING_INDUCTION]
        key = next((aim.assessor_id for aim in (*begun, *waiting) if aim.assessor_id is not None), None)
        mend = "The learner has no component in training that has an assessor. Name the component that it is about."
    assessor = await _locked_person(uow, key) if key is not None else None
    if assessor is None or assessor.archived_at is not None:
        gone = "The account of the component's assessor is archived. Give the component another assessor first."
        uow.add_error(UserErrorCode.INVALID, mend if assessor is None else gone, "input", "aimIds")
        return None
    return assessor


async def _locked_person(uow: UnitOfWork, key: int) -> User:
    """The assessor of a record that was read within scope. Locked after the learner, always in that order."""
    return await uow.session.get_one(User, key, with_for_update={"key_share": True})


async def _check_free(
    uow: UnitOfWork,
    learner: Learner,
    assessor: User,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    but: int | None = None,
) -> None:
    """Notes where the learner or the assessor is booked at that time; both are locked."""
    taken = await booked_between(uow.session, uow.viewer, learner.id, assessor.id, starts_at, ends_at, but)
    learners = next((one for one in taken if one.learner_key == learner.id), None)
    assessors = next((one for one in taken if one.learner_key != learner.id), None)
    if learners is not None:
        name = (await uow.session.get_one(User, learner.user_id)).name
        with_whom = f"session {learners.number}, {_period(learners)}" if learners.seen else "another session then"
        _taken(uow, f"{name} is booked for {with_whom}.")
    if assessors is not None:
        who = "You are" if assessor.id == uow.viewer.user_key else f"{assessor.name} is"
        with_whom = f"{assessors.learner_name}, {_period(assessors)}" if assessors.seen else "somebody else then"
        _taken(uow, f"{who} booked with {with_whom}.")


def _taken(uow: UnitOfWork, what: str) -> None:
    mend = "Choose another time, or move that session first."
    uow.add_error(UserErrorCode.CONFLICT, f"{what} {mend}", "input", "startsAt")


def _period(booked: BookedSession) -> str:
    starts, ends = booked.starts_at.astimezone(LONDON), booked.ends_at.astimezone(LONDON)
    return f"{starts.day} {starts:%B %Y} from {starts:%H:%M} to {ends:%H:%M}"


async def _tell_learner(uow: UnitOfWork, learner: Learner, assessor: User, session: Session) -> None:
    """The e-mail about a session to come; of one that is put into the plan afterwards nobody needs to hear."""
    person = await uow.session.get_one(User, learner.user_id)
    if session.starts_at > uow.now and person.archived_at is None:
        mail = session_booked(
            name=person.name, assessor=assessor.name, starts_at=session.starts_at, title=f"Session {session.number}"
        )
        uow.send_mail(person.email, mail)
