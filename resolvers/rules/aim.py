"""Rules of aims: what their status allows, and whether a message has a recipient."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.viewer import Viewer
from db.models.aim import Aim
from domain.enums import AimStatus, Role, UserErrorCode
from domain.errors import UserError, user_error
from domain.progress import ENDED
from domain.sentences import Sentence, say
from loaders.aim import AimRow
from loaders.aim_break import BreaksOfAimLoader
from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from loaders.user_state import UserStateLoader
from resolvers.core.rules import RecordRules

# The roles whose messages go to the assessor; those of other roles go to the learner.
WRITE_TO_ASSESSOR = (Role.LEARNER, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)


@dataclass(frozen=True, slots=True)
class AimState:
    """What the rules know of an aim."""

    learner_key: int
    status: AimStatus
    assessor_key: int | None

    @classmethod
    def of(cls, aim: Aim) -> "AimState":
        """Returns that of the entity."""
        return cls(aim.learner_id, aim.status, aim.assessor_id)

    @classmethod
    def of_row(cls, row: AimRow) -> "AimState":
        """Returns that of the light row."""
        return cls(row.learner_key, row.status, row.assessor.key if row.assessor else None)


AIM = RecordRules("Aim", state=AimState.of_row)
AIM.by_role("aimUpdate", "aimUnitsChoose", "hoursAgree")


@AIM.rule("aimVersionChange")
def _change_version(viewer: Viewer, aim: AimState) -> Iterator[UserError]:
    if aim.status in ENDED:
        message = say("COMPONENT_ENDED", status=aim.status)
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@AIM.rule("breakBegin")
def _begin_break(viewer: Viewer, aim: AimState, *, on_break_since: dt.date | None) -> Iterator[UserError]:
    field = ("input", "aimIds", "0")
    if aim.status not in (AimStatus.IN_TRAINING, AimStatus.SUSPENDED):
        message = say("COMPONENT_NOT_IN_TRAINING", status=aim.status)
        yield user_error(UserErrorCode.CONFLICT, message, *field)
    elif on_break_since is not None:
        yield user_error(UserErrorCode.CONFLICT, has_break(on_break_since), *field)


def has_break(start: dt.date, last_day: dt.date | None = None) -> Sentence:
    """Returns the sentence for an aim that has a break on the same days; `last_day` of one that has ended."""
    if last_day is None:
        return say("BREAK_OVERLAPS_OPEN", start=start)
    return say("BREAK_OVERLAPS", start=start, end=last_day)


@AIM.rule("messageSend")
def _send_message(viewer: Viewer, aim: AimState, *, recipient_archived: bool) -> Iterator[UserError]:
    to_assessor = viewer.role in WRITE_TO_ASSESSOR
    if not recipient_archived and (aim.assessor_key is not None or not to_assessor):
        return
    message = say("COMPONENT_WITHOUT_ASSESSOR" if to_assessor else "LEARNER_ARCHIVED")
    yield user_error(UserErrorCode.INVALID, message, "input", "aimId")


@AIM.fact
async def on_break_since(loaders: Loaders, rows: Sequence[AimRow]) -> list[dt.date | None]:
    """The first day of the break that has not ended, if there is one."""
    breaks = await loaders[BreaksOfAimLoader].load_many([row.key for row in rows])
    return [next((each.start_date for each in of_aim if each.returned_on is None), None) for of_aim in breaks]


@AIM.fact
async def recipient_archived(loaders: Loaders, rows: Sequence[AimRow]) -> list[bool]:
    """Whether the account of the person to whom the viewer would write is archived."""
    if loaders.reading.viewer.role in WRITE_TO_ASSESSOR:
        keys = [row.assessor.key if row.assessor else None for row in rows]
    else:
        learners = await loaders[LearnerLoader].load_many([row.learner_key for row in rows])
        keys = [learner.user_key if learner else None for learner in learners]
    states = await loaders[UserStateLoader].load_many(list({key for key in keys if key is not None}))
    archived = {state.key for state in states if state is not None and state.archived_at is not None}
    return [key in archived for key in keys]
