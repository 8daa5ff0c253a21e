"""Loans of tools: single loans and lists."""

import datetime as dt

from db.models.tool_loan import ToolLoan
from domain.global_id import Identifier
from loaders.core.base import EntityLoader
from loaders.core.filters import flag
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.rows import LightRow, column, row


@row(ToolLoan)
class ToolLoanRow(LightRow):
    """One loan."""

    key: int = column(ToolLoan.id)
    learner_key: int = column(ToolLoan.learner_id)
    title: str = column(ToolLoan.title)
    note: str | None = column(ToolLoan.note)
    due_on: dt.date = column(ToolLoan.due_on)
    lent_by_key: int = column(ToolLoan.lent_by_id)
    returned_at: dt.datetime | None = column(ToolLoan.returned_at)

    id = Identifier("ToolLoan", "key")


class ToolLoanLoader(EntityLoader[ToolLoanRow]):
    """Loads loans by key."""

    row = ToolLoanRow


TOOL_LOANS = PagedList(
    ToolLoanRow,
    Order("due_on", ToolLoan.due_on, ToolLoan.id, "due_on"),
    filters={"open_only": flag(ToolLoan.returned_at.is_(None))},
)
