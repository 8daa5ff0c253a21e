"""Actions: tasks that are set for a learner."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from loaders.action import ACTIONS, ActionRow, FilesOfActionLoader
from loaders.aim import AimLoader, AimRow
from loaders.core.registry import Loaders
from loaders.evidence import EvidenceOfActionLoader
from loaders.learner import LearnerLoader
from loaders.session import SessionLoader, SessionRow
from schema.enums import ActionKind, ActionStatus
from schema.field_builders import argument, attribute, connection, loaded, person, related, updated_at
from schema.relay import Connection, Node, node, record
from schema.types.evidence import Evidence
from schema.types.file import File
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.aim import Aim
    from schema.types.learner import Learner
    from schema.types.session import Session
    from schema.types.user import User


async def _assessor(row: ActionRow, loaders: Loaders) -> Any:
    if row.aim_key is not None:
        aim = await loaders[AimLoader].load(row.aim_key)
        return aim and aim.assessor
    session = None if row.session_key is None else await loaders[SessionLoader].load(row.session_key)
    return session and session.assessor


@node(ActionRow, "A task for a learner with a target date, set in a session or outside one.")
class Action(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "The learner who has to do it.", LearnerLoader, by="learner_key"
    )
    session: Annotated["Session", strawberry.lazy("schema.types.session")] | None = loaded(
        "The session in which it was set; null if it was set outside a session or the viewer may not see the session.",
        SessionLoader,
        by="session_key",
    )
    aim: Annotated["Aim", strawberry.lazy("schema.types.aim")] | None = loaded(
        "The aim that it belongs to; null if it belongs to none or the viewer may not see the aim.",
        AimLoader,
        by="aim_key",
    )
    kind: ActionKind = attribute("Whether it is a single task or a learning task.")
    title: str = attribute("A short name for the task.")
    description: str = attribute("What the learner has to do.")
    target_date: dt.date = attribute("The day by which the learner should complete it.")
    status: ActionStatus = attribute("How far it has come.")
    overdue: bool = attribute("Whether it is not complete and its target date has passed, in London.")
    days_overdue: int = attribute("Days from the target date to today, in London; 0 if it is complete or not overdue.")
    assessor: Annotated["User", strawberry.lazy("schema.types.user")] | None = related(
        "The assessor who follows it up: the assessor of its aim or, if it has no aim, of its session; null if it has "
        "neither.",
        _assessor,
        {AimRow: ("assessor",), SessionRow: ("assessor",)},
        reads=("aim_key", "session_key"),
    )
    accepts_evidence: bool = attribute("Whether the learner can submit evidence for this action.")
    files: list[File] = loaded("The files attached to it, oldest first.", FilesOfActionLoader)
    evidence: list[Evidence] = loaded("The evidence submitted for it, oldest first.", EvidenceOfActionLoader)
    learner_feedback: str | None = attribute("The learner's comment in their response; null until there is one.")
    minutes_spent: int | None = attribute("Minutes that the learner spent on it; null if they gave no time.")
    learner_submitted_at: dt.datetime | None = attribute(
        "When the learner last responded; null until the first response."
    )
    completed_by: Annotated["User", strawberry.lazy("schema.types.user")] | None = person(
        "The user who completed it; null until then.", "completed_by_key"
    )
    completed_at: dt.datetime | None = attribute("When it was completed; null until then.")
    updated_at: dt.datetime = updated_at("its files and its evidence")
    viewer_actions: list[ViewerAction] = viewer_actions("Action")


@strawberry.type
class ActionQueries:
    action: Action | None = record("Action", "The action with this id")
    actions: Connection[Action] = connection(
        "The actions of all learners whom the viewer may see, earliest target date first.",
        ACTIONS,
        overdue_only=argument(bool, "Only overdue actions."),
        outstanding_only=argument(bool, "Only actions that are not `COMPLETE`."),
        assessor_id=argument(strawberry.ID, "Only actions that this assessor follows up: the id of a user."),
        employer_id=argument(strawberry.ID, "Only actions of learners who work at this employer site."),
    )
