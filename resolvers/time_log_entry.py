"""Adds, changes and deletes time log entries until the assessor approves them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from db.models.aim import Aim
from db.models.learner import Learner
from db.models.qualification import QualificationUnit
from db.models.time_log_entry import TimeLogEntry
from db.models.time_log_revision import TimeLogRevision
from db.models.user import User
from domain import global_id
from domain.enums import ActivityType, JobSetting, OffTheJobExclusionReason, Role, UserErrorCode
from domain.off_the_job import DEFAULT_JOB_SETTING
from domain.sentences import say
from repositories.time_log_entry import MINUTES_PER_DAY, day_of, entries_for_write
from repositories.user import holds_role
from resolvers.core.row_limit import check_row_limit
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity
from resolvers.rules.learner import LEARNER, LearnerState
from resolvers.rules.time_log_entry import ENTRY, EntryState

# In one mutation; more can be approved with the next.
MAX_APPROVED = 100


class _RequiredFields(TypedDict):
    date: dt.date
    activity_type: ActivityType
    minutes: int
    comments: str


class EntryFields(_RequiredFields, total=False):
    """The fields of an entry; job setting, aim, unit and assessor are optional."""

    job_setting: JobSetting | None
    aim_id: str | None
    unit_id: str | None
    assessor_id: str | None


class DeletedEntry(TypedDict):
    """The keys of a deleted entry and of its learner."""

    entry: int
    learner: int


@mutation("timeLogEntryAdd")
async def add(uow: UnitOfWork, *, learner_id: str, **entry: Unpack[EntryFields]) -> int:
    """Logs learning on one day. Rejects with NOT_FOUND, NOT_ALLOWED, or REQUIRED and INVALID for the fields."""
    # Locked: of two requests that log the same day, the second counts the minutes of the first.
    learner = await require_entity(uow, Learner, learner_id, "input", "learnerId")
    if learner is not None:
        uow.require(LEARNER, LearnerState.of(learner))
    columns, exclusion = await _parse_columns(uow, learner, entry)
    uow.raise_errors()
    assert learner is not None
    key = await uow.insert(
        TimeLogEntry, provider_id=learner.provider_id, learner_id=learner.id, automatic=False,
        added_by_id=uow.viewer.user_key, added_at=uow.now, **columns, exclusion=exclusion,
    )  # fmt: skip
    uow.audit("TimeLogEntry", key, learner_id=learner.id, aim_id=columns["aim_id"])
    return key


@mutation("timeLogEntryUpdate")
async def update(uow: UnitOfWork, *, id: str, learner_id: str, **entry: Unpack[EntryFields]) -> int:
    """Replaces all fields of an entry; optional fields that are missing are emptied. The learner cannot change.

    Rejects with NOT_FOUND, NOT_ALLOWED for an approved entry and for a learner who did not add it, or REQUIRED and
    INVALID for the fields.
    """
    existing = await uow.get(TimeLogEntry, id, "id")
    uow.require(ENTRY, EntryState.of(existing))
    learner = await uow.session.get_one(Learner, existing.learner_id, with_for_update={"key_share": True})
    if global_id.decode("Learner", learner_id) != learner.id:
        message = say("ENTRY_OF_OTHER_LEARNER")
        uow.add_error(UserErrorCode.INVALID, message, "input", "learnerId")
    columns, exclusion = await _parse_columns(uow, learner, entry, excluding=existing.id)
    await check_row_limit(uow, TimeLogRevision.entry_id, existing.id, "ENTRY_REVISIONS_FULL", "id")
    uow.raise_errors()
    changed = [name for name, value in columns.items() if getattr(existing, name) != value]
    # An event without an aim is visible to the people of both aims, if the entry moves from one to the other.
    aim_id = existing.aim_id if existing.aim_id == columns["aim_id"] else None
    if changed:
        _keep_revision(uow, existing)
    for name in changed:
        setattr(existing, name, columns[name])
    if changed:
        # The employer confirmed another state.
        existing.employer_confirmed_by_id = existing.employer_confirmed_at = None
        if existing.session_id is None:
            existing.exclusion = exclusion
        else:
            uow.recount_time(learner.id)
        uow.audit("TimeLogEntry", existing.id, learner_id=learner.id, aim_id=aim_id, fields=changed)
    return existing.id


@mutation("timeLogEntryDelete")
async def delete(uow: UnitOfWork, *, id: str) -> DeletedEntry:
    """Deletes an entry. Rejects with NOT_FOUND, or NOT_ALLOWED as `update` does and for an automatic entry."""
    entry = await uow.get(TimeLogEntry, id, "id")
    uow.require(ENTRY, EntryState.of(entry))
    await uow.session.delete(entry)
    uow.audit("TimeLogEntry", entry.id, learner_id=entry.learner_id, aim_id=entry.aim_id)
    return {"entry": entry.id, "learner": entry.learner_id}


@mutation("timeLogEntryApprove")
async def approve(uow: UnitOfWork, *, ids: Sequence[str]) -> list[int]:
    """Approves entries, all or none; approving one again changes nothing. Returns their keys, each once, in order.

    Rejects with NOT_FOUND for each that the viewer does not see, NOT_ALLOWED, REQUIRED for none, INVALID for too many.
    """
    entries = await _entries(uow, ids)
    approved = [entry for entry in entries if entry.approved_at is None]
    for entry in approved:
        entry.approved_by_id, entry.approved_at = uow.viewer.user_key, uow.now
    _audit_entries(uow, approved)
    return [entry.id for entry in entries]


@mutation("timeLogEntryUnapprove")
async def unapprove(uow: UnitOfWork, *, ids: Sequence[str]) -> list[int]:
    """Takes the approval of entries back, all or none, so that they can be changed again; else as `approve`."""
    entries = await _entries(uow, ids)
    unapproved = [entry for entry in entries if entry.approved_at is not None]
    for entry in unapproved:
        entry.approved_by_id = entry.approved_at = None
    _audit_entries(uow, unapproved)
    return [entry.id for entry in entries]


@mutation("timeLogEntryConfirm")
async def confirm(uow: UnitOfWork, *, ids: Sequence[str]) -> list[int]:
    """Confirms, as the employer, that the learning of entries took place; all or none.

    Confirming again changes nothing. A confirmed entry that is changed is no longer confirmed. Returns and rejects as
    `approve` does.
    """
    entries = await _entries(uow, ids)
    confirmed = [entry for entry in entries if entry.employer_confirmed_at is None]
    for entry in confirmed:
        entry.employer_confirmed_by_id, entry.employer_confirmed_at = uow.viewer.user_key, uow.now
    _audit_entries(uow, confirmed)
    return [entry.id for entry in entries]


async def _entries(uow: UnitOfWork, ids: Sequence[str]) -> list[TimeLogEntry]:
    """Returns the entries with those ids, each once and locked; rejects unless the viewer sees and may change all."""
    if len(ids) > MAX_APPROVED:
        uow.authorize()
        message = say("TOO_MANY_ENTRIES", most=MAX_APPROVED)
        uow.add_error(UserErrorCode.INVALID, message, "ids")
        uow.raise_errors()
    keys = [global_id.decode("TimeLogEntry", id) for id in ids]
    found = await entries_for_write(uow.session, uow.viewer, {key for key in keys if key is not None})
    for index, key in enumerate(keys):
        if key not in found:
            uow.add_not_found("ids", str(index))
    uow.raise_errors()
    uow.authorize()
    uow.forbid_own_record({entry.learner_id for entry in found.values()})
    if not found:
        uow.add_error(UserErrorCode.REQUIRED, say("ENTRIES_MISSING"), "ids")
        uow.raise_errors()
    return [found[key] for key in dict.fromkeys(keys) if key is not None]


def _audit_entries(uow: UnitOfWork, changed: Sequence[TimeLogEntry]) -> None:
    """Records one audit event for all entries that were changed."""
    if not changed:
        return
    learners, aims = {entry.learner_id for entry in changed}, {entry.aim_id for entry in changed}
    uow.audit(
        "TimeLogEntry", changed[0].id if len(changed) == 1 else None,
        learner_id=learners.pop() if len(learners) == 1 else None, aim_id=aims.pop() if len(aims) == 1 else None,
        entries=[entry.id for entry in changed],
    )  # fmt: skip
    uow.changed_learners.update(entry.learner_id for entry in changed)


def _keep_revision(uow: UnitOfWork, entry: TimeLogEntry) -> None:
    """Keeps the state of an entry that is about to change."""
    uow.session.add(
        TimeLogRevision(
            provider_id=entry.provider_id, learner_id=entry.learner_id, entry_id=entry.id,
            changed_by_id=uow.viewer.user_key, changed_at=uow.now, date=entry.date, minutes=entry.minutes,
            job_setting=entry.job_setting, activity_type=entry.activity_type, comments=entry.comments,
        )
    )  # fmt: skip


async def _parse_columns(
    uow: UnitOfWork, learner: Learner | None, entry: EntryFields, excluding: int | None = None
) -> tuple[dict[str, Any], OffTheJobExclusionReason | None]:
    """Returns the columns of an entry, and why its minutes do not count; records errors.

    The minutes of the entry `excluding` are not counted twice.
    """
    day, minutes = entry["date"], entry["minutes"]
    comments = multi_line(uow, entry["comments"], "input", "comments")
    valid_minutes = 1 <= minutes <= MINUTES_PER_DAY
    if not valid_minutes:
        message = say("MINUTES_OUT_OF_RANGE", least=1, most=MINUTES_PER_DAY)
        uow.add_error(UserErrorCode.INVALID, message, "input", "minutes")
    if day > uow.today:
        message = say("DAY_IN_FUTURE")
        uow.add_error(UserErrorCode.INVALID, message, "input", "date")
    aim_id, unit_id = await _parse_aim_and_unit(uow, learner, entry.get("aim_id"), entry.get("unit_id"))
    known = None if learner is None else await day_of(uow.session, learner.id, aim_id, day, excluding)
    if known is not None and known.first_start is not None and day < known.first_start:
        message = say("DAY_BEFORE_FIRST_START", start=known.first_start)
        uow.add_error(UserErrorCode.INVALID, message, "input", "date")
    assessor_id = await _parse_assessor(uow, entry.get("assessor_id"))
    if known is not None and valid_minutes and known.minutes + minutes > MINUTES_PER_DAY:
        message = say("DAY_FULL")
        uow.add_error(UserErrorCode.INVALID, message, "input", "minutes")
    activity_type = entry["activity_type"]
    setting = entry.get("job_setting") or DEFAULT_JOB_SETTING[activity_type]
    columns = {
        "date": day,
        "activity_type": activity_type,
        "job_setting": setting,
        "minutes": minutes,
        "aim_id": aim_id,
        "unit_id": unit_id,
        "assessor_id": assessor_id,
        "comments": comments,
    }
    return columns, known.exclusion if known is not None and setting is JobSetting.OFF_THE_JOB else None


async def _parse_aim_and_unit(
    uow: UnitOfWork, learner: Learner | None, aim_id: str | None, unit_id: str | None
) -> tuple[int | None, int | None]:
    """Returns the keys of the aim and the unit; records an error unless they belong to the learner and together.

    The id of a unit includes its aim, so a unit without an aim sets both.
    """
    aim = None if aim_id is None else await _aim_of_learner(uow, learner, aim_id, "aimId")
    if unit_id is None:
        return aim.id if aim else None, None
    unit_aim_key, unit_key = global_id.decode_pair("Unit", unit_id) or (0, 0)
    unit_aim = aim
    if aim is None or aim.id != unit_aim_key:
        unit_aim = await _aim_of_learner(uow, learner, global_id.encode("Aim", unit_aim_key), "unitId")
    if unit_aim is None:
        return None, None
    unit = await uow.session.get(QualificationUnit, unit_key)
    if unit is None or unit.qualification_id != unit_aim.qualification_id:
        uow.add_not_found("input", "unitId")
    elif aim_id is not None and unit_aim is not aim:
        message = say("UNIT_OF_OTHER_COMPONENT")
        uow.add_error(UserErrorCode.INVALID, message, "input", "unitId")
    return unit_aim.id, unit_key


async def _aim_of_learner(uow: UnitOfWork, learner: Learner | None, aim_id: str, field: str) -> Aim | None:
    aim = await require_entity(uow, Aim, aim_id, "input", field, locked=False)
    if aim is not None and learner is not None and aim.learner_id != learner.id:
        message = say("COMPONENT_OF_OTHER_LEARNER")
        uow.add_error(UserErrorCode.INVALID, message, "input", field)
        return None
    return aim


async def _parse_assessor(uow: UnitOfWork, assessor_id: str | None) -> int | None:
    """Returns the key of the assessor, None for No Assessor; records an error where the user is not an assessor."""
    if assessor_id is None:
        return None
    user = await require_entity(uow, User, assessor_id, "input", "assessorId", locked=False)
    if user is None:
        return None
    if not await holds_role(uow.session, user.id, Role.ASSESSOR):
        message = say("NOT_AN_ASSESSOR")
        uow.add_error(UserErrorCode.INVALID, message, "input", "assessorId")
    return user.id
