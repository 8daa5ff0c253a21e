"""Progress reviews, and what each role says in them."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from loaders.review import (
    REVIEWS,
    ActionsOfReviewedSessionLoader,
    AnswersOfReviewLoader,
    ReviewAnswerRow,
    ReviewRow,
    SlotsOfReviewLoader,
)
from loaders.review_figures import FIGURES_READ, ReviewFiguresRow, figures_of
from loaders.session import SessionLoader
from schema.enums import Role, TrafficLight
from schema.field_builders import attribute, connection, loaded, related
from schema.relay import Connection, Node, node, record, value
from schema.review_enums import EmployerAttendance, ReviewStatus
from schema.types.action import Action
from schema.types.file import File
from schema.types.off_the_job import OffTheJob
from schema.types.progress import Progress
from schema.types.signature_request import SignatureSlot
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.learner import Learner
    from schema.types.session import Session


def _previous_actions(row: ReviewRow, loaders: Loaders) -> Any:
    key = row.previous_session_key
    return [] if key is None else loaders[ActionsOfReviewedSessionLoader].load(key)


@value(
    ReviewFiguresRow,
    "The figures of a progress review: those of this moment in a draft, over what the viewer may see of the learner; "
    "once it is issued, those that the assessor saw when they issued it.",
)
class ReviewFigures:
    progress: Progress = attribute("Progress in time and criteria, over all aims that are not withdrawn.")
    traffic_light: TrafficLight = attribute("The traffic light of the whole programme.")
    off_the_job: OffTheJob = attribute("Off-the-job training compared with what is required.")
    outstanding_action_count: int = attribute("Actions of the learner that were not `COMPLETE`.")


@value(ReviewAnswerRow, "What one role says in a progress review, in their own words.")
class ReviewAnswer:
    role: Role = attribute("The role whose words these are.")
    answered_by: User = attribute("The user who wrote them.")
    answered_at: dt.datetime = attribute("When they were last changed.")
    progress_since_last: str | None = attribute("What went well since the last review; null if nothing was written.")
    concerns: str | None = attribute("What is a worry; null if nothing was written.")
    changes_to_plan: str | None = attribute("What should change in the plan; null if nothing was written.")
    next_steps: str | None = attribute("What comes next; null if nothing was written.")


@node(
    ReviewRow,
    "The formal progress review of one learner: what was looked at, said and agreed in a formal review session, and "
    "who signed it.",
)
class Review(Node):
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] = loaded(
        "The learner.", LearnerLoader, by="learner_key"
    )
    session: Annotated["Session", strawberry.lazy("schema.types.session")] = loaded(
        "The formal review session that it belongs to.", SessionLoader, by="session_key"
    )
    number: int = attribute("Its number among the learner's reviews, counted from 1.")
    status: ReviewStatus = attribute("How far it has come.")
    held_on: dt.date = attribute(
        "The day of its session, in London. A signature has the day on which it was given, which may be later."
    )
    covers_from: dt.date = attribute(
        "The first day that it covers: the day after the last review, or the first start of the learner's aims."
    )
    employer_attendance: EmployerAttendance | None = attribute(
        "Whether somebody of the employer took part; null until the assessor has said it."
    )
    figures: ReviewFigures = related("Progress, hours and actions of the learner.", figures_of, FIGURES_READ)
    previous_actions: list[Action] = related(
        "The actions that were set in the session of the last review, with their status of this moment. The document "
        "has their status of when it was made.",
        _previous_actions,
        reads=("previous_session_key",),
    )
    actions: list[Action] = loaded(
        "The actions that were set in its session, earliest target date first.",
        ActionsOfReviewedSessionLoader,
        by="session_key",
    )
    answers: list[ReviewAnswer] = loaded("What each role says, the first answer first.", AnswersOfReviewLoader)
    slots: list[SignatureSlot] = loaded(
        "The signature slots of its document, one for each role that signs; after them signatures that were withdrawn "
        "when the review was reopened. Empty in a draft.",
        SlotsOfReviewLoader,
    )
    document: File | None = attribute("The PDF that is signed; null in a draft.")
    updated_at: dt.datetime = attribute("When it was last changed or signed.")
    viewer_actions: list[ViewerAction] = viewer_actions("Review")


@strawberry.input(description="Conditions for reviews; all of those given must hold.")
class ReviewFilter:
    statuses: list[ReviewStatus] | None = strawberry.field(
        default=None, description="Only reviews with one of these statuses."
    )
    awaiting_role: Role | None = strawberry.field(
        default=None, description="Only issued reviews that wait for the signature of this role."
    )
    learner_id: strawberry.ID | None = strawberry.field(default=None, description="Only reviews of this learner.")
    employer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only reviews of learners who work at this employer site."
    )
    assessor_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only reviews of learners with an aim of this assessor: the id of a user."
    )
    held_from: dt.date | None = strawberry.field(
        default=None, description="Only reviews whose session is on this day, in London, or later."
    )
    held_to: dt.date | None = strawberry.field(
        default=None, description="Only reviews whose session is on this day, in London, or earlier."
    )


@strawberry.type
class ReviewQueries:
    review: Review | None = record("Review", "The progress review with this id")
    reviews: Connection[Review] = connection(
        "The progress reviews of all learners whom the viewer may see, the latest session first.",
        REVIEWS,
        filter=ReviewFilter,
    )
