"""The time log: learning added, changed and deleted until it is approved, and approved by the assessor."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.qualification import QualificationUnit
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from domain import global_id
from domain.enums import ActivityType, JobSetting, Role, UserErrorCode
from domain.errors import not_allowed, not_found
from domain.off_the_job import DEFAULT_JOB_SETTING
from repositories.time_log_entry import MINUTES_A_DAY, entries_for_write, is_assessor, minutes_on
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity

# In one go; more can be approved in the next.
MOST_APPROVED = 100


class _RequiredWords(TypedDict):
    date: dt.date
    activity_type: ActivityType
    minutes: int
    comments: str


class EntryWords(_RequiredWords, total=False):
    """What an entry says; job setting, aim, unit and assessor may be left out."""

    job_setting: JobSetting | None
    aim_id: str | None
    unit_id: str | None
    assessor_id: str | None


class Deleted(TypedDict):
    """What is left of an entry: its key, and its learner's."""

    entry: int
    learner: int


@mutation("timeLogEntryAdd")
async def add(uow: UnitOfWork, *, learner_id: str, **entry: Unpack[EntryWords]) -> int:
    """Logs learning of one day. Refuses with NOT_FOUND, NOT_ALLOWED, or REQUIRED and INVALID for the fields."""
    # Locked: of two who fill the same day, the second counts what the first has added.
    learner = await require_entity(uow, Learner, learner_id, "input", "learnerId")
    if learner is not None:
        uow.authorize()
    columns = await _columns(uow, learner, entry)
    uow.raise_errors()
    assert learner is not None
    added = TimeLogEntry(
        provider_id=learner.provider_id, learner_id=learner.id, automatic=False, added_by_id=uow.viewer.user_key,
        added_at=uow.now, **columns,
    )  # fmt: skip
    uow.session.add(added)
    await uow.session.flush()
    uow.audit("TimeLogEntry", added.id, learner_id=learner.id, aim_id=added.aim_id)
    return added.id


@mutation("timeLogEntryUpdate")
async def update(uow: UnitOfWork, *, id: str, learner_id: str, **entry: Unpack[EntryWords]) -> int:
    """Makes an entry say what it is given, what is left out included; its learner stays.

    Refuses with NOT_FOUND, NOT_ALLOWED for an approved one and for a learner who did not add it, or REQUIRED and
    INVALID for the fields.
    """
    changed = await uow.get(TimeLogEntry, id, "id")
    _authorize(uow, changed)
    learner = await uow.session.get_one(Learner, changed.learner_id, with_for_update={"key_share": True})
    if global_id.decode("Learner", learner_id) != learner.id:
        uow.add_error(
            UserErrorCode.INVALID, "An entry stays with its learner. Delete it, and add it for the other.",
            "input", "learnerId",
        )  # fmt: skip
    columns = await _columns(uow, learner, entry, but=changed.id)
    uow.raise_errors()
    fields = [name for name, value in columns.items() if getattr(changed, name) != value]
    # Who sees the line: moved from one aim to another, both aims' people.
    aim_id = changed.aim_id if changed.aim_id == columns["aim_id"] else None
    for name in fields:
        setattr(changed, name, columns[name])
    if fields:
        uow.audit("TimeLogEntry", changed.id, learner_id=learner.id, aim_id=aim_id, fields=fields)
    return changed.id


@mutation("timeLogEntryDelete")
async def delete(uow: UnitOfWork, *, id: str) -> Deleted:
    """Deletes an entry. Refuses with NOT_FOUND, or NOT_ALLOWED as `update`, and for what an attended session logged."""
    entry = await uow.get(TimeLogEntry, id, "id")
    _authorize(uow, entry)
    if entry.automatic:
        raise not_allowed("An attended session logged this: it stays as long as the session. Change it instead.", "id")
    await uow.session.delete(entry)
    uow.audit("TimeLogEntry", entry.id, learner_id=entry.learner_id, aim_id=entry.aim_id)
    return {"entry": entry.id, "learner": entry.learner_id}


@mutation("timeLogEntryApprove")
async def approve(uow: UnitOfWork, *, ids: Sequence[str]) -> list[int]:
    """Approves entries, all or none; those that are approved stay so. Gives their keys, each once, in order.

    Refuses with NOT_FOUND for each that the viewer does not see, NOT_ALLOWED, REQUIRED for none, INVALID for too many.
    """
    if len(ids) > MOST_APPROVED:
        uow.authorize()
        uow.add_error(UserErrorCode.INVALID, f"Approve at most {MOST_APPROVED} entries at once.", "ids")
        uow.raise_errors()
    keys = [global_id.decode("TimeLogEntry", id) for id in ids]
    found = await entries_for_write(uow.session, uow.viewer, {key for key in keys if key is not None})
    for place, key in enumerate(keys):
        if key not in found:
            (fault,) = not_found().errors
            uow.add_error(fault.code, fault.message, "ids", str(place))
    uow.raise_errors()
    uow.authorize()
    if not found:
        uow.add_error(UserErrorCode.REQUIRED, "Say which entries to approve: at least one.", "ids")
        uow.raise_errors()
    entries = [found[key] for key in dict.fromkeys(keys) if key is not None]
    approved = [entry for entry in entries if entry.approved_at is None]
    for entry in approved:
        entry.approved_by_id, entry.approved_at = uow.viewer.user_key, uow.now
    if approved:
        learners, aims = {entry.learner_id for entry in approved}, {entry.aim_id for entry in approved}
        uow.audit(
            "TimeLogEntry", approved[0].id if len(approved) == 1 else None,
            learner_id=learners.pop() if len(learners) == 1 else None, aim_id=aims.pop() if len(aims) == 1 else None,
            entries=[entry.id for entry in approved],
        )  # fmt: skip
        uow.changed_learners.update(entry.learner_id for entry in approved)
    return [entry.id for entry in entries]


