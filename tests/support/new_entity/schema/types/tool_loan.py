"""Loans of tools: the type and its queries."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.tool_loan import TOOL_LOANS, ToolLoanRow
from schema.field_builders import argument, attribute, connection, person
from schema.relay import Connection, Node, node, record
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.user import User


@node(ToolLoanRow, "A tool that the provider lent to a learner.")
class ToolLoan(Node):
    title: str = attribute("The tool.")
    note: str | None = attribute("Its condition; null until it is returned.")
    due_on: dt.date = attribute("The day by which it must be returned.")
    lent_by: Annotated["User", strawberry.lazy("schema.types.user")] | None = person("Who lent it.", "lent_by_key")
    returned_at: dt.datetime | None = attribute("When it was returned; null until then.")
    viewer_actions: list[ViewerAction] = viewer_actions("ToolLoan")


@strawberry.type
class ToolLoanQueries:
    tool_loan: ToolLoan | None = record("ToolLoan", "One loan")
    tool_loans: Connection[ToolLoan] = connection(
        "The loans that the viewer may see.", TOOL_LOANS, open_only=argument(bool, "Only those not returned.")
    )
