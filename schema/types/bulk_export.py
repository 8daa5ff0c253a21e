"""Bulk exports and their schedules."""

import datetime as dt

import strawberry

from loaders.bulk_export import BulkExportRow, ReportScheduleRow
from resolvers import signed_urls
from schema.enums import BulkExportStatus, ExportFormat, Interval
from schema.field_builders import attribute, resolved
from schema.relay import Node, node, record
from schema.types.file import Download
from schema.types.viewer_action import ViewerAction, viewer_actions

_VARIABLES = "The variables of the query as a JSON object, as they were sent; without those that have their default."


@node(
    BulkExportRow,
    "The file of everything that a saved query gives the user who started it, in the role in which it was started: "
    "all pages, as they were at one moment. The server makes it after the request. It is kept for three days, and goes "
    "when the role ends, or when a learner of the training provider is erased.",
)
class BulkExport(Node):
    operation: str = attribute("The name of the saved query.")
    variables: str = attribute(_VARIABLES)
    format: ExportFormat = attribute("The format of the file.")
    status: BulkExportStatus = attribute("Whether the file is there.")
    as_of: dt.datetime = attribute(
        "The moment that all its rows are about; until the server has begun, when it was started."
    )
    row_count: int = attribute("The number of its rows; while it is running, of those that are written.")
    failure: str | None = attribute("Why it failed and what to do; null for any other status.")
    download: Download | None = resolved(
        "A link to the file, which can be read from a position (`Range`); null until it is done.",
        lambda row, info: signed_urls.to_bulk_export(info.context, row) if row.storage_key else None,
    )


@node(
    ReportScheduleRow,
    "A bulk export that is made again and again, at six in the morning in London: each day, on Mondays, or on the "
    "first day of a month. Its owner gets an e-mail with a link, never the data. It ends with the role in which it was "
    "made.",
)
class ReportSchedule(Node):
    operation: str = attribute("The name of the saved query.")
    variables: str = attribute(_VARIABLES)
    every: Interval = attribute("How often it is made.")
    format: ExportFormat = attribute("The format of the files.")
    next_at: dt.datetime = attribute("When it is made next; of no meaning while it is stopped.")
    ended_at: dt.datetime | None = attribute("When it was stopped or ended; null while it continues.")
    viewer_actions: list[ViewerAction] = viewer_actions("ReportSchedule")


@strawberry.type
class BulkExportQueries:
    bulk_export: BulkExport | None = record("BulkExport", "The viewer's bulk export with this id, of the role in use")
