"""Rules of actions: what can still be done with one in its status."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.viewer import Viewer
from db.models.action import Action
from domain.enums import ActionStatus, EvidenceStatus, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.action import ActionRow
from loaders.core.registry import Loaders
from loaders.evidence import EvidenceOfActionLoader
from resolvers.core.rules import RecordRules
from resolvers.rules.learner import LEARNER


@dataclass(frozen=True, slots=True)
class ActionState:
    """What the rules know of an action."""

    learner_key: int
    status: ActionStatus
    accepts_evidence: bool

    @classmethod
    def of(cls, action: Action) -> "ActionState":
        """Returns that of the entity."""
        return cls(action.learner_id, action.status, action.accepts_evidence)

    @classmethod
    def of_row(cls, row: ActionRow) -> "ActionState":
        """Returns that of the light row."""
        return cls(row.learner_key, row.status, row.accepts_evidence)


ACTION = RecordRules("Action", state=ActionState.of_row)
ACTION.by_role("actionComplete", "actionReopen")
LEARNER.by_role("actionSet")


@ACTION.rule("actionUpdate", "actionRespond")
def _change(viewer: Viewer, action: ActionState) -> Iterator[UserError]:
    if action.status is ActionStatus.COMPLETE:
        message = say("ACTION_COMPLETE")
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@ACTION.rule("actionDelete")
def _delete(viewer: Viewer, action: ActionState, *, has_evidence: bool) -> Iterator[UserError]:
    if has_evidence:
        message = say("ACTION_HAS_EVIDENCE")
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@ACTION.rule("evidenceSubmit")
def _submit(viewer: Viewer, action: ActionState) -> Iterator[UserError]:
    field = ("input", "actionId")
    if not action.accepts_evidence:
        message = say("ACTION_WITHOUT_EVIDENCE")
        yield user_error(UserErrorCode.INVALID, message, *field)
    elif action.status is ActionStatus.COMPLETE:
        message = say("ACTION_COMPLETE_FOR_EVIDENCE")
        yield user_error(UserErrorCode.CONFLICT, message, *field)


@ACTION.fact
async def has_evidence(loaders: Loaders, rows: Sequence[ActionRow]) -> list[bool]:
    """Whether evidence was submitted for it that is not withdrawn."""
    evidence = await loaders[EvidenceOfActionLoader].load_many([row.key for row in rows])
    return [any(each.status is not EvidenceStatus.WITHDRAWN for each in of_one) for of_one in evidence]
