"""Mutations of loans of tools: return."""

import strawberry

from loaders.tool_loan import ToolLoanLoader
from resolvers import tool_loan
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required
from schema.types.tool_loan import ToolLoan


@strawberry.input(description="The return of a tool.")
class ToolLoanReturnInput:
    note: str = attribute("The condition in which it is returned.")


@payload("The loan, ended.")
class ToolLoanPayload:
    tool_loan: ToolLoan | None = changed(ToolLoanLoader, "The loan.")


@strawberry.type
class ToolLoanMutations:
    tool_loan_return = mutation(
        ToolLoanPayload,
        tool_loan.return_,
        "Ends a loan.",
        id=Id,
        input=required(ToolLoanReturnInput, "The return."),
    )
