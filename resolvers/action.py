"""Sets, changes and completes actions for a learner, and records the learner's response."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import TypedDict, TypeVar, Unpack

from db.models.action import Action, ActionFile
from db.models.aim import Aim
from db.models.file import File
from db.models.learner import Learner
from db.models.session import Session
from domain.enums import ActionKind, ActionStatus, UserErrorCode
from domain.sentences import say
from repositories.action import delete_action, has_evidence
from resolvers.core.attachments import attach_all, attachable_files
from resolvers.core.changes import assign, changed_texts
from resolvers.core.row_limit import check_row_limit
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line, require_entity, single_line
from resolvers.rules.action import ACTION, ActionState
from resolvers.rules.learner import LEARNER, LearnerState

E = TypeVar("E", Session, Aim)

# A week.
_MAX_MINUTES = 7 * 24 * 60


class DeletedAction(TypedDict):
    """The keys of a deleted action, its session, and its learner."""

    action: int
    session: int | None
    learner: int


class ActionChanges(TypedDict, total=False):
    """The changes of an action: what is missing or None is not changed."""

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
    """Sets a learner an action with its files, in a session or on its own. Returns the action's key.

    Rejects with NOT_FOUND, NOT_ALLOWED, or REQUIRED, INVALID and CONFLICT for the fields.
    """
    learner = await require_entity(uow, Learner, learner_id, "input", "learnerId", locked=False)
    if learner is not None:
        uow.require(LEARNER, LearnerState.of(learner))
    learner_key = learner.id if learner is not None else None
    session = await _of_learner(uow, Session, session_id, learner_key, "sessionId")
    if session is not None:
        await check_row_limit(uow, Action.session_id, session.id, "SESSION_ACTIONS_FULL", "input", "sessionId")
    aim = await _of_learner(uow, Aim, aim_id, learner_key, "aimId")
    aim_ids = [aim.id] if aim is not None else []
    title = single_line(uow, title, "input", "title")
    description = multi_line(uow, description, "input", "description")
    _check_target_date(uow, target_date)
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

    Rejects with NOT_FOUND, NOT_ALLOWED, CONFLICT where it is complete, or REQUIRED, INVALID and CONFLICT for the
    fields.
    """
    action = await uow.get(Action, id, "id")
    uow.require(ACTION, ActionState.of(action))
    values = changed_texts(uow, Action, changes)
    target_date = changes.get("target_date")
    if target_date is not None and target_date != action.target_date:
        _check_target_date(uow, target_date)
        values["target_date"] = target_date
    aim_ids = [action.aim_id] if action.aim_id is not None else []
    files = await attachable_files(
        uow, changes.get("add_file_ids") or (), action.learner_id, aim_ids, "input", "addFileIds"
    )
    await check_row_limit(
        uow, ActionFile.action_id, action.id, "ATTACHED_FILES_FULL", "input", "addFileIds", adding=len(files)
    )
    uow.raise_errors()
    changed = assign(action, values)
    added = await _add_files(uow, action, files, aim_ids)
    if changed or added:
        uow.audit("Action", action.id, learner_id=action.learner_id, aim_id=action.aim_id, fields=changed, files=added)
    return action.id


@mutation("actionRespond")
async def respond(uow: UnitOfWork, *, id: str, learner_feedback: str, minutes_spent: int | None = None) -> int:
    """Records what the learner did and how long it took, and sets the action to IN_PROGRESS.

    Without `minutes_spent` the recorded minutes are not changed. Rejects with NOT_FOUND, NOT_ALLOWED, CONFLICT where
    the action is complete, or REQUIRED and INVALID for the fields.
    """
    action = await uow.get(Action, id, "id")
    uow.require(ACTION, ActionState.of(action))
    learner_feedback = multi_line(uow, learner_feedback, "input", "learnerFeedback")
    if minutes_spent is not None and not 0 <= minutes_spent <= _MAX_MINUTES:
        message = say("MINUTES_SPENT_OUT_OF_RANGE", most=_MAX_MINUTES)
        uow.add_error(UserErrorCode.INVALID, message, "input", "minutesSpent")
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
    """Completes an action; completing it again changes nothing. Rejects with NOT_FOUND or NOT_ALLOWED."""
    action = await uow.get(Action, id, "id")
    uow.require(ACTION, ActionState.of(action))
    if action.status is not ActionStatus.COMPLETE:
        action.status = ActionStatus.COMPLETE
        action.completed_by_id, action.completed_at = uow.viewer.user_key, uow.now
        uow.audit("Action", action.id, learner_id=action.learner_id, aim_id=action.aim_id, fields=["status"])
    return action.id


@mutation("actionReopen")
async def reopen(uow: UnitOfWork, *, id: str) -> int:
    """Reopens a complete action: as IN_PROGRESS where the learner has responded, else as OUTSTANDING.

    Reopening an action that is not complete changes nothing. Rejects with NOT_FOUND or NOT_ALLOWED.
    """
    action = await uow.get(Action, id, "id")
    uow.require(ACTION, ActionState.of(action))
    if action.status is ActionStatus.COMPLETE:
        responded = action.learner_submitted_at is not None
        action.status = ActionStatus.IN_PROGRESS if responded else ActionStatus.OUTSTANDING
        action.completed_by_id = action.completed_at = None
        uow.audit("Action", action.id, learner_id=action.learner_id, aim_id=action.aim_id, fields=["status"])
    return action.id


@mutation("actionDelete")
async def delete(uow: UnitOfWork, *, id: str, reason: str) -> DeletedAction:
    """Deletes an action that should not have been set; the reason stays in the audit trail.

    Rejects with NOT_FOUND, NOT_ALLOWED, REQUIRED without a reason, and CONFLICT where evidence was submitted for it.
    """
    action = await uow.get(Action, id, "id")
    uow.require(ACTION, ActionState.of(action), has_evidence=await has_evidence(uow.session, action.id))
    reason = multi_line(uow, reason, "reason")
    uow.raise_errors()
    await delete_action(uow.session, action.id)
    uow.audit("Action", action.id, learner_id=action.learner_id, aim_id=action.aim_id, reason=reason)
    return {"action": action.id, "session": action.session_id, "learner": action.learner_id}


async def _of_learner(
    uow: UnitOfWork, entity: type[E], id: str | None, learner_key: int | None, field: str
) -> E | None:
    """Returns the session or aim with that id, if any; records an error where it is another learner's."""
    if id is None:
        return None
    found = await require_entity(uow, entity, id, "input", field, locked=False)
    if found is not None and learner_key is not None and found.learner_id != learner_key:
        message = say("SESSION_OF_OTHER_LEARNER" if entity is Session else "COMPONENT_OF_OTHER_LEARNER")
        uow.add_error(UserErrorCode.INVALID, message, "input", field)
        return None
    return found


def _check_target_date(uow: UnitOfWork, target_date: dt.date) -> None:
    if target_date < uow.today:
        message = say("TARGET_DATE_IN_PAST")
        uow.add_error(UserErrorCode.INVALID, message, "input", "targetDate")


async def _add_files(uow: UnitOfWork, action: Action, files: Sequence[File], aim_ids: Collection[int]) -> list[int]:
    """Attaches files to an action. Returns the keys of those that it did not have."""
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
