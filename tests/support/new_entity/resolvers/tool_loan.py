"""Loans of tools: return."""

from db.models.tool_loan import ToolLoan
from resolvers.core.rules import Owned
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import multi_line
from resolvers.rules.tool_loan import TOOL_LOAN


@mutation("toolLoanReturn")
async def return_(uow: UnitOfWork, *, id: str, note: str = "") -> int:
    """Ends a loan. Raises NOT_FOUND, NOT_ALLOWED, or what is wrong with the note."""
    loan = await uow.get(ToolLoan, id, "id")
    uow.require(TOOL_LOAN, Owned(loan.learner_id))
    loan.note = multi_line(uow, note, "input", "note", required=False)
    uow.raise_errors()
    loan.returned_at = uow.now
    uow.audit("ToolLoan", loan.id, learner_id=loan.learner_id, aim_id=loan.aim_id)
    return loan.id
