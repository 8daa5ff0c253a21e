"""What hangs on a learner: the plan, evidence, time, documents to sign, the CV. A half of `schema/types/learner.py`."""

import datetime as dt
from typing import Annotated, Any

import strawberry

from db.models.action import Action as ActionModel
from db.models.evidence import Evidence as EvidenceModel
from db.models.session import Session as SessionModel
from db.models.signature_request import SignatureRequest as SignatureRequestModel
from db.models.time_log_entry import TimeLogEntry as TimeLogEntryModel
from loaders.action import ACTIONS
from loaders.cv import CvRow
from loaders.evidence import EVIDENCE
from loaders.file import NamedFileLoader
from loaders.learner import LearnerRow
from loaders.review_schedule import ReviewScheduleLoader
from loaders.session import SESSIONS
from loaders.signature_request import SIGNATURE_REQUESTS, AwaitingSignatureLoader
from loaders.time_log_entry import TIME_LOG
from loaders.upcoming import UpcomingLoader
from resolvers import signed_urls as link
from resolvers.time_log_calendar import time_log_calendar
from schema.enums import ActionStatus, SessionStatus, SignatureRequestStatus
from schema.field_builders import Info, argument, connection, loaded
from schema.relay import Connection
from schema.types.action import Action
from schema.types.cv import Cv
from schema.types.evidence import Evidence, EvidenceFilter
from schema.types.file import Download, File
from schema.types.session import Session
from schema.types.signature_request import SignatureRequest
from schema.types.time_log_entry import TimeLogDay, TimeLogEntryConnection, TimeLogFilter

OfTimeLog = Annotated[TimeLogFilter | None, strawberry.argument(description="Which of them.")]


def _chosen(filter: Any) -> dict[str, Any]:
    return vars(filter) if filter else {}


@strawberry.type(description="What hangs on a learner.")
class Portfolio:
    photo: File | None = loaded(
        "A picture of the learner; null where there is none.",
        NamedFileLoader,
        by="photo_key",
    )
    next_session: Session | None = loaded(
        "The planned session that begins next; null where none is booked.", UpcomingLoader, part="next_session"
    )
    outstanding_action_count: int = loaded(
        "Actions that are not COMPLETE, across all sessions [001].", UpcomingLoader, part="outstanding_action_count"
    )
    overdue_action_count: int = loaded(
        "Those of them whose target date has passed, in London [001].", UpcomingLoader, part="overdue_action_count"
    )
    last_review_at: dt.datetime | None = loaded(
        "When the last FORMAL_REVIEW that was attended began [001]; null before the first.",
        ReviewScheduleLoader,
        part="last_review_at",
    )
    review_due_on: dt.date | None = loaded(
        "The day by which the next formal review is due: the provider's reviewIntervalWeeks after the last one, or "
        "after the earliest start of an aim in training where there was none (the 12-week review [001]); null with no aim "
        "in training.",
        ReviewScheduleLoader,
        part="review_due_on",
    )
    awaiting_signature_count: int = loaded(
        "Documents about the learner that wait for a signature in the viewer's role.",
        AwaitingSignatureLoader,
    )

    sessions: Connection[Session] = connection(
        "The learning plan: planned and past sessions by their number.",
        SESSIONS,
        owner=SessionModel.learner_id,
        status=argument(SessionStatus, "Only those in this status."),
    )
    actions: Connection[Action] = connection(
        "Actions across all sessions and outside them, the earliest target first.",
        ACTIONS,
        owner=ActionModel.learner_id,
        status=argument(ActionStatus, "Only those in this status."),
        outstanding_only=argument(bool, "Only those that are not COMPLETE."),
    )
    time_log: TimeLogEntryConnection = connection(
        "The time log (List View), the latest day first.",
        TIME_LOG,
        owner=TimeLogEntryModel.learner_id,
        filter=TimeLogFilter,
    )
    evidence: Connection[Evidence] = connection(
        "The evidence library, the latest first.", EVIDENCE, owner=EvidenceModel.learner_id, filter=EvidenceFilter
    )
    signature_requests: Connection[SignatureRequest] = connection(
        "Documents about the learner that are to be signed or were, the latest first.",
        SIGNATURE_REQUESTS,
        owner=SignatureRequestModel.learner_id,
        status=argument(SignatureRequestStatus, "Only those in this status."),
    )

    @strawberry.field(
        description="The time log (Calendar View): the days on which something was logged, at most a year."
    )
    def time_log_calendar(
        root: LearnerRow,
        info: Info,
        from_: Annotated[dt.date, strawberry.argument(name="from", description="The first day.")],
        to: Annotated[dt.date, strawberry.argument(description="The last day, at most 366 days on.")],
        filter: OfTimeLog = None,
    ) -> list[TimeLogDay]:
        return time_log_calendar(info.context, root.key, from_, to, **_chosen(filter))

    @strawberry.field(description="The filtered time log as an Excel workbook: every entry, not only a page.")
    def time_log_export(root: LearnerRow, info: Info, filter: OfTimeLog = None) -> Download:
        return link.to_time_log(info.context, root.key, **_chosen(filter))

    @strawberry.field(description="The CV and the documents beside it.")
    def cv(root: LearnerRow) -> Cv:
        return CvRow(root.key)  # type: ignore[return-value]
