"""Rules of learners: an erased record does not change, and staff are not erased."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.viewer import Viewer
from db.models.learner import Learner
from domain.enums import Role, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.core.registry import Loaders
from loaders.learner import LearnerRow
from loaders.user_state import RolesOfUserLoader
from resolvers.core.rules import RecordRules
from resolvers.rules.employer import EMPLOYER
from resolvers.rules.viewer import VIEWER


@dataclass(frozen=True, slots=True)
class LearnerState:
    """What the rules know of a learner."""

    learner_key: int
    erased: bool

    @classmethod
    def of(cls, learner: Learner) -> "LearnerState":
        """Returns that of the entity."""
        return cls(learner.id, learner.erased_at is not None)

    @classmethod
    def of_row(cls, row: LearnerRow) -> "LearnerState":
        """Returns that of the light row."""
        return cls(row.key, row.erased)


LEARNER = RecordRules("Learner", state=LearnerState.of_row)
LEARNER.by_role("subjectAccessExport")
EMPLOYER.by_role("learnerEnrol")
VIEWER.by_role("learnerEnrol")


@LEARNER.rule("learnerUpdate")
def _update(viewer: Viewer, learner: LearnerState) -> Iterator[UserError]:
    yield from _not_erased(learner, "id")


@LEARNER.rule("aimAdd")
def _add_aim(viewer: Viewer, learner: LearnerState) -> Iterator[UserError]:
    yield from _not_erased(learner, "input", "learnerId")


def _not_erased(learner: LearnerState, *field: str) -> Iterator[UserError]:
    if learner.erased:
        message = say("LEARNER_ERASED")
        yield user_error(UserErrorCode.CONFLICT, message, *field)


@LEARNER.rule("learnerErase")
def _erase(viewer: Viewer, learner: LearnerState, *, other_roles: Sequence[Role]) -> Iterator[UserError]:
    if other_roles and not learner.erased:
        message = say("LEARNER_HAS_OTHER_ROLES", roles=other_roles, count=len(other_roles))
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@LEARNER.fact
async def other_roles(loaders: Loaders, rows: Sequence[LearnerRow]) -> list[list[Role]]:
    """The roles of the learner's user besides LEARNER."""
    held = await loaders[RolesOfUserLoader].load_many([row.user_key for row in rows])
    return [[role for role in roles if role is not Role.LEARNER] for roles in held]