def _authorize(uow: UnitOfWork, entry: TimeLogEntry) -> None:
    """Refuses to change or delete what is approved, and, for a learner, what is not theirs."""
    uow.authorize()
    if entry.approved_at is not None:
        raise not_allowed("This entry is approved, and stays as it is.", "id")
    if uow.viewer.role is Role.LEARNER:
        theirs = not entry.automatic and entry.added_by_id == uow.viewer.user_key
        uow.authorize(theirs, "Only who added this entry can change it. Ask your assessor to.", "id")


async def _columns(
    uow: UnitOfWork, learner: Learner | None, entry: EntryWords, but: int | None = None
) -> dict[str, Any]:
    """The columns of an entry, checked. `but`: the entry that is changed, which does not count twice."""
    day, minutes = entry["date"], entry["minutes"]
    comments = multi_line(uow, entry["comments"], "input", "comments")
    in_a_day = 1 <= minutes <= MINUTES_A_DAY
    if not in_a_day:
        uow.add_error(UserErrorCode.INVALID, f"Give minutes from 1 to {MINUTES_A_DAY}.", "input", "minutes")
    if day > uow.today:
        uow.add_error(UserErrorCode.INVALID, "This day is still to come. Log what has taken place.", "input", "date")
    aim_id, unit_id = await _place(uow, learner, entry.get("aim_id"), entry.get("unit_id"))
    assessor_id = await _assessor(uow, entry.get("assessor_id"))
    logged = 0 if learner is None else await minutes_on(uow.session, learner.id, day, but)
    if in_a_day and logged + minutes > MINUTES_A_DAY:
        uow.add_error(
            UserErrorCode.INVALID,
            "With these the day would have more than 24 hours of learning in all. Give fewer, or another day.",
            "input", "minutes",
        )  # fmt: skip
    activity_type = entry["activity_type"]
    return {
        "date": day,
        "activity_type": activity_type,
        "job_setting": entry.get("job_setting") or DEFAULT_JOB_SETTING[activity_type],
        "minutes": minutes,
        "aim_id": aim_id,
        "unit_id": unit_id,
        "assessor_id": assessor_id,
        "comments": comments,
    }


async def _place(
    uow: UnitOfWork, learner: Learner | None, aim_id: str | None, unit_id: str | None
) -> tuple[int | None, int | None]:
    """The keys of the aim and of the unit that were named; notes where they do not belong to the learner or together.

    A unit is one aim's: where it is named alone, its aim is named with it.
    """
    aim = None if aim_id is None else await _learners_aim(uow, learner, aim_id, "aimId")
    if unit_id is None:
        return aim and aim.id, None
    of_aim, unit_key = global_id.decode_pair("Unit", unit_id) or (0, 0)
    owner = aim
    if aim is None or aim.id != of_aim:
        owner = await _learners_aim(uow, learner, global_id.encode("Aim", of_aim), "unitId")
    if owner is None:
        return None, None
    unit = await uow.session.get(QualificationUnit, unit_key)
    if unit is None or unit.qualification_id != owner.qualification_id:
        (fault,) = not_found().errors
        uow.add_error(fault.code, fault.message, "input", "unitId")
    elif aim_id is not None and owner is not aim:
        uow.add_error(
            UserErrorCode.INVALID, "The unit belongs to another component. Choose one of this component's.",
            "input", "unitId",
        )  # fmt: skip
    return owner.id, unit_key


async def _learners_aim(uow: UnitOfWork, learner: Learner | None, aim_id: str, field: str) -> Aim | None:
    aim = await require_entity(uow, Aim, aim_id, "input", field, locked=False)
    if aim is not None and learner is not None and aim.learner_id != learner.id:
        uow.add_error(UserErrorCode.INVALID, "This is another learner's. Choose one of this learner's.", "input", field)
        return None
    return aim


async def _assessor(uow: UnitOfWork, assessor_id: str | None) -> int | None:
    """The key of the assessor who was named, None for No Assessor; notes where it is no assessor."""
    if assessor_id is None:
        return None
    user = await require_entity(uow, User, assessor_id, "input", "assessorId", locked=False)
    if user is not None and not await is_assessor(uow.session, user.id):
        uow.add_error(UserErrorCode.INVALID, "This person is no assessor. Choose one, or none.", "input", "assessorId")
    return user and user.id
