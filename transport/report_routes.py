"""The addresses under /reports: the page, files, bulk exports, and OData."""

from pathlib import Path

from starlette.routing import BaseRoute

from services.exports.slots import ExportSlots
from transport.graphql.operation_runner import OperationRunner
from transport.odata import Feed, ODataEndpoint
from transport.report_execution import ReportExecution
from transport.reports import BulkExports, ReportEndpoint, Reports


def report_routes(
    runner: OperationRunner, slots: ExportSlots, reports: Reports, feed: Feed, bulk_exports: BulkExports, page: Path
) -> list[BaseRoute]:
    """Returns the routes. `page`: the folder of the page's files."""
    execution = ReportExecution(runner, slots)
    odata = ODataEndpoint(execution, feed)
    return [*odata.routes(), *ReportEndpoint(execution, reports, bulk_exports).routes(page)]
