"""Actions: set and changed by the assessor, answered by the learner, and completed by the assessor alone."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, TypedDict, TypeVar, Unpack

from db.models.action import Action, ActionFile
from db.models.aim import Aim
from db.models.file import File
from db.models.learner import Learner
from db.models.session import Session
from domain.enums import ActionKind, ActionStatus, UserErrorCode
from domain.errors import reject
from resolvers.core.attachments import attach_all, attachable_files
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity, single_line

E = TypeVar("E", Session, Aim)

# Minutes: a week, day and night.
_MOST_MINUTES = 7 * 24 * 60


class ActionChanges(TypedDict, total=False):
    """What a change of an action may set; what is left out or None stays."""

    title: str | None
    description: str | None
    target_date: dt.date | None
    add_file_ids: list[str] | None


@mutation("actionSet")
async def set_(
    uow: UnitOfWork,
    *,
    learner_id: str,
    kind: ActionKind,
    title: str,
    description: str,
    target_date: dt.date,
    session_id: str | None = None,
    aim_id: str | None = None,
    accepts_evidence: bool | None = None,
    file_ids: Sequence[str] | None = None,
) -> int:
    """Gives a learner something to do by a day, in a session or by itself, with its files.

    Refuses with NOT_FOUND, NOT_ALLOWED, or REQUIRED, INVALID and CONFLICT for the fields.
    """
    learner = await require_entity(uow, Learner, learner_id, "input", "learnerId", locked=False)
    if learner is not None:
        uow.authorize()
    learner_key = learner.id if learner is not None else None
    session = await _learners(uow, Session, session_id, learner_key, "sessionId")
    aim = await _learners(uow, Aim, aim_id, learner_key, "aimId")
    aim_ids = [aim.id] if aim is not None else []
    title = single_line(uow, title, "input", "title")
    description = multi_line(uow, description, "input", "description")
    _check_target(uow, target_date)
    files = await attachable_files(uow, file_ids or (), learner_key, aim_ids, "input", "fileIds")
    uow.raise_errors()
    assert learner is not None
    action = Action(
        provider_id=learner.provider_id, learner_id=learner.id, session_id=session.id if session else None,
        aim_id=aim.id if aim else None, kind=kind, title=title, description=description, target_date=target_date,
        status=ActionStatus.OUTSTANDING, accepts_evidence=bool(accepts_evidence), set_by_id=uow.viewer.user_key,
        set_at=uow.now,
    )  # fmt: skip
    uow.session.add(action)
    await uow.session.flush()
    added = await _add_files(uow, action, files, aim_ids)
    uow.audit("Action", action.id, learner_id=learner.id, aim_id=action.aim_id, files=added)
    return action.id


@mutation("actionUpdate")
async def update(uow: UnitOfWork, *, id: str, **changes: Unpack[ActionChanges]) -> int:
    """Changes an action that is not complete, and adds files to it.

    Refuses with NOT_FOUND, NOT_ALLOWED, CONFLICT where it is complete, or REQUIRED, INVALID and CONFLICT for the
    fields.
    """
    action = await uow.get(Action, id, "id")
    uow.authorize()
    _check_open(uow, action)
    wanted: dict[str, Any] = {}
    if (title := changes.get("title")) is not None:
        wanted["title"] = single_line(uow, title, "input", "title")
    if (description := changes.get("description")) is not None:
        wanted["description"] = multi_line(uow, description, "input", "description")
    target_date = changes.get("target_date")
    if target_date is not None and target_date != action.target_date:
        _check_target(uow, target_date)
        wanted["target_date"] = target_date
    aim_ids = [action.aim_id] if action.aim_id is not None else []
    files = await attachable_files(
        uow, changes.get("add_file_ids") or (), action.learner_id, aim_ids, "input", "addFileIds"
    )
    uow.raise_errors()
    fields = [name for name, value in wanted.items() if getattr(action, name) != value]
    for name in fields:
        setattr(action, name, wanted[name])
    added = await _add_files(uow, action, files, aim_ids)
    if fields or added:
        uow.audit("Action", action.id, learner_id=action.learner_id, aim_id=action.aim_id, fields=fields, files=added)
    return action.id


@mutation("actionRespond")
async def respond(uow: UnitOfWork, *, id: str, learner_feedback: str, minutes_spent: int | None = None) -> int:
    """The learner's side: what they did and how long it took; the action goes on to IN_PROGRESS, never further.

    Minutes that are left out stay as they were. Refuses with NOT_FOUND, NOT_ALLOWED, CONFLICT where it is complete, or
    REQUIRED and INVALID for the fields.
    """
    action = await uow.get(Action, id, "id")
    uow.authorize()
    _check_open(uow, action)
    learner_feedback = multi_line(uow, learner_feedback, "input", "learnerFeedback")
    if minutes_spent is not None and not 0 <= minutes_spent <= _MOST_MINUTES:
        uow.add_error(
            UserErrorCode.INVALID, f"Give minutes from 0 to {_MOST_MINUTES:,}, which is a week.",
            "input", "minutesSpent",
        )  # fmt: skip
    uow.raise_errors()
    action.learner_feedback, action.learner_submitted_at = learner_feedback, uow.now
    action.status = ActionStatus.IN_PROGRESS
    fields = ["status", "learner_feedback"]
    if minutes_spent is not None:
        action.minutes_spent = minutes_spent
        fields.append("minutes_spent")
    uow.audit("Action", action.id, learner_id=action.learner_id, aim_id=action.aim_id, fields=fields)
    return action.id


@mutation("actionComplete")
async def complete(uow: UnitOfWork, *, id: str) -> int:
    """Closes an action; one that is complete stays as it is. Refuses with NOT_FOUND or NOT_ALLOWED."""
    action = await uow.get(Action, id, "id")
    uow.authorize()
    if action.status is not ActionStatus.COMPLETE:
        action.status = ActionStatus.COMPLETE
        action.completed_by_id, action.completed_at = uow.viewer.user_key, uow.now
        uow.audit("Action", action.id, learner_id=action.learner_id, aim_id=action.aim_id, fields=["status"])
    return action.id


@mutation("actionReopen")
async def reopen(uow: UnitOfWork, *, id: str) -> int:
    """Opens a complete action again, as it was before: IN_PROGRESS where the learner has responded, else OUTSTANDING.

    One that is open stays as it is. Refuses with NOT_FOUND or NOT_ALLOWED.
    """
    action = await uow.get(Action, id, "id")
    uow.authorize()
    if action.status is ActionStatus.COMPLETE:
        responded = action.learner_submitted_at is not None
        action.status = ActionStatus.IN_PROGRESS if responded else ActionStatus.OUTSTANDING
        action.completed_by_id = action.completed_at = None
        uow.audit("Action", action.id, learner_id=action.learner_id, aim_id=action.aim_id, fields=["status"])
    return action.id


async def _learners(uow: UnitOfWork, entity: type[E], id: str | None, learner_key: int | None, field: str) -> E | None:
    """A session or an aim of the learner's, where one is named; notes where it is not theirs."""
    if id is None:
        return None
    found = await require_entity(uow, entity, id, "input", field, locked=False)
    if found is not None and learner_key is not None and found.learner_id != learner_key:
        uow.add_error(UserErrorCode.INVALID, "This is another learner's. Choose one of this learner's.", "input", field)
        return None
    return found


def _check_target(uow: UnitOfWork, target_date: dt.date) -> None:
    if target_date < uow.today:
        uow.add_error(UserErrorCode.INVALID, "This day is over. Choose today or a later day.", "input", "targetDate")


def _check_open(uow: UnitOfWork, action: Action) -> None:
    if action.status is ActionStatus.COMPLETE:
        raise reject(
            UserErrorCode.CONFLICT, "The action is complete and closed. The assessor can reopen it first.", "id"
        )


async def _add_files(uow: UnitOfWork, action: Action, files: Sequence[File], aim_ids: Collection[int]) -> list[int]:
    """Attaches files to an action; gives the keys of those that were not there yet."""
    attach_all(files, action.learner_id, aim_ids)
    added = []
    for file in files:
        if await uow.session.get(ActionFile, (action.id, file.id)) is None:
            added.append(file.id)
            uow.session.add(
                ActionFile(
                    action_id=action.id, file_id=file.id, provider_id=action.provider_id, learner_id=action.learner_id
                )
            )
    return added
