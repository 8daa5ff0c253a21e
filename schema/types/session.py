"""Sessions (visits): the learning plan."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.action import ActionsOfSessionLoader
from loaders.learner import LearnerLoader
from loaders.session import AimsOfSessionLoader, FilesOfSessionLoader, SessionRow
from schema.enums import SessionStatus, SessionType
from schema.field_builders import attribute, loaded, related
from schema.relay import Node, node, record
from schema.types.action import Action
from schema.types.file import File
from schema.types.user import User

if TYPE_CHECKING:
    from schema.types.aim import Aim
    from schema.types.learner import Learner


async def _outstanding(row: SessionRow, load) -> bool:
    return any(action.outstanding for action in await load[ActionsOfSessionLoader].load(row.key))


@node(SessionRow, "A session (visit) of a learner's plan, planned or over.")
class Session(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "Whose it is.", LearnerLoader, by="learner_key"
    )
    number: int = attribute("Counts up from 1 within a learner's plan.")
    type: SessionType = attribute("What it is for.")
    status: SessionStatus = attribute("Whether it took place.")
    starts_at: dt.datetime = attribute("When it begins [001].")
    ends_at: dt.datetime = attribute("When it ends.")
    location: str | None = attribute("Where; null if that was not said.")
    assessor: User = attribute("Who visits.")
    aims: list[Annotated["Aim", strawberry.lazy("schema.types.aim")]] = loaded(
        "The components that it is about, of those the viewer may see.",
        AimsOfSessionLoader,
    )
    planning_notes: str | None = attribute("What is planned, written before it.")
    feedback: str | None = attribute("Session feedback, written after it.")
    files: list[File] = loaded("What was saved to it.", FilesOfSessionLoader)
    actions: list[Action] = loaded("What was set in it, the earliest target first.", ActionsOfSessionLoader)
    has_outstanding_actions: bool = related(
        "The speech bubble: red while true, green once false. A session without actions is green.", _outstanding
    )


@strawberry.type
class SessionQueries:
    session: Session | None = record("Session", "One session")
