"""Learners: apprentices, with everything in their portfolio."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from loaders.action import ACTIONS
from loaders.aim import AimsOfLearnerLoader, ProgrammeLoader
from loaders.cv import CvRow
from loaders.evidence import EVIDENCE
from loaders.file import NamedFileLoader
from loaders.learner import LEARNERS, LearnerRow
from loaders.off_the_job import OffTheJobLoader
from loaders.review import REVIEWS
from loaders.review_schedule import ReviewScheduleLoader
from loaders.session import SESSIONS
from loaders.signature_request import SIGNATURE_REQUESTS, AwaitingSignatureLoader
from loaders.time_log_entry import TIME_LOG
from loaders.upcoming import UpcomingLoader
from loaders.user import ContactLoader, ManagersOfLearnerLoader, NamedUserLoader
from resolvers import signed_urls
from resolvers.time_log_calendar import time_log_calendar
from schema.enums import (
    ActionStatus,
    AimStatus,
    LearnerOrder,
    ReviewBooking,
    SessionStatus,
    SignatureRequestStatus,
    TrafficLight,
)
from schema.field_builders import (
    UPDATED_SINCE,
    Info,
    argument,
    attribute,
    connection,
    loaded,
    related,
    resolved,
    updated_at,
)
from schema.relay import Connection, Node, node, record
from schema.types.action import Action
from schema.types.aim import Aim
from schema.types.cv import Cv
from schema.types.evidence import Evidence, EvidenceFilter
from schema.types.file import Download, File
from schema.types.off_the_job import OffTheJob
from schema.types.progress import Progress
from schema.types.session import Session
from schema.types.signature_request import AwaitingViewerOnly, SignatureRequest
from schema.types.time_log_entry import TimeLogDay, TimeLogEntryConnection, TimeLogFilter
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.employer import Employer
    from schema.types.review import Review


@strawberry.input(description="Conditions for learners; all of those given must hold.")
class LearnerFilter:
    search: str | None = strawberry.field(
        default=None, description="Part of the name to search for. Case and accents are ignored."
    )
    employer_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only learners who work at this employer site."
    )
    assessor_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only learners with an aim of this assessor: the id of a user."
    )
    traffic_light: TrafficLight | None = strawberry.field(
        default=None, description="Only learners whose programme has this traffic light."
    )
    aim_traffic_light: TrafficLight | None = strawberry.field(
        default=None,
        description="Only learners with an aim of this traffic light, withdrawn aims excluded. `Kpis` counts aims by "
        "the same rule.",
    )
    past_planned_end: bool | None = strawberry.field(
        default=None,
        description="True: only learners whose latest planned end has passed with an aim unfinished and not "
        "suspended. False: only the others.",
    )
    review_overdue: bool | None = strawberry.field(
        default=None,
        description="True: only learners whose review was due before today (`reviewDueOn`). False: only the others, "
        "those without a due day included.",
    )
    status: list[AimStatus] | None = strawberry.field(
        default=None,
        description="Only learners with an aim in one of these states. This filter, `assessorId`, `qualificationId` "
        "and the filters of dates apply to one aim, which meets all of them.",
    )
    qualification_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only learners with an aim of this version of a qualification."
    )
    started_from: dt.date | None = strawberry.field(
        default=None, description="Only learners with an aim that starts on this day or later."
    )
    started_to: dt.date | None = strawberry.field(
        default=None, description="Only learners with an aim that starts on this day or earlier."
    )
    planned_end_from: dt.date | None = strawberry.field(
        default=None, description="Only learners with an aim whose planned end is this day or later."
    )
    planned_end_to: dt.date | None = strawberry.field(
        default=None, description="Only learners with an aim whose planned end is this day or earlier."
    )
    not_signed_in_since: dt.date | None = strawberry.field(
        default=None,
        description="Only learners who have not logged in on this day, in London, or later; those who have never "
        "logged in included.",
    )
    updated_since: dt.datetime | None = strawberry.field(default=None, description=UPDATED_SINCE)


def _conditions(filter: Any) -> dict[str, Any]:
    return vars(filter) if filter else {}


def _time_log_calendar(row: LearnerRow, info: Info, from_: dt.date, to: dt.date, filter: Any) -> Any:
    return time_log_calendar(info.context, row.key, from_, to, **_conditions(filter))


@node(LearnerRow, "An apprentice: a person who trains while working for an employer, and who has a portfolio here.")
class Learner(Node):
    name: str = attribute("The learner's name.")
    uln: str | None = attribute(
        "The Unique Learner Number, 10 digits; null if the viewer may not see it or it is not known."
    )
    user: User = loaded("The learner's login.", NamedUserLoader, by="user_key")
    email: str | None = loaded(
        "The learner's e-mail address; null if the viewer may not see it.",
        ContactLoader,
        by="user_key",
        part="email",
        nullable=True,
    )
    photo: File | None = loaded("A photo of the learner; null if there is none.", NamedFileLoader, by="photo_key")
    last_login_at: dt.datetime | None = attribute("When the learner last logged in; null if they never have.")
    employer: Annotated["Employer", strawberry.lazy("schema.types.employer")] | None = attribute(
        "The employer site where the learner works; null if there is none."
    )
    managers: list[User] = loaded(
        "The Employer Managers (managers or mentors) to whom the learner is allocated, by name.",
        ManagersOfLearnerLoader,
    )

    # The programme: all aims together.
    # A programme, English and mathematics: few learners have more.
    aims: list[Aim] = loaded("The aims of the learner that the viewer may see.", AimsOfLearnerLoader, list_size=3)
    aim_ids: list[strawberry.ID] = loaded(
        "The ids of `aims`, in their order, for tables with one row for each learner.",
        ProgrammeLoader,
        part="aim_ids",
        list_size=3,
    )
    aim_statuses: list[AimStatus] = loaded(
        "The statuses of `aims`, in the order of `aimIds`.", ProgrammeLoader, part="aim_statuses", list_size=3
    )
    start_date: dt.date | None = loaded(
        "The first day of training of the aim that started first, withdrawn aims excluded; null without an aim.",
        ProgrammeLoader,
        part="start_date",
    )
    progress: Progress = loaded(
        "Progress over all aims that are not withdrawn: criteria are summed, and time runs from the earliest start to "
        "the latest planned end.",
        ProgrammeLoader,
        part="progress",
    )
    traffic_light: TrafficLight = loaded(
        "The traffic light of the whole programme, by the rule of `Aim.trafficLight`.",
        ProgrammeLoader,
        part="traffic_light",
    )
    days_remaining: int = loaded(
        "Days until the latest planned end of the aims; 0 once it has passed.", ProgrammeLoader, part="days_remaining"
    )
    days_overdue: int = loaded(
        "Days since the latest planned end of the aims, while an aim is unfinished; else 0.",
        ProgrammeLoader,
        part="days_overdue",
    )
    off_the_job: OffTheJob = loaded(
        "Off-the-job minutes over the aims and time log entries that the viewer may see.",
        OffTheJobLoader,
    )

    # What comes next.
    next_session: Session | None = loaded(
        "The planned session that begins next; null if none is booked.", UpcomingLoader, part="next_session"
    )
    outstanding_action_count: int = loaded(
        "Actions of the learner that are not `COMPLETE`.", UpcomingLoader, part="outstanding_action_count"
    )
    overdue_action_count: int = loaded(
        "Actions of the learner that are not `COMPLETE` and whose target date has passed, in London.",
        UpcomingLoader,
        part="overdue_action_count",
    )
    last_review_at: dt.datetime | None = loaded(
        "When the last attended formal review began; null before the first.",
        ReviewScheduleLoader,
        part="last_review_at",
    )
    review_due_on: dt.date | None = loaded(
        "The day by which the next formal review is due, the earliest of the aims in training. For an aim that started "
        "before 1 August 2025 it is 12 weeks after the last review, for a later one the end of the third calendar "
        "month after it, unless the provider's settings say otherwise; before the first review, after the start of "
        "the aim. After a break of every aim it is at the earliest a month after the return. Null if no aim is in "
        "training.",
        ReviewScheduleLoader,
        part="review_due_on",
    )
    next_review: Session | None = loaded(
        "The planned formal review that begins next; null if none is booked.", ReviewScheduleLoader, part="next_review"
    )
    review_booking: ReviewBooking | None = loaded(
        "Whether the next review is booked for a day up to `reviewDueOn`; null if none is due.",
        ReviewScheduleLoader,
        part="review_booking",
    )
    awaiting_signature_count: int = loaded(
        "Documents about the learner that wait for a signature in the viewer's role.",
        AwaitingSignatureLoader,
    )

    # The portfolio.
    sessions: Connection[Session] = connection(
        "The learning plan: all planned and completed sessions, by number.",
        SESSIONS,
        owner="learner",
        status=argument(SessionStatus, "Only sessions with this status."),
    )
    actions: Connection[Action] = connection(
        "All actions of the learner, set in a session or outside one, earliest target date first.",
        ACTIONS,
        owner="learner",
        status=argument(ActionStatus, "Only actions with this status."),
        outstanding_only=argument(bool, "Only actions that are not `COMPLETE`."),
    )
    reviews: Connection[Annotated["Review", strawberry.lazy("schema.types.review")]] = connection(
        "The progress reviews of the learner, the latest session first.", REVIEWS, owner="learner"
    )
    evidence: Connection[Evidence] = connection(
        "The evidence library: all evidence of the learner, newest first.",
        EVIDENCE,
        owner="learner",
        filter=EvidenceFilter,
    )
    signature_requests: Connection[SignatureRequest] = connection(
        "Documents about the learner that need signatures or have them, newest first.",
        SIGNATURE_REQUESTS,
        owner="learner",
        status=argument(SignatureRequestStatus, "Only documents with this status."),
        awaiting_viewer_only=AwaitingViewerOnly,
    )
    time_log: TimeLogEntryConnection = connection(
        "The time log as a list, latest day first.", TIME_LOG, owner="learner", filter=TimeLogFilter
    )
    time_log_calendar: list[TimeLogDay] = resolved(
        "The time log as a calendar: the days that have entries, earliest first.",
        _time_log_calendar,
        reads=("key",),
        from_=Annotated[dt.date, strawberry.argument(name="from", description="The first day.")],
        to=Annotated[dt.date, strawberry.argument(description="The last day, so that there are at most 366 days.")],
        filter=argument(TimeLogFilter, "Conditions that the entries must meet."),
    )
    time_log_export: Download = resolved(
        "The time log as an Excel workbook with all entries that meet the filter.",
        lambda row, info, filter: signed_urls.to_time_log(info.context, row.key, **_conditions(filter)),
        reads=("key",),
        filter=argument(TimeLogFilter, "Conditions that the entries must meet."),
    )
    cv: Cv = related(
        "The learner's CV and the documents kept with it.", lambda row, loaders: CvRow(row.key), reads=("key",)
    )
    updated_at: dt.datetime = updated_at("its account, allocations, or any record of the portfolio, such as evidence")
    viewer_actions: list[ViewerAction] = viewer_actions("Learner")


@strawberry.type
class LearnerQueries:
    learner: Learner | None = record("Learner", "The learner with this id")
    learners: Connection[Learner] = connection(
        "The learners whom the viewer may see.",
        LEARNERS,
        filter=LearnerFilter,
        order_by=(LearnerOrder, LearnerOrder.NAME_ASC),
    )
