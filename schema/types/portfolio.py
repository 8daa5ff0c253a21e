"""What hangs on a learner: the plan, evidence, time, documents to sign, the CV. A half of `schema/types/learner.py`."""

import datetime as dt
from typing import Annotated, Any

import strawberry

from loaders.cv import CvRow
from loaders.learner import LearnerRow
from resolvers import portfolio
from resolvers import signed_urls as link
from schema.common_arguments import After, First
from schema.connection import Connection
from schema.enums import ActionStatus, SessionStatus, SignatureRequestStatus
from schema.field_builders import Info, loaded
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
        "named_file",
        by="photo_key",
    )
    next_session: Session | None = loaded(
        "The planned session that begins next; null where none is booked.", "upcoming.next_session"
    )
    outstanding_action_count: int = loaded(
        "Actions that are not COMPLETE, across all sessions [001].", "upcoming.outstanding_action_count"
    )
    overdue_action_count: int = loaded(
        "Those of them whose target date has passed, in London [001].", "upcoming.overdue_action_count"
    )
    last_review_at: dt.datetime | None = loaded(
        "When the last FORMAL_REVIEW that was attended began [001]; null before the first.",
        "review_schedule.last_review_at",
    )
    review_due_on: dt.date | None = loaded(
        "The day by which the next formal review is due: the provider's reviewIntervalWeeks after the last one, or "
        "after the earliest start of an aim in training where there was none (the 12-week review [001]); null with no aim "
        "in training.",
        "review_schedule.review_due_on",
    )
    awaiting_signature_count: int = loaded(
        "Documents about the learner that wait for a signature in the viewer's role.",
        "awaiting_signature",
    )

    @strawberry.field(description="The learning plan: planned and past sessions by their number.")
    def sessions(
        root: LearnerRow,
        info: Info,
        status: Annotated[SessionStatus | None, strawberry.argument(description="Only those in this status.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Session]:
        return portfolio.sessions(info.context, root.key, status=status, first=first, after=after)

    @strawberry.field(description="Actions across all sessions and outside them, the earliest target first.")
    def actions(
        root: LearnerRow,
        info: Info,
        status: Annotated[ActionStatus | None, strawberry.argument(description="Only those in this status.")] = None,
        outstanding_only: Annotated[
            bool | None, strawberry.argument(description="Only those that are not COMPLETE.")
        ] = False,
        first: First = 20,
        after: After = None,
    ) -> Connection[Action]:
        return portfolio.actions(
            info.context, root.key, status=status, outstanding_only=outstanding_only, first=first, after=after
        )

    @strawberry.field(description="The time log (List View), the latest day first.")
    def time_log(
        root: LearnerRow,
        info: Info,
        filter: OfTimeLog = None,
        first: First = 20,
        after: After = None,
    ) -> TimeLogEntryConnection:
        return portfolio.time_log(info.context, root.key, first=first, after=after, **_chosen(filter))

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
        return portfolio.time_log_calendar(info.context, root.key, from_, to, **_chosen(filter))

    @strawberry.field(description="The filtered time log as an Excel workbook: every entry, not only a page.")
    def time_log_export(root: LearnerRow, info: Info, filter: OfTimeLog = None) -> Download:
        return link.to_time_log(info.context, root.key, **_chosen(filter))

    @strawberry.field(description="The evidence library, the latest first.")
    def evidence(
        root: LearnerRow,
        info: Info,
        filter: Annotated[EvidenceFilter | None, strawberry.argument(description="Which of it.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Evidence]:
        return portfolio.evidence(info.context, root.key, first=first, after=after, **_chosen(filter))

    @strawberry.field(description="Documents about the learner that are to be signed or were, the latest first.")
    def signature_requests(
        root: LearnerRow,
        info: Info,
        status: Annotated[
            SignatureRequestStatus | None, strawberry.argument(description="Only those in this status.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[SignatureRequest]:
        return portfolio.signature_requests(info.context, root.key, status=status, first=first, after=after)

    @strawberry.field(description="The CV and the documents beside it.")
    def cv(root: LearnerRow) -> Cv:
        return CvRow(root.key)  # type: ignore[return-value]
