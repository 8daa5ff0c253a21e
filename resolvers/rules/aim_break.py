"""Rules of breaks in learning: one ends once."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from auth.viewer import Viewer
from db.models.aim_break import AimBreak
from domain.enums import UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.aim_break import BreakRow
from resolvers.core.rules import RecordRules


@dataclass(frozen=True, slots=True)
class BreakState:
    """What the rules know of a break."""

    learner_key: int
    returned_on: dt.date | None

    @classmethod
    def of(cls, found: AimBreak) -> "BreakState":
        """Returns that of the entity."""
        return cls(found.learner_id, found.returned_on)

    @classmethod
    def of_row(cls, row: BreakRow) -> "BreakState":
        """Returns that of the light row."""
        return cls(row.learner_key, row.returned_on)


BREAK = RecordRules("Break", state=BreakState.of_row)
BREAK.by_role("breakUpdate")


@BREAK.rule("breakEnd")
def _end(viewer: Viewer, found: BreakState) -> Iterator[UserError]:
    if found.returned_on is not None:
        yield user_error(UserErrorCode.CONFLICT, say("BREAK_ENDED"), "id")
