"""Signed links to files and exports: each names one thing and the sign-in it was made for, and holds while both do."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from auth.signed_urls import DOWNLOAD, EXPORT
from auth.tokens import AccessClaims
from auth.viewer import NotSignedIn, Viewer, read_viewer
from db.database import Database
from domain import clock
from domain.enums import ActivityType, CriterionFilter, JobSetting, Role
from resolvers.core.context import Context

LIFETIME = dt.timedelta(minutes=5)

# What an export's link names itself in its claims.
TIME_LOG = "time-log"
PROGRESS_MAP = "progress-map"
RECORD_OF_ACHIEVEMENT = "record-of-achievement"
SUBJECT_ACCESS = "subject-access"

# How the filters of a time log are read back from JSON.
_PARSERS: dict[str, Callable[[Any], Any]] = {
    "aim_id": str,
    "job_setting": JobSetting,
    "activity_type": ActivityType,
    "from_": dt.date.fromisoformat,
    "to": dt.date.fromisoformat,
}


@dataclass(frozen=True, slots=True)
class Download:
    """An address that serves the bytes to whoever holds it, until it expires or the sign-in behind it ends."""

    url: str
    expires_at: dt.datetime


def to_file(context: Context, file_key: int) -> Download:
    """A link to a file's bytes, for a file that the viewer was shown."""
    return _signed(context, DOWNLOAD, "downloads", {"file": file_key})


def to_time_log(context: Context, learner_key: int, **filters: Any) -> Download:
    """A learner's time log as a workbook; `filters` are those of the list."""
    given = {name: _spelled(value) for name, value in filters.items() if value is not None}
    return _to_export(context, TIME_LOG, learner=learner_key, filters=given)


def to_progress_map(context: Context, aim_key: int, filter: CriterionFilter | None) -> Download:
    """An aim's progress map as a PDF."""
    return _to_export(context, PROGRESS_MAP, aim=aim_key, filter=(filter or CriterionFilter.ALL).value)


def to_record_of_achievement(context: Context, aim_key: int) -> Download:
    """An aim's record of achievement as a PDF."""
    return _to_export(context, RECORD_OF_ACHIEVEMENT, aim=aim_key)


def to_subject_access(context: Context, learner_key: int) -> Download:
    """Everything about a learner as a ZIP."""
    return _to_export(context, SUBJECT_ACCESS, learner=learner_key)


def filters_of(claims: dict[str, Any]) -> dict[str, Any]:
    """The filters of a time log that a link was made with."""
    return {name: _PARSERS[name](value) for name, value in claims["filters"].items()}


async def viewer_of(database: Database, claims: dict[str, Any]) -> Viewer | None:
    """Whom a link was made for, read afresh; None once the sign-in, the role or the account is gone."""
    signed_in = AccessClaims(claims["user"], Role(claims["role"]), claims["signIn"], expires_at=clock.now() + LIFETIME)
    try:
        viewer = await read_viewer(database, signed_in)
    except NotSignedIn:
        return None
    return None if viewer.must_complete_setup else viewer


def _to_export(context: Context, what: str, **about: Any) -> Download:
    # Only what it is about is in the link: the export is made when somebody follows it.
    return _signed(context, EXPORT, "exports", {"export": what, **about})


def _spelled(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _signed(context: Context, purpose: str, path: str, claims: dict[str, Any]) -> Download:
    viewer = context.require_active_viewer()
    who = {"user": viewer.user_key, "role": viewer.role.value, "signIn": viewer.auth_session_key}
    # A link holds for whole seconds: the moment that is told is the one that is kept.
    expires_at = (context.now + LIFETIME).replace(microsecond=0)
    link = context.services.links.sign(purpose, {**claims, **who}, expires_at)
    return Download(f"{context.services.base_url}/{path}/{link}", expires_at)
