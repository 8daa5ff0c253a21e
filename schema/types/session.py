"""Sessions of the learning plan."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.action import ActionRow, ActionsOfSessionLoader
from loaders.learner import LearnerLoader
from loaders.review import ReviewOfSessionLoader
from loaders.session import DIARY, AimsOfSessionLoader, FilesOfSessionLoader, MinutesLoggedLoader, SessionRow
from schema.enums import SessionStatus, SessionType
from schema.field_builders import UPDATED_SINCE, attribute, connection, loaded, updated_at
from schema.relay import Connection, Node, node, record
from schema.types.action import Action
from schema.types.file import File
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.aim import Aim
    from schema.types.learner import Learner
    from schema.types.review import Review


def _some_outstanding(actions: list[ActionRow]) -> bool:
    return any(action.outstanding for action in actions)


@node(SessionRow, "A meeting of assessor and learner, planned or past. Employers' guides say visit.")
class Session(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "The learner.", LearnerLoader, by="learner_key"
    )
    number: int = attribute("Its number in the learner's plan, counted from 1.")
    type: SessionType = attribute("The purpose of the session.")
    status: SessionStatus = attribute("Whether it took place.")
    starts_at: dt.datetime = attribute("When it begins.")
    ends_at: dt.datetime = attribute("When it ends.")
    location: str | None = attribute("Where it takes place; null if no location was given.")
    assessor: User = attribute("The assessor.")
    aims: list[Annotated["Aim", strawberry.lazy("schema.types.aim")]] = loaded(
        "The aims that it is about, of those that the viewer may see.",
        AimsOfSessionLoader,
    )
    planning_notes: str | None = attribute("What is planned for it; null if nothing was written.")
    feedback: str | None = attribute("Feedback written after it; null if there is none.")
    group_id: strawberry.ID | None = attribute(
        "Shared by the sessions that were booked together for a group; null for a session of one learner."
    )
    minutes_logged: int | None = loaded(
        "The minutes that attendance logged; null until it was attended.", MinutesLoggedLoader
    )
    review: Annotated["Review", strawberry.lazy("schema.types.review")] | None = loaded(
        "The progress review that was started for it; null if there is none.", ReviewOfSessionLoader
    )
    files: list[File] = loaded("The files saved to it, oldest first.", FilesOfSessionLoader)
    actions: list[Action] = loaded("The actions set in it, earliest target date first.", ActionsOfSessionLoader)
    has_outstanding_actions: bool = loaded(
        "Whether an action that was set in it is not `COMPLETE`. The speech bubble of the session is red if true, "
        "green if false.",
        ActionsOfSessionLoader,
        take=_some_outstanding,
        take_reads=("outstanding",),
    )
    updated_at: dt.datetime = updated_at("its aims, files, actions, review and logged time")
    viewer_actions: list[ViewerAction] = viewer_actions("Session")


@strawberry.input(description="Conditions for sessions; all of those given must hold.")
class SessionFilter:
    from_: dt.datetime | None = strawberry.field(
        default=None, name="from", description="Only sessions that begin at this time or later."
    )
    to: dt.datetime | None = strawberry.field(default=None, description="Only sessions that begin before this time.")
    assessor_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only sessions with this assessor: the id of a user."
    )
    employer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only sessions of learners who work at this employer site."
    )
    learner_id: strawberry.ID | None = strawberry.field(default=None, description="Only sessions of this learner.")
    statuses: list[SessionStatus] | None = strawberry.field(
        default=None, description="Only sessions with one of these statuses."
    )
    types: list[SessionType] | None = strawberry.field(
        default=None, description="Only sessions for one of these purposes."
    )
    updated_since: dt.datetime | None = strawberry.field(default=None, description=UPDATED_SINCE)


@strawberry.type
class SessionQueries:
    session: Session | None = record("Session", "The session with this id")
    sessions: Connection[Session] = connection(
        "The diary: the sessions of all learners whom the viewer may see, by the time at which they begin.",
        DIARY,
        filter=SessionFilter,
    )
