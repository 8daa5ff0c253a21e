"""Actions and activities that are set for a learner."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.action import ACTIONS, ActionRow, FilesOfActionLoader
from loaders.aim import AimLoader
from loaders.evidence import EvidenceOfActionLoader
from loaders.learner import LearnerLoader
from loaders.session import SessionLoader
from schema.enums import ActionKind, ActionStatus
from schema.field_builders import argument, attribute, connection, loaded, person, related
from schema.relay import Connection, Node, node
from schema.types.evidence import Evidence
from schema.types.file import File

if TYPE_CHECKING:
    from schema.types.aim import Aim
    from schema.types.learner import Learner
    from schema.types.session import Session
    from schema.types.user import User


async def _assessor(row: ActionRow, load):
    if row.aim_key is not None:
        aim = await load[AimLoader].load(row.aim_key)
        return aim and aim.assessor
    session = None if row.session_key is None else await load[SessionLoader].load(row.session_key)
    return session and session.assessor


@node(ActionRow, "A piece of work to do by a date, set in a session or by itself.")
class Action(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "Who is to do it.", LearnerLoader, by="learner_key"
    )
    session: Annotated["Session", strawberry.lazy("schema.types.session")] | None = loaded(
        "The session in which it was set; null if in none that the viewer may see.",
        SessionLoader,
        by="session_key",
    )
    aim: Annotated["Aim", strawberry.lazy("schema.types.aim")] | None = loaded(
        "The component that it belongs to; null if to none.",
        AimLoader,
        by="aim_key",
    )
    kind: ActionKind = attribute("A single thing to do, or a piece of learning.")
    title: str = attribute("What it is called.")
    description: str = attribute("What is to be done.")
    target_date: dt.date = attribute("The day by which it is to be done [001].")
    status: ActionStatus = attribute("How far it has come.")
    overdue: bool = attribute("Whether the target date has passed, in London, and it is not complete.")
    days_overdue: int = attribute(
        "Days from the target date to today, in London, while it is not complete; 0 unless overdue [001]."
    )
    assessor: Annotated["User", strawberry.lazy("schema.types.user")] | None = related(
        "Who follows it up: the assessor of its aim, or of its session where it belongs to no aim; null where there is "
        "neither.",
        _assessor,
    )
    accepts_evidence: bool = attribute("Whether evidence can be submitted straight from the action.")
    files: list[File] = loaded("What is attached to it.", FilesOfActionLoader)
    evidence: list[Evidence] = loaded("What was submitted for it, the oldest first.", EvidenceOfActionLoader)
    learner_feedback: str | None = attribute("What the learner said when responding; null until then.")
    minutes_spent: int | None = attribute("How long the learner says it took; null if that was not said.")
    learner_submitted_at: dt.datetime | None = attribute("When the learner last responded [001]; null until then.")
    completed_by: Annotated["User", strawberry.lazy("schema.types.user")] | None = person(
        "Who set it complete; null until then.", "completed_by_key"
    )
    completed_at: dt.datetime | None = attribute("When it was set complete; null until then.")


@strawberry.type
class ActionQueries:
    actions: Connection[Action] = connection(
        "Actions of all learners that the viewer may see, the earliest target first: what is overdue, and whose it is.",
        ACTIONS,
        overdue_only=argument(bool, "Only those that are overdue."),
        outstanding_only=argument(bool, "Only those that are not COMPLETE."),
        assessor_id=argument(strawberry.ID, "Of this assessor's: a user's id, as Aim.assessor gives it."),
        employer_id=argument(strawberry.ID, "Of the learners at this employer site."),
    )
