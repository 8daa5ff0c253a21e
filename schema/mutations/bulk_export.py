"""Mutations of bulk exports and of their schedules."""

import strawberry

from domain import enums
from loaders.bulk_export import BulkExportLoader, ReportScheduleLoader
from resolvers import bulk_export
from schema.enums import ExportFormat, Interval
from schema.field_builders import Id, argument
from schema.payload import changed, mutation, payload, required
from schema.types.bulk_export import BulkExport, ReportSchedule

_OPERATION = "The name of a saved query: `GET /reports` lists them."
_VARIABLES = 'The variables of the query as JSON, such as `{"learnerId": "Learner_7"}`; those with a default may miss.'


@strawberry.input(description="A new schedule of a bulk export.")
class ReportScheduleInput:
    operation: str = strawberry.field(description=_OPERATION)
    every: Interval = strawberry.field(description="How often it is made.")
    format: ExportFormat = strawberry.field(description="The format of the files.")
    variables: str | None = strawberry.field(default=None, description=_VARIABLES)


@payload("The result of starting a bulk export.")
class BulkExportPayload:
    bulk_export: BulkExport | None = changed(BulkExportLoader, "The export, which is running.")


@payload("The result of a mutation of schedules.")
class ReportSchedulePayload:
    report_schedule: ReportSchedule | None = changed(ReportScheduleLoader, "The schedule.")


@strawberry.type
class BulkExportMutations:
    bulk_export_start = mutation(
        BulkExportPayload,
        bulk_export.start,
        "Starts an export of everything that a saved query gives the viewer in the role in use. Ask `bulkExport` until "
        "it is done. Two of a user are made at a time, and 50 in 24 hours.",
        operation=required(str, _OPERATION),
        variables=argument(str, _VARIABLES),
        format=required(ExportFormat, "The format of the file."),
        defaults={"variables": None, "format": enums.ExportFormat.PARQUET},
    )
    report_schedule = mutation(
        ReportSchedulePayload,
        bulk_export.schedule,
        "Schedules an export of everything that a saved query gives the viewer in the role in use. A user has at most "
        "20 schedules.",
        input=required(ReportScheduleInput, "The schedule."),
    )
    report_schedule_end = mutation(
        ReportSchedulePayload,
        bulk_export.end,
        "Stops one of the viewer's own schedules. An export that is being made is completed. `reportScheduleResume` "
        "starts it again.",
        id=Id,
    )
    report_schedule_resume = mutation(
        ReportSchedulePayload,
        bulk_export.resume,
        "Starts one of the viewer's own schedules again that was stopped in the last 90 days, from its next time on. "
        "What was not made meanwhile is not made now.",
        id=Id,
    )
