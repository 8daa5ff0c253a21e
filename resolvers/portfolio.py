"""A learner's lists: what the graph's arguments ask of the loaders. Each gives the loader's future of one learner."""

import datetime as dt
from collections.abc import Awaitable
from typing import Any

from domain import global_id as ids
from domain.enums import ActionStatus, ActivityType, EvidenceStatus, JobSetting, SessionStatus, SignatureRequestStatus
from domain.errors import BadArgument
from loaders.action import ACTIONS_OF_LEARNER, ACTIONS_OF_VIEWER, ActionRow
from loaders.core.learner_list import LearnerList
from loaders.core.pagination import Page
from loaders.core.viewer_list import read_page
from loaders.evidence import EVIDENCE_OF_LEARNER, EVIDENCE_OF_VIEWER, EvidenceRow
from loaders.session import SESSIONS_OF_LEARNER, SessionRow
from loaders.signature_request import REQUESTS_OF_LEARNER, REQUESTS_OF_VIEWER, SignatureRequestRow
from loaders.time_log_entry import TIME_LOG, TimeLogDayRow, TimeLogEntryRow
from resolvers.core.context import Context

# Days that one calendar shows at most: a year, whichever.
LONGEST_CALENDAR = 366


def sessions(
    context: Context, learner_key: int, *, status: SessionStatus | None, first: int | None, after: str | None
) -> Awaitable[Page[SessionRow]]:
    """The learning plan by session number [001]."""
    return _page(context, SESSIONS_OF_LEARNER, learner_key, first, after, status=status)


def actions(
    context: Context,
    learner_key: int,
    *,
    status: ActionStatus | None,
    outstanding_only: bool | None,
    first: int | None,
    after: str | None,
) -> Awaitable[Page[ActionRow]]:
    """Actions across all sessions, the earliest target first."""
    asked = {"status": status, "outstanding_only": outstanding_only or None}
    return _page(context, ACTIONS_OF_LEARNER, learner_key, first, after, **asked)


def evidence(
    context: Context,
    learner_key: int,
    *,
    aim_id: str | None = None,
    status: EvidenceStatus | None = None,
    unmapped_only: bool | None = None,
    first: int | None,
    after: str | None,
) -> Awaitable[Page[EvidenceRow]]:
    """The evidence library, the latest first."""
    asked = {"aim_key": _key("Aim", aim_id), "status": status, "unmapped_only": unmapped_only or None}
    return _page(context, EVIDENCE_OF_LEARNER, learner_key, first, after, **asked)


def signature_requests(
    context: Context, learner_key: int, *, status: SignatureRequestStatus | None, first: int | None, after: str | None
) -> Awaitable[Page[SignatureRequestRow]]:
    """Documents to sign, the latest first."""
    return _page(context, REQUESTS_OF_LEARNER, learner_key, first, after, status=status)


async def signature_requests_of_viewer(
    context: Context, *, status: SignatureRequestStatus | None, first: int | None, after: str | None, counted: bool
) -> Page[SignatureRequestRow]:
    """The documents that ask for the viewer's role, over all learners that they see."""
    asked = {"status": status}
    return await read_page(context.loaders.reading, REQUESTS_OF_VIEWER, first, after, counted, asked)


async def actions_of_viewer(
    context: Context,
    *,
    overdue_only: bool | None,
    outstanding_only: bool | None,
    assessor_id: str | None,
    employer_id: str | None,
    first: int | None,
    after: str | None,
    counted: bool,
) -> Page[ActionRow]:
    """Actions of all learners that the viewer sees, the earliest target first."""
    reading = context.loaders.reading
    asked = {
        "overdue_on": reading.today if overdue_only else None,
        "outstanding_only": outstanding_only or None,
        "assessor_key": _key("User", assessor_id),
        "employer_key": _key("Employer", employer_id),
    }
    return await read_page(reading, ACTIONS_OF_VIEWER, first, after, counted, asked)


async def evidence_of_viewer(
    context: Context,
    *,
    awaiting_assessment_only: bool | None,
    assessor_id: str | None,
    employer_id: str | None,
    first: int | None,
    after: str | None,
    counted: bool,
) -> Page[EvidenceRow]:
    """Evidence of all learners that the viewer sees, the oldest first."""
    asked = {
        "awaiting_assessment": awaiting_assessment_only or None,
        "assessor_key": _key("User", assessor_id),
        "employer_key": _key("Employer", employer_id),
    }
    return await read_page(context.loaders.reading, EVIDENCE_OF_VIEWER, first, after, counted, asked)


def time_log(
    context: Context, learner_key: int, *, first: int | None, after: str | None, **chosen: Any
) -> Awaitable[Page[TimeLogEntryRow]]:
    """The time log, the latest day first; `chosen` as `time_log_asked` takes it."""
    return _page(context, TIME_LOG, learner_key, first, after, **time_log_asked(**chosen))


def time_log_calendar(
    context: Context, learner_key: int, begins: dt.date, ends: dt.date, **chosen: Any
) -> Awaitable[list[TimeLogDayRow]]:
    """The days in between on which something was logged. Raises BadArgument for a calendar of more than a year."""
    if ends < begins:
        raise BadArgument("to", "The calendar ends before it begins.")
    if (ends - begins).days >= LONGEST_CALENDAR:
        raise BadArgument("to", f"A calendar shows at most {LONGEST_CALENDAR} days.")
    asked = time_log_asked(**chosen)
    asked["first_day"] = max(begins, asked["first_day"] or begins)
    asked["last_day"] = min(ends, asked["last_day"] or ends)
    return context.loaders.time_log_calendar(**asked).load(learner_key)


def time_log_asked(
    *,
    aim_id: str | None = None,
    job_setting: JobSetting | None = None,
    activity_type: ActivityType | None = None,
    first_day: dt.date | None = None,
    last_day: dt.date | None = None,
) -> dict[str, Any]:
    """A time log's filter as conditions of the list, None where it is open."""
    return {
        "aim_key": _key("Aim", aim_id),
        "job_setting": job_setting,
        "activity_type": activity_type,
        "first_day": first_day,
        "last_day": last_day,
    }


def _key(type_name: str, id: str | None) -> int | None:
    # An id that names nothing finds nothing: 0 is nobody's key.
    return None if id is None else ids.decode(type_name, id) or 0


def _page(
    context: Context, listed: LearnerList[Any], learner_key: int, first: int | None, after: str | None, **asked: Any
) -> Awaitable[Page[Any]]:
    return context.loaders.pages(listed, first, after, **asked).load(learner_key)
