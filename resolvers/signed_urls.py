"""Signed links to files and exports: each is for one thing, and valid until it expires or its user is signed out."""

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
from domain.errors import BadArgument
from loaders.bulk_export import BulkExportRow
from loaders.file import FileRow
from resolvers.core.context import Context
from services.storage.previews import has_preview, preview_width
from services.storage.storage_keys import PREVIEW_WIDTHS

LIFETIME = dt.timedelta(minutes=5)

# The kinds of export, as the claims of a link name them.
TIME_LOG = "time-log"
PROGRESS_MAP = "progress-map"
RECORD_OF_ACHIEVEMENT = "record-of-achievement"
SUBJECT_ACCESS = "subject-access"

# Parses each filter of the time log from the JSON of the claims.
_PARSERS: dict[str, Callable[[Any], Any]] = {
    "aim_id": str,
    "job_setting": JobSetting,
    "activity_type": ActivityType,
    "from_": dt.date.fromisoformat,
    "to": dt.date.fromisoformat,
}


@dataclass(frozen=True, slots=True)
class Download:
    """A link that needs no access token, until it expires or the authentication session behind it ends."""

    url: str
    expires_at: dt.datetime


def to_file(context: Context, file_key: int) -> Download:
    """Returns a link to the bytes of a file that the viewer sees."""
    return _sign(context, DOWNLOAD, "downloads", {"file": file_key})


def to_preview(context: Context, file: FileRow, width: int) -> Download | None:
    """Returns a link to a picture of a file that the viewer sees, at most so wide; None for kinds that have none.

    Raises BadArgument for a width below that of the narrowest.
    """
    if width < PREVIEW_WIDTHS[0]:
        raise BadArgument("width", f"Ask for a width of at least {PREVIEW_WIDTHS[0]} pixels.")
    if not has_preview(file.content_type, file.size):
        return None
    return _sign(context, DOWNLOAD, "downloads", {"file": file.key, "preview": preview_width(width)})


def to_time_log(context: Context, learner_key: int, **filters: Any) -> Download:
    """Returns a link to a learner's time log as a workbook; `filters` are those of the list."""
    json_filters = {name: _to_json(value) for name, value in filters.items() if value is not None}
    return _to_export(context, TIME_LOG, learner=learner_key, filters=json_filters)


def to_progress_map(context: Context, aim_key: int, filter: CriterionFilter | None) -> Download:
    """Returns a link to an aim's progress map as a PDF."""
    return _to_export(context, PROGRESS_MAP, aim=aim_key, filter=(filter or CriterionFilter.ALL).value)


def to_record_of_achievement(context: Context, aim_key: int) -> Download:
    """Returns a link to an aim's Record of Achievement as a PDF."""
    return _to_export(context, RECORD_OF_ACHIEVEMENT, aim=aim_key)


def to_subject_access(context: Context, learner_key: int) -> Download:
    """Returns a link to everything about a learner as a ZIP."""
    return _to_export(context, SUBJECT_ACCESS, learner=learner_key)


def to_bulk_export(context: Context, export: BulkExportRow) -> Download:
    """Returns a link to the file of a bulk export of the viewer."""
    return _sign(context, DOWNLOAD, "downloads", {"bulk": export.key})


def parse_filters(claims: dict[str, Any]) -> dict[str, Any]:
    """Returns the time log's filters from the claims of a link."""
    return {name: _PARSERS[name](value) for name, value in claims["filters"].items()}


async def viewer_of_link(database: Database, claims: dict[str, Any]) -> Viewer | None:
    """Returns the user of a link, read again; None once their authentication session, role or account has ended."""
    access = AccessClaims(claims["user"], Role(claims["role"]), claims["signIn"], expires_at=clock.now() + LIFETIME)
    try:
        viewer = await read_viewer(database, access)
    except NotSignedIn:
        return None
    return None if viewer.must_complete_setup else viewer


def _to_export(context: Context, kind: str, **subject: Any) -> Download:
    # The claims name the subject only: the export is generated when the link is opened.
    return _sign(context, EXPORT, "exports", {"export": kind, **subject})


def _to_json(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _sign(context: Context, purpose: str, path: str, claims: dict[str, Any]) -> Download:
    viewer = context.require_active_viewer()
    user = {"user": viewer.user_key, "role": viewer.role.value, "signIn": viewer.auth_session_key}
    # The signature has whole seconds: `expires_at` must be the moment at which the link is rejected.
    expires_at = (context.now + LIFETIME).replace(microsecond=0)
    link = context.services.links.sign(purpose, {**claims, **user}, expires_at)
    return Download(f"{context.services.base_url}/{path}/{link}", expires_at)
